"""The inner loops of `simulate`, in Numba: one mix of one analysed song per call.

Axes: s stems, t frames of 100 ms, b fine bands, c coarse bands, j slots of a frame; "b t" is one
axis that runs through all bands' frames. Frames are innermost, padded to whole vectors, so that
all but the recursions over time run on vectors. Powers are float32 mean squares; stereo is
carried as <LL>, <RR>, Re<LR>. Nothing is allocated here. Inner loops touch few arrays: with more,
the compiler cannot rule out that they overlap. They stand in one function or are inlined: a call
with arrays costs more than a hundred frames' arithmetic.
"""

# mypy: allow-untyped-defs, allow-untyped-calls
from __future__ import annotations

import math

import numpy as np
from numba import njit

from ._dynamics import _FLOOR, GROUP, follow, set_compressor, static_gain_db
from ._responses import equalise, high_pass
from ._simulate_peaks import place_samples, unplaced_power
from .analysis import SLOTS
from .parameters import NOMINAL_LUFS, SEND_OFF_DB, STRIP

(FADER, PAN, WIDTH, HP_ON, HP_HZ, EQ_ON, EQ_FIRST, EQ_LAST, C_ON, C_THRESHOLD, C_RATIO, C_KNEE,
 C_ATTACK, C_RELEASE, SC_HZ, REVERB_SEND, DELAY_SEND) = (
    STRIP.index(name)
    for name in (
        "fader_db", "pan", "width", "high_pass_on", "high_pass_hz", "eq_on", "low_shelf_hz",
        "high_shelf_db", "compressor_on", "compressor_threshold_db", "compressor_ratio",
        "compressor_knee_db", "compressor_attack_ms", "compressor_release_ms",
        "side_chain_high_pass_hz", "reverb_send_db", "delay_send_db",
    )
)  # fmt: skip
LOWEST_HZ = STRIP["high_pass_hz"].low
_LEAST_AMPLITUDE = 1e-9


@njit(error_model="numpy", forceinline=True)
def strip_response(values, rate, cos1, cos2, out):
    """Squared magnitude of one strip's filters at the bands."""
    out[:] = 1.0
    if values[HP_ON] > 0.5 and values[HP_HZ] > LOWEST_HZ:
        high_pass(values[HP_HZ], rate, cos1, cos2, out)
    if values[EQ_ON] > 0.5:
        equalise(values[EQ_FIRST : EQ_LAST + 1], rate, cos1, cos2, out)


@njit(error_model="numpy", forceinline=True)
def stereo_matrix(values, channels, gain, amplitudes, matrix):
    """`pan.pan_matrix` to amplitudes (2, 2), and to matrix (7, 3) what it makes of powers.

    The latter takes <LL>, <RR>, <LR> to the same on the bus, to the power of L + R for the reverb
    and to <LL>, <RR>, <LR> for the delay.
    """
    angle = (values[PAN] + 1.0) * math.pi / 4.0
    left, right = _audible(math.cos(angle)) * gain, _audible(math.sin(angle)) * gain
    a, b, c, d = left, 0.0, right, 0.0
    if channels == 2:
        same, other = (1.0 + values[WIDTH]) / 2.0, (1.0 - values[WIDTH]) / 2.0
        left, right = left * math.sqrt(2.0), right * math.sqrt(2.0)
        a, b, c, d = left * same, left * other, right * other, right * same
    amplitudes[0, 0], amplitudes[0, 1] = a, b
    amplitudes[1, 0], amplitudes[1, 1] = c, d
    matrix[0, 0], matrix[0, 1], matrix[0, 2] = a * a, b * b, 2 * a * b
    matrix[1, 0], matrix[1, 1], matrix[1, 2] = c * c, d * d, 2 * c * d
    matrix[2, 0], matrix[2, 1], matrix[2, 2] = a * c, b * d, a * d + b * c
    reverb, delay = _send(values[REVERB_SEND]), _send(values[DELAY_SEND])
    for x in range(3):
        matrix[3, x] = reverb * (matrix[0, x] + matrix[1, x] + 2 * matrix[2, x])
        for row in range(3):
            matrix[4 + row, x] = delay * matrix[row, x]


@njit(error_model="numpy", forceinline=True)
def _audible(amplitude):
    """0 where only rounding is left, as cos(pi / 2) is: subnormal powers would cost time."""
    return amplitude if amplitude > _LEAST_AMPLITUDE else 0.0


