"""Target loudness under a true-peak ceiling: how hard to drive the limiter."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ._kernels import mean_square_gain
from .limiter import LimiterSettings, limiter_curve, limiter_hop
from .meters.loudness import gated_lufs

TOLERANCE_LU = 0.02
MOST_REDUCTION_DB = 60.0  # of the highest peak; driven harder, nothing gets louder
SAFETY_DB = 0.03  # below the ceiling; a moving gain bends what lies between samples


@dataclass(frozen=True, slots=True)
class Programme:
    """What the delivery stage knows of a programme: its peaks and its loudness over time.

    Attributes:
        peaks: linear true peak per limiter slot, shape (slots,).
        energies: K-weighted energy per 10 ms, channels summed, shape (sub-blocks,).
        sample_rate: in Hz.
    """

    peaks: NDArray[np.float32]
    energies: NDArray[np.float64]
    sample_rate: int

    @property
    def loudness_lufs(self) -> float:
        """Integrated loudness."""
        return gated_lufs(self.energies, self.sample_rate)


@dataclass(frozen=True, slots=True)
class Drive:
    """The last gain of the console.

    Attributes:
        drive_db: gain ahead of the limiter.
        gains: linear gain, drive included, at the limiter's control points, shape (slots + 1,).
        limited: whether the limiter turns anything down.
    """

    drive_db: float
    gains: NDArray[np.float32]
    limited: bool

    @property
    def reduction_db(self) -> NDArray[np.float64]:
        """What the limiter takes off over time, in dB (at least 0), shape (slots + 1,)."""
        return np.asarray(
            np.maximum(0.0, self.drive_db - 20 * np.log10(np.maximum(self.gains, 1e-9)))
        )

    def lowered(self, over_db: float) -> Drive:
        """This drive with everything turned down by `over_db`, which counts as limiting."""
        if over_db == 0.0:
            return self
        return Drive(self.drive_db, self.gains * np.float32(10 ** (-over_db / 20)), True)


def plan_drive(
    programme: Programme,
    settings: Mapping[str, float],
    margin_db: float = 0.0,
    trim_lu: float = 0.0,
) -> Drive:
    """The gain that brings a programme to its target, or as near as the ceiling allows.

    Args:
        programme: peaks and loudness.
        settings: values of the master table by name.
        margin_db: keep this much further below the ceiling.
        trim_lu: aim this much above the target.
    """
    target = settings["target_lufs"] + trim_lu
    seeks_target = settings["loudness_on"] and math.isfinite(programme.loudness_lufs)
    drive_db = target - programme.loudness_lufs if seeks_target else 0.0
    if not settings["limiter_on"]:
        return _constant(programme, drive_db)
    limiter = LimiterSettings(
        settings["ceiling_dbtp"] - margin_db,
        settings["limiter_look_ahead_ms"],
        settings["limiter_release_ms"],
    )
    peak = float(programme.peaks.max(initial=0.0))
    if peak * 10 ** (drive_db / 20) <= 10 ** (limiter.ceiling_dbtp / 20):
        return _constant(programme, drive_db)
    limiter = LimiterSettings(
        limiter.ceiling_dbtp - SAFETY_DB, limiter.look_ahead_ms, limiter.release_ms
    )
    if seeks_target:
        most_db = limiter.ceiling_dbtp - 20 * math.log10(peak) + MOST_REDUCTION_DB
        drive_db = _search(programme, limiter, target, drive_db, max(drive_db, most_db))
    return Drive(
        drive_db, limiter_curve(programme.peaks, drive_db, limiter, programme.sample_rate), True
    )


def _constant(programme: Programme, drive_db: float) -> Drive:
    gains = np.full(len(programme.peaks) + 1, 10 ** (drive_db / 20), dtype=np.float32)
    return Drive(drive_db, gains, False)


def _search(
    programme: Programme,
    limiter: LimiterSettings,
    target_lufs: float,
    least_db: float,
    most_db: float,
) -> float:
    """Bisection on the predicted loudness, which rises with the drive."""

    def loudness(drive_db: float) -> float:
        gains = limiter_curve(programme.peaks, drive_db, limiter, programme.sample_rate)
        squares = np.empty(len(programme.energies))
        mean_square_gain(gains, limiter_hop(programme.sample_rate), programme.sample_rate, squares)
        return gated_lufs(programme.energies * squares, programme.sample_rate)

    target_lufs = min(target_lufs, loudness(most_db) - TOLERANCE_LU)
    low, high = least_db, most_db
    while high - low > TOLERANCE_LU / 4:
        middle = (low + high) / 2
        if loudness(middle) < target_lufs:
            low = middle
        else:
            high = middle
    return high
