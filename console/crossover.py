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

from ._kernels import biquads

HIGHEST = 0.45  # of the sample rate


def _low_pass(cutoff_hz: float, sample_rate: int) -> list[float]:
    k = math.tan(math.pi * min(cutoff_hz, HIGHEST * sample_rate) / sample_rate)
    a0 = 1 + math.sqrt(2) * k + k * k
    b = k * k / a0
    return [b, 2 * b, b, 2 * (k * k - 1) / a0, (1 - math.sqrt(2) * k + k * k) / a0]


def _all_pass(cutoff_hz: float, sample_rate: int) -> list[float]:
    *_, a1, a2 = _low_pass(cutoff_hz, sample_rate)
    return [a2, a1, 1.0, a1, a2]


class _Cascade:
    def __init__(self, sections: list[list[float]]) -> None:
        self._sections = np.array(sections)
        self._state = np.zeros((2, len(sections), 2))

    def __call__(self, audio: NDArray[np.float32]) -> NDArray[np.float32]:
        result = audio.copy()
        biquads(result, self._sections, self._state)
        return result


class Crossover:
    """Splits a stereo stream in three bands.

    Args:
        low_hz: where low and mid meet, both at -6 dB.
        high_hz: where mid and high meet.
        sample_rate: in Hz.
    """

    def __init__(self, low_hz: float, high_hz: float, sample_rate: int) -> None:
        first, second = _low_pass(low_hz, sample_rate), _low_pass(high_hz, sample_rate)
        self._low = _Cascade([first, first])
        self._low_align = _Cascade([_all_pass(high_hz, sample_rate)])
        self._upper = _Cascade([_all_pass(low_hz, sample_rate)])
        self._mid = _Cascade([second, second])
        self._high = _Cascade([_all_pass(high_hz, sample_rate)])

    def split(
        self, audio: NDArray[np.float32]
    ) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]:
        """Low, mid and high band of one block, each of the block's shape (2, frames)."""
        upper = self._upper(audio)
        low = self._low(audio)
        upper -= low
        mid = self._mid(upper)
        high = self._high(upper)
        high -= mid
        return self._low_align(low), mid, high
