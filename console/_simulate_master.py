"""The mix bus through the mastering chain and the meters, in Numba; see `_simulate`."""

from __future__ import annotations

import math

import numpy as np
from numba import njit

from ._responses import bell, low_pass_amplitude, shelf
from ._simulate import _FLOOR, follow, set_lane, smoothing, static_gain_db
from .compressor import DETECTOR_MS
from .mastering import BAND_LEVELS_DB
from .parameters import MASTER, NOMINAL_LUFS
from .saturation import NOMINAL_GAIN_DB

(C_ON, C_THRESHOLD, C_RATIO, C_KNEE, C_ATTACK, C_RELEASE, EQ_ON, LS_HZ, LS_DB, B1_HZ, B1_DB, B1_Q,
 B2_HZ, B2_DB, B2_Q, HS_HZ, HS_DB, M_ON, X_LOW, X_HIGH, LOW, MID, HIGH, S_ON, S_DRIVE, S_MIX,
 I_ON, I_WIDTH, I_MONO) = (
    MASTER.index(name)
    for name in (
        "bus_compressor_on", "bus_compressor_threshold_db", "bus_compressor_ratio",
        "bus_compressor_knee_db", "bus_compressor_attack_ms", "bus_compressor_release_ms",
        "master_eq_on", "master_low_shelf_hz", "master_low_shelf_db", "master_bell_1_hz",
        "master_bell_1_db", "master_bell_1_q", "master_bell_2_hz", "master_bell_2_db",
        "master_bell_2_q", "master_high_shelf_hz", "master_high_shelf_db", "multiband_on",
        "crossover_low_hz", "crossover_high_hz", "low_threshold_db", "mid_threshold_db",
        "high_threshold_db", "saturation_on", "saturation_drive_db", "saturation_mix", "image_on",
        "master_width", "mono_below_hz",
    )
)  # fmt: skip
LOWEST_MONO_HZ = MASTER["mono_below_hz"].low
BAND_KNEE_DB = 6.0
_LOW_LEVEL, _MID_LEVEL, _HIGH_LEVEL = (BAND_LEVELS_DB[name] for name in ("low", "mid", "high"))


@njit(cache=True, nogil=True, fastmath=True)
def weighted(bus, kweight, energy):
    """K-weighted power of a bus (3, b, t) per frame: energy (t,)."""
    energy[:] = 0.0
    for b in range(bus.shape[1]):
        left, right, k = bus[0, b], bus[1, b], kweight[b]
        for t in range(energy.size):
            energy[t] += k * (left[t] + right[t])


@njit(cache=True, nogil=True)
def gated_lufs(energy):
    """BS.1770 integrated loudness of K-weighted power per frame of 100 ms."""
    frames = energy.size
    if frames < 4:
        return -0.691 + 10 * math.log10(energy.sum() / 4 + 1e-30)
    gate = 10 ** ((-70 + 0.691) / 10)
    for _ in range(2):
        total, count = 0.0, 0
        for t in range(frames - 3):
            block = (energy[t] + energy[t + 1] + energy[t + 2] + energy[t + 3]) / 4
            if block > gate:
                total += block
                count += 1
        if count == 0:
            return -math.inf
        loudness = total / count
        gate = max(gate, loudness / 10)
    return -0.691 + 10 * math.log10(loudness)


@njit(cache=True, nogil=True)
def loudness_range(energy, short_term):
    """EBU Tech 3342 from K-weighted power per frame of 100 ms; short_term (t,) is scratch."""
    count = energy.size - 29
    if count < 1:
        return 0.0
    window = 0.0
    for t in range(30):
        window += energy[t]
    gate, total, above = 10 ** ((-70 + 0.691) / 10), 0.0, 0
    for i in range(count):
        short_term[i] = max(window, 0.0) / 30
        if short_term[i] > gate:
            total += short_term[i]
            above += 1
        if i + 30 < energy.size:
            window += energy[i + 30] - energy[i]
    if above == 0:
        return 0.0
    gate = max(gate, total / above / 100)
    kept = 0
    for i in range(count):
        if short_term[i] > gate:
            short_term[kept] = short_term[i]
            kept += 1
    part = np.sort(short_term[:kept])
    low, high = part[int((kept - 1) * 0.1 + 0.5)], part[int((kept - 1) * 0.95 + 0.5)]
    return 10 * math.log10(high / low)


