"""Audio files by FFmpeg's libraries: AAC and ALAC in M4A, MP4 and MOV, raw AAC."""

from collections.abc import Iterator
from pathlib import Path
from threading import Lock
from typing import Any

import av
import numpy as np
from numpy.typing import NDArray

from .formats import BLOCK_FRAMES, AudioInfo, DamagedAudioError, NotAudioError

# libav comes back to Python after every packet, and threads that do so at the same time only pass
# the interpreter's lock back and forth. So they take turns, a block each, and overlap with the
# other threads' checking, resampling and writing.
_DECODING = Lock()

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
    with _open(info.path) as container:
        stream = container.streams.audio[info.stream]
        frames = _planar_frames(container, stream, info)
        while True:
            pending: list[Any] = []
            count = 0
            with _DECODING:
                for frame in frames:
                    pending.append(frame)
                    count += frame.samples
                    if count >= BLOCK_FRAMES:
                        break
                block = _interleaved(pending, count, info.channels)
            if not pending:
                return
            yield block


def _interleaved(frames: list[Any], count: int, channels: int) -> NDArray[np.float32]:
    block = np.empty((count, channels), np.float32)
    start = 0
    for frame in frames:
        end = start + frame.samples
        for channel, plane in enumerate(frame.planes):
            block[start:end, channel] = np.frombuffer(plane, np.float32, frame.samples)
        start = end
    return block


def _planar_frames(container: Any, stream: Any, info: AudioInfo) -> Iterator[Any]:
    """Yield every decoded `av.AudioFrame` as planar float of the stream's rate and channels."""
    layout = "mono" if info.channels == 1 else "stereo"
    resampler = av.AudioResampler(format="fltp", layout=layout, rate=info.sample_rate)
    wanted = ("fltp", info.channels, info.sample_rate)
    packets = 0
    try:
        for packet in container.demux(stream):
            packets += packet.size > 0
            for frame in packet.decode():
                if (frame.format.name, frame.layout.nb_channels, frame.sample_rate) == wanted:
                    yield frame
                else:
                    yield from resampler.resample(frame)
    except av.error.FFmpegError as error:
        raise DamagedAudioError(error.strerror) from error
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