@njit(error_model="numpy", fastmath=True, forceinline=True)
def run_strips(
    strips, keys, channels, fine, slots, samples, inverse_power, fine_sums, slot_means, balance,
    edges, kweight, cos1, cos2, rate, slots_per_s, response, responses, matrix, amplitudes,
    constants, chunk, weight, levels, out, frame_gain, band_power, placed, stem_k, stem_bands,
    bus_slots, peaks, sides, amplitude_gains, wants_slots,
):  # fmt: skip
    """Stems through their strips, summed.

    Writes placed (7, b t): the bus and the sends as in `stereo_matrix`; stem_k (s, t) K-weighted
    power, stem_bands (s, b) power, bus_slots (c, j, t) and peaks (2 sides, j, t): the bus's
    samples at the slots' instants; for `_simulate_crosses` each stem's sides (s, 2 sides, 2) and
    amplitude_gains (s, c, t).
    """
    placed[:] = 0.0
    bus_slots[:] = 0.0
    peaks[:] = 0.0
    for s in range(fine.shape[0]):
        strip_response(strips[s], rate, cos1, cos2, responses[s])
    _follow_all(
        strips, keys, fine, slots, fine_sums, edges, cos1, cos2, rate, slots_per_s, response,
        responses, constants, weight, levels,
    )  # fmt: skip
    unity = levels[levels.shape[0] - 1]
    unity[:] = 1.0
    followed = 0
    for s in range(fine.shape[0]):
        values = strips[s]
        gain = 10.0 ** (values[FADER] / 20.0)
        gains = unity
        squeezed = _squeezes(values)
        if squeezed:
            gain *= 10.0 ** (
                -static_gain_db(-values[C_THRESHOLD], values[C_RATIO], values[C_KNEE]) / 20.0
            )
            gains = levels[followed]
            followed += 1
            mean_gains(slots[s], gains, slot_means[s], frame_gain)
        else:
            frame_gain[:] = 1.0
        stereo_matrix(values, channels[s], gain, amplitudes, matrix)
        _place_powers(
            fine[s], channels[s], responses[s], frame_gain, edges, matrix, kweight, chunk, placed,
            stem_k[s], stem_bands[s], band_power,
        )  # fmt: skip
        for c in range(edges.size - 1):
            for t in range(stem_k.shape[1]):
                weight[c, t] = band_power[c, t] / (frame_gain[c, t] * slot_means[s, c, t] + _FLOOR)
        unplaced = unplaced_power(balance[s], matrix)
        mirrored = 1 - channels[s] % 2  # a mono stem is its own right channel
        sides[s, 0, 0], sides[s, 0, 1] = amplitudes[0, 0], amplitudes[0, 1]
        sides[s, 1, 0], sides[s, 1, 1] = amplitudes[1, mirrored], amplitudes[1, 1 - mirrored]
        for c in range(amplitude_gains.shape[1]):
            row, power, before = amplitude_gains[s, c], band_power[c], slot_means[s, c]
            for t in range(row.size):
                row[t] = np.float32(math.sqrt(unplaced * power[t] / (before[t] + _FLOOR)))
        detect(slots[s], weight, out)
        if squeezed:
            _multiply(out, gains)
        if wants_slots:
            _place_slots(slots[s], weight, gains, bus_slots)
        place_samples(samples[s], inverse_power[s], unplaced, amplitudes, out, peaks)


@njit(error_model="numpy", forceinline=True)
def _squeezes(values):
    return values[C_ON] > 0.5 and values[C_RATIO] > 1.0


@njit(error_model="numpy", forceinline=True)
def _send(level_db):
    return np.float32(10.0 ** (level_db / 10.0) if level_db > SEND_OFF_DB else 0.0)


@njit(error_model="numpy", fastmath=True, forceinline=True)
def _follow_all(
    strips, keys, fine, slots, fine_sums, edges, cos1, cos2, rate, slots_per_s, response, responses,
    constants, weight, levels,
):  # fmt: skip
    """Gains of all compressors in use, in the order of their stems: levels (any, j, t)."""
    count = 0
    for s in range(fine.shape[0]):
        values, key = strips[s], keys[s]
        if not _squeezes(values):
            continue
        response[:] = 1.0
        if key == s:
            response[:] = responses[s]
        if values[SC_HZ] > LOWEST_HZ:
            high_pass(values[SC_HZ], rate, cos1, cos2, response)
        band_shares(fine[key], response, edges, fine_sums[key], weight)
        detect(slots[key], weight, levels[count])
        set_compressor(
            NOMINAL_LUFS + values[C_THRESHOLD], values[C_RATIO], values[C_KNEE],
            values[C_ATTACK], values[C_RELEASE], slots_per_s, constants[count],
        )  # fmt: skip
        count += 1
    for first in range(0, count, GROUP):
        follow(levels[first : first + GROUP], constants[first : first + GROUP], slots_per_s)


@njit(error_model="numpy", fastmath=True, forceinline=True)
def band_shares(fine, response, edges, sums, shares):
    """What a filter (b,) leaves of each coarse band's power over time: shares (c, t).

    fine (2 or 3, b t): <LL> and <RR>; sums (c, t): their sums over each band.
    """
    frames = shares.shape[1]
    for c in range(edges.size - 1):
        share = shares[c]
        for t in range(frames):
            share[t] = np.float32(0.0)
        for b in range(edges[c], edges[c + 1]):
            h = np.float32(response[b])
            left, right = fine[0, b * frames : (b + 1) * frames], fine[1, b * frames :]
            for t in range(frames):
                share[t] += h * (left[t] + right[t])
        before = sums[c]
        for t in range(frames):
            share[t] /= before[t] + _FLOOR


