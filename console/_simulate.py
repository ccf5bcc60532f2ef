"""The inner loops of `simulate`, in Numba: one mix of one analysed song per call.

Axes: s stems, t frames of 100 ms, b fine bands, c coarse bands, j slots of a frame, k all slots. Powers are
float32 mean squares; stereo is carried as <LL>, <RR>, Re<LR>. Nothing is allocated here: `work`
is a tuple of scratch arrays from `scratch`.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit

from ._responses import bell, high_pass, low_pass, shelf
from .analysis import SLOTS
from .compressor import DETECTOR_MS, LOUDNESS_OFFSET_DB
from .parameters import BUSES, NOMINAL_LUFS, SEND_OFF_DB, STRIP

_DB_PER_OCTAVE = 10.0 * math.log10(2.0)  # power decibels per factor of two
_FLOOR = np.float32(1e-12)
COMB_S = 1366.9 / 44_100.0  # mean length of Freeverb's combs
COHERENCE = np.float32(0.3)  # of the stems' peaks within a slot: 0 adds powers, 1 amplitudes

(FADER, PAN, WIDTH, HP_ON, HP_HZ, EQ_ON, LS_HZ, LS_DB, B1_HZ, B1_DB, B1_Q, B2_HZ, B2_DB, B2_Q,
 HS_HZ, HS_DB, C_ON, C_THRESHOLD, C_RATIO, C_KNEE, C_ATTACK, C_RELEASE, SC_HZ, REVERB_SEND,
 DELAY_SEND) = (
    STRIP.index(name)
    for name in (
        "fader_db", "pan", "width", "high_pass_on", "high_pass_hz", "eq_on", "low_shelf_hz",
        "low_shelf_db", "bell_1_hz", "bell_1_db", "bell_1_q", "bell_2_hz", "bell_2_db", "bell_2_q",
        "high_shelf_hz", "high_shelf_db", "compressor_on", "compressor_threshold_db",
        "compressor_ratio", "compressor_knee_db", "compressor_attack_ms",
        "compressor_release_ms", "side_chain_high_pass_hz", "reverb_send_db", "delay_send_db",
    )
)  # fmt: skip
(R_SIZE, R_DAMPING, R_WIDTH, R_PRE, R_LOW, R_RETURN, D_TIME, D_FEEDBACK, D_LOW, D_HIGH,
 D_RETURN) = (
    BUSES.index(name)
    for name in (
        "reverb_size", "reverb_damping", "reverb_width", "reverb_pre_delay_ms",
        "reverb_low_cut_hz", "reverb_return_db", "delay_time_ms", "delay_feedback",
        "delay_low_cut_hz", "delay_high_cut_hz", "delay_return_db",
    )
)  # fmt: skip
LOWEST_HZ = STRIP["high_pass_hz"].low


@njit(cache=True, nogil=True, error_model="numpy", fastmath=True, inline="always")
def _log2(x):
    """Base-two logarithm of a positive float32, to 9e-6 (polynomial on [1, 2))."""
    bits = np.float32(x).view(np.int32)
    exponent = np.float32((bits >> 23) - 127)
    m = np.int32((bits & 0x007FFFFF) | 0x3F800000).view(np.float32) - np.float32(1.0)
    p = np.float32(-0.0345952101)
    for c in (0.146433622, -0.303389668, 0.469301701, -0.720442355, 1.44268322):
        p = p * m + np.float32(c)
    return exponent + p * m


@njit(cache=True, nogil=True, error_model="numpy", fastmath=True, inline="always")
def _exp2(x):
    """Two to the power of a float32 within +-120, to 4e-6 relative."""
    whole = np.floor(x)
    f = np.float32(x - whole)
    p = np.float32(0.0136839831)
    for c in (0.0517177358, 0.241621315, 0.692969561, 1.00000358):
        p = p * f + np.float32(c)
    scale = np.int32((np.int32(whole) + np.int32(127)) << 23).view(np.float32)
    return p * scale


@njit(cache=True, nogil=True, error_model="numpy", fastmath=True)
def static_gain_db(over_db, ratio, knee_db):
    """Gain of a compressor for a level over its threshold; as in `compressor`."""
    slope = 1.0 / ratio - 1.0
    knee = max(knee_db, 1e-9)
    if 2.0 * over_db <= -knee:
        return 0.0
    if 2.0 * over_db < knee:
        return slope * (over_db + 0.5 * knee) ** 2 / (2.0 * knee)
    return slope * over_db


@njit(cache=True, nogil=True, error_model="numpy", fastmath=True)
def follow(levels, constants, detector):
    """Compressor gains, as powers, from detector powers: levels (k,), in place.

    constants (5,): threshold, slope and knee in octaves of power, attack and release
    coefficients. The recursion of `_kernels.follow_gain`, in passes of which all but two run on
    whole vectors.
    """
    threshold, slope, knee = constants[0], constants[1], constants[2]
    attack, release = constants[3], constants[4]
    half, two, new = np.float32(0.5), np.float32(2.0), np.float32(1.0) - detector
    power, gain = np.float32(0.0), np.float32(0.0)
    for k in range(levels.size):
        power = detector * power + new * (levels[k] + _FLOOR)
        levels[k] = power
    bend = slope / (two * knee)
    for k in range(levels.size):
        over = _log2(levels[k]) - threshold
        bent = min(max(over + half * knee, np.float32(0.0)), knee)
        levels[k] = bend * bent * bent + slope * max(over - half * knee, np.float32(0.0))
    for k in range(levels.size):
        target = levels[k]
        smooth = attack if target < gain else release
        after = target + smooth * (gain - target)
        levels[k] = half * (gain + after)
        gain = after
    for k in range(levels.size):
        levels[k] = _exp2(levels[k])


@njit(cache=True, nogil=True, error_model="numpy")
def smoothing(time_ms, slots_per_s):
    """As `control.smoothing`, at the slots' rate."""
    return np.float32(math.exp(-1000.0 / (max(time_ms, 1e-3) * slots_per_s)))


