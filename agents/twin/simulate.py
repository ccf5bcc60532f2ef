"""Whole mixes, the twin of `console.simulate`."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from ...console.parameters import BUSES, MASTER, NOMINAL_LUFS, STRIP
from .crosses import add_crosses
from .delivery import deliver
from .master import Bus, run_master
from .meters import (
    gated_power,
    loudness_range,
    lufs,
    read_bands,
    seconds,
    short_term,
    thirds,
    weighted,
)
from .songs import Songs
from .space import run_space
from .strips import run_strips
from .values import decibels, power


@dataclass(frozen=True, slots=True)
class TwinReadings:
    """What mixes read, as `MixReadings` has it, differentiable."""

    integrated_lufs: Tensor
    bus_lufs: Tensor
    bus_peak_dbtp: Tensor
    loudness_range_lu: Tensor
    true_peak_dbtp: Tensor
    mono_fold_loss_db: Tensor
    drive_db: Tensor
    mean_reduction_db: Tensor
    short_term_lufs: Tensor
    stem_lufs: Tensor
    stem_powers: Tensor
    powers: Tensor
    width: Tensor
    correlation: Tensor
    balance: Tensor
    seconds: Tensor

    @property
    def plr_db(self) -> Tensor:
        """Peak to loudness ratio, (mixes,)."""
        return self.true_peak_dbtp - self.integrated_lufs

    @property
    def bus_plr_db(self) -> Tensor:
        """Peak to loudness ratio of the mix bus, before mastering, (mixes,)."""
        return self.bus_peak_dbtp - self.bus_lufs


def simulate(
    songs: Songs,
    strips: Tensor,
    buses: Tensor,
    master: Tensor,
    side_chains: Tensor | None = None,
) -> TwinReadings:
    """Readings of so many mixes of each of several songs.

    Args:
        songs: of the batch.
        strips: physical values, (songs, mixes, stems, len(STRIP)).
        buses, master: (songs, mixes, len(BUSES)), (songs, mixes, len(MASTER)).
        side_chains: index of the stem that drives each compressor, (stems,); itself if None, and
            where that stem is silent. For one song alone.

    Returns:
        Readings of songs * mixes mixes, those of the first song first.

    Raises:
        ValueError: a shape does not fit the tables or the songs, or side chains of several songs.
    """
    count = strips.shape[1] if strips.dim() == 4 else 0
    for name, values, shape in (
        ("strips", strips, (len(songs), count, songs.stems, len(STRIP))),
        ("buses", buses, (len(songs), count, len(BUSES))),
        ("master", master, (len(songs), count, len(MASTER))),
    ):
        if tuple(values.shape) != shape:
            raise ValueError(f"{name} has the shape {tuple(values.shape)}, not {shape}")
    strips, buses, master = strips.double(), buses.double(), master.double()
    buses, master = buses.flatten(0, 1), master.flatten(0, 1)
    grid = songs.grid
    summed = run_strips(songs, strips, _keys(songs, side_chains))
    powers, slots = add_crosses(songs, strips, summed)
    wet, returned = run_space(grid, buses, summed.sends)
    slots = slots + grid.gather(returned)[..., None]
    tail = torch.sqrt(0.5 * returned.sum(dim=1) + _LEAST)[..., None]
    bus = Bus(powers + wet, slots, (summed.peaks.abs().amax(dim=1) + tail) ** 2)

    bus_lufs = lufs(gated_power(weighted(grid, bus.powers)[0])[0])
    bus_peak_dbtp = decibels(bus.peaks.amax(dim=(1, 2)), 1e-20)
    sounds = torch.isfinite(bus_lufs)
    nominal = power(NOMINAL_LUFS - torch.where(sounds, bus_lufs, NOMINAL_LUFS))
    bus = run_master(grid, master, bus.scaled(nominal))
    energy, mono = weighted(grid, bus.powers)
    loud, folded = gated_power(energy, mono)
    weights = torch.einsum("mctj,c->mtj", bus.slots, grid.coarse_k)
    at = sounds & (loud > 0.0)
    delivered = deliver(master, torch.where(at[:, None], energy, 1.0), weights, bus.peaks)
    final = torch.where(at[:, None], delivered.energy, energy)
    moved = final / (energy + 1e-20)
    levels, width, correlation, balance = read_bands(bus.powers * moved[:, None, None])
    windows = short_term(final)
    return TwinReadings(
        integrated_lufs=lufs(gated_power(final)[0]),
        bus_lufs=bus_lufs,
        bus_peak_dbtp=bus_peak_dbtp,
        loudness_range_lu=loudness_range(windows),
        true_peak_dbtp=torch.where(at, delivered.true_peak_dbtp, bus_peak_dbtp),
        mono_fold_loss_db=(decibels(loud, 1e-20) - decibels(folded, 1e-20)).clamp_min(0.0),
        drive_db=torch.where(at, delivered.drive_db, 0.0),
        mean_reduction_db=torch.where(at, delivered.reduction_db, 0.0),
        short_term_lufs=windows,
        stem_lufs=lufs(gated_power(summed.stem_k)[0]),
        stem_powers=thirds(summed.stem_bands) / grid.frames,
        powers=levels,
        width=width,
        correlation=correlation,
        balance=balance,
        seconds=torch.tensor(seconds(grid.frames), dtype=final.dtype, device=final.device),
    )


_LEAST = 1e-30


def _keys(songs: Songs, side_chains: Tensor | None) -> Tensor | None:
    if side_chains is None:
        return None
    if len(songs) > 1 or tuple(side_chains.shape) != (songs.stems,):
        raise ValueError("side_chains is (stems,), for one song")
    own = torch.arange(songs.stems, device=side_chains.device)
    return torch.where(songs.sounds[0, side_chains], side_chains, own)
