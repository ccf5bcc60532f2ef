"""What several terms and gates ask of the same readings, worked out once."""

from __future__ import annotations

from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from ..console.masking import masked_share, spreading
from ..console.mix_readings import MixReadings
from ..console.rules import RULES
from ..songs.roles import ROLES
from .scene import Scene

Values = NDArray[np.float64]

SILENT_LUFS = -70.0
PRIOR_DB = np.array([RULES[role].level_db for role in ROLES])
LEADS = np.array([role == "lead_vocal" for role in ROLES])
BACKING = np.array([role == "backing_vocal" for role in ROLES])
LEAST_POWER = 1e-15


class Facts:
    """Readings of a batch of mixes and their scene, with what follows from both.

    Sums over stems run in the stems' order, so that neither the size of the batch nor stems that
    are not present change a bit.

    Args:
        readings: of the batch.
        scene: who plays in it.
    """

    def __init__(self, readings: MixReadings, scene: Scene) -> None:
        self.readings, self.scene = readings, scene

    @cached_property
    def power(self) -> Values:
        """Mean square per third octave over the whole length, never 0, (mixes, bands)."""
        seconds = self.readings.seconds.astype(np.float64)
        shares = (seconds / seconds.sum())[:, None]
        return np.asarray((self.readings.powers * shares).sum(axis=1) + LEAST_POWER)

    @cached_property
    def levels_db(self) -> Values:
        """The same in decibels."""
        return np.asarray(10 * np.log10(self.power))

    @cached_property
    def amplitude(self) -> Values:
        """The same as amplitudes."""
        return np.asarray(np.sqrt(self.power))

    def bands(self, low_hz: float, high_hz: float) -> slice:
        """Third octaves whose centres lie from `low_hz` up to `high_hz`."""
        return slice(*np.searchsorted(self.scene.centres_hz, (low_hz, high_hz)).tolist())

    def mean_width(self, low_hz: float, high_hz: float, weight: Values) -> Values:
        """Width between two frequencies, weighted by (mixes, bands), shape (mixes,)."""
        bands = self.bands(low_hz, high_hz)
        total = weight[:, bands].sum(axis=1)
        return np.asarray((self.readings.width[:, bands] * weight[:, bands]).sum(axis=1) / total)

    @cached_property
    def side_db(self) -> Values:
        """Level of the right side less that of the left, (mixes,)."""
        right = (self.power * (1 + self.readings.balance)).sum(axis=1)
        left = (self.power * (1 - self.readings.balance)).sum(axis=1)
        return np.asarray(10 * np.log10((right + LEAST_POWER) / (left + LEAST_POWER)))

    @cached_property
    def stems(self) -> Values:
        """How many stems sound, at least 1, (mixes,)."""
        return np.asarray(np.maximum(1.0, self.scene.present.sum(axis=1)))

    @cached_property
    def stem_lu(self) -> Values:
        """Loudness of every stem in the mix, held above silence, (mixes, stems)."""
        levels = np.maximum(self.readings.stem_lufs, SILENT_LUFS, dtype=np.float64)
        return np.where(self.scene.present, levels, SILENT_LUFS)

    @cached_property
    def expected_lu(self) -> Values:
        """Loudness that each stem's role asks for, up to a constant per mix, (mixes, stems).

        The priors are the levels that `console.rules` states; n stems of one role share one place.
        """
        roles = self.scene.roles
        rows = np.arange(len(roles))[:, None] * len(ROLES) + roles
        counts = np.bincount(
            rows.ravel(), self.scene.present.ravel(), minlength=len(roles) * len(ROLES)
        )
        return np.asarray(PRIOR_DB[roles] - 10 * np.log10(np.maximum(1.0, counts[rows])))

    @cached_property
    def clear_share(self) -> Values:
        """Share of each stem's power that the others leave uncovered, (mixes, stems)."""
        spread = spreading(tuple(self.scene.centres_hz.tolist()))
        return np.asarray(1.0 - masked_share(self.readings.stem_powers, spread), dtype=np.float64)

    def over_stems(self, values: NDArray[np.floating] | NDArray[np.bool_]) -> Values:
        """Sum over the stems that sound of (mixes, stems), (mixes,)."""
        counted = np.where(self.scene.present, values, 0.0)
        return np.asarray(np.cumsum(counted, axis=1)[:, -1])
