"""Audio files by FFmpeg's libraries: AAC and ALAC in M4A, MP4 and MOV, raw AAC."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import av
import numpy as np
from numpy.typing import NDArray

from .formats import BLOCK_FRAMES, AudioInfo, DamagedAudioError, NotAudioError

# Demuxers that never open a second file or a network address, as playlists would.
_OPTIONS = {"format_whitelist": "mov,aac,caf,matroska,asf,wav,aiff,flac,ogg,mp3"}


def probe(path: Path) -> list[AudioInfo]:
    """Read the header; one entry for each audio stream.

    Raises:
        NotAudioError: unknown format, or no audio stream in it.
    """
    with _open(path) as container:
        found = [
            AudioInfo(
                path=path,
                stream=index,
                decoder="libav",
                sample_rate=int(stream.sample_rate or 0),
                channels=int(stream.channels or 0),
                frames=_frames(stream),
                seekable=False,
                may_hold_nan=True,
            )
            for index, stream in enumerate(container.streams.audio)
        ]
    if not found:
        raise NotAudioError("no audio stream in it")
    return found


def blocks(info: AudioInfo) -> Iterator[NDArray[np.float32]]:
    """Decode one stream from the start to the end; yields (frames, channels).

    Raises:
        DamagedAudioError: packets are missing or cannot be decoded.
    """
    layout = "mono" if info.channels == 1 else "stereo"
    with _open(info.path) as container:
        stream = container.streams.audio[info.stream]
        resampler = av.AudioResampler(format="flt", layout=layout, rate=info.sample_rate)
        packets = 0
        pending: list[NDArray[np.float32]] = []
        pending_frames = 0
        try:
            for packet in container.demux(stream):
                packets += packet.size > 0
                for frame in packet.decode():
                    for packed in resampler.resample(frame):
                        samples = packed.to_ndarray().reshape(-1, info.channels)
                        pending.append(samples)
                        pending_frames += len(samples)
                if pending_frames >= BLOCK_FRAMES:
                    yield np.concatenate(pending)
                    pending, pending_frames = [], 0
        except av.error.FFmpegError as error:
            raise DamagedAudioError(str(error)) from error
        if pending:
            yield np.concatenate(pending)
        if packets < stream.frames:
            raise DamagedAudioError(f"{packets} of {stream.frames} packets could be read")


def _open(path: Path) -> Any:
    try:
        return av.open(str(path), options=_OPTIONS)
    except (av.error.FFmpegError, ValueError) as error:
        raise NotAudioError(str(error)) from error


def _frames(stream: Any) -> int:
    """Length that the container gives, in frames; priming samples may be counted."""
    if stream.duration is None or not stream.sample_rate:
        return 0
    return int(stream.duration * stream.time_base * stream.sample_rate)
