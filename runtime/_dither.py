"""Quantisation with triangular dither, in Numba."""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from ..compiled import kernel


@njit(forceinline=True)
def _uniform(counter: int) -> float:
    """A hash of a counter, uniform in [0, 1): SplitMix64 (Steele, Lea, Flood, OOPSLA 2014)."""
    z = (np.uint64(counter) + np.uint64(1)) * np.uint64(0x9E3779B97F4A7C15)
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return np.float64((z ^ (z >> np.uint64(31))) >> np.uint64(11)) * 2.0**-53


@kernel()
def quantise(audio: NDArray[np.float32], start: int, bits: int, out: NDArray[np.int32]) -> None:
    """Round to `bits` with triangular dither of +-1 step, left-justified in 32 bits.

    audio (2, n) float32, full scale at 1; start: index of its first frame, which with the channel
    seeds the dither; out (n, 2) int32. Lipshitz, Wannamaker, Vanderkooy, "Quantization and
    Dither: A Theoretical Survey", JAES 40(5), 1992.
    """
    steps = np.float64(1 << (bits - 1))
    shift = 32 - bits
    for i in range(audio.shape[1]):
        for channel in range(2):
            counter = 4 * (start + i) + 2 * channel
            noise = _uniform(counter) - _uniform(counter + 1)
            value = np.floor(np.float64(audio[channel, i]) * steps + noise + 0.5)
            value = min(max(value, -steps), steps - 1.0)
            out[i, channel] = np.int32(value) << shift
