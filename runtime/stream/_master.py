"""The stream's mastering chain ahead of the limiter, in Numba: one hop at a time."""

# mypy: allow-untyped-defs, allow-untyped-calls
from __future__ import annotations

import math

from ._filters import band, compress, high_pass, inner, ramp
from .layout import (
    BAND,
    BANDS,
    BUS_COMPRESSOR,
    CUT,
    DRIVE,
    DYNAMICS,
    INPUT_GAIN,
    MASTER_EQ,
    MULTIBAND,
    MULTIBAND_COMPRESSORS,
    SATURATION,
    SIDE_CUT,
    WIDTH,
)

_ROOT = math.sqrt(0.5)

# Where each processor's state stands in a vector; first 2 of each compressor.
_EQ = 2 * (1 + 3)  # 4 each
_CROSSOVER = _EQ + 4 * BANDS  # seven sections of 2 for either channel
_SIDE = _CROSSOVER + 28
MASTER_STATES = _SIDE + 2


@inner
def chain(audio, parts, detector, before, now, states, line, curved, taps):
    """Bus compressor to image, (2, hop) in place, late by what `line` holds.

    parts (3, 2, hop) is scratch; states (MASTER_STATES,); line and curved: see `_saturate`.
    """
    ramp(audio, before[INPUT_GAIN], now[INPUT_GAIN])
    at = BUS_COMPRESSOR
    compress(
        audio, audio, detector, before[at : at + DYNAMICS], now[at : at + DYNAMICS], states[:2]
    )
    for b in range(BANDS):
        at, state = MASTER_EQ + b * BAND, states[_EQ + 4 * b : _EQ + 4 * b + 4]
        band(audio, before[at : at + BAND], now[at : at + BAND], state)
    _multiband(audio, parts, detector, before, now, states)
    _saturate(audio, line, curved, taps, before, now)
    _image(audio, before, now, states[_SIDE : _SIDE + 2].reshape(2, 1))


@inner
def gain_to_drive(audio, before, now):
    """The gain ahead of the limiter, (2, hop) in place."""
    ramp(audio, before[DRIVE], now[DRIVE])


@inner
def _section(x, b0, b1, b2, a1, a2, s1, s2):
    y = b0 * x + s1
    return y, b1 * x - a1 * y + s2, b2 * x - a2 * y


@inner
def _split(audio, parts, before, now, state):
    """The bands of `console.crossover`, with both crossovers on the move; state (2, 7, 2).

    Coefficients a1, a2 of either crossover; any point between two stable pairs is stable.
    """
    frames = audio.shape[1]
    for channel in range(2):
        a1, a2, c1, c2 = before[0], before[1], before[2], before[3]
        s1, s2 = (now[0] - a1) / frames, (now[1] - a2) / frames
        t1, t2 = (now[2] - c1) / frames, (now[3] - c2) / frames
        s = state[channel]
        for i in range(frames):
            a1 += s1
            a2 += s2
            c1 += t1
            c2 += t2
            b, d = 0.25 * (1.0 + a1 + a2), 0.25 * (1.0 + c1 + c2)
            x = audio[channel, i]
            y, s[0, 0], s[0, 1] = _section(x, b, 2.0 * b, b, a1, a2, s[0, 0], s[0, 1])
            y, s[1, 0], s[1, 1] = _section(y, b, 2.0 * b, b, a1, a2, s[1, 0], s[1, 1])
            upper, s[2, 0], s[2, 1] = _section(x, a2, a1, 1.0, a1, a2, s[2, 0], s[2, 1])
            upper -= y
            y, s[3, 0], s[3, 1] = _section(y, c2, c1, 1.0, c1, c2, s[3, 0], s[3, 1])
            parts[0, channel, i] = y
            y, s[4, 0], s[4, 1] = _section(upper, d, 2.0 * d, d, c1, c2, s[4, 0], s[4, 1])
            y, s[5, 0], s[5, 1] = _section(y, d, 2.0 * d, d, c1, c2, s[5, 0], s[5, 1])
            parts[1, channel, i] = y
            top, s[6, 0], s[6, 1] = _section(upper, c2, c1, 1.0, c1, c2, s[6, 0], s[6, 1])
            parts[2, channel, i] = top - y


@inner
def _multiband(audio, parts, detector, before, now, states):
    crossover = states[_CROSSOVER : _CROSSOVER + 28].reshape(2, 7, 2)
    at = MULTIBAND + 1
    _split(audio, parts, before[at : at + 4], now[at : at + 4], crossover)
    for b in range(3):
        at, part = MULTIBAND_COMPRESSORS + b * DYNAMICS, parts[b]
        state = states[2 + 2 * b : 4 + 2 * b]
        compress(part, part, detector, before[at : at + DYNAMICS], now[at : at + DYNAMICS], state)
    frames = audio.shape[1]
    step = (now[MULTIBAND] - before[MULTIBAND]) / frames
    for channel in range(2):
        share = before[MULTIBAND]
        for i in range(frames):
            share += step
            wet = parts[0, channel, i] + parts[1, channel, i] + parts[2, channel, i]
            audio[channel, i] += share * (wet - audio[channel, i])


@inner
def _saturate(audio, line, curved, taps, before, now):
    """`console.saturation` over one hop.

    line (2, any + hop): samples gone by, the oldest first. What comes out is older than what goes
    in by all that `line` holds but half of the taps. curved (2, taps - 1 + hop): the curve's
    values half-way between samples.
    """
    frames, length = audio.shape[1], taps.size
    half = length - 1
    gain, share = now[SATURATION], before[SATURATION + 1]
    step = (now[SATURATION + 1] - share) / frames
    for channel in range(2):
        past, row = line[channel], curved[channel]
        for i in range(past.size - frames):
            past[i] = past[i + frames]
        past[past.size - frames :] = audio[channel]
        for i in range(half):
            row[i] = row[i + frames]
        fresh = row[half:]
        fresh[:] = 0.0
        for k in range(length):
            source = past[half + k :]
            for i in range(frames):
                fresh[i] += taps[k] * source[i]
        for i in range(frames):
            fresh[i] = math.tanh(gain * fresh[i]) / gain
        out = audio[channel]
        out[:] = 0.0
        for k in range(length):
            source = row[k:]
            for i in range(frames):
                out[i] += taps[k] * source[i]
        mix = share
        for i in range(frames):
            mix += step
            dry = past[half + i]
            on = math.tanh(gain * dry) / gain
            out[i] = dry + mix * (0.5 * (out[i] + on) - dry)


@inner
def _image(audio, before, now, state):
    frames = audio.shape[1]
    for i in range(frames):
        left, right = audio[0, i], audio[1, i]
        audio[0, i], audio[1, i] = _ROOT * (left + right), _ROOT * (left - right)
    side = audio[1:]
    high_pass(side, before[SIDE_CUT : SIDE_CUT + CUT], now[SIDE_CUT : SIDE_CUT + CUT], state)
    ramp(side, before[WIDTH], now[WIDTH])
    for i in range(frames):
        middle, apart = audio[0, i], audio[1, i]
        audio[0, i], audio[1, i] = _ROOT * (middle + apart), _ROOT * (middle - apart)
