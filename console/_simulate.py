"""The inner loops of `simulate`, in Numba: one mix of one analysed song per call.

Axes: s stems, t frames of 100 ms, b fine bands, c coarse bands, j slots of a frame, k all slots;
"b t" is one axis that runs through all bands' frames. Powers are float32 mean squares; stereo is
carried as <LL>, <RR>, Re<LR>. Nothing is allocated here. Inner loops write one array each:
with more, the compiler cannot rule out that they overlap, and gives up on vectors.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit

from ._dynamics import _FLOOR, follow, set_compressor, static_gain_db
from ._responses import bell, high_pass, shelf
from .analysis import SLOTS
from .parameters import NOMINAL_LUFS, SEND_OFF_DB, STRIP

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
LOWEST_HZ = STRIP["high_pass_hz"].low


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
    strips, keys, channels, fine, slots, crest, fine_sums, slot_means, balance, edges, kweight,
    cos1, cos2, rate, slots_per_s, response, key_response, matrix, constants, chunk, weight, gains,
    out, frame_gain, band_power, bus, sends, stem_k, stem_bands, bus_slots, peaks,
):  # fmt: skip
    """Stems through their strips, summed.

    Writes bus (3, b t), sends (4, b t) (power of L + R for the reverb, <LL>, <RR>, <LR> for the
    delay), stem_k (s, t) K-weighted power, stem_bands (s, b) mean power, bus_slots (t, c, j) and
    peaks (2 sides, 2, k): squared, and magnitudes, each summed over stems.
    """
    frames = slots.shape[1]
    padded = stem_k.shape[1]
    bus[:] = 0.0
    bus_slots[:] = 0.0
    peaks[:] = 0.0
    sends[:] = 0.0
    for s in range(fine.shape[0]):
        values, key = strips[s], keys[s]
        strip_response(values, rate, cos1, cos2, response)
        gain = 10.0 ** (values[FADER] / 20.0)
        squeezed = values[C_ON] > 0.5 and values[C_RATIO] > 1.0
        if squeezed:
            key_response[:] = 1.0
            if key == s:
                key_response[:] = response
            if values[SC_HZ] > LOWEST_HZ:
                high_pass(values[SC_HZ], rate, cos1, cos2, key_response)
            gain *= 10.0 ** (
                -static_gain_db(-values[C_THRESHOLD], values[C_RATIO], values[C_KNEE]) / 20.0
            )
            set_compressor(
                NOMINAL_LUFS + values[C_THRESHOLD], values[C_RATIO], values[C_KNEE],
                values[C_ATTACK], values[C_RELEASE], slots_per_s, constants,
            )  # fmt: skip
            for c in range(edges.size - 1):
                _band_share(
                    fine[key], key_response, edges[c], edges[c + 1], fine_sums[key, c], weight[c]
                )
            detect(slots[key], weight, gains)
            follow(gains.reshape(-1), constants)
            mean_gains(slots[s], gains, slot_means[s], frame_gain)
        else:
            gains[:] = 1.0
            frame_gain[:] = 1.0
        stereo_matrix(values, channels[s], gain, matrix)
        reverb, delay = np.float32(0.0), np.float32(0.0)
        if values[REVERB_SEND] > SEND_OFF_DB:
            reverb = np.float32(10.0 ** (values[REVERB_SEND] / 10.0))
        if values[DELAY_SEND] > SEND_OFF_DB:
            delay = np.float32(10.0 ** (values[DELAY_SEND] / 10.0))
        stem_k[s] = 0.0
        band_power[:] = 0.0
        for c in range(edges.size - 1):
            first, last = edges[c] * padded, edges[c + 1] * padded
            part = chunk[:, : last - first]
            _set_gains(response, edges[c], edges[c + 1], frame_gain[c], part[0])
            parts = fine[s, :, first:last]
            if channels[s] == 1:
                _place_mono(
                    parts, part, matrix, reverb, delay, bus[:, first:last], sends[:, first:last]
                )
            else:
                _place_stereo(
                    parts, part, matrix, reverb, delay, bus[:, first:last], sends[:, first:last]
                )
            _read_stem(part[1], edges[c], edges[c + 1], kweight, stem_k[s], band_power[c],
                       stem_bands[s], frames)  # fmt: skip
        _place_slots(slots[s], gains, band_power, frame_gain, slot_means[s], out, bus_slots)
        _place_peaks(crest[s], balance[s], channels[s], matrix, out, peaks)


@njit(cache=True, nogil=True, error_model="numpy", fastmath=True)
def _band_share(fine, response, first, last, sums, share):
    """What a filter (b,) leaves of a coarse band's power over time: share (t,)."""
    share[:] = 0.0
    for b in range(first, last):
        h = np.float32(response[b])
        left = fine[0, b * share.size : (b + 1) * share.size]
        right = fine[1, b * share.size : (b + 1) * share.size]
        for t in range(share.size):
            share[t] += h * (left[t] + right[t])
    for t in range(share.size):
        share[t] /= sums[t] + _FLOOR


