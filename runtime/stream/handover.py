"""How settings reach the audio path: four buffers, and nobody waits for anybody."""

from __future__ import annotations

import threading

import numpy as np
from numpy.typing import NDArray


class Handover:
    """The newest of what any number of writers gave, for one reader.

    A writer fills a buffer that is neither the newest nor the one being read, then names it the
    newest. The reader says which one it is about to read and looks whether it still is the newest:
    if so no writer touches it, if not it stays with what it has until the next time. Writers take
    turns under a lock; the reader takes none, waits for nothing and allocates nothing.
    """

    def __init__(self, first: NDArray[np.float64]) -> None:
        self._buffers = [first.copy() for _ in range(4)]
        self._newest = 0
        self._reading = 0
        self._read = 0
        self._writers = threading.Lock()

    def give(self, values: NDArray[np.float64]) -> None:
        """Make these the newest; from any thread."""
        with self._writers:
            taken = (self._newest, self._reading, self._read)
            free = next(i for i in range(4) if i not in taken)
            self._buffers[free][:] = values
            self._newest = free

    def take(self) -> NDArray[np.float64]:
        """The newest, to be read until the next call; from the one thread that reads."""
        newest = self._newest
        self._reading = newest
        if self._newest == newest:
            self._read = newest
        else:
            self._reading = self._read
        return self._buffers[self._read]