@njit(cache=True, nogil=True, fastmath=True)
def scale(bus, slots, peaks, gain):
    """Multiply powers (and squared peaks) by a power gain."""
    for x in range(3):
        for b in range(bus.shape[1]):
            row = bus[x, b]
            for t in range(row.size):
                row[t] *= gain
    for k in range(slots.shape[0]):
        peaks[k] *= gain
        for c in range(slots.shape[1]):
            slots[k, c] *= gain


@njit(cache=True, nogil=True, fastmath=True)
def bus_ratio(bus, response, edges, before, ratio):
    """What a filter (b,) leaves of each coarse band of a bus: ratio (t, c); before (t,) scratch."""
    for c in range(edges.size - 1):
        for t in range(before.size):
            before[t] = _FLOOR
            ratio[t, c] = _FLOOR
        for b in range(edges[c], edges[c + 1]):
            h, left, right = np.float32(response[b]), bus[0, b], bus[1, b]
            for t in range(before.size):
                power = left[t] + right[t]
                before[t] += power
                ratio[t, c] += h * power
        for t in range(before.size):
            ratio[t, c] /= before[t]


@njit(cache=True, nogil=True, fastmath=True)
def mean_gain(slots, slot_frame, gains, taken, met, frame_gain):
    """Mean of gains (k,) over each frame, weighted by the power they meet: frame_gain (c, t)."""
    frame = 0
    taken[:] = _FLOOR
    met[:] = _FLOOR
    for k in range(slots.shape[0]):
        t = slot_frame[k]
        if t != frame:
            for c in range(met.size):
                frame_gain[c, frame] = taken[c] / met[c]
            frame = t
            taken[:] = _FLOOR
            met[:] = _FLOOR
        for c in range(met.size):
            met[c] += slots[k, c]
            taken[c] += gains[k] * slots[k, c]
    for c in range(met.size):
        frame_gain[c, frame] = taken[c] / met[c]


@njit(cache=True, nogil=True, fastmath=True)
def apply_gain(bus, slots, peaks, slot_frame, edges, gains, taken, met, frame_gain):
    """One power gain per slot (k,) on bus, slots and peaks."""
    mean_gain(slots, slot_frame, gains, taken, met, frame_gain)
    for c in range(edges.size - 1):
        for b in range(edges[c], edges[c + 1]):
            for x in range(3):
                row = bus[x, b]
                for t in range(row.size):
                    row[t] *= frame_gain[c, t]
    for k in range(slots.shape[0]):
        peaks[k] *= gains[k]
        for c in range(slots.shape[1]):
            slots[k, c] *= gains[k]


@njit(cache=True, nogil=True, fastmath=True)
def filter_bus(bus, slots, peaks, slot_frame, edges, response, before, ratio):
    """A filter's squared magnitude (b,) on bus, slots and peaks."""
    bus_ratio(bus, response, edges, before, ratio)
    for x in range(3):
        for b in range(bus.shape[1]):
            row, h = bus[x, b], np.float32(response[b])
            for t in range(row.size):
                row[t] *= h
    for k in range(slots.shape[0]):
        t = slot_frame[k]
        power_in, power_out = _FLOOR, _FLOOR
        for c in range(slots.shape[1]):
            power_in += slots[k, c]
            slots[k, c] *= ratio[t, c]
            power_out += slots[k, c]
        peaks[k] *= power_out / power_in


