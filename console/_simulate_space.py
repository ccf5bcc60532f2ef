"""The shared reverb and delay as energy over frames, in Numba; see `_simulate`."""

# mypy: allow-untyped-defs, allow-untyped-calls
from __future__ import annotations

import math

import numpy as np
from numba import njit

from ._responses import high_pass, low_pass
from .analysis import FRAMES_PER_S, SLOTS
from .parameters import BUSES, SEND_OFF_DB, STRIP

(SIZE, DAMPING, WIDTH, PRE_MS, R_LOW, R_RETURN, TIME_MS, FEEDBACK, D_LOW, D_HIGH, D_RETURN) = (
    BUSES.index(name)
    for name in (
        "reverb_size", "reverb_damping", "reverb_width", "reverb_pre_delay_ms",
        "reverb_low_cut_hz", "reverb_return_db", "delay_time_ms", "delay_feedback",
        "delay_low_cut_hz", "delay_high_cut_hz", "delay_return_db",
    )
)  # fmt: skip
REVERB_SEND, DELAY_SEND = STRIP.index("reverb_send_db"), STRIP.index("delay_send_db")
COMB_S = (1116 + 1188 + 1277 + 1356 + 1422 + 1491 + 1557 + 1617) / 8 / 44_100  # mean length
# The energy of an all-pass z^-n / (1 - z^-n / 2) arrives 16/21 of its length late on average.
ALL_PASS_S = 16 / 21 * (556 + 441 + 341 + 225) / 44_100
_LEAST_POWER = np.float32(1e-30)
LEAST_ECHO = 1e-3  # of the first one's power; what follows is below 0.005 dB


@njit(error_model="numpy", fastmath=True, forceinline=True)
def run_space(
    strips, values, sends, rate, cos1, cos2, edges, response, row, total, bus, returned, bus_slots
):  # fmt: skip
    """What sends (4, b, t) give, added to bus (3, b, t) and bus_slots (c, j, t).

    Its power over all bands goes to total (t,); row (t,) is scratch.
    """
    total[:] = 0.0
    reverb, delay = False, False
    for s in range(strips.shape[0]):
        reverb = reverb or strips[s, REVERB_SEND] > SEND_OFF_DB
        delay = delay or strips[s, DELAY_SEND] > SEND_OFF_DB
    if not (reverb or delay):
        return
    returned[:] = 0.0
    if reverb:
        run_reverb(values, sends[0], rate, cos1, cos2, response, bus, returned)
    if delay:
        run_delay(values, sends[1:], rate, cos1, cos2, response, bus, returned)
    _add_to_slots(returned, edges, row, total, bus_slots)


