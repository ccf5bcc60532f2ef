"""Inner loops of the console, in Numba; all audio is planar float32, (channels, frames)."""

from __future__ import annotations

import math

import numpy as np
from numba import njit
from numpy.typing import NDArray

from ..compiled import kernel

_F32 = NDArray[np.float32]
_F64 = NDArray[np.float64]

_DB = 10.0 / math.log(10.0)
_NEPER = math.log(10.0) / 20.0
_FLOOR = 1e-12
_HUM = 1e-20  # keeps filter states out of the slow subnormal numbers in silence


@kernel(fastmath=True)
def slot_powers(audio: _F32, hop: int) -> _F32:
    """Mean square per slot of `hop` frames, summed over channels, shape (frames // hop,)."""
    channels, frames = audio.shape
    powers = np.zeros(frames // hop, dtype=np.float32)
    for slot in range(powers.size):
        total = np.float32(0.0)
        for channel in range(channels):
            part = audio[channel, slot * hop : (slot + 1) * hop]
            for i in range(hop):
                total += part[i] * part[i]
        powers[slot] = total / hop
    return powers


@kernel()
def follow_gain(
    powers: _F32,
    gains: _F32,
    state: _F64,
    detector: float,
    attack: float,
    release: float,
    threshold_db: float,
    slope: float,
    knee_db: float,
    make_up_db: float,
) -> None:
    """Detector, static curve and smoothing in dB; Giannoulis et al. 2012, eq. (4) and (16)."""
    power, gain_db = state[0], state[1]
    gains[0] = math.exp(_NEPER * (gain_db + make_up_db))
    for slot in range(powers.size):
        power = detector * power + (1.0 - detector) * powers[slot]
        over = _DB * math.log(power + _FLOOR) - threshold_db
        if 2.0 * over <= -knee_db:
            target = 0.0
        elif 2.0 * over < knee_db:
            target = slope * (over + 0.5 * knee_db) ** 2 / (2.0 * knee_db)
        else:
            target = slope * over
        smooth = attack if target < gain_db else release
        gain_db = smooth * gain_db + (1.0 - smooth) * target
        gains[slot + 1] = math.exp(_NEPER * (gain_db + make_up_db))
    state[0] = power
    state[1] = gain_db


@kernel(fastmath=True)
def apply_gain(audio: _F32, gains: _F32, hop: int) -> None:
    """Multiply in place by gains at the slots' borders, linear in between."""
    channels, frames = audio.shape
    for channel in range(channels):
        for slot in range(frames // hop):
            part = audio[channel, slot * hop : (slot + 1) * hop]
            start = gains[slot]
            step = (gains[slot + 1] - start) / np.float32(hop)
            for i in range(hop):
                part[i] *= start + step * np.float32(i + 1)


@kernel(fastmath=True)
def spread(audio: _F32, matrix: _F32, out: _F32) -> None:
    """out[c] = sum over k of matrix[c, k] * audio[k]; audio (1 or 2, n), out (2, n)."""
    frames = audio.shape[1]
    if audio.shape[0] == 1:
        for i in range(frames):
            out[0, i] = matrix[0, 0] * audio[0, i]
            out[1, i] = matrix[1, 0] * audio[0, i]
    else:
        for i in range(frames):
            left, right = audio[0, i], audio[1, i]
            out[0, i] = matrix[0, 0] * left + matrix[0, 1] * right
            out[1, i] = matrix[1, 0] * left + matrix[1, 1] * right


@kernel(fastmath=True)
def accumulate(total: _F32, audio: _F32, gain: np.float32) -> None:
    """total += gain * audio, both (2, n)."""
    for channel in range(2):
        for i in range(total.shape[1]):
            total[channel, i] += gain * audio[channel, i]


@njit(inline="always")
def _section(
    x: float, b0: float, b1: float, b2: float, a1: float, a2: float, s1: float, s2: float
) -> tuple[float, float, float]:
    """One second-order section, transposed direct form II: output and next two states."""
    y = b0 * x + s1
    return y, b1 * x - a1 * y + s2, b2 * x - a2 * y


@kernel(fastmath={"contract"})
def three_bands(
    audio: _F32, low_passes: _F64, state: _F64, low: _F32, mid: _F32, high: _F32
) -> None:
    """Fourth-order Linkwitz-Riley bands of audio (2, n), written to low, mid and high (2, n).

    low_passes (2, 5) holds b0 b1 b2 a1 a2 of the Butterworth low-pass at either crossover, whose
    poles are the all-passes' too; state (2, 7, 2). The seven sections advance in one loop, which
    hides the latency of each recursion.
    """
    b0, b1, b2, a1, a2 = low_passes[0]
    d0, d1, d2, c1, c2 = low_passes[1]
    for channel in range(2):
        (p1, p2), (q1, q2), (r1, r2), (s1, s2), (t1, t2), (u1, u2), (v1, v2) = state[channel]
        for i in range(audio.shape[1]):
            x = audio[channel, i] + _HUM
            y, p1, p2 = _section(x, b0, b1, b2, a1, a2, p1, p2)
            y, q1, q2 = _section(y, b0, b1, b2, a1, a2, q1, q2)
            upper, r1, r2 = _section(x, a2, a1, 1.0, a1, a2, r1, r2)
            upper -= y
            y, s1, s2 = _section(y, c2, c1, 1.0, c1, c2, s1, s2)
            low[channel, i] = y
            y, t1, t2 = _section(upper, d0, d1, d2, c1, c2, t1, t2)
            y, u1, u2 = _section(y, d0, d1, d2, c1, c2, u1, u2)
            mid[channel, i] = y
            top, v1, v2 = _section(upper, c2, c1, 1.0, c1, c2, v1, v2)
            high[channel, i] = top - y
        state[channel, 0, 0], state[channel, 0, 1] = p1, p2
        state[channel, 1, 0], state[channel, 1, 1] = q1, q2
        state[channel, 2, 0], state[channel, 2, 1] = r1, r2
        state[channel, 3, 0], state[channel, 3, 1] = s1, s2
        state[channel, 4, 0], state[channel, 4, 1] = t1, t2
        state[channel, 5, 0], state[channel, 5, 1] = u1, u2
        state[channel, 6, 0], state[channel, 6, 1] = v1, v2


@kernel(fastmath=True)
def correlate(audio: _F32, taps: _F32, out: _F32) -> None:
    """out[c, n] = sum over k of taps[k] * audio[c, n + k]; audio (2, n + taps - 1), out (2, n)."""
    for channel in range(2):
        row = out[channel]
        row[:] = 0.0
        for k in range(taps.size):
            tap = taps[k]
            source = audio[channel, k : k + row.size]
            for i in range(row.size):
                row[i] += tap * source[i]


@kernel(fastmath=True)
def mid_side(audio: _F32) -> None:
    """Left and right (2, n) to mid and side in place; its own inverse."""
    root = np.float32(math.sqrt(0.5))
    for i in range(audio.shape[1]):
        left, right = audio[0, i], audio[1, i]
        audio[0, i] = root * (left + right)
        audio[1, i] = root * (left - right)


@kernel()
def limiter_gains(
    peaks: _F32, drive_db: float, ceiling_db: float, look_ahead: int, release: float, gains: _F32
) -> None:
    """Gains of a look-ahead limiter at the borders of slots.

    peaks (slots,): linear true peak of each slot before `drive_db`; look_ahead in slots;
    release: one-pole coefficient per slot; gains (slots + 1,): written, linear, drive included.

    The gain a border may have is the lower of what the slots on either side need, so that the
    line between two borders never exceeds what the slot between them needs. The lowest of the
    coming `look_ahead` borders is held, released exponentially, then averaged over as many
    borders back: no average exceeds what its own border may have.
    """
    slots = peaks.size
    length = look_ahead + 1
    need = np.zeros(length)  # ring of what borders j .. j + look_ahead may have
    held = np.zeros(length)  # ring of released minima, averaged
    total = 0.0
    level = 0.0
    before = 0.0
    for border in range(slots + 1 + look_ahead):
        following = 0.0
        if border < slots:
            following = min(
                0.0, ceiling_db - drive_db - 2.0 * _DB * math.log(peaks[border] + _FLOOR)
            )
        need[border % length] = min(before, following)
        before = following
        if border >= look_ahead:
            j = border - look_ahead
            lowest = need[0]
            for k in range(1, length):
                lowest = min(lowest, need[k])
            if j == 0:
                level = lowest
                held[:] = level
                total = level * length
            level = lowest if lowest < level else lowest + release * (level - lowest)
            total += level - held[j % length]
            held[j % length] = level
            gains[j] = math.exp(_NEPER * (total / length + drive_db))


@kernel(fastmath=True)
def ramp_gain(audio: _F32, gains: _F32, hop: int, offset: int) -> None:
    """Multiply (2, n) in place by gains at borders every `hop` frames; frame 0 is border 0's.

    gains[k] stands at frame k * hop - offset.
    """
    for channel in range(audio.shape[0]):
        row = audio[channel]
        for i in range(row.size):
            position = i + offset
            slot = position // hop
            part = np.float32(position - slot * hop) / np.float32(hop)
            row[i] *= gains[slot] + part * (gains[slot + 1] - gains[slot])


@kernel()
def mean_square_gain(gains: _F32, hop: int, rate: int, out: _F64) -> None:
    """Mean squared gain over sub-blocks of 10 ms; gains at borders every `hop` frames."""
    last = gains.size - 1
    for block in range(out.size):
        first = round(block * rate / 100 / hop)
        end = max(first + 1, round((block + 1) * rate / 100 / hop))
        total = 0.0
        for slot in range(first, end):
            gain = gains[min(slot, last)]
            total += gain * gain
        out[block] = total / (end - first)