@njit(cache=True, nogil=True, error_model="numpy")
def set_compressor(threshold_db, ratio, knee_db, attack_ms, release_ms, slots_per_s, constants):
    """What `follow` wants to know of one compressor."""
    constants[0] = (threshold_db - LOUDNESS_OFFSET_DB) / _DB_PER_OCTAVE
    constants[1] = 1.0 / ratio - 1.0
    constants[2] = max(knee_db, 1e-3) / _DB_PER_OCTAVE
    constants[3] = smoothing(attack_ms, slots_per_s)
    constants[4] = smoothing(release_ms, slots_per_s)


@njit(cache=True, nogil=True, error_model="numpy")
def strip_response(values, rate, cos1, cos2, out):
    """Squared magnitude of one strip's filters at the bands."""
    out[:] = 1.0
    if values[HP_ON] > 0.5 and values[HP_HZ] > LOWEST_HZ:
        high_pass(values[HP_HZ], rate, cos1, cos2, out)
    if values[EQ_ON] > 0.5:
        shelf(values[LS_HZ], values[LS_DB], False, rate, cos1, cos2, out)
        bell(values[B1_HZ], values[B1_DB], values[B1_Q], rate, cos1, cos2, out)
        bell(values[B2_HZ], values[B2_DB], values[B2_Q], rate, cos1, cos2, out)
        shelf(values[HS_HZ], values[HS_DB], True, rate, cos1, cos2, out)


