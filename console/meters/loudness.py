"""Loudness: ITU-R BS.1770-5, with the windows and gates of EBU Tech 3341 and 3342."""

import math

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from ._decibels import power_db
from ._input import check_format, checked
from ._kernels import k_weighted_energies
from .k_weighting import k_weighting

_OFFSET_DB = -0.691  # BS.1770: a 997 Hz sine of 0 dBFS in one channel reads -3.01 LUFS
_MOMENTARY = 40  # sub-blocks of 10 ms in 400 ms, also the gating block
_SHORT_TERM = 300  # sub-blocks in 3 s
_STEP = 10  # sub-blocks in 100 ms: the gating block's step, and the short-term grid
_ABSOLUTE_GATE_LUFS = -70.0
_RELATIVE_GATE_LU = -10.0
_RANGE_GATE_LU = -20.0


# Pairs of channels that run through the kernel at once, and what their energy counts. A channel
# paired with itself runs as left and as right, and counts once. Five are L, R, C, Ls, Rs: the
# surrounds count 1.41 (BS.1770 annex 1, table 4).
_PAIRS: dict[int, tuple[tuple[int, int, float], ...]] = {
    1: ((0, 0, 0.5),),
    2: ((0, 1, 1.0),),
    5: ((0, 1, 1.0), (2, 2, 0.5), (3, 4, 1.41)),
}


def _lufs(power: NDArray[np.float64]) -> NDArray[np.float64]:
    return _OFFSET_DB + power_db(power)


def _power(lufs: float) -> float:
    return float(10.0 ** ((lufs - _OFFSET_DB) / 10.0))


def _gated(powers: NDArray[np.float64], relative_gate_lu: float) -> NDArray[np.bool_]:
    """Which block powers lie above -70 LUFS and above the mean of those plus the relative gate."""
    above: NDArray[np.bool_] = powers > _power(_ABSOLUTE_GATE_LUFS)
    if above.any():
        above &= powers > powers[above].mean() * 10.0 ** (relative_gate_lu / 10.0)
    return above


