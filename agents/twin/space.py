"""The shared reverb and delay as energy over frames, the twin of `console._simulate_space`."""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn import functional

from ...console._simulate_space import ALL_PASS_S, COMB_S, LEAST_ECHO
from ...console.analysis import FRAMES_PER_S
from ...console.parameters import BUSES
from .lag import even, lag
from .songs import Grid
from .values import Settings, power

WHITE = 32  # frequencies over which the reverb's level is averaged


def run_space(grid: Grid, values: Tensor, sends: Tensor) -> tuple[Tensor, Tensor]:
    """What sends give.

    Args:
        grid: of the songs.
        values: physical values of the buses, (mixes, len(BUSES)).
        sends: (mixes, 4, bands, frames): see `Summed`.

    Returns:
        <LL>, <RR>, <LR> on the bus, (mixes, 3, bands, frames), and the power of reverb and delay
        together, (mixes, bands, frames).
    """
    buses = Settings(BUSES, values)
    tail, correlation = _reverb(grid, buses, sends[:, 0])
    reverb = torch.stack((tail, tail, correlation[:, None, None] * tail), dim=1)
    wet = reverb + _delay(grid, buses, sends[:, 1:])
    return wet, wet[:, 0] + wet[:, 1]


def _reverb(grid: Grid, buses: Settings, sent: Tensor) -> tuple[Tensor, Tensor]:
    """Power of either channel of the return, (mixes, bands, frames), and their correlation.

    sent (mixes, bands, frames).
    """
    feedback, d = buses["reverb_size"] * 0.28 + 0.7, buses["reverb_damping"] * 0.4

    def loop_power(cosine: Tensor) -> Tensor:
        d_, feedback_ = d[:, None], feedback[:, None]
        return (feedback_ * (1.0 - d_)) ** 2 / (1.0 - 2.0 * d_ * cosine + d_ * d_)

    at = (torch.arange(WHITE, dtype=torch.float64, device=sent.device) + 0.5) * math.pi / WHITE
    white = (1.0 / (1.0 - loop_power(torch.cos(at)))).mean(dim=1, keepdim=True)
    loop = loop_power(grid.bands.cos1)
    back = power(buses["reverb_return_db"])[:, None] / 4.0
    gain = grid.bands.high_pass(buses["reverb_low_cut_hz"]) * back / (1.0 - loop) / white
    decay = -torch.log(loop) / COMB_S / FRAMES_PER_S
    kept = torch.exp(-decay)
    shift = (buses["reverb_pre_delay_ms"] / 1000.0 + COMB_S + ALL_PASS_S) * FRAMES_PER_S
    late = _late(sent, shift.to(sent.dtype))
    tail = lag(late, even(kept, (1.0 - kept) / decay)) * gain.to(sent.dtype)[..., None]
    width = buses["reverb_width"]
    first, second = (1 + width) / 2, (1 - width) / 2
    correlation = 2 * first * second / (first * first + second * second)
    return tail, correlation.to(sent.dtype)


def _late(lines: Tensor, shift: Tensor) -> Tensor:
    """Lines (mixes, bands, frames), late by shift (mixes,) frames, linearly interpolated."""
    total = torch.zeros_like(lines)
    for whole in range(math.ceil(float(shift.detach().max())) + 1):
        near = (1.0 - (shift - whole).abs()).clamp_min(0.0)
        moved = functional.pad(lines, (whole, 0))[..., : lines.shape[-1]]
        total = total + near[:, None, None] * moved
    return total


def _delay(grid: Grid, buses: Settings, sent: Tensor) -> Tensor:
    """Echoes of <LL>, <RR>, <LR>, (mixes, 3, bands, frames)."""
    frames, dtype = sent.shape[-1], sent.dtype
    bands = grid.bands
    gain = bands.high_pass(buses["delay_low_cut_hz"]) * bands.low_pass(buses["delay_high_cut_hz"])
    gain = gain * power(buses["delay_return_db"])[:, None]
    lags = _echo_powers(buses, frames).to(dtype)
    start = torch.arange(frames, device=sent.device)
    places = (start - start[:, None]).clamp_min(-1)  # [from, to]; -1 is before
    matrix = functional.pad(lags, (0, 1))[:, places]
    echoes = (sent.flatten(1, 2) @ matrix).reshape(sent.shape)
    return echoes * gain.to(dtype)[:, None, :, None]


def _echo_powers(buses: Settings, frames: int) -> Tensor:
    """Power that comes back so many frames later, (mixes, frames)."""
    square = buses["delay_feedback"] ** 2
    largest = float(square.detach().max().clamp(1e-9, 0.999))
    count = math.floor(math.log(LEAST_ECHO) / math.log(largest)) + 2
    echo = torch.arange(count, device=square.device)
    levels = square[:, None] ** echo
    levels = torch.where(levels > LEAST_ECHO, levels, 0.0)
    shifts = (echo + 1.0) * buses["delay_time_ms"][:, None] / 1000.0 * FRAMES_PER_S
    frame = torch.arange(frames, dtype=shifts.dtype, device=shifts.device)
    near = (1.0 - (shifts[..., None] - frame).abs()).clamp_min(0.0)  # (mixes, echoes, frames)
    return (levels[..., None] * near).sum(dim=1)
