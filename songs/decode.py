"""Open any audio file as a reader at the song's sample rate.

Uncompressed audio at the song's rate is read in place. Everything else is decoded once, from start
to end in blocks, resampled if need be (libsoxr, HQ), and kept in a nameless temporary file.
"""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import soxr
from numpy.typing import NDArray

from ..errors import MixgymError
from . import _libav, _sndfile
from .completeness import missing_bytes
from .formats import (
    LIBAV_SUFFIXES,
    AudioInfo,
    DamagedAudioError,
    NotAudioError,
    is_stem_container,
)
from .readers import FileReader, Reader, check_finite
from .song import check_sample_rate
from .spool import SpoolReader


def probe(path: Path) -> list[AudioInfo]:
    """Read what a file's header says: one entry, or one for each stem of a Stem file.

    Raises:
        MixgymError: the file is missing, empty, unreadable, not audio, cut short, of more than
            2 channels, or at a rate outside 8 to 192 kHz.
    """
    _check_readable(path)
    streams = _probe_any(path)
    if len(streams) > 1:  # a Stem file starts with its mixdown
        streams = streams[1:] if is_stem_container(path) else streams[:1]
    for info in streams:
        check_sample_rate(info.sample_rate, str(path))
        if info.channels not in (1, 2):
            raise MixgymError(
                f"{path} has {info.channels} channels: split it into mono or stereo files."
            )
    return streams


def open_reader(
    info: AudioInfo, sample_rate: int, on_frames: Callable[[int], None] = lambda _: None
) -> Reader:
    """Return the stream's samples at `sample_rate` hertz, `round(frames * ratio)` of them.

    Args:
        info: what `probe` returned.
        sample_rate: the song's.
        on_frames: called with the number of source frames after each decoded block; what it
            raises ends the decoding.

    Raises:
        MixgymError: damaged data, NaN or infinite samples, no samples, temporary folder full.
    """
    if reads_in_place(info, sample_rate):
        sound = _sndfile.open_sound(info.path)
        reader: Reader = FileReader(sound, info.path, sample_rate, info.may_hold_nan)
    else:
        reader = _spool(info, sample_rate, on_frames)
    if reader.frames == 0:
        reader.close()
        raise MixgymError(f"{info.path} holds no audio: it is zero samples long.")
    return reader


def reads_in_place(info: AudioInfo, sample_rate: int) -> bool:
    """Whether the stream needs no decoding at this sample rate."""
    return info.seekable and info.sample_rate == sample_rate


def _spool(info: AudioInfo, sample_rate: int, on_frames: Callable[[int], None]) -> SpoolReader:
    spool = SpoolReader(info.channels)
    try:
        decoded = _checked_blocks(info, on_frames)
        for block in resampled(decoded, info.sample_rate, sample_rate, info.channels):
            spool.append(block)
    except DamagedAudioError as error:
        spool.close()
        raise MixgymError(
            f"{info.path} is damaged or cut short ({error}): copy it again."
        ) from error
    except BaseException:
        spool.close()
        raise
    return spool


def _checked_blocks(
    info: AudioInfo, on_frames: Callable[[int], None]
) -> Iterator[NDArray[np.float32]]:
    decoder = _sndfile if info.decoder == "sndfile" else _libav
    position = 0
    for block in decoder.blocks(info):
        if info.may_hold_nan:
            check_finite(block, info.path, position, info.sample_rate)
        position += len(block)
        yield block
        on_frames(len(block))


def resampled(
    blocks: Iterator[NDArray[np.float32]], from_hz: int, to_hz: int, channels: int
) -> Iterator[NDArray[np.float32]]:
    """Resample a stream of blocks (frames, channels) without delay (libsoxr, quality HQ).

    The output has `round(input frames * to_hz / from_hz)` frames in all.
    """
    if from_hz == to_hz:
        yield from blocks
        return
    stream = soxr.ResampleStream(from_hz, to_hz, channels, dtype="float32", quality="HQ")
    read = written = 0
    for block in blocks:
        read += len(block)
        out = stream.resample_chunk(block)
        written += len(out)
        yield out
    total = round(read * to_hz / from_hz)
    tail = np.zeros((max(total - written, 0), channels), np.float32)
    rest = stream.resample_chunk(np.zeros((0, channels), np.float32), last=True)[: len(tail)]
    tail[: len(rest)] = rest
    yield tail


def _probe_any(path: Path) -> list[AudioInfo]:
    """Ask the decoder that the name suggests first, then the other one."""
    libav_first = path.suffix.lower() in LIBAV_SUFFIXES
    for use_libav in (libav_first, not libav_first):
        try:
            return _libav.probe(path) if use_libav else [_sndfile.probe(path)]
        except NotAudioError:
            continue
    raise MixgymError(
        f"{path} is not an audio file that can be read (or its header is damaged): "
        "give WAV, AIFF, FLAC, Ogg, MP3 or M4A."
    )


def _check_readable(path: Path) -> None:
    try:
        if path.is_dir():
            raise MixgymError(f"{path} is a folder, not an audio file.")
        if path.stat().st_size == 0:
            raise MixgymError(f"{path} is empty (0 bytes): copy or export it again.")
        missing = missing_bytes(path)
    except FileNotFoundError as error:
        raise MixgymError(f"{path} does not exist: check the name.") from error
    except OSError as error:
        cause = error.strerror or os.strerror(error.errno or 0)
        raise MixgymError(f"{path} cannot be read ({cause}): check its permissions.") from error
    if missing:
        raise MixgymError(
            f"{path} is cut short: its header promises more audio than there is. Copy it again."
        )