class LoudnessMeter:
    """Momentary, short-term and integrated loudness, loudness range and mono-fold loss.

    sample_rate: Hz, 8000 to 192000.
    channels: 1, 2 or 5 (L, R, C, Ls, Rs). A mono signal is one channel of weight 1, as in the
        standard: it reads 3.01 LU below the same signal in both channels of a stereo file.

    Energy is summed over sub-blocks of 10 ms whose edges are rounded to the nearest frame, so no
    rate drifts. Windows hold whole sub-blocks; a window that the signal does not fill is not
    measured, unless the signal is shorter than the window: then it is measured once, as if silence
    followed. Every reading may be taken at any time and is -inf for silence.

    Sources: ITU-R BS.1770-5 annex 1; EBU Tech 3341 (windows, gating), Tech 3342 (range).
    Raises `MixgymError` for a rate or channel count it cannot read.
    """

    def __init__(self, sample_rate: int, channels: int = 2) -> None:
        check_format(sample_rate, channels, tuple(_PAIRS))
        self.sample_rate = sample_rate
        self.channels = channels
        self._shelf, self._highpass = k_weighting(sample_rate)
        self._pairs = _PAIRS[channels]
        self._state = np.zeros((len(self._pairs), 2, 4))
        self._partial = np.zeros((len(self._pairs), 2))
        self._frame = 0
        self._chunks = [np.empty((0, 2))]
        self._completed = 0

    def push(self, audio: NDArray[np.float32]) -> None:
        """Measure `audio`, float32 `(channels, frames)`.

        Raises `MixgymError` for another shape, NaN or infinity.
        """
        audio = checked(audio, self.channels)
        frames = audio.shape[1]
        out = np.empty((frames * 100 // self.sample_rate + 2, 2))
        total = np.zeros_like(out)
        for (left, right, weight), state, partial in zip(
            self._pairs, self._state, self._partial, strict=True
        ):
            completed = k_weighted_energies(
                audio[left],
                audio[right],
                self._shelf,
                self._highpass,
                state,
                partial,
                self._frame,
                self._completed,
                self.sample_rate,
                out,
            )
            total[:completed] += weight * out[:completed]
        self._frame += frames
        self._completed += completed
        if completed:
            self._chunks.append(total[:completed])

    @property
    def powers(self) -> NDArray[np.float64]:
        """Float64 `(sub-blocks,)`: K-weighted energy of each complete 10 ms, channels summed.

        Divided by the sub-block's frames it is the mean square z of the standard.
        """
        return self._energies()[:, 0]

    def drain(self) -> NDArray[np.float64]:
        """`powers` since the last time, which are forgotten: nothing else counts them any more."""
        powers = self.powers
        self._chunks = [np.empty((0, 2))]
        return powers

    @property
    def momentary_lufs(self) -> NDArray[np.float64]:
        """Float64 `(windows,)`: loudness of 400 ms windows; window k ends at 0.4 s + k 10 ms."""
        return _lufs(self._windows(_MOMENTARY)[:, 0])

    @property
    def short_term_lufs(self) -> NDArray[np.float64]:
        """Float64 `(windows,)`: loudness of 3 s windows; window k ends at 3 s + k 100 ms."""
        return _lufs(self._windows(_SHORT_TERM, _STEP)[:, 0])

    @property
    def max_momentary_lufs(self) -> float:
        """The loudest 400 ms window, in steps of 10 ms."""
        return float(self.momentary_lufs.max(initial=-math.inf))

    @property
    def max_short_term_lufs(self) -> float:
        """The loudest 3 s window, in steps of 10 ms: finer than the grid of `short_term_lufs`."""
        return float(_lufs(self._windows(_SHORT_TERM)[:, 0]).max(initial=-math.inf))

    @property
    def integrated_lufs(self) -> float:
        """Gated loudness of everything pushed so far."""
        stereo = self._gating_blocks()[:, 0]
        return _OFFSET_DB + power_db(float(stereo.mean())) if stereo.size else -math.inf

    @property
    def mono_fold_loss_db(self) -> float:
        """How much quieter the programme gets when (L + R) / 2 feeds both channels, in dB.

        Taken over the blocks that count for the integrated loudness: 0 for equal channels, 3.01
        for uncorrelated channels of equal power, infinity in anti-phase; NaN when no block counts
        or there are more channels than two.
        """
        stereo, fold = self._gating_blocks().sum(axis=0)
        if stereo == 0.0 or self.channels > 2:
            return math.nan
        return max(0.0, power_db(float(stereo)) - power_db(float(fold)))

    @property
    def loudness_range_lu(self) -> float:
        """Tech 3342: 95th minus 10th percentile of the gated short-term loudness; 0 for silence."""
        powers = self._windows(_SHORT_TERM, _STEP)[:, 0]
        levels = np.sort(_lufs(powers[_gated(powers, _RANGE_GATE_LU)]))
        if not levels.size:
            return 0.0
        low, high = (int((levels.size - 1) * quantile + 0.5) for quantile in (0.10, 0.95))
        return float(levels[high] - levels[low])

    def _energies(self) -> NDArray[np.float64]:
        """`(sub-blocks, 2)`: stereo and mono-fold energies."""
        self._chunks = [np.concatenate(self._chunks)]
        return self._chunks[0]

    def _edges(self, sub_blocks: NDArray[np.int64]) -> NDArray[np.int64]:
        """The first frame of each sub-block; the kernel's formula."""
        return (2 * sub_blocks * self.sample_rate + 100) // 200

    def _windows(self, length: int, step: int = 1) -> NDArray[np.float64]:
        """`(windows, 2)`: mean squares over `length` sub-blocks, every `step` sub-blocks."""
        energies = self._energies()
        if self._frame == 0:
            sums = np.empty((0, 2))
        elif len(energies) < length:
            weights = np.array([weight for *_, weight in self._pairs])
            sums = (energies.sum(axis=0) + weights @ self._partial)[np.newaxis]
        else:
            sums = np.stack(
                [_sliding_sums(column, length)[::step] for column in energies.T], axis=1
            )
        starts = step * np.arange(len(sums), dtype=np.int64)
        frames = self._edges(starts + length) - self._edges(starts)
        powers: NDArray[np.float64] = sums / frames[:, np.newaxis]
        return powers

    def _gating_blocks(self) -> NDArray[np.float64]:
        """`(blocks, 2)`: mean squares of the 400 ms blocks that pass both gates."""
        blocks = self._windows(_MOMENTARY, _STEP)
        return blocks[_gated(blocks[:, 0], _RELATIVE_GATE_LU)]


def _sliding_sums(values: NDArray[np.float64], length: int) -> NDArray[np.float64]:
    """Sums of `length` neighbours, a multiple of 10: `(n,)` to `(n - length + 1,)`.

    Sums tens first, then sums of tens, so that nothing is ever subtracted: after a loud passage
    silence still sums to zero.
    """
    tens = sliding_window_view(values, _STEP).sum(axis=1)
    spread = sliding_window_view(tens, length - _STEP + 1)[:, ::_STEP]
    sums: NDArray[np.float64] = spread.sum(axis=1)
    return sums


def gated_lufs(energies: NDArray[np.float64], sample_rate: int) -> float:
    """Integrated loudness of K-weighted energies per 10 ms, as `LoudnessMeter.powers` gives them.

    energies: float64 `(sub-blocks,)`. Fewer than 400 ms count as if silence followed; -inf for
        silence.
    """
    if len(energies) < _MOMENTARY:
        energies = np.concatenate((energies, np.zeros(_MOMENTARY - len(energies))))
    blocks = _sliding_sums(energies, _MOMENTARY)[::_STEP] / (0.4 * sample_rate)
    gated = blocks[_gated(blocks, _RELATIVE_GATE_LU)]
    return _OFFSET_DB + power_db(float(gated.mean())) if gated.size else -math.inf
