"""Audio files by libsndfile: WAV, AIFF, FLAC, Ogg Vorbis and Opus, MP3, W64, RF64, CAF."""

import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import soundfile
from numpy.typing import NDArray

from .formats import BLOCK_FRAMES, AudioInfo, DamagedAudioError, NotAudioError

_SEEKABLE = frozenset({"WAV", "WAVEX", "RF64", "W64", "AIFF", "CAF", "AU"})
_LONGEST = 2**40


def probe(path: Path) -> AudioInfo:
    """Read the header.

    Raises:
        NotAudioError: libsndfile does not know the format.
    """
    with open_sound(path) as sound:
        linear = sound.subtype.startswith("PCM_")
        floating = sound.subtype in ("FLOAT", "DOUBLE")
        return AudioInfo(
            path=path,
            stream=0,
            decoder="sndfile",
            sample_rate=sound.samplerate,
            channels=sound.channels,
            frames=sound.frames if 0 <= sound.frames < _LONGEST else 0,
            seekable=sound.format in _SEEKABLE and (linear or floating),
            may_hold_nan=not linear,
        )


def blocks(info: AudioInfo) -> Iterator[NDArray[np.float32]]:
    """Decode from the start to the end; yields (frames, channels).

    Raises:
        DamagedAudioError: the data ends before the length that the header gives, or cannot be
            decoded.
    """
    decoded = 0
    with open_sound(info.path) as sound:
        while True:
            try:
                block = sound.read(BLOCK_FRAMES, dtype="float32", always_2d=True)
            except soundfile.SoundFileRuntimeError as error:
                raise DamagedAudioError(str(error)) from error
            if len(block) == 0:
                break
            decoded += len(block)
            yield block
    if decoded < info.frames:
        raise DamagedAudioError(f"{decoded} of {info.frames} frames could be read")


def native_name(path: Path) -> str | bytes:
    """A file's name as soundfile opens it, also where the name is not valid UTF-8."""
    return os.fsencode(path) if os.name == "posix" else str(path)


def open_sound(path: Path) -> soundfile.SoundFile:
    """Open a file for reading.

    Raises:
        NotAudioError: libsndfile does not know the format.
    """
    try:
        return soundfile.SoundFile(native_name(path))
    except soundfile.SoundFileRuntimeError as error:
        raise NotAudioError(str(error)) from error