@njit(cache=True, nogil=True, error_model="numpy")
def stereo_matrix(values, channels, gain, matrix):
    """`pan.pan_matrix` as quadratic forms: matrix (3, 3) takes <LL>, <RR>, <LR> to the same."""
    angle = (values[PAN] + 1.0) * math.pi / 4.0
    left, right = math.cos(angle) * gain, math.sin(angle) * gain
    a, b, c, d = left, 0.0, right, 0.0
    if channels == 2:
        same, other = (1.0 + values[WIDTH]) / 2.0, (1.0 - values[WIDTH]) / 2.0
        root = math.sqrt(2.0)
        a, b, c, d = (
            left * root * same,
            left * root * other,
            right * root * other,
            right * root * same,
        )
    matrix[0, 0], matrix[0, 1], matrix[0, 2] = a * a, b * b, 2 * a * b
    matrix[1, 0], matrix[1, 1], matrix[1, 2] = c * c, d * d, 2 * c * d
    matrix[2, 0], matrix[2, 1], matrix[2, 2] = a * c, b * d, a * d + b * c


@njit(cache=True, nogil=True, error_model="numpy", fastmath=True)
def run_strips(
    strips, keys, channels, fine, slots, crest, coarse_sums, slot_sums, edges, kweight, cos1, cos2,
    rate, slots_per_s, response, key_response, matrix, constants, weight, passed, gains, out,
    frame_gains, bus, sends, stem_k, bus_slots, peaks,
):  # fmt: skip
    """Stems through their strips, summed.

    Writes bus (3, b, t), sends (4, b, t) (power of L + R for the reverb, <LL>, <RR>, <LR> for the
    delay), stem_k (s, t) K-weighted power, bus_slots (c, t, j), peaks (2, k): squared, and summed.
    """
    bus[:] = 0.0
    bus_slots[:] = 0.0
    peaks[:] = 0.0
    send_reverb, send_delay = False, False
    for s in range(fine.shape[0]):
        send_reverb = send_reverb or strips[s, REVERB_SEND] > SEND_OFF_DB
        send_delay = send_delay or strips[s, DELAY_SEND] > SEND_OFF_DB
    if send_reverb:
        sends[0] = 0.0
    if send_delay:
        sends[1:] = 0.0
    for s in range(fine.shape[0]):
        values, key = strips[s], keys[s]
        strip_response(values, rate, cos1, cos2, response)
        key_response[:] = 1.0
        if key == s:
            key_response[:] = response
        if values[SC_HZ] > LOWEST_HZ:
            high_pass(values[SC_HZ], rate, cos1, cos2, key_response)
        gain = 10.0 ** (values[FADER] / 20.0)
        squeezed = values[C_ON] > 0.5 and values[C_RATIO] > 1.0
        if squeezed:
            over_db = -values[C_THRESHOLD]
            gain *= 10.0 ** (-static_gain_db(over_db, values[C_RATIO], values[C_KNEE]) / 20.0)
        stereo_matrix(values, channels[s], gain, matrix)
        shares(
            fine[s], fine[key], response, key_response, matrix, edges, coarse_sums[s],
            coarse_sums[key], squeezed, weight, passed,
        )  # fmt: skip
        if squeezed:
            set_compressor(
                NOMINAL_LUFS + values[C_THRESHOLD], values[C_RATIO], values[C_KNEE],
                values[C_ATTACK], values[C_RELEASE], slots_per_s, constants,
            )  # fmt: skip
            detect(slots[key], weight, gains)
            follow(gains.reshape(-1), constants, smoothing(DETECTOR_MS, slots_per_s))
            mean_gains(slots[s], gains, slot_sums[s], frame_gains)
        else:
            gains[:] = 1.0
            frame_gains[:] = 1.0
        sum_slots(slots[s], gains, passed, out, bus_slots)
        side = louder_side(fine[s], matrix, channels[s])
        flat_out, flat_crest = out.reshape(-1), crest[s].reshape(-1)
        for k in range(flat_out.size):
            peak = flat_crest[k] * side * flat_out[k]
            peaks[0, k] += peak
            peaks[1, k] += np.float32(math.sqrt(peak))
        reverb, delay = np.float32(0.0), np.float32(0.0)
        if values[REVERB_SEND] > SEND_OFF_DB:
            reverb = np.float32(10.0 ** (values[REVERB_SEND] / 10.0))
        if values[DELAY_SEND] > SEND_OFF_DB:
            delay = np.float32(10.0 ** (values[DELAY_SEND] / 10.0))
        add_stem(
            fine[s], channels[s], response, frame_gains, edges, matrix, kweight, reverb, delay,
            bus, sends, stem_k[s],
        )  # fmt: skip
    for k in range(peaks.shape[1]):
        peaks[0, k] += COHERENCE * (peaks[1, k] * peaks[1, k] - peaks[0, k])


