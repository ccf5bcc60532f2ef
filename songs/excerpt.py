"""Which part of a song to listen to."""

import numpy as np
from numpy.typing import NDArray

from .song import Excerpt, Song, Stem

_RANGE_DB = 30.0
_SILENCE_DB = -70.0
_LOUD_PERCENTILE = 95.0
_GRID_S = 1.0
_SECONDS_PER_READ = 16


def most_active_excerpt(song: Song, duration_s: float = 10.0) -> Excerpt:
    """Choose the window in which the most stems play, and play loudest.

    In every second a stem counts from 1 at its own loud level (the 95th percentile of its
    one-second levels above -70 dBFS) linearly in decibels down to 0 at 30 dB below. The window with
    the largest sum over its seconds and stems wins, the earliest among equals; windows start on
    whole seconds. A song no longer than `duration_s` is returned whole.

    Raises:
        MixgymError: `duration_s` is not positive, or a file cannot be read.
    """
    if song.duration_s <= duration_s:
        return song.excerpt(0.0, duration_s)
    starts_s = np.arange(0.0, song.duration_s - duration_s + 1e-9, _GRID_S)
    if duration_s <= 0.0 or len(starts_s) == 1:
        return song.excerpt(0.0, duration_s)
    activity = np.sum([_activity(_levels_db(stem, song.frames)) for stem in song.stems], axis=0)
    grid_s = np.arange(len(activity) + 1) * _GRID_S
    total = np.concatenate([[0.0], np.cumsum(activity)])
    scores = np.interp(starts_s + duration_s, grid_s, total) - np.interp(starts_s, grid_s, total)
    best = int(np.argmax(np.round(scores, 6)))
    return song.excerpt(float(starts_s[best]), duration_s)


def _levels_db(stem: Stem, frames: int) -> NDArray[np.float64]:
    """Return the mean-square level of every second in dB re full scale, (seconds,)."""
    second = round(_GRID_S * stem.sample_rate)
    count = -(-frames // second)
    power = np.zeros(count)
    for first in range(0, min(count, -(-stem.frames // second)), _SECONDS_PER_READ):
        many = min(_SECONDS_PER_READ, count - first)
        block = stem.read(first * second, many * second).reshape(-1, many, second)
        power[first : first + many] = np.einsum("cst,cst->s", block, block, dtype=np.float64) / (
            block.shape[0] * second
        )
    return 10.0 * np.log10(np.maximum(power, 1e-20))


def _activity(levels_db: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return how active a stem is in every second, 0 to 1."""
    audible = levels_db[levels_db > _SILENCE_DB]
    if audible.size == 0:
        return np.zeros_like(levels_db)
    loud_db = float(np.percentile(audible, _LOUD_PERCENTILE))
    above_floor = np.where(levels_db > _SILENCE_DB, levels_db - loud_db + _RANGE_DB, 0.0)
    return np.clip(above_floor / _RANGE_DB, 0.0, 1.0)
