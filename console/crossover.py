"""A three-band Linkwitz-Riley crossover that sums to an all-pass.

S. Linkwitz, "Active Crossover Networks for Noncoincident Drivers", JAES 24(1), 1976. A
fourth-order low-pass is two Butterworth sections; low-pass plus high-pass is a second-order
all-pass with the same poles, so each high band is made by subtraction from that all-pass and
the low band runs through the upper split's: the three bands add up to a flat magnitude.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from ._kernels import three_bands

HIGHEST = 0.45  # of the sample rate


def _low_pass(cutoff_hz: float, sample_rate: int) -> list[float]:
    k = math.tan(math.pi * min(cutoff_hz, HIGHEST * sample_rate) / sample_rate)
    a0 = 1 + math.sqrt(2) * k + k * k
    b = k * k / a0
    return [b, 2 * b, b, 2 * (k * k - 1) / a0, (1 - math.sqrt(2) * k + k * k) / a0]


class Crossover:
    """Splits a stereo stream in three bands.

    Args:
        low_hz: where low and mid meet, both at -6 dB.
        high_hz: where mid and high meet.
        sample_rate: in Hz.
    """

    def __init__(self, low_hz: float, high_hz: float, sample_rate: int) -> None:
        self._low_passes = np.array([_low_pass(hz, sample_rate) for hz in (low_hz, high_hz)])
        self._state = np.zeros((2, 7, 2))

    def split(
        self, audio: NDArray[np.float32]
    ) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]:
        """Low, mid and high band of one block, each of the block's shape (2, frames)."""
        low, mid, high = np.empty_like(audio), np.empty_like(audio), np.empty_like(audio)
        three_bands(audio, self._low_passes, self._state, low, mid, high)
        return low, mid, high
