"""What both decoders say about a file, and what the names of files say."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

BLOCK_FRAMES = 65_536
"""How many frames are decoded at a time."""

LIBAV_SUFFIXES = frozenset({".m4a", ".m4b", ".mp4", ".aac", ".mov"})
"""Endings of containers that libsndfile cannot read."""

_SNDFILE_SUFFIXES = frozenset(
    {".wav", ".wave", ".bwf", ".rf64", ".w64", ".aif", ".aiff", ".aifc", ".caf"}
    | {".flac", ".ogg", ".oga", ".opus", ".mp3"}
)

AUDIO_SUFFIXES = _SNDFILE_SUFFIXES | LIBAV_SUFFIXES
"""Endings that make a file in a folder a stem; a file named outright may have any."""


@dataclass(frozen=True)
class AudioInfo:
    """One audio stream of a file.

    Attributes:
        path: the file.
        stream: index among its audio streams.
        decoder: which library reads it.
        sample_rate: in hertz.
        channels: any number; more than 2 is refused later, by name.
        frames: length that the header gives, 0 where it gives none.
        seekable: uncompressed, so that any position can be read directly.
        may_hold_nan: stored as floating point or decoded through it.
    """

    path: Path
    stream: int
    decoder: Literal["sndfile", "libav"]
    sample_rate: int
    channels: int
    frames: int
    seekable: bool
    may_hold_nan: bool


class NotAudioError(Exception):
    """A decoder does not know the file's format."""


class DamagedAudioError(Exception):
    """The file's format is known, its data is cut short or broken."""


def is_stem_container(path: Path) -> bool:
    """Whether the name is that of a Native Instruments Stem file."""
    return path.name.lower().endswith((".stem.mp4", ".stem.m4a"))
