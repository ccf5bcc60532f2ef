"""Sums over octaves and over slots, in Numba: the largest arrays of a mix, each passed over once.

Axes: r songs, n mixes, s stems, c coarse bands, t frames, j slots of a frame. Slots' powers are
(r, s, c, t, j) and constant; weights are (r, n, s, c, t), gains and levels (r, n, s, t, j).
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.autograd.function import once_differentiable

from ...compiled import kernel
from ...console.analysis import SLOTS

Array = NDArray[np.floating]


def over_bands(weights: Tensor, slots: Tensor) -> Tensor:
    """Levels, the sum over c of weights times slots."""
    levels: Tensor = _OverBands.apply(weights, slots)  # type: ignore[no-untyped-call]
    return levels


def over_slots(gains: Tensor, slots: Tensor) -> Tensor:
    """Weights, the sum over j of gains times slots."""
    weights: Tensor = _OverSlots.apply(gains, slots)  # type: ignore[no-untyped-call]
    return weights


def over_stems(weights: Tensor, gains: Tensor, slots: Tensor) -> Tensor:
    """The sum over s of weights times gains times slots, (r, n, c, t, j)."""
    total: Tensor = _OverStems.apply(weights, gains, slots)  # type: ignore[no-untyped-call]
    return total


class _OverBands(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, weights: Tensor, slots: Tensor) -> Tensor:
        ctx.save_for_backward(slots)
        return _summed(_sum_bands, (*weights.shape[:3], *slots.shape[3:]), weights, slots)

    @staticmethod
    @once_differentiable  # type: ignore[misc]
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None]:
        (slots,) = ctx.saved_tensors
        shape = (*gradient.shape[:3], *slots.shape[2:4])
        return _summed(_sum_slots, shape, gradient, slots), None


class _OverSlots(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, gains: Tensor, slots: Tensor) -> Tensor:
        ctx.save_for_backward(slots)
        return _summed(_sum_slots, (*gains.shape[:3], *slots.shape[2:4]), gains, slots)

    @staticmethod
    @once_differentiable  # type: ignore[misc]
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None]:
        (slots,) = ctx.saved_tensors
        shape = (*gradient.shape[:3], *slots.shape[3:])
        return _summed(_sum_bands, shape, gradient, slots), None


class _OverStems(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, weights: Tensor, gains: Tensor, slots: Tensor) -> Tensor:
        ctx.save_for_backward(weights, gains, slots)
        shape = (*gains.shape[:2], *slots.shape[2:])
        return _summed(_sum_stems, shape, weights, gains, slots)

    @staticmethod
    @once_differentiable  # type: ignore[misc]
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, Tensor, None]:
        weights, gains, slots = ctx.saved_tensors
        to_weights, to_gains = (np.zeros(x.shape, _dtype(x)) for x in (weights, gains))
        arrays = (_array(x) for x in (weights, gains, slots, gradient))
        _sum_stems_back(*arrays, to_weights, to_gains)
        device = gradient.device
        return torch.from_numpy(to_weights).to(device), torch.from_numpy(to_gains).to(device), None


def _summed(run: Any, shape: tuple[int, ...], *inputs: Tensor) -> Tensor:
    out = np.zeros(shape, _dtype(inputs[0]))
    run(*(_array(x) for x in inputs), out)
    return torch.from_numpy(out).to(inputs[0].device)


def _array(tensor: Tensor) -> Array:
    return np.ascontiguousarray(tensor.detach().cpu().numpy())


def _dtype(tensor: Tensor) -> Any:
    return np.float64 if tensor.dtype == torch.float64 else np.float32


@kernel(error_model="numpy", fastmath=True)
def _sum_bands(weights: Array, slots: Array, levels: Array) -> None:
    for r, n, s, c in np.ndindex(weights.shape[:4]):
        for t in range(weights.shape[4]):
            w, x, out = weights[r, n, s, c, t], slots[r, s, c, t], levels[r, n, s, t]
            for j in range(SLOTS):
                out[j] += w * x[j]


@kernel(error_model="numpy", fastmath=True)
def _sum_slots(gains: Array, slots: Array, weights: Array) -> None:
    for r, n, s, c in np.ndindex(weights.shape[:4]):
        for t in range(weights.shape[4]):
            g, x = gains[r, n, s, t], slots[r, s, c, t]
            total = weights[r, n, s, c, t]
            for j in range(SLOTS):
                total += g[j] * x[j]
            weights[r, n, s, c, t] = total


@kernel(error_model="numpy", fastmath=True)
def _sum_stems(weights: Array, gains: Array, slots: Array, total: Array) -> None:
    for r, n, s, c in np.ndindex(weights.shape[:4]):
        for t in range(weights.shape[4]):
            w, g, x = weights[r, n, s, c, t], gains[r, n, s, t], slots[r, s, c, t]
            out = total[r, n, c, t]
            for j in range(SLOTS):
                out[j] += w * g[j] * x[j]


@kernel(error_model="numpy", fastmath=True)
def _sum_stems_back(
    weights: Array,
    gains: Array,
    slots: Array,
    gradient: Array,
    to_weights: Array,
    to_gains: Array,
) -> None:
    for r, n, s, c in np.ndindex(weights.shape[:4]):
        for t in range(weights.shape[4]):
            w, g, x = weights[r, n, s, c, t], gains[r, n, s, t], slots[r, s, c, t]
            d, out = gradient[r, n, c, t], to_gains[r, n, s, t]
            total = to_weights[r, n, s, c, t]
            for j in range(SLOTS):
                part = d[j] * x[j]
                total += part * g[j]
                out[j] += part * w
            to_weights[r, n, s, c, t] = total
