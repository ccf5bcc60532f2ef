"""Stems through their strips, summed, the twin of `console._simulate`."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from ...console.parameters import NOMINAL_LUFS, SEND_OFF_DB, STRIP
from .dynamics import FLOOR, Compressor
from .slots import over_bands, over_slots, over_stems
from .songs import SLOTS_PER_S, Songs
from .values import Settings, amplitude, cut, power, root

HIGH_PASS_LOWEST_HZ = STRIP["high_pass_hz"].low
SIDE_CHAIN_LOWEST_HZ = STRIP["side_chain_high_pass_hz"].low
LEAST_AMPLITUDE = 1e-9


@dataclass(frozen=True, slots=True)
class Summed:
    """What strips give; mixes of all songs stand in a row.

    Attributes:
        bus: (mixes, 3, bands, frames). slots: (mixes, coarse, frames, slots).
        sends: (mixes, 4, bands, frames): of L + R to the reverb; <LL>, <RR>, <LR> to the delay.
        peaks: the bus's samples at the slots' instants, (mixes, 2, frames, slots).
        stem_k: K-weighted power of stems, (mixes, stems, frames). stem_bands: their power over
            time, (mixes, stems, bands).
        sides: amplitudes on either side of a stem's channel of that side, and of its other channel,
            by fader, pan and width, (songs, mixes, stems, 2 sides, 2).
        amplitudes: by equaliser and compressor, (songs, mixes, stems, coarse, frames).
    """

    bus: Tensor
    slots: Tensor
    sends: Tensor
    peaks: Tensor
    stem_k: Tensor
    stem_bands: Tensor
    sides: Tensor
    amplitudes: Tensor


def strip_response(songs: Songs, strips: Settings) -> Tensor:
    """Squared magnitude of the strips' filters, (songs, mixes, stems, bands)."""
    bands = songs.grid.bands
    passed = bands.high_pass_above(strips["high_pass_hz"], HIGH_PASS_LOWEST_HZ)
    passed = torch.where(strips.on("high_pass_on")[..., None], passed, 1.0)
    return passed * torch.where(strips.on("eq_on")[..., None], bands.equaliser(strips), 1.0)


def stereo_amplitudes(strips: Settings, mono: Tensor, gain: Tensor) -> Tensor:
    """`pan.pan_matrix` of every stem, (songs, mixes, stems, 2 sides, 2 channels).

    mono is (songs, 1, stems), gain (songs, mixes, stems).
    """
    angle = (strips["pan"] + 1.0) * math.pi / 4.0
    lines = []
    same, other = (1.0 + strips["width"]) / 2.0, (1.0 - strips["width"]) / 2.0
    balance = gain * torch.where(mono, 1.0, math.sqrt(2.0))
    for trig, near in ((torch.cos, 0), (torch.sin, 1)):
        side = trig(angle)
        side = cut(side, side <= LEAST_AMPLITUDE) * balance
        pair = (side * torch.where(mono, 1.0, same), side * torch.where(mono, 0.0, other))
        alone = torch.stack(pair, dim=-1)
        lines.append(torch.where(mono[..., None], alone, alone.flip(-1)) if near else alone)
    return torch.stack(lines, dim=-2)


def power_matrix(amplitudes: Tensor) -> Tensor:
    """What amplitudes (..., 2, 2) make of <LL>, <RR>, <LR>: (..., 3, 3)."""
    (a, b), (c, d) = (row.unbind(-1) for row in amplitudes.unbind(-2))
    rows = ((a * a, b * b, 2 * a * b), (c * c, d * d, 2 * c * d), (a * c, b * d, a * d + b * c))
    return torch.stack([torch.stack(row, dim=-1) for row in rows], dim=-2)


