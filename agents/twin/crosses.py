"""Stems that interfere on the mix bus, the twin of `console._simulate_crosses`."""

from __future__ import annotations

import torch
from torch import Tensor

from ...console._simulate_crosses import LEAST
from ...console.parameters import STRIP
from .dynamics import FLOOR
from .songs import Songs
from .strips import HIGH_PASS_LOWEST_HZ, Summed
from .values import Settings, cut


def add_crosses(songs: Songs, values: Tensor, summed: Summed) -> tuple[Tensor, Tensor]:
    """Bus and slots of `summed` with what interference adds to their powers.

    Args:
        songs: of the batch.
        values: physical values of the strips, (songs, mixes, stems, len(STRIP)).
        summed: what strips gave.
    """
    if not songs.first.shape[1]:
        return summed.bus, summed.slots
    grid = songs.grid
    left, right = _extra(songs, Settings(STRIP, values), summed).flatten(0, 1).unbind(1)
    ratios = [
        (1.0 + extra / (grid.gather(summed.bus[:, x]) + FLOOR)).clamp_min(float(LEAST))
        for x, extra in enumerate((left, right))
    ]  # (mixes, coarse, frames) each
    factors = torch.stack((*ratios, torch.sqrt(ratios[0] * ratios[1])), dim=1)
    slots = summed.slots * (0.5 * (ratios[0] + ratios[1]))[..., None]
    return summed.bus * grid.spread(factors), slots


def _extra(songs: Songs, strips: Settings, summed: Summed) -> Tensor:
    """Power that interference adds, (songs, mixes, 2 sides, coarse, frames)."""

    def ends(values: Tensor) -> tuple[Tensor, Tensor]:
        """Values of stems (songs, mixes, stems, ...) at both ends of each pair."""
        flat = values.swapaxes(1, 2).flatten(2)
        shape = (values.shape[1], *values.shape[3:])
        first, second = (
            (end.to(flat.dtype) @ flat).reshape(*end.shape[:2], *shape).swapaxes(1, 2)
            for end in (songs.first, songs.second)
        )
        return first, second

    hz = strips["high_pass_hz"]
    phase = songs.grid.bands.high_pass_phase(hz, songs.grid.middles)
    phase = cut(phase, (hz <= HIGH_PASS_LOWEST_HZ)[..., None])
    phase = torch.where(strips.on("high_pass_on")[..., None], phase, 0.0)
    one, other = ends(phase)
    turned = (2.0 * torch.cos(one - other)).to(songs.fine.dtype)  # (songs, mixes, pairs, coarse)
    one, other = ends(summed.amplitudes)
    strength = turned[..., None] * one * other
    one, other = ends(summed.sides)
    mono = (songs.first + songs.second) @ songs.mono.to(songs.fine.dtype)[..., None]
    mono = (mono > 0.0).swapaxes(1, 2)  # (songs, 1, pairs)
    sides = []
    for x in range(2):
        (a, b), (d, e) = one[..., x, :].unbind(-1), other[..., x, :].unbind(-1)
        across = a * e + b * d
        near = torch.where(mono, a * d, a * d + 0.5 * across)
        far = torch.where(mono, across, b * e + 0.5 * across)
        here, there = songs.crosses[:, None, :, x], songs.crosses[:, None, :, 1 - x]
        common = near[..., None, None] * here + far[..., None, None] * there
        sides.append((strength * common).sum(dim=2))
    return torch.stack(sides, dim=2)
