"""Filters and compressor of the stream, in Numba: one hop at a time, coefficients on the move.

Audio is float64 (2, hop). `before` and `now` are the same values at the hop's two ends; what
multiplies samples runs along a straight line between them, so no step is heard.
"""

# mypy: allow-untyped-defs, allow-untyped-calls
from __future__ import annotations

import math

from numba import njit

_DB = 10.0 / math.log(10.0)
_NEPER = math.log(10.0) / 20.0
_FLOOR = 1e-12
_REST = 1e-18  # states nearer to zero are zero: subnormal numbers are slow

inner = njit(error_model="numpy", fastmath={"contract"}, forceinline=True)


@inner
def glide(values, before, targets, share):
    """Move `values` a share of the way to `targets`; `before` is where they stood."""
    for i in range(values.size):
        before[i] = values[i]
        distance = targets[i] - values[i]
        values[i] = values[i] + share * distance if abs(distance) > 1e-12 else targets[i]


@inner
def settle(states):
    """Let states that have died away be zero."""
    for i in range(states.size):
        if abs(states[i]) < _REST:
            states[i] = 0.0


@inner
def _svf(g, k):
    a1 = 1.0 / (1.0 + g * (g + k))
    return a1, g * a1, g * g * a1


@inner
def band(audio, before, now, state):
    """A bell or a shelf, in place; values g, k, m0, m1, m2; state (4,).

    The state-variable filter of A. Simper, "Solving the continuous SVF equations using trapezoidal
    integration", 2013: the response of the bilinear biquad, and well-behaved when it moves.
    """
    frames = audio.shape[1]
    a1, a2, a3 = _svf(before[0], before[1])
    e1, e2, e3 = _svf(now[0], now[1])
    m0, m1, m2 = before[2], before[3], before[4]
    d1, d2, d3 = (e1 - a1) / frames, (e2 - a2) / frames, (e3 - a3) / frames
    n0, n1, n2 = (now[2] - m0) / frames, (now[3] - m1) / frames, (now[4] - m2) / frames
    l1, l2, r1, r2 = state[0], state[1], state[2], state[3]
    for i in range(frames):
        a1 += d1
        a2 += d2
        a3 += d3
        m0 += n0
        m1 += n1
        m2 += n2
        x, y = audio[0, i], audio[1, i]
        v, w = x - l2, y - r2
        v1, w1 = a1 * l1 + a2 * v, a1 * r1 + a2 * w
        v2, w2 = l2 + a2 * l1 + a3 * v, r2 + a2 * r1 + a3 * w
        l1, l2, r1, r2 = 2.0 * v1 - l1, 2.0 * v2 - l2, 2.0 * w1 - r1, 2.0 * w2 - r2
        audio[0, i] = m0 * x + m1 * v1 + m2 * v2
        audio[1, i] = m0 * y + m1 * w1 + m2 * w2
    state[0], state[1], state[2], state[3] = l1, l2, r1, r2


@inner
def high_pass(audio, before, now, state):
    """Two one-pole high-passes, in place; values g and share; state (2, channels).

    A share of 0 leaves the audio as it is, 1 is the whole filter.
    """
    frames = audio.shape[1]
    for channel in range(audio.shape[0]):
        g, share = before[0] / (1.0 + before[0]), before[1]
        g_step = (now[0] / (1.0 + now[0]) - g) / frames
        share_step = (now[1] - share) / frames
        p, q = state[0, channel], state[1, channel]
        for i in range(frames):
            g += g_step
            share += share_step
            x = audio[channel, i]
            v = (x - p) * g
            x -= share * (v + p)
            p += 2.0 * v
            v = (x - q) * g
            audio[channel, i] = x - share * (v + q)
            q += 2.0 * v
        state[0, channel], state[1, channel] = p, q


@inner
def low_pass(audio, before, now, state):
    """A one-pole low-pass, in place; before and now are its g; state (2,)."""
    frames = audio.shape[1]
    for channel in range(2):
        g = before / (1.0 + before)
        step = (now / (1.0 + now) - g) / frames
        s = state[channel]
        for i in range(frames):
            g += step
            v = (audio[channel, i] - s) * g
            audio[channel, i] = v + s
            s += 2.0 * v
        state[channel] = s


@inner
def compress(audio, key, detector, before, now, state):
    """`console.compressor.Compressor` over one hop, in place; key (2, hop) drives it.

    detector is what a hop leaves of the mean square before; state (2,): power, gain in dB.
    """
    frames = audio.shape[1]
    power = 0.0
    for i in range(frames):
        power += key[0, i] * key[0, i] + key[1, i] * key[1, i]
    state[0] = detector * state[0] + (1.0 - detector) * power / frames
    over = _DB * math.log(state[0] + _FLOOR) - now[0]
    slope, knee = now[1], now[2]
    if 2.0 * over <= -knee:
        target = 0.0
    elif 2.0 * over < knee:
        target = slope * (over + 0.5 * knee) ** 2 / (2.0 * knee)
    else:
        target = slope * over
    gain = math.exp(_NEPER * (state[1] + before[5]))
    smooth = now[3] if target < state[1] else now[4]
    state[1] = smooth * state[1] + (1.0 - smooth) * target
    step = (math.exp(_NEPER * (state[1] + now[5])) - gain) / frames
    for i in range(frames):
        gain += step
        audio[0, i] *= gain
        audio[1, i] *= gain


@inner
def ramp(audio, before, now):
    """Multiply in place by a gain that moves from `before` to `now`."""
    step = (now - before) / audio.shape[1]
    for channel in range(audio.shape[0]):
        gain = before
        for i in range(audio.shape[1]):
            gain += step
            audio[channel, i] *= gain
