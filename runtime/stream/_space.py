"""The stream's reverb and delay, in Numba: what pedalboard's give, one hop at a time.

The reverb is Freeverb (Jezar at Dreampoint, 2000, public domain) with the tunings and gains of
JUCE's: eight parallel combs, then four all-passes, on either side.
"""

# mypy: allow-untyped-defs, allow-untyped-calls
from __future__ import annotations

import numpy as np

from ._filters import inner

COMBS, ALL_PASSES = 8, 4
COMB_TUNINGS = (1116, 1188, 1277, 1356, 1422, 1491, 1557, 1617)  # frames at 44.1 kHz
ALL_PASS_TUNINGS = (556, 441, 341, 225)
SPREAD = 23  # frames that the right side's lines are longer by
INPUT_GAIN = 0.015
FADE_HOPS = 32  # of a change of delay, 43 ms

_REST = np.float32(1e-15)


@inner
def echo(audio, line, at, tap, wanted, feedback_before, feedback):
    """Delay (2, hop) in place, feeding back.

    line (2, power of two): what went in. at (1,): where the next frame goes. tap (3,): delay in
    frames, the one that is being faded to, and hops of the fade still to come.
    """
    frames, mask = audio.shape[1], line.shape[1] - 1
    if tap[2] == 0 and tap[0] != wanted:
        tap[1], tap[2] = wanted, FADE_HOPS
    fade = 0.0 if tap[2] == 0 else 1.0 - tap[2] / FADE_HOPS
    fade_step = 0.0 if tap[2] == 0 else 1.0 / (FADE_HOPS * frames)
    gain, gain_step = feedback_before, (feedback - feedback_before) / frames
    position = at[0]
    for i in range(frames):
        fade += fade_step
        gain += gain_step
        for channel in range(2):
            row, x = line[channel], audio[channel, i]
            row[position] = x  # read back at once where the delay is 0
            old, new = row[(position - tap[0]) & mask], row[(position - tap[1]) & mask]
            y = old + fade * (new - old)
            back = np.float32(x + gain * y)
            row[position] = back if abs(back) > _REST else np.float32(0.0)
            audio[channel, i] = y
        position = (position + 1) & mask
    at[0] = position
    if tap[2] > 0:
        tap[2] -= 1
        if tap[2] == 0:
            tap[0] = tap[1]


@inner
def _freeverb_side(sent, out, line, starts, positions, lasts, feedbacks, dampings):
    """One side: sent (hop,) to out (hop,); starts (lines + 1,) cut `line` in pieces."""
    frames = sent.size
    out[:] = 0.0
    for comb in range(COMBS):
        first, length = starts[comb], starts[comb + 1] - starts[comb]
        position, last = positions[comb], lasts[comb]
        feedback, damping = feedbacks[0], dampings[0]
        feedback_step = (feedbacks[1] - feedback) / frames
        damping_step = (dampings[1] - damping) / frames
        for i in range(frames):
            feedback += feedback_step
            damping += damping_step
            heard = line[first + position]
            out[i] += heard
            last = heard + damping * (last - heard)
            back = np.float32(sent[i] + feedback * last)
            line[first + position] = back if abs(back) > _REST else np.float32(0.0)
            position += 1
            if position == length:
                position = 0
        positions[comb], lasts[comb] = position, last
    for unit in range(COMBS, COMBS + ALL_PASSES):
        first, length = starts[unit], starts[unit + 1] - starts[unit]
        position = positions[unit]
        for i in range(frames):
            heard = line[first + position]
            into = np.float32(out[i] + 0.5 * heard)
            line[first + position] = into if abs(into) > _REST else np.float32(0.0)
            out[i] = heard - out[i]
            position += 1
            if position == length:
                position = 0
        positions[unit] = position


@inner
def freeverb(audio, sides, line, starts, positions, lasts, before, now):
    """Reverberate (2, hop) in place.

    sides (2, hop) is scratch; line, starts (2, lines + 1), positions (2, lines) and lasts
    (2, combs) are the delay lines; values: feedback, damping, gain of a side's own reverb and of
    the other's.
    """
    frames = audio.shape[1]
    feedbacks, dampings = (before[0], now[0]), (before[1], now[1])
    for i in range(frames):
        audio[0, i] = (audio[0, i] + audio[1, i]) * INPUT_GAIN
    for side in range(2):
        _freeverb_side(
            audio[0],
            sides[side],
            line,
            starts[side],
            positions[side],
            lasts[side],
            feedbacks,
            dampings,
        )
    own, other = before[2], before[3]
    own_step, other_step = (now[2] - own) / frames, (now[3] - other) / frames
    for i in range(frames):
        own += own_step
        other += other_step
        left, right = sides[0, i], sides[1, i]
        audio[0, i] = own * left + other * right
        audio[1, i] = own * right + other * left
