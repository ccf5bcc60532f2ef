"""What several terms and gates ask of the same readings, the twin of `rewards.facts`."""

from __future__ import annotations

from functools import cached_property

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ...console.masking import spreading
from ...rewards.facts import LEAST_POWER, PRIOR_DB, SILENT_LUFS
from .simulate import TwinReadings
from .songs import Songs
from .values import decibels


class TwinFacts:
    """Readings of mixes with what follows from them and from who plays.

    Args:
        readings: of so many mixes of each song.
        songs: theirs.
        effort: from 0 to 1, (mixes,).
    """

    def __init__(self, readings: TwinReadings, songs: Songs, effort: Tensor) -> None:
        self.readings, self.effort = readings, effort
        self.centres_hz = songs.grid.centres_hz
        mixes = len(effort) // len(songs)
        self.present = songs.sounds.repeat_interleave(mixes, dim=0)
        self.roles = songs.roles.repeat_interleave(mixes, dim=0)

    def constant(self, values: NDArray[np.generic]) -> Tensor:
        """An array as a tensor beside the readings."""
        tensor = torch.from_numpy(np.asarray(values))
        dtype = self.readings.powers.dtype if tensor.is_floating_point() else tensor.dtype
        return tensor.to(device=self.effort.device, dtype=dtype)

    @cached_property
    def power(self) -> Tensor:
        """Mean square per third octave over the whole length, never 0, (mixes, bands)."""
        seconds = self.readings.seconds
        shares = (seconds / seconds.sum())[:, None]
        return (self.readings.powers * shares).sum(dim=1) + LEAST_POWER

    @cached_property
    def levels_db(self) -> Tensor:
        """The same in decibels."""
        return decibels(self.power)

    @cached_property
    def amplitude(self) -> Tensor:
        """The same as amplitudes."""
        return torch.sqrt(self.power)

    def bands(self, low_hz: float, high_hz: float) -> slice:
        """Third octaves whose centres lie from `low_hz` up to `high_hz`."""
        return slice(*np.searchsorted(self.centres_hz, (low_hz, high_hz)).tolist())

    def mean_width(self, low_hz: float, high_hz: float, weight: Tensor) -> Tensor:
        """Width between two frequencies, weighted by (mixes, bands), shape (mixes,)."""
        bands = self.bands(low_hz, high_hz)
        heard = weight[:, bands]
        return (self.readings.width[:, bands] * heard).sum(dim=1) / heard.sum(dim=1)

    @cached_property
    def side_db(self) -> Tensor:
        """Level of the right side less that of the left, (mixes,)."""
        right = (self.power * (1 + self.readings.balance)).sum(dim=1)
        left = (self.power * (1 - self.readings.balance)).sum(dim=1)
        return decibels(right, LEAST_POWER) - decibels(left, LEAST_POWER)

    @cached_property
    def stems(self) -> Tensor:
        """How many stems sound, at least 1, (mixes,)."""
        return self.present.sum(dim=1).clamp_min(1).to(self.power.dtype)

    @cached_property
    def stem_lu(self) -> Tensor:
        """Loudness of every stem in the mix, held above silence, (mixes, stems)."""
        levels = self.readings.stem_lufs.clamp_min(SILENT_LUFS)
        return torch.where(self.present, levels, SILENT_LUFS)

    @cached_property
    def expected_lu(self) -> Tensor:
        """Loudness that each stem's role asks for, up to a constant per mix, (mixes, stems)."""
        same = self.roles[:, :, None] == self.roles[:, None, :]
        counts = (same & self.present[:, None, :]).sum(dim=2).clamp_min(1)
        return self.constant(PRIOR_DB)[self.roles] - decibels(counts.to(self.power.dtype))

    @cached_property
    def clear_share(self) -> Tensor:
        """Share of each stem's power that the others leave uncovered, (mixes, stems)."""
        powers = self.readings.stem_powers
        reach = powers @ self.constant(_reach(tuple(self.centres_hz.tolist()))).T
        rest = (reach.sum(dim=1, keepdim=True) - reach).clamp_min(0.0)
        covered = (powers * (rest / (powers + rest + 1e-30))).sum(dim=2)
        own = powers.sum(dim=2)
        return 1.0 - torch.where(own > 0.0, covered / own.clamp_min(1e-30), 0.0)

    def over_stems(self, values: Tensor) -> Tensor:
        """Sum over the stems that sound of (mixes, stems), (mixes,)."""
        return torch.where(self.present, values, 0.0).sum(dim=1)


def _reach(centres_hz: tuple[float, ...]) -> NDArray[np.float64]:
    """How much of the power of one third octave is felt in another, (there, from)."""
    up, down = spreading(centres_hz).astype(np.float64)
    bands = len(up)
    matrix = np.eye(bands)
    for start in range(bands):
        matrix[start + 1 :, start] = np.cumprod(up[start + 1 :])
        matrix[:start, start] = np.cumprod(down[:start][::-1])[::-1]
    return matrix
