"""Random access to the samples of one stem, wherever they are kept."""

from collections.abc import Sequence
from pathlib import Path
from threading import Lock
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from ..errors import MixgymError


class Reader(Protocol):
    """Samples of one stem; `read` may be called from several threads at once."""

    @property
    def channels(self) -> int:
        """1 or 2."""
        ...

    @property
    def frames(self) -> int:
        """Length at the song's sample rate."""
        ...

    def read(self, start: int, frames: int) -> NDArray[np.float32]:
        """Return a new array (channels, frames); `0 <= start`, `start + frames <= self.frames`."""
        ...

    def close(self) -> None:
        """Release what the reader holds; a second call does nothing."""
        ...


class ArrayReader:
    """Samples in memory, shaped (channels, frames)."""

    def __init__(self, samples: NDArray[np.float32]) -> None:
        self._samples = samples
        self.channels, self.frames = samples.shape

    def read(self, start: int, frames: int) -> NDArray[np.float32]:
        """See `Reader.read`."""
        return self._samples[:, start : start + frames].copy()

    def close(self) -> None:
        """Nothing to release."""


class WindowReader:
    """The part of another reader from `start` on, `frames` long; does not own it."""

    def __init__(self, source: Reader, start: int, frames: int) -> None:
        self._source = source
        self._start = start
        self.channels = source.channels
        self.frames = frames

    def read(self, start: int, frames: int) -> NDArray[np.float32]:
        """See `Reader.read`."""
        return self._source.read(self._start + start, frames)

    def close(self) -> None:
        """The source stays open: it belongs to the song that the window looks into."""


class StackReader:
    """Mono readers side by side as channels; the shorter ones are padded with zeros."""

    def __init__(self, sources: Sequence[Reader]) -> None:
        self._sources = tuple(sources)
        self.channels = len(self._sources)
        self.frames = max(source.frames for source in self._sources)

    def read(self, start: int, frames: int) -> NDArray[np.float32]:
        """See `Reader.read`."""
        out = np.zeros((self.channels, frames), np.float32)
        for channel, source in enumerate(self._sources):
            count = min(frames, source.frames - start)
            if count > 0:
                out[channel, :count] = source.read(start, count)[0]
        return out

    def close(self) -> None:
        """Close every source."""
        for source in self._sources:
            source.close()


class FileReader:
    """Uncompressed samples read by seeking in an open `soundfile.SoundFile`.

    Raises:
        MixgymError: from `read`, where the file holds NaN or infinite samples or is cut short.
    """

    def __init__(self, sound: Any, path: Path, sample_rate: int, may_hold_nan: bool) -> None:
        self._sound = sound
        self._path = path
        self._sample_rate = sample_rate
        self._may_hold_nan = may_hold_nan
        self._lock = Lock()
        self.channels = int(sound.channels)
        self.frames = int(sound.frames)

    def read(self, start: int, frames: int) -> NDArray[np.float32]:
        """See `Reader.read`."""
        try:
            with self._lock:
                self._sound.seek(start)
                block = self._sound.read(frames, dtype="float32", always_2d=True)
        except RuntimeError as error:
            raise MixgymError(f"{self._path} cannot be read any more ({error}).") from error
        if len(block) < frames:
            raise MixgymError(f"{self._path} got shorter while it was read: copy it again.")
        if self._may_hold_nan:
            check_finite(block, self._path, start, self._sample_rate)
        return np.ascontiguousarray(block.T)

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._sound.close()


def check_finite(
    block: NDArray[np.float32], path: Path | str, start: int, sample_rate: int
) -> None:
    """Raise `MixgymError` with file and time if `block` (frames, channels) holds NaN or infinity.

    The sum of squares is finite for finite audio, so the common case costs one pass; `start` is
    the position of the block in frames.
    """
    with np.errstate(all="ignore"):
        flat = block.reshape(-1)
        if np.isfinite(np.dot(flat, flat)):
            return
    bad = ~np.isfinite(block).all(axis=1)
    if bad.any():
        time_s = (start + int(np.argmax(bad))) / sample_rate
        raise MixgymError(
            f"{path} holds NaN or infinite samples (first at {time_s:.3f} s): "
            "export it again from the session it came from."
        )
