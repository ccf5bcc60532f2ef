"""One-poles over slots or frames, with one time constant for falling and one for rising.

Detectors, the attack and release of compressors, the limiter's recovery and the reverb's decay are
all this recursion; it is the one thing here that cannot run side by side over time, so it runs
in Numba, forwards and, for the gradient, backwards.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.autograd.function import once_differentiable

from ...compiled import kernel

Array = NDArray[np.floating]
FALL_LEFT, FALL_MEAN, RISE_LEFT, RISE_MEAN = range(4)


def lag(targets: Tensor, coefficients: Tensor) -> Tensor:
    """Means over each step of a state that moves exponentially towards a target, from 0 on.

    With the distance d = state - target, positive when the state falls: the step's mean is
    target + mean d and the state at its end target + left d.

    Args:
        targets: (..., steps).
        coefficients: what a step leaves of the distance at its end and on average, falling and
            then rising: (..., 4), broadcast to the leading axes of targets.

    Returns:
        Means (..., steps), differentiable in both arguments. Where target and state are equal the
        gradient is that of rising.
    """
    rows = targets.shape[:-1]
    spread = coefficients.to(targets.dtype).expand(*rows, 4)
    flat = _Lag.apply(targets.reshape(-1, targets.shape[-1]), spread.reshape(-1, 4))  # type: ignore[no-untyped-call]
    result: Tensor = flat.reshape(targets.shape)
    return result


def even(left: Tensor, mean: Tensor) -> Tensor:
    """Coefficients (..., 4) of a one-pole that falls as it rises."""
    return torch.stack((left, mean, left, mean), dim=-1)


def smoothing(time_ms: Tensor, slots_per_s: float) -> tuple[Tensor, Tensor]:
    """What is left of a one-pole's distance at a slot's end, and on average within the slot."""
    decay = 1000.0 / (time_ms.clamp_min(1e-3) * slots_per_s)
    left = torch.exp(-decay)
    return left, (1.0 - left) / decay


class _Lag(torch.autograd.Function):
    """`lag` of targets (rows, steps) and coefficients (rows, 4)."""

    @staticmethod
    def forward(ctx: Any, targets: Tensor, coefficients: Tensor) -> Tensor:
        x, k = _array(targets), _array(coefficients)
        means, states = np.empty_like(x), np.empty_like(x)
        _run(x, k, means, states)
        ctx.save_for_backward(targets, coefficients)
        ctx.states = states
        return torch.from_numpy(means).to(targets.device)

    @staticmethod
    @once_differentiable  # type: ignore[misc]
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, Tensor]:
        targets, coefficients = ctx.saved_tensors
        x, k = _array(targets), _array(coefficients)
        to_targets, to_coefficients = np.empty_like(x), np.empty_like(k)
        _run_back(x, k, ctx.states, _array(gradient), to_targets, to_coefficients)
        return (
            torch.from_numpy(to_targets).to(gradient.device),
            torch.from_numpy(to_coefficients).to(gradient.device),
        )


def _array(tensor: Tensor) -> Array:
    return np.ascontiguousarray(tensor.detach().cpu().numpy())


@kernel(error_model="numpy", fastmath={"contract", "reassoc", "nsz", "arcp"})
def _run(targets: Array, coefficients: Array, means: Array, states: Array) -> None:
    """Means and the states at each step's beginning, (rows, steps)."""
    rows, steps = targets.shape
    for row in range(rows):
        k, x, mean, begin = coefficients[row], targets[row], means[row], states[row]
        fall_left, fall_mean, rise_left, rise_mean = k[0], k[1], k[2], k[3]
        state = x[0] * 0
        for t in range(steps):
            distance = state - x[t]
            falls = distance > 0
            begin[t] = state
            mean[t] = x[t] + (fall_mean if falls else rise_mean) * distance
            state = x[t] + (fall_left if falls else rise_left) * distance


@kernel(error_model="numpy", fastmath={"contract", "reassoc", "nsz", "arcp"})
def _run_back(
    targets: Array,
    coefficients: Array,
    states: Array,
    gradient: Array,
    to_targets: Array,
    to_coefficients: Array,
) -> None:
    """From the gradient of the means, (rows, steps), that of targets and of coefficients.

    The adjoint runs backwards: with g the gradient of a step's mean and a that of its end state,
    targets get (1 - mean) g + (1 - left) a, the state at the step's beginning mean g + left a.
    """
    rows, steps = targets.shape
    for row in range(rows):
        k, x, begin = coefficients[row], targets[row], states[row]
        g, out = gradient[row], to_targets[row]
        fall_left, fall_mean, rise_left, rise_mean = k[0], k[1], k[2], k[3]
        falls_left = falls_mean = rises_left = rises_mean = 0.0
        end = x[0] * 0
        for t in range(steps - 1, -1, -1):
            distance = begin[t] - x[t]
            falls = distance > 0
            if falls:
                falls_left += end * distance
                falls_mean += g[t] * distance
                earlier = fall_mean * g[t] + fall_left * end
            else:
                rises_left += end * distance
                rises_mean += g[t] * distance
                earlier = rise_mean * g[t] + rise_left * end
            out[t] = g[t] + end - earlier
            end = earlier
        to_coefficients[row, FALL_LEFT], to_coefficients[row, FALL_MEAN] = falls_left, falls_mean
        to_coefficients[row, RISE_LEFT], to_coefficients[row, RISE_MEAN] = rises_left, rises_mean