@njit(cache=True, nogil=True, error_model="numpy", fastmath=True)
def detect(slots, weight, levels):
    """Detector powers (t, j) from slots (c, t, j) and weights (c, t)."""
    levels[:] = 0.0
    for c in range(slots.shape[0]):
        for t in range(slots.shape[1]):
            w = weight[c, t]
            for j in range(SLOTS):
                levels[t, j] += w * slots[c, t, j]


@njit(cache=True, nogil=True, error_model="numpy", fastmath=True)
def mean_gains(slots, gains, slot_sums, frame_gains):
    """Mean of gains (t, j) in each frame, weighted by the power they meet in a band: (c, t)."""
    for c in range(slots.shape[0]):
        for t in range(slots.shape[1]):
            taken = _FLOOR
            for j in range(SLOTS):
                taken += gains[t, j] * slots[c, t, j]
            frame_gains[c, t] = taken / (slot_sums[c, t] + _FLOOR)


@njit(cache=True, nogil=True, error_model="numpy", fastmath=True)
def sum_slots(slots, gains, passed, out, bus_slots):
    """One stem's slots (c, t, j) after dynamics: added to the bus's, and over bands in out."""
    out[:] = 0.0
    for c in range(slots.shape[0]):
        for t in range(slots.shape[1]):
            p = passed[c, t]
            for j in range(SLOTS):
                power = p * gains[t, j] * slots[c, t, j]
                out[t, j] += power
                bus_slots[c, t, j] += power


@njit(cache=True, nogil=True, error_model="numpy", fastmath=True)
def shares(
    fine, key, response, key_response, matrix, edges, sums, key_sums, squeezed, weight, passed
):  # fmt: skip
    """What is left of each coarse band: on the bus, passed (c, t), and for a detector, weight."""
    l_gain = np.float32(matrix[0, 0] + matrix[1, 0])
    r_gain = np.float32(matrix[0, 1] + matrix[1, 1])
    c_gain = np.float32(matrix[0, 2] + matrix[1, 2])
    frames = fine.shape[2]
    for c in range(edges.size - 1):
        w, p = weight[c], passed[c]
        for t in range(frames):
            w[t], p[t] = np.float32(0.0), np.float32(0.0)
        for b in range(edges[c], edges[c + 1]):
            h, d = np.float32(response[b]), np.float32(key_response[b])
            left, right, cross = fine[0, b], fine[1, b], fine[2, b]
            for t in range(frames):
                p[t] += h * (l_gain * left[t] + r_gain * right[t] + c_gain * cross[t])
            if squeezed:
                key_left, key_right = key[0, b], key[1, b]
                for t in range(frames):
                    w[t] += d * (key_left[t] + key_right[t])
        for t in range(frames):
            w[t] /= key_sums[c, t] + _FLOOR
            p[t] /= sums[c, t] + _FLOOR


