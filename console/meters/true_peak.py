"""True peak: ITU-R BS.1770-5 annex 2, at 8x oversampling."""

import numpy as np
from numpy.typing import NDArray

from ...errors import MixgymError
from ._decibels import amplitude_db
from ._input import check_format, checked
from ._kernels import interpolated_envelope

OVERSAMPLING = 8
_TAPS = 40  # per phase
_KAISER_BETA = 6.3  # 40 taps: flat within 0.011 dB up to 0.45 of the sample rate
_LOOKAHEAD = _TAPS // 2
_BLOCK = 1 << 15  # frames interpolated at once; bounds the memory of a long push


def interpolator() -> NDArray[np.float32]:
    """Float32 `(OVERSAMPLING - 1, taps)`: row p - 1 gives the point p / 8 of a sample later.

    A Kaiser-windowed sinc. Phase 0 is the samples themselves and is not stored. Each row sums to
    one, so DC reads exact.
    """
    phase = np.arange(1, OVERSAMPLING)[:, np.newaxis] / OVERSAMPLING
    distance = phase - np.arange(1 - _LOOKAHEAD, _LOOKAHEAD + 1)
    window = np.i0(_KAISER_BETA * np.sqrt(1.0 - (distance / _LOOKAHEAD) ** 2))
    taps = np.sinc(distance) * window
    return np.ascontiguousarray(taps / taps.sum(axis=1, keepdims=True), dtype=np.float32)


class TruePeakMeter:
    """True peak and sample peak; on request the true peak of each hop.

    sample_rate: Hz, 8000 to 192000.
    channels: 1 or 2. Peaks are the larger of the channels'.
    hop: frames per entry of `hop_peaks`; 0 keeps none.

    The signal is taken to stand in silence. The interpolator is flat within 0.02 dB up to 0.45 of
    the sample rate; a point between two of the eight phases can exceed the reading by 0.14 dB at
    that frequency, by 0.01 dB at a quarter of it. Point n + p / 8 belongs to frame n. `true_peak`
    lags 20 frames behind `push` until `finish` is called.

    Raises `MixgymError` for a rate or channel count it cannot read, and for a negative hop.
    """

    def __init__(self, sample_rate: int, channels: int = 2, hop: int = 0) -> None:
        check_format(sample_rate, channels)
        if hop < 0:
            raise MixgymError(f"a hop of {hop} frames is negative; use 0 for no hop peaks")
        self.sample_rate = sample_rate
        self.channels = channels
        self.hop = hop
        self._taps = interpolator()
        self._carry = np.zeros((channels, _TAPS - 1), np.float32)
        self._frame = -_LOOKAHEAD  # the frame whose points the next pushed sample completes
        self._true_peak = 0.0
        self._sample_peak = 0.0
        self._hop_peaks = [np.empty(0, np.float32)]
        self._hop_partial = np.empty(0, np.float32)  # frames of the hop that is not yet complete
        self._finished = False

    def push(self, audio: NDArray[np.float32]) -> None:
        """Measure `audio`, float32 `(channels, frames)`.

        Raises `MixgymError` for another shape, NaN or infinity, and after `finish`.
        """
        if self._finished:
            raise MixgymError("this true-peak meter was finished; start a new one")
        audio = checked(audio, self.channels)
        if audio.size:
            self._sample_peak = max(self._sample_peak, float(audio.max()), -float(audio.min()))
        self._interpolate(audio)

    def finish(self) -> None:
        """Let silence follow the signal, so that its last frames count too. May be repeated."""
        if self._finished:
            return
        self._interpolate(np.zeros((self.channels, _LOOKAHEAD), np.float32))
        if self._hop_partial.size:
            self._hop_peaks.append(self._hop_partial.max(keepdims=True))
        self._finished = True

    @property
    def true_peak(self) -> float:
        """The largest magnitude at or between samples, linear; 1.0 is full scale."""
        return self._true_peak

    @property
    def true_peak_dbtp(self) -> float:
        """`true_peak` in dBTP, -inf for silence."""
        return amplitude_db(self._true_peak)

    @property
    def sample_peak(self) -> float:
        """The largest magnitude of a sample, linear."""
        return self._sample_peak

    @property
    def sample_peak_dbfs(self) -> float:
        """`sample_peak` in dBFS, -inf for silence."""
        return amplitude_db(self._sample_peak)

    @property
    def hop_peaks(self) -> NDArray[np.float32]:
        """Float32 `(hops,)`: entry j is the true peak of frames j hop to (j + 1) hop - 1, linear.

        Complete, ceil(frames / hop) entries, once finished. Empty when hop is 0.
        """
        self._hop_peaks = [np.concatenate(self._hop_peaks)]
        return self._hop_peaks[0]

    def _interpolate(self, audio: NDArray[np.float32]) -> None:
        for start in range(0, audio.shape[1], _BLOCK):
            x = np.concatenate((self._carry, audio[:, start : start + _BLOCK]), axis=1)
            envelope = np.empty(x.shape[1] - (_TAPS - 1), np.float32)
            interpolated_envelope(x, self._taps, envelope)
            self._carry = x[:, envelope.size :].copy()
            before_first = min(envelope.size, max(0, -self._frame))
            self._frame += envelope.size
            self._reduce(envelope[before_first:])

    def _reduce(self, envelope: NDArray[np.float32]) -> None:
        self._true_peak = max(self._true_peak, float(envelope.max(initial=0.0)))
        if self.hop:
            envelope = np.concatenate((self._hop_partial, envelope))
            whole = envelope.size - envelope.size % self.hop
            self._hop_peaks.append(envelope[:whole].reshape(-1, self.hop).max(axis=1))
            self._hop_partial = envelope[whole:].copy()
