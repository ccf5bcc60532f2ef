"""The audio files that a project points to: the stems as they are, or copies."""

from __future__ import annotations

from collections.abc import Container, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ...errors import MixgymError
from ..output import AudioWriter, Format

if TYPE_CHECKING:
    from ...songs import Song, Stem

BLOCK_FRAMES = 1 << 16
COPY = Format("WAV", "FLOAT", None)


def original(stem: Stem, suffixes: Container[str]) -> Path | None:
    """The file that is exactly this stem and that others decode to the same samples, if any.

    Two mono files joined to a stereo stem, a stem of a Stem file, an excerpt and audio in memory
    have none.

    Args:
        stem: of a song.
        suffixes: kinds of file that may stay as they are, in small letters.
    """
    from ...songs.decode import probe

    path = stem.path
    if path is None or path.suffix.lower() not in suffixes:
        return None
    try:
        streams = probe(path)
    except MixgymError:  # it went away since the song was read
        return None
    if len(streams) != 1 or streams[0].channels != stem.channels:
        return None
    whole = round(streams[0].frames * stem.sample_rate / streams[0].sample_rate)
    return path.absolute() if whole == stem.frames else None


def copy_name(song: Song, index: int) -> str:
    """Name of the copy of one stem, in the song's order: `03_Lead Vocal.wav`."""
    from ..mixing import safe_name

    digits = len(str(len(song.stems)))
    return f"{index + 1:0{digits}d}_{safe_name(song.stems[index].name)}.wav"


def write_copies(folder: Path, song: Song, indices: Sequence[int]) -> None:
    """Write stems as 32-bit floating-point WAV at the song's rate.

    Raises:
        MixgymError: a stem cannot be read any more.
        OSError: the disk is full.
    """
    for index in indices:
        stem = song.stems[index]
        path = folder / copy_name(song, index)
        with AudioWriter(path, song.sample_rate, COPY, stem.frames, stem.channels) as writer:
            for start in range(0, stem.frames, BLOCK_FRAMES):
                writer.write(stem.read(start, min(BLOCK_FRAMES, stem.frames - start)))