@njit(cache=True, nogil=True, error_model="numpy", fastmath=True)
def detect(slots, weight, levels):
    """Detector powers (t, j) from slots (t, c, j) and weights (c, t)."""
    levels[:] = 0.0
    for t in range(slots.shape[0]):
        for c in range(slots.shape[1]):
            w = weight[c, t]
            for j in range(SLOTS):
                levels[t, j] += w * slots[t, c, j]


@njit(cache=True, nogil=True, error_model="numpy", fastmath=True)
def mean_gains(slots, gains, slot_means, frame_gain):
    """Mean of gains (t, j) in each frame, weighted by the power they meet in a band: (c, t)."""
    for t in range(slots.shape[0]):
        for c in range(slots.shape[1]):
            taken = np.float32(0.0)
            for j in range(SLOTS):
                taken += gains[t, j] * slots[t, c, j]
            frame_gain[c, t] = (taken / SLOTS + _FLOOR) / (slot_means[c, t] + _FLOOR)


@njit(cache=True, nogil=True, error_model="numpy", fastmath=True)
def _set_gains(response, first, last, frame_gain, gains):
    """Power gain of a coarse band's fine bands over time: gains (b t)."""
    frames = frame_gain.size
    for b in range(first, last):
        h = np.float32(response[b])
        row = gains[(b - first) * frames : (b - first + 1) * frames]
        for t in range(frames):
            row[t] = h * frame_gain[t]


@njit(cache=True, nogil=True, error_model="numpy", fastmath=True)
def _add(total, x, factor):
    for i in range(total.size):
        total[i] += factor * x[i]


@njit(cache=True, nogil=True, error_model="numpy", fastmath=True)
def _add_form(total, gains, left, right, cross, l_factor, r_factor, c_factor):
    for i in range(total.size):
        form = l_factor * left[i] + r_factor * right[i] + c_factor * cross[i]
        total[i] += gains[i] * form


@njit(cache=True, nogil=True, error_model="numpy", fastmath=True)
def _place_mono(fine, part, matrix, reverb, delay, bus, sends):
    """A mono stem's part (3, i) under gains part[0] onto bus and sends; its power in part[1]."""
    gains, power = part[0], part[1]
    left = fine[0]
    for i in range(gains.size):
        gains[i] *= left[i]
    ll, rr, lr = np.float32(matrix[0, 0]), np.float32(matrix[1, 0]), np.float32(matrix[2, 0])
    both = ll + rr
    for i in range(gains.size):
        power[i] = both * gains[i]
    _add(bus[0], gains, ll)
    _add(bus[1], gains, rr)
    _add(bus[2], gains, lr)
    if reverb > 0.0:
        _add(sends[0], gains, reverb * (both + np.float32(2.0) * lr))
    if delay > 0.0:
        _add(sends[1], gains, delay * ll)
        _add(sends[2], gains, delay * rr)
        _add(sends[3], gains, delay * lr)