def compressor_gains(
    songs: Songs, strips: Settings, compressor: Compressor, response: Tensor, keys: Tensor | None
) -> Tensor:
    """Power gains of the strips' compressors, (songs, mixes, stems, frames, slots).

    response (songs, mixes, stems, bands); keys (stems,): index of the stem that drives each;
    itself if None.
    """
    heard = response
    fine, slots, sums = songs.fine, songs.slots, songs.sums
    if keys is not None:
        own = (keys == torch.arange(len(keys), device=keys.device))[:, None]
        heard = torch.where(own, response, 1.0)
        fine, slots, sums = fine[:, keys], slots[:, keys], sums[:, keys]
    passed = songs.grid.bands.high_pass_above(
        strips["side_chain_high_pass_hz"], SIDE_CHAIN_LOWEST_HZ
    )
    heard = (heard * passed).to(fine.dtype)
    both = fine[:, :, 0] + fine[:, :, 1]
    per_band = _by_coarse(songs, heard)  # (songs, mixes, stems, coarse, bands)
    left = per_band.swapaxes(1, 2).flatten(2, 3) @ both
    left = left.reshape(*left.shape[:2], -1, len(songs.grid.parts), left.shape[-1]).swapaxes(1, 2)
    levels = over_bands(left / (sums[:, None] + FLOOR), slots)
    return compressor.gains(levels, NOMINAL_LUFS, SLOTS_PER_S)


def _by_coarse(songs: Songs, response: Tensor) -> Tensor:
    """A response (..., bands), zero but in each coarse band's own: (..., coarse, bands)."""
    return response[..., None, :] * songs.grid.belongs


def run_strips(songs: Songs, values: Tensor, keys: Tensor | None = None) -> Summed:
    """Stems through their strips.

    Args:
        songs: of the batch.
        values: physical values, (songs, mixes, stems, len(STRIP)).
        keys: index of the stem that drives each compressor, (stems,); itself if None.
    """
    strips, grid, dtype = Settings(STRIP, values), songs.grid, songs.fine.dtype
    response = strip_response(songs, strips)
    gain = amplitude(strips["fader_db"])
    on = strips.on("compressor_on")
    gains = torch.ones((), dtype=dtype, device=values.device).expand(
        *on.shape, grid.frames, songs.slots.shape[-1]
    )
    if bool(on.any()):
        compressor = Compressor.of(strips, "compressor_")
        gain = gain * torch.where(on, amplitude(-compressor.static_gain_db(0.0)), 1.0)
        gains = compressor_gains(songs, strips, compressor, response, keys)
        gains = torch.where(on[..., None, None], gains, 1.0)
    placed = stereo_amplitudes(strips, songs.mono[:, None], gain).to(dtype)
    matrix = power_matrix(placed)
    response = response.to(dtype)
    mixing, both = _mixing(strips, matrix)
    before = songs.balance[:, None]
    unplaced = (before[..., 0] + before[..., 1]) / ((both * before).sum(dim=-1) + 1e-30)

    means = songs.means[:, None]
    met = over_slots(gains, songs.slots) / gains.shape[-1]
    frame_gain = (met + FLOOR) / (means + FLOOR)  # (songs, mixes, stems, coarse, frames)
    buses, stem_bands, band_powers = [], [], []
    for c, part in enumerate(grid.parts):
        fine, h, kept = songs.fine[..., part, :], response[..., part], frame_gain[:, :, :, c]
        buses.append(_placed(fine, h, kept, mixing))
        stem_bands.append(h * _over_time(fine, kept, both))
        band_powers.append(_over_bands(fine, h, grid.kweight[part], both))
    band_power, band_k = (frame_gain[..., None, :] * torch.stack(band_powers, dim=3)).unbind(4)
    weights = band_power / (frame_gain * means + FLOOR)
    levels = over_bands(weights, songs.slots)
    bus, sends = torch.split(torch.cat(buses, dim=-2).flatten(0, 1), [3, 4], dim=1)
    grown = root(unplaced[..., None, None] * levels * gains * songs.inverse[:, None])
    mirrored = torch.where(
        songs.mono[:, None, :, None], placed[..., 1, :], placed[..., 1, :].flip(-1)
    )
    return Summed(
        bus=bus,
        slots=over_stems(weights, gains, songs.slots).flatten(0, 1),
        sends=sends,
        peaks=_peaks(songs, grown, placed).flatten(0, 1),
        stem_k=band_k.sum(dim=3).flatten(0, 1),
        stem_bands=torch.cat(stem_bands, dim=-1).flatten(0, 1),
        sides=torch.stack((placed[..., 0, :], mirrored), dim=-2),
        amplitudes=root(unplaced[..., None, None] * band_power / (means + FLOOR)),
    )


