"""How loud each stem is: what the faders and thresholds of a mix refer to."""

from __future__ import annotations

import math
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

from .meters import LoudnessMeter

if TYPE_CHECKING:
    from ..songs import Song, Stem

Progress = Callable[[float], None]
BLOCK_FRAMES = 65_536


@dataclass(frozen=True, slots=True)
class StemLevel:
    """Integrated loudness of a whole stem; -inf where nothing passes BS.1770's absolute gate."""

    loudness_lufs: float

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
        return StemLevel(meter.integrated_lufs)

    with ThreadPoolExecutor(threads) as pool:
        levels = tuple(pool.map(measure, song.stems))
    _KNOWN[song] = levels
    return levels
