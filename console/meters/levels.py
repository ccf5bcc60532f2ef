"""Levels of the unweighted signal: RMS, DC offset, correlation."""

import math

import numpy as np
from numpy.typing import NDArray

from ._decibels import power_db
from ._input import check_format, checked
from ._kernels import add_moments


class LevelMeter:
    """Mean square, DC offset and correlation of everything pushed so far.

    sample_rate: Hz, 8000 to 192000. channels: 1 or 2.
    Raises `MixgymError` for a rate or channel count it cannot read.
    """

    def __init__(self, sample_rate: int, channels: int = 2) -> None:
        check_format(sample_rate, channels)
        self.sample_rate = sample_rate
        self.channels = channels
        self.frames = 0
        self._sums = np.zeros(5)

    def push(self, audio: NDArray[np.float32]) -> None:
        """Measure `audio`, float32 `(channels, frames)`.

        Raises `MixgymError` for another shape, NaN or infinity.
        """
        audio = checked(audio, self.channels)
        add_moments(audio[0], audio[-1], self._sums)
        self.frames += audio.shape[1]

    @property
    def rms_dbfs(self) -> float:
        """Root mean square over frames and channels: a sine of full scale reads -3.01."""
        left, right = self._sums[2:4] / max(1, self.frames)
        return power_db(float(left + right) / 2.0)

    @property
    def dc_offset(self) -> float:
        """The mean of the channel whose mean is larger in magnitude, linear and signed."""
        left, right = self._sums[:2] / max(1, self.frames)
        return float(left if abs(left) >= abs(right) else right)

    @property
    def correlation(self) -> float:
        """<L R> / sqrt(<L L> <R R>), -1 to 1; 1 for mono, NaN where a channel is silent."""
        left, right, cross = self._sums[2:]
        if left == 0.0 or right == 0.0:
            return math.nan
        return float(np.clip(cross / math.sqrt(left) / math.sqrt(right), -1.0, 1.0))
