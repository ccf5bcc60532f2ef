"""Every meter over a file."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ..console.meters import Measurement
from ..errors import MixgymError
from ..songs import read_song

if TYPE_CHECKING:
    from ..console.meters import Readings
    from ..songs import Song, Stem

BLOCK_FRAMES = 65_536


def open_track(path: Path) -> Song:
    """A finished track as a song of one stem.

    Raises:
        MixgymError: it cannot be read, or it is a folder or a file of several stems.
    """
    if path.is_dir():
        raise MixgymError(f"{path} is a folder; name one audio file.")
    song = read_song([path])
    if len(song.stems) != 1:
        song.close()
        raise MixgymError(f"{path} holds {len(song.stems)} stems; use mixgym mix for it.")
    return song


class Track:
    """A stem read as stereo; a mono one on both channels.

    Attributes:
        frames: its length.
        sample_rate: in Hz.
    """

    def __init__(self, stem: Stem) -> None:
        self._stem = stem
        self.frames, self.sample_rate = stem.frames, stem.sample_rate

    def read(self, start: int, frames: int) -> NDArray[np.float32]:
        """Shape (2, frames)."""
        audio = self._stem.read(start, frames)
        return audio if audio.shape[0] == 2 else np.repeat(audio, 2, axis=0)

    def blocks(self, block_frames: int) -> Iterator[NDArray[np.float32]]:
        """The whole track in blocks of shape (2, <= block_frames)."""
        for start in range(0, self.frames, block_frames):
            yield self.read(start, min(block_frames, self.frames - start))


def measure_file(path: Path, progress: Callable[[float], None] | None = None) -> Readings:
    """All meters over one audio file, in its own channels and at its own rate.

    Raises:
        MixgymError: the file cannot be read.
    """
    with open_track(path) as song:
        stem = song.stems[0]
        meters = Measurement(song.sample_rate, stem.channels)
        for start in range(0, stem.frames, BLOCK_FRAMES):
            meters.push(stem.read(start, min(BLOCK_FRAMES, stem.frames - start)))
            if progress:
                progress(min(1.0, (start + BLOCK_FRAMES) / stem.frames))
        return meters.finish()
