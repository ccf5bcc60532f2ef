"""Stem, Song and Excerpt: the nouns that everything else works on."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from ..errors import MixgymError
from .readers import ArrayReader, Reader, WindowReader, check_finite
from .roles import ROLES, guess_role

MIN_SAMPLE_RATE = 8_000
MAX_SAMPLE_RATE = 192_000
MAX_STEMS = 256


class Stem:
    """One track of a song.

    Attributes:
        name: unique within the song.
        role: one of `ROLES`.
        sample_rate: the song's, in hertz.
        path: the file it came from, None in memory.
    """

    def __init__(
        self, name: str, role: str, reader: Reader, sample_rate: int, path: Path | None = None
    ) -> None:
        if role not in ROLES:
            raise MixgymError(
                f"Stem {name!r} has the unknown role {role!r}: use one of {', '.join(ROLES)}."
            )
        self.name = name
        self.role = role
        self.sample_rate = sample_rate
        self.path = path
        self._reader = reader
        self._closed = False

    @property
    def channels(self) -> int:
        """1 or 2."""
        return self._reader.channels

    @property
    def frames(self) -> int:
        """The stem's own length at the song's sample rate."""
        return self._reader.frames

    def read(self, start: int, frames: int) -> NDArray[np.float32]:
        """Return the samples from frame `start` on, zeros beyond either end.

        Safe to call from several threads at once.

        Returns:
            A new C-contiguous array (channels, frames).

        Raises:
            ValueError: `frames` is negative, or the stem is closed.
            MixgymError: the file holds NaN or infinite samples there.
        """
        if frames < 0:
            raise ValueError(f"frames must not be negative, got {frames}")
        if self._closed:
            raise ValueError(f"stem {self.name!r} is closed")
        first = min(max(start, 0), self.frames)
        last = max(min(start + frames, self.frames), first)
        if last - first == frames:
            return self._reader.read(first, frames)
        out = np.zeros((self.channels, frames), np.float32)
        if last > first:
            out[:, first - start : last - start] = self._reader.read(first, last - first)
        return out

    def window(self, start: int, frames: int) -> "Stem":
        """Return the same track from frame `start` on, `frames` long at most; it shares samples."""
        length = min(max(self.frames - start, 0), frames)
        reader = WindowReader(self, start, length)
        return Stem(self.name, self.role, reader, self.sample_rate, self.path)

    def close(self) -> None:
        """Release file handles and temporary space."""
        self._closed = True
        self._reader.close()

    def __repr__(self) -> str:
        """Name, role and size."""
        return f"Stem({self.name!r}, {self.role!r}, {self.channels} ch, {self.frames} frames)"


class Song:
    """Stems that start together, at one sample rate. A context manager that closes its stems.

    Attributes:
        title: what people call it.
        stems: at least one, names unique.
        sample_rate: in hertz.
        frames: length of the longest stem.
        tempo_bpm: beats per minute where known.

    Raises:
        MixgymError: no stems or more than `MAX_STEMS`, names that repeat, a sample rate outside
            8 to 192 kHz.
    """

    def __init__(
        self,
        title: str,
        stems: Sequence[Stem],
        sample_rate: int,
        *,
        tempo_bpm: float | None = None,
    ) -> None:
        check_sample_rate(sample_rate, f"Song {title!r}")
        if not stems:
            raise MixgymError(f"Song {title!r} has no stems: give it at least one.")
        if len(stems) > MAX_STEMS:
            raise MixgymError(
                f"Song {title!r} has {len(stems)} stems, more than {MAX_STEMS}: bounce some groups."
            )
        names = [stem.name for stem in stems]
        if len(set(names)) < len(names):
            twice = next(name for name in names if names.count(name) > 1)
            raise MixgymError(f"Song {title!r} has two stems named {twice!r}: rename one.")
        self.title = title
        self.stems = tuple(stems)
        self.sample_rate = sample_rate
        self.frames = max(stem.frames for stem in stems)
        self.tempo_bpm = tempo_bpm

    @classmethod
    def from_arrays(
        cls,
        arrays: Mapping[str, NDArray[Any]],
        sample_rate: int,
        *,
        title: str = "untitled",
        roles: Mapping[str, str] | None = None,
        tempo_bpm: float | None = None,
    ) -> "Song":
        """Make a song of arrays in memory.

        Args:
            arrays: name to floating-point samples, (frames,) or (channels, frames), 1 or 2
                channels, full scale at 1.0.
            sample_rate: of every array, in hertz.
            title: of the song.
            roles: name to role; names that are absent get `guess_role(name)`.
            tempo_bpm: beats per minute where known.

        Raises:
            MixgymError: an array of another shape or type, empty, or with NaN or infinite samples.
        """
        check_sample_rate(sample_rate, f"Song {title!r}")
        given = roles or {}
        stems = []
        for name, array in arrays.items():
            reader = ArrayReader(_planar(name, array, sample_rate))
            stems.append(Stem(name, given.get(name, guess_role(name)), reader, sample_rate))
        return Song(title, stems, sample_rate, tempo_bpm=tempo_bpm)

    @property
    def duration_s(self) -> float:
        """Length in seconds."""
        return self.frames / self.sample_rate

    def excerpt(self, start_s: float, duration_s: float) -> "Excerpt":
        """Return a window of this song, cut at the song's end; it reads through to the song.

        Raises:
            MixgymError: the window starts outside the song or has no length.
        """
        return Excerpt(self, start_s, duration_s)

    def close(self) -> None:
        """Close every stem."""
        for stem in self.stems:
            stem.close()

    def __enter__(self) -> Self:
        """Return the song itself."""
        return self

    def __exit__(self, *exception: object) -> None:
        """Close the song."""
        self.close()

    def __repr__(self) -> str:
        """Title and size."""
        return (
            f"{type(self).__name__}({self.title!r}, {len(self.stems)} stems, "
            f"{self.sample_rate} Hz, {self.duration_s:.2f} s)"
        )


class Excerpt(Song):
    """A window of a song, with the same interface.

    Closing it leaves the parent open; closing the parent closes what it reads from.

    Attributes:
        parent: the song it is cut from.
        start_s: where it starts in the parent, in seconds, on a sample.
    """

    def __init__(self, parent: Song, start_s: float, duration_s: float) -> None:
        if not (0.0 <= start_s < parent.duration_s and duration_s > 0.0):
            raise MixgymError(
                f"The excerpt of {duration_s} s at {start_s} s lies outside {parent.title!r}: "
                f"start between 0 and {parent.duration_s:.2f} s and ask for more than 0 s."
            )
        start = min(round(start_s * parent.sample_rate), parent.frames - 1)
        length = max(round(min(duration_s, parent.duration_s) * parent.sample_rate), 1)
        frames = min(length, parent.frames - start)
        super().__init__(
            parent.title,
            [stem.window(start, frames) for stem in parent.stems],
            parent.sample_rate,
            tempo_bpm=parent.tempo_bpm,
        )
        self.parent = parent
        self.start_s = start / parent.sample_rate
        self.frames = frames


def check_sample_rate(sample_rate: int, owner: str) -> None:
    """Raise `MixgymError` naming `owner` if the rate in hertz is outside 8 to 192 kHz."""
    if not MIN_SAMPLE_RATE <= sample_rate <= MAX_SAMPLE_RATE:
        raise MixgymError(
            f"{owner} has a sample rate of {sample_rate} Hz: "
            f"use {MIN_SAMPLE_RATE} to {MAX_SAMPLE_RATE} Hz."
        )


def _planar(name: str, array: NDArray[Any], sample_rate: int) -> NDArray[np.float32]:
    """Bring an array to (channels, frames) float32, or say what is wrong with it."""
    array = np.asarray(array)
    shaped = array[np.newaxis] if array.ndim == 1 else array
    if shaped.ndim != 2 or shaped.shape[0] not in (1, 2) or shaped.shape[1] == 0:
        raise MixgymError(
            f"Stem {name!r} has the shape {array.shape}: give (frames,) or (channels, frames) "
            "with 1 or 2 channels and at least one frame."
        )
    if not np.issubdtype(array.dtype, np.floating):
        raise MixgymError(
            f"Stem {name!r} holds {array.dtype} samples: give floating point, full scale at 1.0."
        )
    with np.errstate(over="ignore"):
        samples = np.array(shaped, np.float32, order="C")
    check_finite(samples.T, f"Stem {name!r}", 0, sample_rate)
    return samples