@njit(cache=True, nogil=True, error_model="numpy", fastmath=True)
def add_stem(
    fine, channels, response, frame_gain, edges, matrix, kweight, reverb, delay, bus, sends, stem_k
):  # fmt: skip
    """One stem onto the bus and the sends; its K-weighted power per frame."""
    m = matrix.astype(np.float32)
    frames = fine.shape[2]
    for t in range(frames):
        stem_k[t] = 0.0
    for c in range(edges.size - 1):
        gain = frame_gain[c]
        for b in range(edges[c], edges[c + 1]):
            h, k = np.float32(response[b]), kweight[b]
            left, right, cross = fine[0, b], fine[1, b], fine[2, b]
            ll_bus, rr_bus, lr_bus = bus[0, b], bus[1, b], bus[2, b]
            if channels == 1:
                l_gain, r_gain, c_gain = h * m[0, 0], h * m[1, 0], h * m[2, 0]
                for t in range(frames):
                    power = gain[t] * left[t]
                    ll_bus[t] += l_gain * power
                    rr_bus[t] += r_gain * power
                    lr_bus[t] += c_gain * power
                    stem_k[t] += k * (l_gain + r_gain) * power
                if reverb > 0.0:
                    sent = reverb * (l_gain + r_gain + np.float32(2.0) * c_gain)
                    line = sends[0, b]
                    for t in range(frames):
                        line[t] += sent * gain[t] * left[t]
                if delay > 0.0:
                    for x in range(3):
                        sent = delay * h * m[x, 0]
                        line = sends[1 + x, b]
                        for t in range(frames):
                            line[t] += sent * gain[t] * left[t]
                continue
            for t in range(frames):
                g = h * gain[t]
                ll = g * (m[0, 0] * left[t] + m[0, 1] * right[t] + m[0, 2] * cross[t])
                rr = g * (m[1, 0] * left[t] + m[1, 1] * right[t] + m[1, 2] * cross[t])
                lr = g * (m[2, 0] * left[t] + m[2, 1] * right[t] + m[2, 2] * cross[t])
                ll_bus[t] += ll
                rr_bus[t] += rr
                lr_bus[t] += lr
                stem_k[t] += k * (ll + rr)
            if reverb > 0.0:
                l_sent = reverb * h * (m[0, 0] + m[1, 0] + np.float32(2.0) * m[2, 0])
                r_sent = reverb * h * (m[0, 1] + m[1, 1] + np.float32(2.0) * m[2, 1])
                c_sent = reverb * h * (m[0, 2] + m[1, 2] + np.float32(2.0) * m[2, 2])
                line = sends[0, b]
                for t in range(frames):
                    line[t] += gain[t] * (l_sent * left[t] + r_sent * right[t] + c_sent * cross[t])
            if delay > 0.0:
                for x in range(3):
                    l_sent, r_sent = delay * h * m[x, 0], delay * h * m[x, 1]
                    c_sent = delay * h * m[x, 2]
                    line = sends[1 + x, b]
                    for t in range(frames):
                        sent = l_sent * left[t] + r_sent * right[t] + c_sent * cross[t]
                        line[t] += gain[t] * sent


@njit(cache=True, nogil=True, error_model="numpy", fastmath=True)
def louder_side(fine, matrix, channels):
    """How the louder channel's share of a stem's power changes from its file to the bus."""
    if channels == 1:
        return np.float32(max(matrix[0, 0], matrix[1, 0]) / (matrix[0, 0] + matrix[1, 0]))
    left, right, cross = np.float32(0.0), np.float32(0.0), np.float32(0.0)
    for b in range(fine.shape[1]):
        for t in range(fine.shape[2]):
            left += fine[0, b, t]
            right += fine[1, b, t]
            cross += fine[2, b, t]
    l_out = matrix[0, 0] * left + matrix[0, 1] * right + matrix[0, 2] * cross
    r_out = matrix[1, 0] * left + matrix[1, 1] * right + matrix[1, 2] * cross
    before = max(left, right) / (left + right + _FLOOR)
    return np.float32(max(l_out, r_out) / (l_out + r_out + _FLOOR) / (before + _FLOOR))


