"""One stream into several meters at once, while the next block is being made."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Protocol

import numpy as np
from numpy.typing import NDArray


class Meter(Protocol):
    """Anything that is fed blocks."""

    def push(self, audio: NDArray[np.float32]) -> None:
        """Take the next block, shape (channels, frames)."""
        ...


def feed(
    blocks: Iterable[NDArray[np.float32]], meters: Iterable[Meter], threads: int
) -> Iterator[NDArray[np.float32]]:
    """Push every block into every meter, each meter in order, and pass the blocks on.

    A block that is passed on may still be read by the meters: leave it as it is. Errors of a
    meter are raised here, at the latest when the blocks end.
    """
    pending: list[Future[None]] = []
    meters = tuple(meters)
    with ThreadPoolExecutor(max(1, threads)) as pool:
        for block in blocks:
            for future in pending:
                future.result()
            pending = [pool.submit(meter.push, block) for meter in meters]
            yield block
        for future in pending:
            future.result()
