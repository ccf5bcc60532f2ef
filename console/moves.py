"""Fader moves: what automation adds to the faders of a mix while the song plays."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from ._kernels import ramp_gain

HOP = 64  # frames; gains are exact at every one of these, and linear between them
POINT_DB = 0.5  # between two points that are joined by a straight line in amplitude


@dataclass(frozen=True, slots=True)
class FaderMoves:
    """Gains on top of the faders of a mix, straight lines in decibels between knots.

    Before the first knot and behind the last one a gain stays.

    Attributes:
        times_s: of the knots, ascending, shape (knots,), at least one.
        gains_db: shape (stems, knots).
        duration_s: of the song that they are for.
    """

    times_s: NDArray[np.float64]
    gains_db: NDArray[np.float64]
    duration_s: float

    def scaled(self, amount: float) -> FaderMoves:
        """The same, with so much of every gain."""
        return replace(self, gains_db=self.gains_db * amount)

    def points(self, row: int) -> list[tuple[float, float]]:
        """One stem's gain as straight lines in amplitude: moments in seconds, and linear gains.

        Within 0.01 dB of what is played, from the song's beginning on; none where it does not move.
        """
        if not self.gains_db[row].any():
            return []
        times_s = [0.0]
        for (early, late), (low, high) in zip(
            pairwise(self.times_s.tolist()), pairwise(self.gains_db[row].tolist()), strict=True
        ):
            parts = max(1, math.ceil(abs(high - low) / POINT_DB))
            times_s += [early + (late - early) * k / parts for k in range(parts)]
        times_s.append(float(self.times_s[-1]))
        found = np.unique(np.maximum(times_s, 0.0))
        gains = 10 ** (np.interp(found, self.times_s, self.gains_db[row]) / 20)
        return list(zip(found.tolist(), gains.tolist(), strict=True))

    def apply(self, row: int, audio: NDArray[np.float32], start: int, sample_rate: int) -> None:
        """Move a block of one stem, in place.

        Args:
            row: which stem.
            audio: shape (channels, frames).
            start: index of its first frame in the song.
            sample_rate: in Hz.
        """
        borders = start + HOP * np.arange(audio.shape[1] // HOP + 2)
        gains_db = np.interp(borders / sample_rate, self.times_s, self.gains_db[row])
        if gains_db.any():
            ramp_gain(audio, (10 ** (gains_db / 20)).astype(np.float32), HOP, 0)