def _mixing(strips: Settings, matrix: Tensor) -> tuple[Tensor, Tensor]:
    """How <LL>, <RR>, <LR> of stems add to bus and sends, (songs, mixes, 7, stems, 3).

    And to the power of both channels, (songs, mixes, stems, 3).
    """
    both = matrix[..., 0, :] + matrix[..., 1, :]
    sends = []
    for name in ("reverb_send_db", "delay_send_db"):
        level = strips[name]
        send = cut(power(level), level <= SEND_OFF_DB).to(matrix.dtype)
        sends.append(send[..., None])
    reverb = (sends[0] * (both + 2 * matrix[..., 2, :]))[..., None, :]
    rows = torch.cat((matrix, reverb, sends[1][..., None] * matrix), dim=-2)
    return rows.movedim(3, 2), both


def _placed(fine: Tensor, response: Tensor, frame_gain: Tensor, mixing: Tensor) -> Tensor:
    """Stems' powers on bus and sends, (songs, mixes, 7, bands, frames), of one coarse band."""
    songs, mixes, rows, stems, _ = mixing.shape
    gains = response[..., None] * frame_gain[..., None, :]
    powers = gains[:, :, :, None] * fine[:, None]  # (songs, mixes, stems, 3, bands, frames)
    total = mixing.reshape(songs, mixes, rows, stems * 3) @ powers.flatten(4).flatten(2, 3)
    return total.reshape(songs, mixes, rows, *fine.shape[-2:])


def _over_bands(fine: Tensor, response: Tensor, kweight: Tensor, both: Tensor) -> Tensor:
    """Power of both channels of stems behind a filter, and K-weighted.

    Shape (songs, mixes, stems, 2, frames), of one coarse band.
    """
    weights = torch.stack((response, response * kweight), dim=-2)[..., None, :]
    weights = (weights * both[..., None, :, None]).flatten(4)  # (songs, mixes, stems, 2, 3 bands)
    lines = weights.swapaxes(1, 2).flatten(2, 3) @ fine.flatten(2, 3)
    return lines.reshape(*lines.shape[:2], -1, 2, lines.shape[-1]).swapaxes(1, 2)


def _over_time(fine: Tensor, frame_gain: Tensor, both: Tensor) -> Tensor:
    """Power of both channels of stems under gains over time, (songs, mixes, stems, bands)."""
    sums = frame_gain.swapaxes(1, 2) @ fine.flatten(2, 3).swapaxes(2, 3)
    sums = sums.reshape(*sums.shape[:3], 3, fine.shape[-2]).swapaxes(1, 2)
    return (both[..., None] * sums).sum(dim=3)


def _peaks(songs: Songs, grown: Tensor, placed: Tensor) -> Tensor:
    """Samples of the bus at the slots' instants, (songs, mixes, 2, frames, slots).

    A sample grows as its slot's power does, grown (songs, mixes, stems, frames, slots), beyond
    what pan and fader do to it.
    """
    sides = []
    for x in range(2):
        left, right = (songs.samples[:, None, :, x, k] for k in range(2))
        a, b = (placed[..., x, k, None, None] for k in range(2))
        sides.append((grown * (a * left + b * right)).sum(dim=2))
    return torch.stack(sides, dim=2)
