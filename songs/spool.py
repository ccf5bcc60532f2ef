"""A temporary file of float32 samples: what is decoded once and read many times.

The file has no name (it is unlinked as soon as it is open, or deleted on close where the system
cannot do that), so it vanishes with the process however that ends. It is read with `preadv`: a
memory map would count as memory in use.
"""

import contextlib
import errno
import os
import tempfile
from collections.abc import Iterator
from threading import Lock

import numpy as np
from numpy.typing import NDArray

from ..errors import MixgymError

_SAMPLE_BYTES = 4


class SpoolReader:
    """Samples of one stem in a nameless temporary file, interleaved.

    `append` fills it from one thread; after that any number of threads may `read`.

    Raises:
        MixgymError: the temporary folder is full or cannot be written.
    """

    def __init__(self, channels: int) -> None:
        self.channels = channels
        self.frames = 0
        self._lock = Lock()
        with temporary_folder():
            self._file = tempfile.TemporaryFile(buffering=0, prefix="mixgym-")  # noqa: SIM115

    def append(self, block: NDArray[np.float32]) -> None:
        """Add a block shaped (frames, channels)."""
        rest = np.ascontiguousarray(block).reshape(-1).view(np.uint8).data
        with temporary_folder():
            while rest:
                rest = rest[self._file.write(rest) :]
        self.frames += len(block)

    def read(self, start: int, frames: int) -> NDArray[np.float32]:
        """See `Reader.read`."""
        frame_bytes = self.channels * _SAMPLE_BYTES
        buffer = bytearray(frames * frame_bytes)
        rest, offset = memoryview(buffer), start * frame_bytes
        while rest:
            count = self._read_at(offset, rest)
            if count == 0:
                raise EOFError(f"spool of {self.frames} frames ends before {start + frames}")
            rest, offset = rest[count:], offset + count
        block = np.frombuffer(buffer, np.float32).reshape(frames, self.channels)
        return np.ascontiguousarray(block.T)

    def _read_at(self, offset: int, into: memoryview) -> int:
        if hasattr(os, "preadv"):
            return os.preadv(self._file.fileno(), [into], offset)
        with self._lock:
            self._file.seek(offset)
            return self._file.readinto(into) or 0

    def close(self) -> None:
        """Give the space back."""
        self._file.close()


@contextlib.contextmanager
def temporary_folder() -> Iterator[None]:
    """Inside of the block a temporary folder that is full or closed ends in one sentence.

    Raises:
        MixgymError: it is.
    """
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
            raise temporary_folder_full() from error
        raise _elsewhere(f"cannot be written ({error.strerror})") from error


def temporary_folder_full() -> MixgymError:
    """A sentence for when it is."""
    return _elsewhere("is full")


def _elsewhere(cause: str) -> MixgymError:
    return MixgymError(
        f"The temporary folder {tempfile.gettempdir()} {cause}: make room there or set TMPDIR to a "
        "folder with more space."
    )