@njit(cache=True, nogil=True, fastmath=True)
def compress(
    values, bus, slots, peaks, slot_frame, edges, slots_per_s, lanes, taken, met, frame_gain
):
    """The mix-bus compressor."""
    detector_in, gains, dynamics, memory = lanes
    threshold, ratio = values[C_THRESHOLD], values[C_RATIO]
    for k in range(slots.shape[0]):
        total = np.float32(0.0)
        for c in range(slots.shape[1]):
            total += slots[k, c]
        detector_in[k, 0] = total
    set_lane(
        0, NOMINAL_LUFS + threshold, ratio, values[C_KNEE], values[C_ATTACK], values[C_RELEASE],
        slots_per_s, dynamics,
    )  # fmt: skip
    follow(
        detector_in[:, :1], gains[:, :1], dynamics[0], dynamics[1], dynamics[2], dynamics[3],
        dynamics[4], smoothing(DETECTOR_MS, slots_per_s), memory[:, :1],
    )  # fmt: skip
    make_up = np.float32(10 ** (-static_gain_db(-threshold, ratio, values[C_KNEE]) / 10))
    for k in range(slots.shape[0]):
        gains[k, 0] *= make_up
    apply_gain(bus, slots, peaks, slot_frame, edges, gains[:, 0], taken, met, frame_gain[0])


@njit(cache=True, nogil=True, fastmath=True)
def compress_bands(
    values, bus, slots, peaks, slot_frame, edges, cos1, cos2, rate, slots_per_s, lanes, taken, met,
    frame_gain, response, amplitudes, before, ratios, band_slots,
):  # fmt: skip
    """The three-band compressor; Linkwitz-Riley bands are in phase, so amplitudes add."""
    detector_in, gains, dynamics, memory = lanes
    count, coarse = slots.shape
    low_pass_amplitude(values[X_LOW], rate, cos1, cos2, amplitudes[0])
    low_pass_amplitude(values[X_HIGH], rate, cos1, cos2, amplitudes[2])
    for b in range(response.size):
        low, up = amplitudes[0, b], amplitudes[2, b]
        amplitudes[1, b], amplitudes[2, b] = (1 - low) * up, (1 - low) * (1 - up)
    for band in range(3):
        for b in range(response.size):
            response[b] = amplitudes[band, b] * amplitudes[band, b]
        bus_ratio(bus, response, edges, before, ratios[band])
        for k in range(count):
            t = slot_frame[k]
            total = np.float32(0.0)
            for c in range(coarse):
                total += ratios[band, t, c] * slots[k, c]
            detector_in[k, band] = total
        first = (LOW, MID, HIGH)[band]
        set_lane(
            band, NOMINAL_LUFS + values[first], values[first + 1], BAND_KNEE_DB, values[first + 2],
            values[first + 3], slots_per_s, dynamics,
        )  # fmt: skip
    follow(
        detector_in, gains, dynamics[0], dynamics[1], dynamics[2], dynamics[3], dynamics[4],
        smoothing(DETECTOR_MS, slots_per_s), memory,
    )  # fmt: skip
    for band in range(3):
        first, level = (LOW, MID, HIGH)[band], (_LOW_LEVEL, _MID_LEVEL, _HIGH_LEVEL)[band]
        over_db = level - values[first]
        make_up = np.float32(10 ** (-static_gain_db(over_db, values[first + 1], BAND_KNEE_DB) / 10))
        for k in range(count):
            gains[k, band] *= make_up
            for c in range(coarse):
                band_slots[k, c] = ratios[band, slot_frame[k], c] * slots[k, c]
        mean_gain(band_slots, slot_frame, gains[:, band], taken, met, frame_gain[band])
        for c in range(coarse):
            for t in range(frame_gain.shape[2]):
                frame_gain[band, c, t] = math.sqrt(frame_gain[band, c, t])
    for c in range(coarse):
        low, mid, high = frame_gain[0, c], frame_gain[1, c], frame_gain[2, c]
        for b in range(edges[c], edges[c + 1]):
            first, second, third = amplitudes[0, b], amplitudes[1, b], amplitudes[2, b]
            for x in range(3):
                row = bus[x, b]
                for t in range(row.size):
                    total = first * low[t] + second * mid[t] + third * high[t]
                    row[t] *= total * total
    for k in range(count):
        t = slot_frame[k]
        low, mid = math.sqrt(gains[k, 0]), math.sqrt(gains[k, 1])
        high = math.sqrt(gains[k, 2])
        power_in, power_out = _FLOOR, _FLOOR
        for c in range(coarse):
            total = (
                low * math.sqrt(ratios[0, t, c])
                + mid * math.sqrt(ratios[1, t, c])
                + high * math.sqrt(ratios[2, t, c])
            )
            power_in += slots[k, c]
            slots[k, c] *= total * total
            power_out += slots[k, c]
        peaks[k] *= power_out / power_in


