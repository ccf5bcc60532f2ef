"""Which seconds of a song to listen to, so that every stem is heard where it plays."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from .levels import StemLevel

FLOOR_LUFS = -70.0  # below it a second counts as silent
RANGE_LU = 30.0  # below its own loud level a stem counts for nothing
LOUD_PERCENTILE = 95.0


class Window(NamedTuple):
    """A stretch of a song.

    Attributes:
        start_s: where it begins, in whole seconds.
        activity: how much each stem plays in it, from 0 to 1, (stems,).
    """

    start_s: int
    activity: NDArray[np.float64]


def activity(level: StemLevel) -> NDArray[np.float64]:
    """How much a stem plays in every second, from 0 to 1, (seconds,).

    1 at its own loud level, the 95th percentile of its seconds above -70 LUFS, linearly in decibels
    down to 0 at 30 LU below.
    """
    heard = level.seconds_lufs[level.seconds_lufs > FLOOR_LUFS]
    if not heard.size:
        return np.zeros(len(level.seconds_lufs))
    loud = np.percentile(heard, LOUD_PERCENTILE)
    return np.asarray(np.clip(1.0 + (level.seconds_lufs - loud) / RANGE_LU, 0.0, 1.0))


def choose_windows(levels: Sequence[StemLevel], window_s: int, count: int) -> list[Window]:
    """The busiest window of a song, then those in which stems play that were heard least so far.

    Windows begin on whole seconds and do not overlap. After the first, a stem counts less the more
    of it was heard; no window is taken that adds less than a twentieth of a stem.

    Args:
        levels: of the stems.
        window_s: length of a window.
        count: how many at most.

    Returns:
        Windows in the order they were chosen. A song shorter than a window has one, at 0; a silent
        song none.
    """
    seconds = max((len(level.seconds_lufs) for level in levels), default=0)
    plays = np.zeros((len(levels), seconds))
    for row, level in zip(plays, levels, strict=True):
        row[: len(level.seconds_lufs)] = activity(level)
    if not plays.any():
        return []
    if plays.shape[1] <= window_s:
        return [Window(0, plays.mean(axis=1))]
    total = np.concatenate([np.zeros((len(plays), 1)), np.cumsum(plays, axis=1)], axis=1)
    shares = (total[:, window_s:] - total[:, :-window_s]) / window_s  # (stems, starts)
    free = np.ones(shares.shape[1], dtype=bool)
    heard = np.zeros(len(plays))
    windows: list[Window] = []
    while len(windows) < count and free.any():
        worth = np.where(free, np.clip(1.0 - heard, 0.0, 1.0) @ shares, -1.0)
        best = int(np.argmax(np.round(worth, 6)))
        if worth[best] < (1e-9 if not windows else 0.05):
            break
        windows.append(Window(best, shares[:, best]))
        heard += shares[:, best]
        free[max(best - window_s + 1, 0) : best + window_s] = False
    return windows
