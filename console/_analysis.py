"""Inner loops of `analysis`, in Numba."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..compiled import kernel


@kernel(fastmath=True)
def accumulate_stem(
    total: NDArray[np.float32], audio: NDArray[np.float32], gain: np.float32
) -> None:
    """total (2, n) += gain * audio (1 or 2, n); mono goes to both sides."""
    for side in range(2):
        row, source = total[side], audio[min(side, audio.shape[0] - 1)]
        for i in range(row.size):
            row[i] += gain * source[i]


@kernel()
def peak_instants(
    total: NDArray[np.float32], starts: NDArray[np.int64], instants: NDArray[np.int64]
) -> None:
    """Sample of the largest magnitude in each slot of either side, instants (2, slots)."""
    for side in range(2):
        row = total[side]
        for slot in range(starts.size):
            end = starts[slot + 1] if slot + 1 < starts.size else row.size
            best = starts[slot]
            for i in range(best, end):
                if abs(row[i]) > abs(row[best]):
                    best = i
            instants[side, slot] = best
