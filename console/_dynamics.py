"""The compressor's recursion on predicted powers, in Numba."""

# mypy: allow-untyped-defs, allow-untyped-calls
from __future__ import annotations

import math

import numpy as np
from numba import njit

from .compressor import DETECTOR_MS, LOUDNESS_OFFSET_DB

_DB_PER_OCTAVE = 10.0 * math.log10(2.0)  # power decibels per factor of two
_FLOOR = np.float32(1e-12)
CONSTANTS = 7  # of one compressor, see `set_compressor`
GROUP = 4  # compressors that are followed side by side


@njit(error_model="numpy", fastmath=True, inline="always")
def _log2(x):
    """Base-two logarithm of a positive float32, to 9e-6 (polynomial on [1, 2))."""
    bits = np.float32(x).view(np.int32)
    exponent = np.float32((bits >> 23) - 127)
    m = np.int32((bits & 0x007FFFFF) | 0x3F800000).view(np.float32) - np.float32(1.0)
    p = np.float32(-0.0345952101)
    for c in (0.146433622, -0.303389668, 0.469301701, -0.720442355, 1.44268322):
        p = p * m + np.float32(c)
    return exponent + p * m


@njit(error_model="numpy", fastmath=True, inline="always")
def _exp2(x):
    """Two to the power of a float32 within +-120, to 4e-6 relative."""
    whole = np.floor(x)
    f = np.float32(x - whole)
    p = np.float32(0.0136839831)
    for c in (0.0517177358, 0.241621315, 0.692969561, 1.00000358):
        p = p * f + np.float32(c)
    scale = np.int32((np.int32(whole) + np.int32(127)) << 23).view(np.float32)
    return p * scale


@njit(error_model="numpy", fastmath=True, forceinline=True)
def static_gain_db(over_db, ratio, knee_db):
    """Gain of a compressor for a level over its threshold; as in `compressor`."""
    slope = 1.0 / ratio - 1.0
    knee = max(knee_db, 1e-9)
    if 2.0 * over_db <= -knee:
        return 0.0
    if 2.0 * over_db < knee:
        return slope * (over_db + 0.5 * knee) ** 2 / (2.0 * knee)
    return slope * over_db


@njit(error_model="numpy", forceinline=True)
def _smoothing(time_ms, slots_per_s):
    """What is left of a one-pole's distance at a slot's end, and on average within the slot."""
    decay = 1000.0 / (max(time_ms, 1e-3) * slots_per_s)
    left = math.exp(-decay)
    return left, (1.0 - left) / decay


@njit(error_model="numpy", forceinline=True)
def set_compressor(threshold_db, ratio, knee_db, attack_ms, release_ms, slots_per_s, constants):
    """What `follow` wants to know of one compressor, constants (CONSTANTS,).

    Threshold, slope and knee in octaves of power; then of attack and of release what a slot
    leaves of the distance to the target, at its end and on average.
    """
    constants[0] = (threshold_db - LOUDNESS_OFFSET_DB) / _DB_PER_OCTAVE
    constants[1] = 1.0 / ratio - 1.0
    constants[2] = max(knee_db, 1e-3) / _DB_PER_OCTAVE
    constants[3], constants[4] = _smoothing(attack_ms, slots_per_s)
    constants[5], constants[6] = _smoothing(release_ms, slots_per_s)


@njit(error_model="numpy", fastmath=True, forceinline=True)
def follow(levels, constants, slots_per_s):
    """Gains, as powers, of `GROUP` compressors from their detector powers (GROUP, j, t), in place.

    The recursion of `_kernels.follow_gain` for power that is constant within each slot: detector
    and gain move exponentially, and what counts of them is their mean over the slot. constants is
    (GROUP, CONSTANTS). What recurs is kept apart from what can run on vectors, and the members of
    a group fill each other's waits.
    """
    left, left_mean = _smoothing(DETECTOR_MS, slots_per_s)
    _detect(levels, np.float32(left), np.float32(left_mean))
    half = np.float32(0.5)
    for q in range(GROUP):
        threshold, slope, knee = constants[q, 0], constants[q, 1], constants[q, 2]
        bend = slope / (np.float32(2.0) * knee)
        row = levels[q].reshape(-1)
        for k in range(row.size):
            over = _log2(row[k]) - threshold
            bent = min(max(over + half * knee, np.float32(0.0)), knee)
            row[k] = bend * bent * bent + slope * max(over - half * knee, np.float32(0.0))
    _smooth(levels, constants)
    row = levels.reshape(-1)
    for k in range(row.size):
        row[k] = _exp2(row[k])


@njit(error_model="numpy", fastmath=True, forceinline=True)
def _detect(levels, left, mean):
    """The detectors' means over slots, in place."""
    a = b = c = d = np.float32(0.0)
    first, second, third, fourth = levels[0], levels[1], levels[2], levels[3]
    for t in range(levels.shape[2]):
        for j in range(levels.shape[1]):
            x = first[j, t] + _FLOOR
            first[j, t] = x + mean * (a - x)
            a = x + left * (a - x)
            x = second[j, t] + _FLOOR
            second[j, t] = x + mean * (b - x)
            b = x + left * (b - x)
            x = third[j, t] + _FLOOR
            third[j, t] = x + mean * (c - x)
            c = x + left * (c - x)
            x = fourth[j, t] + _FLOOR
            fourth[j, t] = x + mean * (d - x)
            d = x + left * (d - x)


@njit(error_model="numpy", fastmath=True, inline="always")
def _step(gain, target, k):
    """Gain at a slot's end and its mean over the slot."""
    distance = gain - target
    down = distance > np.float32(0.0)
    mean = target + (k[4] if down else k[6]) * distance
    return target + (k[3] if down else k[5]) * distance, mean


@njit(error_model="numpy", fastmath=True, forceinline=True)
def _smooth(levels, constants):
    """Attack and release in octaves, in place."""
    a = b = c = d = np.float32(0.0)
    first, second, third, fourth = levels[0], levels[1], levels[2], levels[3]
    k, m, n, o = constants[0], constants[1], constants[2], constants[3]
    for t in range(levels.shape[2]):
        for j in range(levels.shape[1]):
            a, first[j, t] = _step(a, first[j, t], k)
            b, second[j, t] = _step(b, second[j, t], m)
            c, third[j, t] = _step(c, third[j, t], n)
            d, fourth[j, t] = _step(d, fourth[j, t], o)
