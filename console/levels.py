"""How loud each stem is: what the faders and thresholds of a mix refer to."""

from __future__ import annotations

import math
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray

from .meters import LoudnessMeter

if TYPE_CHECKING:
    from ..songs import Song, Stem

Progress = Callable[[float], None]
BLOCK_FRAMES = 65_536


@dataclass(frozen=True, slots=True, eq=False)
class StemLevel:
    """How loud a stem is.

    Attributes:
        loudness_lufs: of the whole stem; -inf where nothing passes BS.1770's absolute gate.
        seconds_lufs: of every whole second, ungated, (seconds,); -inf for silence.
    """

    loudness_lufs: float
    seconds_lufs: NDArray[np.float64]

    @property
    def silent(self) -> bool:
        """Whether there is nothing to mix."""
        return math.isinf(self.loudness_lufs)


_KNOWN: WeakKeyDictionary[Song, tuple[StemLevel, ...]] = WeakKeyDictionary()


def stem_levels(
    song: Song, *, threads: int = 2, progress: Progress | None = None
) -> tuple[StemLevel, ...]:
    """Levels of a song's stems, in their order; measured once per song object.

    Raises:
        MixgymError: a stem cannot be read, or holds NaN or infinite samples.
    """
    known = _KNOWN.get(song)
    if known is not None:
        return known
    done = 0

    def measure(stem: Stem) -> StemLevel:
        nonlocal done
        meter = LoudnessMeter(song.sample_rate, stem.channels)
        for start in range(0, stem.frames, BLOCK_FRAMES):
            meter.push(stem.read(start, min(BLOCK_FRAMES, stem.frames - start)))
        done += 1
        if progress:
            progress(done / len(song.stems))
        return StemLevel(meter.integrated_lufs, _seconds_lufs(meter))

    with ThreadPoolExecutor(threads) as pool:
        levels = tuple(pool.map(measure, song.stems))
    _KNOWN[song] = levels
    return levels


def _seconds_lufs(meter: LoudnessMeter) -> NDArray[np.float64]:
    powers = meter.powers
    whole = powers[: len(powers) // 100 * 100].reshape(-1, 100)
    with np.errstate(divide="ignore"):
        levels: NDArray[np.float64] = -0.691 + 10 * np.log10(whole.sum(axis=1) / meter.sample_rate)
    return levels
