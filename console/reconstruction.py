"""How high a master peaks behind reconstruction filters other than the true-peak meter's.

Above 0.45 of the sample rate no two filters pass the same, so a signal that is full up to there
(noise, clipped edges) reads up to 0.5 dB higher behind one than behind another. Music hardly
differs. A ceiling that is to hold in players and converters has to hold behind a short filter
and behind a long one.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .meters._kernels import interpolated_envelope

OVERSAMPLING = 8
HALF = 12  # taps on either side, of which the window keeps 10
SHORT_HALF, SHORT_BETA = 10, 5.0  # the design of scipy's resample_poly
BLOCK_FRAMES = 1 << 15


def short_interpolator() -> NDArray[np.float32]:
    """Kaiser-windowed sinc, shape (OVERSAMPLING - 1, 2 * HALF); row p - 1 is p / 8 sample late."""
    phase = np.arange(1, OVERSAMPLING)[:, np.newaxis] / OVERSAMPLING
    distance = phase - np.arange(1 - HALF, HALF + 1)
    inside = np.maximum(1.0 - (distance / SHORT_HALF) ** 2, 0.0)
    window = np.where(np.abs(distance) < SHORT_HALF, np.i0(SHORT_BETA * np.sqrt(inside)), 0.0)
    taps = np.sinc(distance) * window / np.i0(SHORT_BETA)
    return np.ascontiguousarray(taps, dtype=np.float32)


class ShortFilterPeak:
    """The highest peak of a stereo stream at 8x oversampling behind the short filter.

    The stream is taken to stand in silence; `peak` is linear.
    """

    def __init__(self) -> None:
        self._taps = short_interpolator()
        self._carry = np.zeros((2, HALF - 1), dtype=np.float32)
        self.peak = 0.0

    def push(self, audio: NDArray[np.float32]) -> None:
        """Hear the next block, shape (2, frames)."""
        line = np.concatenate([self._carry, audio], axis=1)
        envelope = np.empty(max(0, line.shape[1] - (2 * HALF - 1)), dtype=np.float32)
        self._carry = line[:, envelope.size :].copy()
        interpolated_envelope(line, self._taps, envelope)
        self.peak = max(self.peak, float(envelope.max(initial=0.0)))

    def finish(self) -> None:
        """Let silence follow; `peak` is complete then."""
        self.push(np.zeros((2, HALF), dtype=np.float32))


class LongFilterPeak:
    """The highest peak of a stereo stream at 8x oversampling behind soxr's best filter.

    It is steep from 0.46 of the sample rate on. The stream is taken to stand in silence; what
    rings before its first frame does not count. `peak` is linear.
    """

    def __init__(self) -> None:
        import soxr

        self._long = soxr.ResampleStream(1, OVERSAMPLING, 2, dtype="float32", quality="VHQ")
        self.peak = 0.0

    def push(self, audio: NDArray[np.float32]) -> None:
        """Hear the next block, shape (2, frames)."""
        for start in range(0, audio.shape[1], BLOCK_FRAMES):
            self._hear(audio[:, start : start + BLOCK_FRAMES], last=False)

    def finish(self) -> None:
        """Let silence follow; `peak` is complete then."""
        self._hear(np.zeros((2, HALF), dtype=np.float32), last=True)

    def _hear(self, audio: NDArray[np.float32], *, last: bool) -> None:
        dense = self._long.resample_chunk(np.ascontiguousarray(audio.T), last=last)
        highest, lowest = dense.max(initial=0.0), dense.min(initial=0.0)
        self.peak = max(self.peak, float(highest), -float(lowest))