@njit(error_model="numpy", fastmath=True, forceinline=True)
def run_reverb(values, sent, rate, cos1, cos2, response, bus, returned):
    """The reverb's return, from the power of L + R (b, t), added to bus (3, b, t).

    Freeverb (J. O. Smith, "Physical Audio Signal Processing", Schroeder reverberators): eight
    combs whose loop gain at w is feedback * |(1 - d) / (1 - d e^-jw)|, so power decays by the
    square of that every mean comb length; the all-passes keep power and delay it. Into returned
    (b, t) goes the power of both channels.
    """
    bands, frames = sent.shape
    feedback = values[SIZE] * 0.28 + 0.7
    d = values[DAMPING] * 0.4
    response[:] = 1.0
    high_pass(values[R_LOW], rate, cos1, cos2, response)
    white = 0.0
    for i in range(32):
        white += 1.0 / (1.0 - _loop_power(feedback, d, math.cos(math.pi * (i + 0.5) / 32))) / 32
    back = 10.0 ** (values[R_RETURN] / 10.0) / 4.0
    shift = (values[PRE_MS] / 1000.0 + COMB_S + ALL_PASS_S) * FRAMES_PER_S
    whole = int(shift)
    part = np.float32(shift - whole)
    now = np.float32(1.0) - part
    first, second = (1 + values[WIDTH]) / 2, (1 - values[WIDTH]) / 2
    correlation = np.float32(2 * first * second / (first * first + second * second))
    for b in range(bands):
        loop = _loop_power(feedback, d, cos1[b])
        gain = np.float32(response[b] * back / (1.0 - loop) / white)
        decay = -math.log(loop) / COMB_S / FRAMES_PER_S
        kept = np.float32(math.exp(-decay))
        carry = np.float32((1.0 - math.exp(-decay)) / decay)
        fresh, new = gain * (np.float32(1.0) - carry), np.float32(1.0) - kept
        carry *= gain
        state = np.float32(0.0)
        if whole >= frames:
            continue
        line, out = sent[b], returned[b, whole:]
        out[0] = now * line[0]
        for t in range(1, out.size):
            out[t] = now * line[t] + part * line[t - 1]
        for t in range(out.size):
            x = out[t]
            out[t] = x * fresh + state * carry
            state = state * kept + x * new
            if state < _LEAST_POWER:  # subnormal numbers would cost time
                state = np.float32(0.0)
    for b in range(bands):
        left, right, cross, out = bus[0, b], bus[1, b], bus[2, b], returned[b]
        for t in range(frames):
            left[t] += out[t]
        for t in range(frames):
            right[t] += out[t]
        for t in range(frames):
            cross[t] += correlation * out[t]
        for t in range(frames):
            out[t] *= np.float32(2.0)


@njit(error_model="numpy", forceinline=True)
def _loop_power(feedback, d, cosine):
    return (feedback * (1.0 - d)) ** 2 / (1.0 - 2.0 * d * cosine + d * d)


@njit(error_model="numpy", fastmath=True, forceinline=True)
def run_delay(values, sent, rate, cos1, cos2, response, bus, returned):
    """The delay's echoes, from <LL>, <RR>, <LR> (3, b, t), added to bus; powers to returned."""
    _, bands, frames = sent.shape
    response[:] = 1.0
    high_pass(values[D_LOW], rate, cos1, cos2, response)
    low_pass(values[D_HIGH], rate, cos1, cos2, response)
    level = 10.0 ** (values[D_RETURN] / 10.0)
    least = level * LEAST_ECHO
    shift = 0.0
    while level > least:
        shift += values[TIME_MS] / 1000.0 * FRAMES_PER_S
        whole = int(shift)
        if whole >= frames:
            break
        part = np.float32(shift - whole)
        now = np.float32(1.0) - part
        for b in range(bands):
            gain = np.float32(response[b] * level)
            for x in range(3):
                _echo(sent[x, b], whole, gain * now, gain * part, bus[x, b])
                if x < 2:
                    _echo(sent[x, b], whole, gain * now, gain * part, returned[b])
        level *= values[FEEDBACK] ** 2


@njit(error_model="numpy", fastmath=True, inline="always")
def _echo(line, whole, now, part, total):
    """Add a line (t,), late by `whole` frames and a part of one, to a total (t,)."""
    late = total[whole:]
    late[0] += now * line[0]
    before = line[1 : late.size]
    for t in range(before.size):
        late[1 + t] += now * before[t] + part * line[t]


@njit(error_model="numpy", fastmath=True, forceinline=True)
def _add_to_slots(returned, edges, row, total, bus_slots):
    """Returns (b, t), even within a frame, into the bus's slots (c, j, t); row (t,) is scratch."""
    for c in range(edges.size - 1):
        for t in range(row.size):
            row[t] = np.float32(0.0)
        for b in range(edges[c], edges[c + 1]):
            line = returned[b]
            for t in range(row.size):
                row[t] += line[t]
        for j in range(SLOTS):
            slot = bus_slots[c, j]
            for t in range(row.size):
                slot[t] += row[t]
        for t in range(row.size):
            total[t] += row[t]
