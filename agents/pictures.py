"""Pictures: what each stem looks like over time, for encoders that look at more than features."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..console.analysis import Analysis
from ..envs.episodes import Episodes

Floats = NDArray[np.float32]
BANDS, FRAMES = 32, 64
FLOOR_DB = -60.0  # re a stem's mean
UNIT_DB = 30.0


def picture(analysis: Analysis) -> Floats:
    """Power by band and time re the mean of each stem, in `UNIT_DB`.

    Args:
        analysis: of an excerpt of any length.

    Returns:
        Shape (stems, BANDS, FRAMES), from `FLOOR_DB / UNIT_DB` up; that everywhere for silence. A
        recording's level is not in it.
    """
    powers = (analysis.fine[:, 0] + analysis.fine[:, 1]).astype(np.float64)
    small = _resampled(_resampled(powers, BANDS, axis=1), FRAMES, axis=2)
    mean = small.mean(axis=(1, 2), keepdims=True)
    relative = np.divide(small, mean, out=np.zeros_like(small), where=mean > 0.0)
    levels_db = 10.0 * np.log10(np.maximum(relative, 10.0 ** (FLOOR_DB / 10.0)))
    return np.asarray(levels_db / UNIT_DB, np.float32)


def observe(episodes: Episodes, pictured: bool, count: int | None = None) -> dict[str, Floats]:
    """What episodes show, and, where that is asked for, `pictures` beside it.

    Args:
        episodes: that have begun, with stems in the order of the songs.
        pictured: whether to add (count, stems, BANDS, FRAMES), zero where a song has no more stems.
        count: how many of the episodes have pictures; all if None.
    """
    seen = episodes.observe()
    if pictured:
        shown = episodes.count if count is None else count
        pictures = np.zeros((shown, episodes.stems, BANDS, FRAMES), np.float32)
        for place, row in enumerate(pictures):
            own = picture(episodes.repertoire.analysis(episodes.listener(place)))
            row[: len(own)] = own
        seen["pictures"] = pictures
    return seen


def _resampled(values: NDArray[np.float64], count: int, axis: int) -> NDArray[np.float64]:
    """Means over so many equal parts of an axis."""
    values = np.moveaxis(values, axis, -1)
    length = values.shape[-1]
    total = np.concatenate((np.zeros((*values.shape[:-1], 1)), np.cumsum(values, axis=-1)), axis=-1)
    at = np.linspace(0.0, length, count + 1)
    below = np.minimum(at.astype(np.int64), length - 1)
    ends = total[..., below] + (at - below) * values[..., below]
    return np.moveaxis(np.diff(ends, axis=-1) * (count / length), -1, axis)
