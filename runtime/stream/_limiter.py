"""The stream's true-peak limiter, in Numba: `console.limiter` with what it has to look ahead for.

A slot's peak is known once the interpolator has heard the samples behind it, and a border's gain
once the look-ahead has been; the audio waits for both.
"""

# mypy: allow-untyped-defs, allow-untyped-calls
from __future__ import annotations

import math

import numpy as np
from numba import njit

from ._filters import inner

_DB = 20.0 / math.log(10.0)
_NEPER = math.log(10.0) / 20.0
_FLOOR = 1e-12


@njit(error_model="numpy", fastmath=True, forceinline=True)
def _raise_to_peaks(line, taps, points, envelope):
    """The largest magnitude at and between samples, (frames,), of line (frames + taps - 1,)."""
    phases, length = taps.shape
    frames = envelope.size
    samples = line[length // 2 - 1 :]
    for n in range(frames):
        envelope[n] = max(envelope[n], abs(samples[n]))
    for phase in range(phases):
        points[:] = 0.0
        for k in range(0, length, 4):
            h0, h1 = taps[phase, k], taps[phase, k + 1]
            h2, h3 = taps[phase, k + 2], taps[phase, k + 3]
            x0, x1, x2, x3 = line[k:], line[k + 1 :], line[k + 2 :], line[k + 3 :]
            for n in range(frames):
                points[n] += h0 * x0[n] + h1 * x1[n] + h2 * x2[n] + h3 * x3[n]
        for n in range(frames):
            envelope[n] = max(envelope[n], abs(points[n]))


@inner
def _next_gain(peak, ceiling_db, release, need, held, state, border):
    """The gain of the border `need.size - 1` slots ago, `limiter_gains` step by step.

    state (2,): what the slot before may have, and the level that is being released; in dB.
    """
    following = min(0.0, ceiling_db - _DB * math.log(peak + _FLOOR))
    need[border % need.size] = min(state[0], following)
    state[0] = following
    ready = border - (need.size - 1)
    if ready < 0:
        return 1.0
    lowest = need.min()
    if ready == 0:
        state[1] = lowest
        held[:] = lowest
    level = state[1]
    state[1] = lowest if lowest < level else lowest + release * (level - lowest)
    held[ready % held.size] = state[1]
    return math.exp(_NEPER * held.mean())


@inner
def limit(audio, out, line, taps, points, envelope, need, held, state, gain, border, waits, values):
    """Limit audio (2, hop) to out (2, hop), float32, late by waits[0] frames.

    line (2, any + hop): samples gone by. need, held (look-ahead + 1,): rings of borders. gain
    (1,): of the last border. border (1,): its number; negative before the audio begins. waits:
    frames until a gain is applied, frames until a peak is known. values: ceiling, release.
    """
    hop, slot = audio.shape[1], audio.shape[1] // 2
    past = line.shape[1] - hop
    for channel in range(2):
        row = line[channel]
        for i in range(past):
            row[i] = row[i + hop]
        for i in range(hop):
            row[past + i] = np.float32(audio[channel, i])
    envelope[:] = np.float32(0.0)
    first = past - waits[1] - (taps.shape[1] // 2 - 1)
    for channel in range(2):
        _raise_to_peaks(line[channel, first:], taps, points, envelope)
    for part in range(2):
        now = 1.0
        if border[0] >= 0:
            peak = envelope[part * slot : (part + 1) * slot].max()
            now = _next_gain(peak, values[0], values[1], need, held, state, border[0])
        border[0] += 1
        start = past - waits[0] + part * slot
        step = (now - gain[0]) / slot
        for channel in range(2):
            for i in range(slot):
                level = np.float32(gain[0] + step * i)
                out[channel, part * slot + i] = level * line[channel, start + i]
        gain[0] = now
