"""Meters of `simulate`, in Numba: loudness and bands from powers per frame of 100 ms.

Arrays over frames may be padded; `frames` is how many count.
"""

# mypy: allow-untyped-defs, allow-untyped-calls
from __future__ import annotations

import math

import numpy as np
from numba import njit

from .analysis import BANDS_PER_THIRD_OCTAVE, FRAMES_PER_S

ABSOLUTE_GATE = 10 ** ((-70 + 0.691) / 10)
OFFSET_DB = -0.691
BLOCK = 4  # frames of BS.1770's gating block
WINDOW = 3 * FRAMES_PER_S  # frames of short-term loudness


@njit(error_model="numpy", fastmath=True, forceinline=True)
def weighted(bus, kweight, energy, mono):
    """K-weighted power of a bus (3, b, t) over time, energy (t,), and of its mono fold (t,)."""
    energy[:] = 0.0
    mono[:] = 0.0
    for b in range(bus.shape[1]):
        left, right, cross, k = bus[0, b], bus[1, b], bus[2, b], kweight[b]
        for t in range(energy.size):
            energy[t] += k * (left[t] + right[t])
        for t in range(energy.size):
            mono[t] += k * cross[t]
    for t in range(energy.size):
        mono[t] += np.float32(0.5) * energy[t]


@njit(error_model="numpy", fastmath=True, forceinline=True)
def gated_power(energy, mono):
    """Mean of the blocks of energy (t,) that pass BS.1770's gates, and of mono (t,) in them."""
    frames = energy.size
    one, zero, share = np.float32(1.0), np.float32(0.0), np.float32(1.0 / BLOCK)
    if frames < BLOCK:
        return energy.sum() * share, mono.sum() * share
    gate = np.float32(ABSOLUTE_GATE)
    loud, folded = zero, zero
    for _ in range(2):
        total, count, folded = zero, zero, zero
        for t in range(frames - BLOCK + 1):
            block = share * ((energy[t] + energy[t + 1]) + (energy[t + 2] + energy[t + 3]))
            fold = share * ((mono[t] + mono[t + 1]) + (mono[t + 2] + mono[t + 3]))
            passes = one if block > gate else zero
            total += passes * block
            folded += passes * fold
            count += passes
        if count == zero:
            return zero, zero
        loud, folded = total / count, folded / count
        gate = max(gate, loud * np.float32(0.1))
    return loud, folded


@njit(error_model="numpy", forceinline=True)
def lufs(power):
    """Loudness of K-weighted power."""
    return OFFSET_DB + 10 * math.log10(power) if power > 0.0 else -math.inf


@njit(error_model="numpy", forceinline=True)
def short_term(energy, out):
    """Loudness of every 3 s, 100 ms apart, from energy (t,) to out (windows,).

    A shorter programme has one window, all of it.
    """
    length = min(WINDOW, energy.size)
    for i in range(out.size):
        total = 0.0
        for t in range(i, i + length):
            total += energy[t]
        out[i] = lufs(total / length)


@njit(error_model="numpy", forceinline=True)
def loudness_range(short_term_lufs, part):
    """EBU Tech 3342, from loudness of every 3 s (windows,); part (windows,) is scratch."""
    total, above = 0.0, 0
    for level in short_term_lufs:
        if level > -70.0:
            total += 10 ** (level / 10)
            above += 1
    if above == 0:
        return 0.0
    gate = max(-70.0, 10 * math.log10(total / above) - 20.0)
    kept = 0
    for level in short_term_lufs:
        if level > gate:
            part[kept] = level
            kept += 1
    _sort(part[:kept])
    return part[int((kept - 1) * 0.95 + 0.5)] - part[int((kept - 1) * 0.1 + 0.5)]


@njit(error_model="numpy", forceinline=True)
def _sort(values):
    """Ascending, in place: Shell's sort, which allocates nothing."""
    gap = values.size // 2
    while gap > 0:
        for i in range(gap, values.size):
            value, j = values[i], i
            while j >= gap and values[j - gap] > value:
                values[j] = values[j - gap]
                j -= gap
            values[j] = value
        gap //= 2


@njit(error_model="numpy", fastmath=True, forceinline=True)
def read_bands(bus, frames, levels, width, correlation, balance):
    """Per third octave from a bus (3, b, t): level over time (seconds, bands) as power, width,
    correlation and balance (bands,); band 0 is left out.
    """
    for third in range(width.size):
        first = 1 + third * BANDS_PER_THIRD_OCTAVE
        left, right, cross = np.float64(0.0), np.float64(0.0), np.float64(0.0)
        for second in range(levels.shape[0]):
            start = second * FRAMES_PER_S
            end = min(start + FRAMES_PER_S, frames)
            ll, rr, lr = np.float32(0.0), np.float32(0.0), np.float32(0.0)
            for b in range(first, first + BANDS_PER_THIRD_OCTAVE):
                x, y, z = bus[0, b], bus[1, b], bus[2, b]
                for t in range(start, end):
                    ll += x[t]
                    rr += y[t]
                    lr += z[t]
            levels[second, third] = np.float32(0.5) * (ll + rr) / (end - start)
            left += ll
            right += rr
            cross += lr
        balance[third] = (right - left) / (left + right + 1e-20)
        width[third] = 0.5 - cross / (left + right + 1e-20)
        correlation[third] = cross / math.sqrt(left * right + 1e-30)
