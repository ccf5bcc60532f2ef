"""The mix bus through the mastering chain, the twin of `console._simulate_master`."""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
from torch import Tensor

from ...console._simulate_master import BAND_KNEE_DB
from ...console.mastering import BAND_LEVELS_DB
from ...console.parameters import MASTER, NOMINAL_LUFS
from ...console.saturation import NOMINAL_GAIN_DB
from .dynamics import FLOOR, Compressor
from .songs import SLOTS_PER_S, Grid
from .values import Settings, cut, power, root

MONO_LOWEST_HZ = MASTER["mono_below_hz"].low


class Bus(NamedTuple):
    """A mix bus.

    Attributes:
        powers: <LL>, <RR>, <LR>, (mixes, 3, bands, frames).
        slots: (mixes, coarse, frames, slots).
        peaks: squared, of the louder side, (mixes, frames, slots).
    """

    powers: Tensor
    slots: Tensor
    peaks: Tensor

    def scaled(self, gain: Tensor) -> Bus:
        """Times a power gain, (mixes,)."""
        gain = gain.to(self.powers.dtype)[:, None, None, None]
        return Bus(self.powers * gain, self.slots * gain, self.peaks * gain[..., 0])

    def where(self, on: Tensor, other: Bus) -> Bus:
        """This one in mixes where `on`, (mixes,), the other elsewhere."""
        mask = on[:, None, None, None]
        return Bus(
            torch.where(mask, self.powers, other.powers),
            torch.where(mask, self.slots, other.slots),
            torch.where(mask[..., 0], self.peaks, other.peaks),
        )

    @property
    def total(self) -> Tensor:
        """Power of all bands, (mixes, frames, slots)."""
        return self.slots.sum(dim=1) + FLOOR


def run_master(grid: Grid, values: Tensor, bus: Bus) -> Bus:
    """The chain over a bus at nominal loudness.

    Args:
        grid: of the songs.
        values: physical values of the master, (mixes, len(MASTER)).
        bus: at nominal loudness.
    """
    master = Settings(MASTER, values)
    for switch, stage in (
        ("bus_compressor_on", _compress),
        ("master_eq_on", _equalise),
        ("multiband_on", _compress_bands),
        ("saturation_on", _saturate),
        ("image_on", _image),
    ):
        on = master.on(switch)
        if bool(on.any()):
            changed = stage(grid, master, bus)
            bus = changed if bool(on.all()) else changed.where(on, bus)
    return bus


def _compress(grid: Grid, master: Settings, bus: Bus) -> Bus:
    """The mix-bus compressor."""
    compressor = Compressor.of(master, "bus_compressor_")
    gains = compressor.gains(bus.total, NOMINAL_LUFS, SLOTS_PER_S)
    make_up = power(-compressor.static_gain_db(0.0)).to(gains.dtype)
    return _gained(grid, bus, gains * make_up[:, None, None])


def _gained(grid: Grid, bus: Bus, gains: Tensor) -> Bus:
    """One power gain per slot, (mixes, frames, slots)."""
    frame_gains = grid.spread(_met(bus.slots, gains))
    return Bus(bus.powers * frame_gains[:, None], bus.slots * gains[:, None], bus.peaks * gains)


def _met(slots: Tensor, gains: Tensor) -> Tensor:
    """Mean of gains (mixes, frames, slots) by the power they meet, (mixes, coarse, frames)."""
    taken = (gains[:, None] * slots).sum(dim=-1) + FLOOR
    return taken / (slots.sum(dim=-1) + FLOOR)


def _shares(grid: Grid, powers: Tensor, response: Tensor) -> Tensor:
    """What a filter (mixes, bands) leaves of a bus in coarse bands, (mixes, coarse, frames)."""
    both = powers[:, 0] + powers[:, 1]
    return (grid.gather(response[..., None] * both) + FLOOR) / (grid.gather(both) + FLOOR)


def _equalise(grid: Grid, master: Settings, bus: Bus) -> Bus:
    response = grid.bands.equaliser(master, "master_").to(bus.powers.dtype)
    shares = _shares(grid, bus.powers, response)
    return _reshaped(bus, bus.powers * response[:, None, :, None], bus.slots * shares[..., None])