@njit(cache=True, nogil=True, error_model="numpy", fastmath=True)
def run_reverb(values, sent, rate, frames_per_s, cos1, cos2, response, bus, returned):
    """The reverb's return, from the power of L + R per band and frame, added to the bus.

    Freeverb (J. O. Smith, "Physical Audio Signal Processing", Schroeder reverberators): eight
    combs whose loop gain at w is feedback * |(1 - d) / (1 - d e^-jw)|, so power decays by the
    square of that every mean comb length; the all-passes keep power. returned (b, t): both
    channels.
    """
    bands, frames = sent.shape
    feedback = values[R_SIZE] * 0.28 + 0.7
    d = values[R_DAMPING] * 0.4
    response[:] = 1.0
    if values[R_LOW] > LOWEST_HZ:
        high_pass(values[R_LOW], rate, cos1, cos2, response)
    white = 0.0
    for i in range(32):
        white += 1.0 / (1.0 - _loop_power(feedback, d, math.cos(math.pi * (i + 0.5) / 32))) / 32
    back = 10.0 ** (values[R_RETURN] / 10.0) / 4.0
    shift = (values[R_PRE] / 1000.0 + COMB_S) * frames_per_s
    whole = int(shift)
    part = np.float32(shift - whole)
    now = np.float32(1.0) - part
    first, second = (1 + values[R_WIDTH]) / 2, (1 - values[R_WIDTH]) / 2
    correlation = np.float32(2 * first * second / (first * first + second * second))
    for b in range(bands):
        loop = _loop_power(feedback, d, cos1[b])
        gain = np.float32(response[b] * back / (1.0 - loop) / white)
        decay = -math.log(loop) / COMB_S / frames_per_s
        kept = np.float32(math.exp(-decay))
        carry = np.float32((1.0 - math.exp(-decay)) / decay)
        state = np.float32(0.0)
        line, out = sent[b], returned[b]
        for t in range(whole, frames):
            x = now * line[t - whole]
            if t > whole:
                x += part * line[t - whole - 1]
            y = gain * (x * (np.float32(1.0) - carry) + state * carry)
            state = state * kept + x * (np.float32(1.0) - kept)
            bus[0, b, t] += y
            bus[1, b, t] += y
            bus[2, b, t] += correlation * y
            out[t] += np.float32(2.0) * y


@njit(cache=True, nogil=True, error_model="numpy")
def _loop_power(feedback, d, cosine):
    return (feedback * (1.0 - d)) ** 2 / (1.0 - 2.0 * d * cosine + d * d)


@njit(cache=True, nogil=True, error_model="numpy", fastmath=True)
def run_delay(values, sent, rate, frames_per_s, cos1, cos2, response, bus, returned):
    """The delay's return, from <LL>, <RR>, <LR> per band and frame (3, b, t), added to the bus.

    `sent` becomes what circulates in the line: what was sent plus what was fed back.
    """
    _, bands, frames = sent.shape
    response[:] = 1.0
    high_pass(values[D_LOW], rate, cos1, cos2, response)
    low_pass(values[D_HIGH], rate, cos1, cos2, response)
    back = 10.0 ** (values[D_RETURN] / 10.0)
    kept = np.float32(values[D_FEEDBACK] ** 2)
    shift = values[D_TIME] / 1000.0 * frames_per_s
    whole = int(shift)
    part = np.float32(shift - whole)
    now = np.float32(1.0) - part
    here = np.float32(1.0) / (np.float32(1.0) - now * kept) if whole == 0 else np.float32(1.0)
    for x in range(3):
        for b in range(bands):
            line, gain = sent[x, b], np.float32(response[b] * back)
            for t in range(whole, frames):
                y = now * line[t - whole]
                if t > whole:
                    y += part * line[t - whole - 1]
                y *= here
                line[t] += kept * y
                bus[x, b, t] += gain * y
                if x < 2:
                    returned[b, t] += gain * y


@njit(cache=True, nogil=True, error_model="numpy", fastmath=True)
def add_returns_to_slots(returned, edges, row, bus_slots):
    """Returns (b, t), even within a frame, into the bus's slots (c, t, j); row (t,) is scratch."""
    for c in range(edges.size - 1):
        for t in range(row.size):
            row[t] = np.float32(0.0)
        for b in range(edges[c], edges[c + 1]):
            for t in range(row.size):
                row[t] += returned[b, t]
        for t in range(row.size):
            for j in range(SLOTS):
                bus_slots[c, t, j] += row[t]
