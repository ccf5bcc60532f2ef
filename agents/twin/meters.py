"""Loudness and bands from powers per frame of 100 ms, the twin of `console._simulate_meters`."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from ...console._simulate_meters import ABSOLUTE_GATE, BLOCK, OFFSET_DB, WINDOW
from ...console.analysis import BANDS_PER_THIRD_OCTAVE, FRAMES_PER_S
from .songs import Grid
from .values import decibels

LEAST_POWER = 1e-30


def weighted(grid: Grid, powers: Tensor) -> tuple[Tensor, Tensor]:
    """K-weighted power of a bus (mixes, 3, bands, frames) and of its mono fold, (mixes, frames)."""
    left, right, cross = torch.einsum("mxbt,b->xmt", powers, grid.kweight)
    energy = left + right
    return energy, cross + 0.5 * energy


def gated_power(energy: Tensor, mono: Tensor | None = None) -> tuple[Tensor, Tensor]:
    """Mean of the blocks of energy (..., frames) that pass BS.1770's gates, and of mono in them.

    Which blocks pass is taken as given.
    """
    mono = energy if mono is None else mono
    if energy.shape[-1] < BLOCK:
        return energy.sum(dim=-1) / BLOCK, mono.sum(dim=-1) / BLOCK
    blocks = energy.unfold(-1, BLOCK, 1).mean(dim=-1)
    folds = blocks if mono is energy else mono.unfold(-1, BLOCK, 1).mean(dim=-1)
    with torch.no_grad():
        passes = (blocks > ABSOLUTE_GATE).to(blocks.dtype)
        loud = (passes * blocks).sum(dim=-1) / passes.sum(dim=-1).clamp_min(1.0)
        gate = (loud * 0.1).clamp_min(ABSOLUTE_GATE)
        passes = (blocks > gate[..., None]).to(blocks.dtype)
        share = passes / passes.sum(dim=-1, keepdim=True).clamp_min(1.0)
    return (share * blocks).sum(dim=-1), (share * folds).sum(dim=-1)


def lufs(power: Tensor) -> Tensor:
    """Loudness of K-weighted power; -inf, without gradient, for silence."""
    level = OFFSET_DB + decibels(power.clamp_min(LEAST_POWER))
    return torch.where(power > 0.0, level, -math.inf)


def short_term(energy: Tensor) -> Tensor:
    """Loudness of every 3 s, 100 ms apart, (mixes, windows), from energy (mixes, frames).

    A shorter programme has one window, all of it.
    """
    return lufs(energy.unfold(-1, min(WINDOW, energy.shape[-1]), 1).mean(dim=-1))


def loudness_range(levels: Tensor) -> Tensor:
    """EBU Tech 3342, (mixes,), from the loudness of every 3 s, (mixes, windows)."""
    with torch.no_grad():
        above = levels > -70.0
        power = torch.where(above, torch.pow(10.0, levels / 10.0), 0.0).sum(dim=-1)
        mean = power / above.sum(dim=-1).clamp_min(1)
        gate = (decibels(mean.clamp_min(LEAST_POWER)) - 20.0).clamp_min(-70.0)
        kept = levels > gate[:, None]
        count, none = kept.sum(dim=-1), levels.shape[-1] - kept.sum(dim=-1)
        places = [
            (none + ((count - 1) * share + 0.5).long()).clamp(0, levels.shape[-1] - 1)
            for share in (0.1, 0.95)
        ]
    ordered = torch.where(kept, levels, -math.inf).sort(dim=-1).values
    low, high = (ordered.gather(-1, place[:, None])[:, 0] for place in places)
    return torch.where(above.any(dim=-1), high, 0.0) - torch.where(above.any(dim=-1), low, 0.0)


def thirds(powers: Tensor) -> Tensor:
    """Fine bands (..., bands) to third octaves, band 0 left out."""
    pairs = powers[..., 1:].reshape(*powers.shape[:-1], -1, BANDS_PER_THIRD_OCTAVE)
    return pairs.sum(dim=-1)


def seconds(frames: int) -> list[int]:
    """How many frames each second of the readings holds."""
    return [min(FRAMES_PER_S, frames - start) for start in range(0, frames, FRAMES_PER_S)]


def read_bands(powers: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Level over time, width, correlation and balance per third octave.

    Of a bus (mixes, 3, bands, frames): power (mixes, seconds, thirds), the others (mixes, thirds).
    """
    counts = seconds(powers.shape[-1])
    parts = torch.stack([p.sum(dim=-1) for p in torch.split(powers, counts, dim=-1)], dim=2)
    parts = thirds(parts)  # (mixes, 3, seconds, thirds)
    length = torch.tensor(counts, dtype=powers.dtype, device=powers.device)[:, None]
    levels = 0.5 * (parts[:, 0] + parts[:, 1]) / length
    left, right, cross = parts.sum(dim=2).unbind(1)
    both = left + right + 1e-20
    correlation = cross / torch.sqrt(left * right + 1e-30)
    return levels, 0.5 - cross / both, correlation, (right - left) / both