def _reshaped(bus: Bus, powers: Tensor, slots: Tensor) -> Bus:
    """Squared peaks change as the power of their slot does."""
    after = Bus(powers, slots, bus.peaks)
    return after._replace(peaks=bus.peaks * (after.total / bus.total))


def _compress_bands(grid: Grid, master: Settings, bus: Bus) -> Bus:
    """The three-band compressor; Linkwitz-Riley bands are in phase, so amplitudes add."""
    dtype = bus.powers.dtype
    low = grid.bands.low_pass_amplitude(master["crossover_low_hz"])
    up = grid.bands.low_pass_amplitude(master["crossover_high_hz"])
    amplitudes = (low, (1 - low) * up, (1 - low) * (1 - up))
    fine: Tensor | float = 0.0
    slots: Tensor | float = 0.0
    for (name, level_db), amplitude in zip(
        BAND_LEVELS_DB.items(), (a.to(dtype) for a in amplitudes), strict=True
    ):
        compressor = _band_compressor(master, name)
        shares = _shares(grid, bus.powers, amplitude * amplitude)
        detected = (shares[..., None] * bus.slots).sum(dim=1)
        gains = compressor.gains(detected, NOMINAL_LUFS, SLOTS_PER_S)
        make_up = power(-compressor.static_gain_db(level_db)).to(dtype)
        gains = gains * make_up[:, None, None]
        frame = grid.spread(torch.sqrt(_met(bus.slots, gains)))
        fine = fine + amplitude[..., None] * frame
        slots = slots + root(shares)[..., None] * torch.sqrt(gains)[:, None]
    return _reshaped(bus, bus.powers * (fine * fine)[:, None], bus.slots * (slots * slots))  # type: ignore[index]


def _band_compressor(master: Settings, name: str) -> Compressor:
    threshold_db = master[f"{name}_threshold_db"]
    return Compressor(
        threshold_db,
        master[f"{name}_ratio"],
        torch.full_like(threshold_db, BAND_KNEE_DB),
        master[f"{name}_attack_ms"],
        master[f"{name}_release_ms"],
    )


def _saturate(grid: Grid, master: Settings, bus: Bus) -> Bus:
    """The level that soft saturation takes away: see `console._simulate_master`."""
    dtype = bus.powers.dtype
    drive = power(master["saturation_drive_db"] + NOMINAL_GAIN_DB).to(dtype)[:, None, None]
    wet = master["saturation_mix"].to(dtype)[:, None, None]
    gains = ((1.0 - wet) + wet / torch.sqrt(1.0 + math.pi / 4 * drive * bus.total)) ** 2
    peak = root(drive * bus.peaks) + 1e-9
    squares = bus.peaks * ((1.0 - wet) + wet * torch.tanh(peak) / peak) ** 2 / gains
    return _gained(grid, bus._replace(peaks=squares), gains)


def _image(grid: Grid, master: Settings, bus: Bus) -> Bus:
    """Width, and the side's high-pass: two first-order sections, phase included."""
    dtype = bus.powers.dtype
    width, hz = master["master_width"][:, None], master["mono_below_hz"][:, None]
    ratio = torch.tan(grid.bands.w / 2) / torch.tan(math.pi * hz / grid.sample_rate)
    passed = ratio * ratio / (1 + ratio * ratio)
    turn = torch.cos(2 * torch.atan2(torch.ones_like(ratio), ratio))
    none = (hz <= MONO_LOWEST_HZ).expand_as(passed)
    real = width * cut(passed * turn, none, 1.0)
    size = (width * cut(passed, none, 1.0)) ** 2
    left, right, cross = bus.powers.unbind(1)
    mean = 0.5 * (left + right)
    mid = mean + cross
    side = (mean - cross) * size.to(dtype)[..., None]
    both = 0.5 * (left - right) * real.to(dtype)[..., None]
    mean = 0.5 * (mid + side)
    return bus._replace(powers=torch.stack((mean + both, mean - both, 0.5 * (mid - side)), dim=1))