@njit(cache=True, nogil=True, error_model="numpy", fastmath=True)
def _place_stereo(fine, part, matrix, reverb, delay, bus, sends):
    """The same of a stereo stem."""
    m = matrix.astype(np.float32)
    gains, power = part[0], part[1]
    left, right, cross = fine[0], fine[1], fine[2]
    l_sum, r_sum, c_sum = m[0, 0] + m[1, 0], m[0, 1] + m[1, 1], m[0, 2] + m[1, 2]
    power[:] = 0.0
    _add_form(power, gains, left, right, cross, l_sum, r_sum, c_sum)
    for x in range(3):
        _add_form(bus[x], gains, left, right, cross, m[x, 0], m[x, 1], m[x, 2])
    if reverb > 0.0:
        two = np.float32(2.0)
        _add_form(
            sends[0], gains, left, right, cross, reverb * (l_sum + two * m[2, 0]),
            reverb * (r_sum + two * m[2, 1]), reverb * (c_sum + two * m[2, 2]),
        )  # fmt: skip
    if delay > 0.0:
        for x in range(3):
            _add_form(
                sends[1 + x], gains, left, right, cross, delay * m[x, 0], delay * m[x, 1],
                delay * m[x, 2],
            )  # fmt: skip


@njit(cache=True, nogil=True, error_model="numpy", fastmath=True)
def _read_stem(power, first, last, kweight, stem_k, band_power, stem_bands, frames):
    """Sums of a stem's power (b t): K-weighted and plain over bands, and over time."""
    padded = stem_k.size
    for b in range(first, last):
        row = power[(b - first) * padded : (b - first + 1) * padded]
        k = kweight[b]
        total = np.float32(0.0)
        for t in range(padded):
            stem_k[t] += k * row[t]
        for t in range(padded):
            band_power[t] += row[t]
        for t in range(padded):
            total += row[t]
        stem_bands[b] = total / frames


@njit(cache=True, nogil=True, error_model="numpy", fastmath=True)
def _place_slots(slots, gains, band_power, frame_gain, slot_means, out, bus_slots):
    """A stem's power (c, t) dealt to its slots: added to the bus's, and over bands in out."""
    out[:] = 0.0
    for t in range(slots.shape[0]):
        for c in range(slots.shape[1]):
            share = band_power[c, t] / (frame_gain[c, t] * slot_means[c, t] + _FLOOR)
            for j in range(SLOTS):
                power = share * gains[t, j] * slots[t, c, j]
                out[t, j] += power
                bus_slots[t, c, j] += power


@njit(cache=True, nogil=True, error_model="numpy", fastmath=True)
def _place_peaks(crest, balance, channels, matrix, out, peaks):
    """Peaks of one stem on either side, from its power over slots out (t, j).

    crest (2, t, j): squared peaks over the power of both channels; balance (3,): <LL>, <RR> and
    <LR> of the whole stem.
    """
    flat = out.reshape(-1)
    sides = np.empty(2)
    for x in range(2):
        sides[x] = (
            matrix[x, 0] * balance[0] + matrix[x, 1] * balance[1] + matrix[x, 2] * balance[2]
        )
    total, before = sides[0] + sides[1] + 1e-20, balance[0] + balance[1] + 1e-20
    for x in range(2):
        share = 1.0
        if channels == 2:
            share = balance[x] / before + 1e-9
        factor = np.float32(sides[x] / total / share)
        row = crest[x].reshape(-1)
        squares, magnitudes = peaks[x, 0], peaks[x, 1]
        for k in range(flat.size):
            squares[k] += factor * row[k] * flat[k]
        for k in range(flat.size):
            magnitudes[k] += np.float32(math.sqrt(factor * row[k] * flat[k]))