@njit(cache=True, nogil=True, fastmath=True)
def saturate(values, bus, slots, peaks, slot_frame, edges, gains, taken, met, frame_gain):
    """The level that soft saturation takes away.

    The gain of tanh for Gaussian input of standard deviation u is close to
    1 / sqrt(1 + pi u^2 / 2) (both have the limits 1 and sqrt(2 / pi) / u).
    """
    drive, mix = 10 ** ((values[S_DRIVE] + NOMINAL_GAIN_DB) / 10), values[S_MIX]
    for k in range(slots.shape[0]):
        power = np.float32(0.0)
        for c in range(slots.shape[1]):
            power += slots[k, c]
        wet = 1 / math.sqrt(1 + math.pi / 2 * drive * power / 2)
        gains[k] = ((1 - mix) + mix * wet) ** 2
        peak = math.sqrt(drive * peaks[k]) + 1e-9
        peaks[k] *= ((1 - mix) + mix * math.tanh(peak) / peak) ** 2 / gains[k]
    apply_gain(bus, slots, peaks, slot_frame, edges, gains, taken, met, frame_gain)


@njit(cache=True, nogil=True, fastmath=True)
def image(width, mono_below_hz, bus, rate, cos1):
    """Width, and the side's high-pass: two first-order sections, phase included."""
    n = math.tan(math.pi * mono_below_hz / rate)
    for b in range(bus.shape[1]):
        real, size = width, width * width
        if mono_below_hz > LOWEST_MONO_HZ:
            w = math.acos(min(1.0, max(-1.0, cos1[b])))
            ratio = math.tan(w / 2) / n
            power = ratio * ratio / (1 + ratio * ratio)
            real = width * power * math.cos(2 * math.atan2(1.0, ratio))
            size = (width * power) ** 2
        half, real, size = np.float32(0.5), np.float32(real), np.float32(size)
        left, right, cross = bus[0, b], bus[1, b], bus[2, b]
        for t in range(left.size):
            mid = half * (left[t] + right[t]) + cross[t]
            side = (half * (left[t] + right[t]) - cross[t]) * size
            both = half * (left[t] - right[t]) * real
            left[t] = half * (mid + side) + both
            right[t] = half * (mid + side) - both
            cross[t] = half * (mid - side)


@njit(cache=True, nogil=True)
def run_master(
    values, bus, slots, peaks, slot_frame, edges, cos1, cos2, rate, slots_per_s, lanes, taken, met,
    frame_gain, response, amplitudes, before, ratios, band_slots,
):  # fmt: skip
    """The mastering chain over a bus (3, b, t) at nominal loudness, in place.

    slots (k, c) and squared peaks (k,) follow it; the rest is scratch.
    """
    if values[C_ON] > 0.5 and values[C_RATIO] > 1.0:
        compress(
            values, bus, slots, peaks, slot_frame, edges, slots_per_s, lanes, taken, met, frame_gain
        )
    if values[EQ_ON] > 0.5:
        response[:] = 1.0
        shelf(values[LS_HZ], values[LS_DB], False, rate, cos1, cos2, response)
        bell(values[B1_HZ], values[B1_DB], values[B1_Q], rate, cos1, cos2, response)
        bell(values[B2_HZ], values[B2_DB], values[B2_Q], rate, cos1, cos2, response)
        shelf(values[HS_HZ], values[HS_DB], True, rate, cos1, cos2, response)
        filter_bus(bus, slots, peaks, slot_frame, edges, response, before, ratios[0])
    if values[M_ON] > 0.5:
        compress_bands(
            values, bus, slots, peaks, slot_frame, edges, cos1, cos2, rate, slots_per_s, lanes,
            taken, met, frame_gain, response, amplitudes, before, ratios, band_slots,
        )  # fmt: skip
    if values[S_ON] > 0.5 and values[S_MIX] > 0.0:
        saturate(
            values, bus, slots, peaks, slot_frame, edges, lanes[1][:, 0], taken, met, frame_gain[0]
        )
    if values[I_ON] > 0.5:
        image(values[I_WIDTH], values[I_MONO], bus, rate, cos1)