@njit(error_model="numpy", fastmath=True, forceinline=True)
def detect(slots, weight, levels):
    """Detector powers (j, t) from slots (c, j, t) and weights (c, t)."""
    for j in range(slots.shape[1]):
        row = levels[j]
        for t in range(row.size):
            row[t] = np.float32(0.0)
        for c in range(slots.shape[0]):
            w, x = weight[c], slots[c, j]
            for t in range(row.size):
                row[t] += w[t] * x[t]


@njit(error_model="numpy", fastmath=True, forceinline=True)
def mean_gains(slots, gains, slot_means, frame_gain):
    """Mean of gains (j, t) in each frame, weighted by the power they meet in a band: (c, t)."""
    for c in range(slots.shape[0]):
        row = frame_gain[c]
        for t in range(row.size):
            row[t] = np.float32(0.0)
        for j in range(SLOTS):
            g, x = gains[j], slots[c, j]
            for t in range(row.size):
                row[t] += g[t] * x[t]
        means = slot_means[c]
        for t in range(row.size):
            row[t] = (row[t] * np.float32(1.0 / SLOTS) + _FLOOR) / (means[t] + _FLOOR)


@njit(error_model="numpy", fastmath=True, inline="always")
def _add_form(total, gains, left, right, cross, factors):
    l_factor, r_factor, c_factor = factors[0], factors[1], factors[2]
    for i in range(total.size):
        form = l_factor * left[i] + r_factor * right[i] + c_factor * cross[i]
        total[i] += gains[i] * form


@njit(error_model="numpy", fastmath=True, inline="always")
def _add(total, powers, factor):
    for i in range(total.size):
        total[i] += factor * powers[i]


@njit(error_model="numpy", fastmath=True, forceinline=True)
def _place_powers(
    fine, channels, response, frame_gain, edges, matrix, kweight, chunk, placed, stem_k, stem_bands,
    band_power,
):  # fmt: skip
    """One stem (3, b t) onto bus and sends; its K-weighted power, and powers over t and over b."""
    m = matrix
    l_sum, r_sum, c_sum = m[0, 0] + m[1, 0], m[0, 1] + m[1, 1], m[0, 2] + m[1, 2]
    frames = stem_k.size
    stem_k[:] = np.float32(0.0)
    for c in range(edges.size - 1):
        i, end = edges[c] * frames, edges[c + 1] * frames
        gains, power = chunk[0, : end - i], chunk[1, : end - i]
        frame = frame_gain[c]
        for b in range(edges[c], edges[c + 1]):
            h = np.float32(response[b])
            row = gains[(b - edges[c]) * frames : (b - edges[c] + 1) * frames]
            for t in range(frames):
                row[t] = h * frame[t]
        left = fine[0, i:end]
        if channels == 1:
            for x in range(gains.size):
                gains[x] *= left[x]
            for x in range(gains.size):
                power[x] = l_sum * gains[x]
            for x in range(placed.shape[0]):
                if m[x, 0] != 0.0:
                    _add(placed[x, i:end], gains, m[x, 0])
        else:
            right, cross = fine[1, i:end], fine[2, i:end]
            for x in range(gains.size):
                power[x] = gains[x] * (l_sum * left[x] + r_sum * right[x] + c_sum * cross[x])
            for x in range(placed.shape[0]):
                if m[x, 0] != 0.0 or m[x, 1] != 0.0 or m[x, 2] != 0.0:
                    _add_form(placed[x, i:end], gains, left, right, cross, m[x])
        over_bands = band_power[c]
        for t in range(frames):
            over_bands[t] = np.float32(0.0)
        for b in range(edges[c], edges[c + 1]):
            row = power[(b - edges[c]) * frames : (b - edges[c] + 1) * frames]
            k, total = kweight[b], np.float32(0.0)
            for t in range(frames):
                stem_k[t] += k * row[t]
                over_bands[t] += row[t]
                total += row[t]
            stem_bands[b] = total


@njit(error_model="numpy", fastmath=True, forceinline=True)
def _multiply(powers, gains):
    row, factor = powers.reshape(-1), gains.reshape(-1)
    for i in range(row.size):
        row[i] *= factor[i]


@njit(error_model="numpy", fastmath=True, forceinline=True)
def _place_slots(slots, weight, gains, bus_slots):
    """Add a stem's slots (c, j, t) under weights (c, t) and gains (j, t) to the bus's."""
    for c in range(slots.shape[0]):
        w = weight[c]
        for j in range(SLOTS):
            row, x, g = bus_slots[c, j], slots[c, j], gains[j]
            for t in range(row.size):
                row[t] += w[t] * g[t] * x[t]
