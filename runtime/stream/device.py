"""A stream on a sound device: stems are read ahead by one thread, played by the device's own."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...errors import MixgymError
from .engine import Stream
from .timing import BlockTimes

AHEAD_BLOCKS = 64  # that are read ahead
Read = Callable[[int, int, NDArray[np.float32]], None]


class Player:
    """Blocks of a song for a sound device's callback.

    The reader fills a ring of blocks and counts them; the callback plays what has been filled and
    counts that: each count has one writer, and neither thread waits for the other. Where the
    reader is behind, silence is played and counted as a gap.

    Args:
        stream: what processes.
        times: where the blocks' durations go.
        read: fills (stems, 2, frames) from a frame on, with silence behind the end.
        song_frames: length of the song.
        block_frames: of one block.
    """

    def __init__(
        self, stream: Stream, times: BlockTimes, read: Read, song_frames: int, block_frames: int
    ) -> None:
        self._stream, self._times, self._read = stream, times, read
        shape = (AHEAD_BLOCKS, len(stream.stems), 2, block_frames)
        self._ring = np.zeros(shape, dtype=np.float32)
        self._out = np.zeros((2, block_frames), dtype=np.float32)
        self._block_frames = block_frames
        self._blocks = -(-(song_frames + stream.latency) // block_frames)
        self._filled = self._played = 0
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._fill, name="mixgym reader", daemon=True)
        self._error: BaseException | None = None
        self.finished = threading.Event()
        self.gaps = 0

    def start(self) -> None:
        """Begin to read ahead, and wait until the ring is full or all is read."""
        self._thread.start()
        while self._thread.is_alive() and self._filled < min(AHEAD_BLOCKS, self._blocks):
            time.sleep(0.005)

    def stop(self) -> None:
        """End the reader.

        Raises:
            MixgymError: a stem could not be read.
        """
        self._stop.set()
        self._thread.join()
        if self._error is not None:
            raise self._error

    def __call__(
        self, outdata: NDArray[np.float32], frames: int, clock: object, status: object
    ) -> None:
        """The device's callback: fill outdata (frames, 2)."""
        if self._played == self._filled:
            outdata[:] = 0.0
            self.gaps += self._played < self._blocks
        else:
            began = time.perf_counter_ns()
            self._stream.process(self._ring[self._played % AHEAD_BLOCKS], self._out)
            outdata[:] = self._out.T
            self._times.add(time.perf_counter_ns() - began)
            self._played += 1
        if self._played == self._blocks:
            self.finished.set()

    def _fill(self) -> None:
        try:
            self._read_ahead()
        except BaseException as error:
            self._error = error
            self.finished.set()

    def _read_ahead(self) -> None:
        pause_s = self._block_frames / self._stream.sample_rate
        while self._filled < self._blocks and not self._stop.is_set():
            if self._filled - self._played == AHEAD_BLOCKS:
                time.sleep(pause_s)
                continue
            block = self._ring[self._filled % AHEAD_BLOCKS]
            self._read(self._filled * self._block_frames, self._block_frames, block)
            self._filled += 1


def open_output(
    callback: Player, sample_rate: int, block_frames: int, device: str | int | None
) -> Any:
    """A stereo output stream of the sound device, not yet started.

    Raises:
        MixgymError: no sounddevice, no PortAudio, no device, or none that takes the format.
    """
    try:
        import sounddevice
    except (ImportError, OSError) as error:
        raise MixgymError(
            "Playing needs a sound device: install mixgym's extra with pip install 'mixgym[live]' "
            "and the system's PortAudio, or write to a file with -o."
        ) from error
    try:
        return sounddevice.OutputStream(
            samplerate=sample_rate,
            blocksize=block_frames,
            device=device,
            channels=2,
            dtype="float32",
            latency="low",
            callback=callback,
        )
    except (sounddevice.PortAudioError, ValueError) as error:
        raise MixgymError(
            f"The sound device cannot play this ({error}): name another with --device, or write "
            "to a file with -o."
        ) from error
