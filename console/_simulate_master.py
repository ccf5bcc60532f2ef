"""The mix bus through the mastering chain and the meters, in Numba; see `_simulate`."""

from __future__ import annotations

import math

import numpy as np
from numba import njit

from ._responses import bell, low_pass_amplitude, shelf
from ._simulate import _FLOOR, follow, frame_means, set_lane, smoothing, static_gain_db
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
    """K-weighted power of a bus (3, t, b) per frame: energy (t,)."""
    for t in range(bus.shape[1]):
        total = np.float32(0.0)
        for b in range(bus.shape[2]):
            total += kweight[b] * (bus[0, t, b] + bus[1, t, b])
        energy[t] = total


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
        for t in range(bus.shape[1]):
            for b in range(bus.shape[2]):
                bus[x, t, b] *= gain
    for k in range(slots.shape[0]):
        peaks[k] *= gain
        for c in range(slots.shape[1]):
            slots[k, c] *= gain


@njit(cache=True, nogil=True, fastmath=True)
def coarse_ratio(bus, response, coarse_of, before, ratio):
    """What a filter leaves of each coarse band of a bus: ratio (t, c); before (t, c) is scratch."""
    for t in range(bus.shape[1]):
        ratio[t] = 0.0
        before[t] = _FLOOR
        for b in range(bus.shape[2]):
            power = bus[0, t, b] + bus[1, t, b]
            before[t, coarse_of[b]] += power
            ratio[t, coarse_of[b]] += np.float32(response[b]) * power
        for c in range(ratio.shape[1]):
            ratio[t, c] /= before[t, c]


@njit(cache=True, nogil=True, fastmath=True)
def bus_gains(slots, slot_frame, ratio, lane, detector_in):
    """Detector power of one lane (k, lanes): slots (k, c) through a filter's ratio (t, c)."""
    for k in range(slots.shape[0]):
        t = slot_frame[k]
        total = np.float32(0.0)
        for c in range(slots.shape[1]):
            total += ratio[t, c] * slots[k, c]
        detector_in[k, lane] = total


@njit(cache=True, nogil=True)
def run_master(
    values, bus, slots, peaks, slot_frame, coarse_of, cos1, cos2, rate, slots_per_s, slots3,
    response, amplitudes, before, ratio, ratios3, detector_in, gains, frame_gains, dynamics,
    memory,
):  # fmt: skip
    """The mastering chain over a bus at nominal loudness, in place.

    bus (3, t, b); slots (k, c) and squared peaks (k,) follow it. detector_in and gains (k, 3),
    frame_gains (t, c, 3), slots3 (k, c, 3), ratios3 (3, t, c), amplitudes (3, b) are scratch.
    """
    _, frames, bands = bus.shape
    count, coarse = slots.shape
    detector = smoothing(DETECTOR_MS, slots_per_s)
    if values[C_ON] > 0.5 and values[C_RATIO] > 1.0:
        threshold, ratio_to_one = values[C_THRESHOLD], values[C_RATIO]
        ratio[:] = 1.0
        bus_gains(slots, slot_frame, ratio, 0, detector_in)
        set_lane(
            0, NOMINAL_LUFS + threshold, ratio_to_one, values[C_KNEE], values[C_ATTACK],
            values[C_RELEASE], slots_per_s, dynamics,
        )  # fmt: skip
        follow_lanes(detector_in[:, :1], gains[:, :1], dynamics[:, :1], detector, memory[:, :1])
        make_up = 10 ** (-static_gain_db(-threshold, ratio_to_one, values[C_KNEE]) / 10)
        for k in range(count):
            gains[k, 0] *= make_up
            for c in range(coarse):
                slots3[k, c, 0] = slots[k, c]
        frame_means(slots3[:, :, :1], slot_frame, gains[:, :1], frame_gains[:, :, :1])
        for t in range(frames):
            for b in range(bands):
                gain = frame_gains[t, coarse_of[b], 0]
                for x in range(3):
                    bus[x, t, b] *= gain
        for k in range(count):
            peaks[k] *= gains[k, 0]
            for c in range(coarse):
                slots[k, c] *= gains[k, 0]
    if values[EQ_ON] > 0.5:
        response[:] = 1.0
        shelf(values[LS_HZ], values[LS_DB], False, rate, cos1, cos2, response)
        bell(values[B1_HZ], values[B1_DB], values[B1_Q], rate, cos1, cos2, response)
        bell(values[B2_HZ], values[B2_DB], values[B2_Q], rate, cos1, cos2, response)
        shelf(values[HS_HZ], values[HS_DB], True, rate, cos1, cos2, response)
        filter_bus(bus, slots, peaks, slot_frame, coarse_of, response, before, ratio)
    if values[M_ON] > 0.5:
        low_pass_amplitude(values[X_LOW], rate, cos1, cos2, amplitudes[0])
        low_pass_amplitude(values[X_HIGH], rate, cos1, cos2, amplitudes[2])
        for b in range(bands):
            low, up = amplitudes[0, b], amplitudes[2, b]
            amplitudes[1, b], amplitudes[2, b] = (1 - low) * up, (1 - low) * (1 - up)
        for band in range(3):
            first = (LOW, MID, HIGH)[band]
            level = (_LOW_LEVEL, _MID_LEVEL, _HIGH_LEVEL)[band]
            for b in range(bands):
                response[b] = amplitudes[band, b] ** 2
            coarse_ratio(bus, response, coarse_of, before, ratios3[band])
            bus_gains(slots, slot_frame, ratios3[band], band, detector_in)
            threshold, one = values[first], values[first + 1]
            set_lane(
                band, NOMINAL_LUFS + threshold, one, BAND_KNEE_DB, values[first + 2],
                values[first + 3], slots_per_s, dynamics,
            )  # fmt: skip
            memory[2, band] = 10 ** (-static_gain_db(level - threshold, one, BAND_KNEE_DB) / 10)
        follow_lanes(detector_in, gains, dynamics, detector, memory)
        for k in range(count):
            for band in range(3):
                gains[k, band] *= memory[2, band]
                for c in range(coarse):
                    slots3[k, c, band] = ratios3[band, slot_frame[k], c] * slots[k, c]
        frame_means(slots3, slot_frame, gains, frame_gains)
        for t in range(frames):
            for b in range(bands):
                total = 0.0
                for band in range(3):
                    total += amplitudes[band, b] * math.sqrt(frame_gains[t, coarse_of[b], band])
                for x in range(3):
                    bus[x, t, b] *= total * total
        for k in range(count):
            power_in, power_out = _FLOOR, _FLOOR
            for c in range(coarse):
                amplitude = 0.0
                for band in range(3):
                    amplitude += math.sqrt(ratios3[band, slot_frame[k], c] * gains[k, band])
                power_in += slots[k, c]
                slots[k, c] *= amplitude * amplitude
                power_out += slots[k, c]
            peaks[k] *= power_out / power_in
    if values[S_ON] > 0.5 and values[S_MIX] > 0.0:
        saturate(
            values[S_DRIVE],
            values[S_MIX],
            bus,
            slots,
            peaks,
            slot_frame,
            slots3,
            gains,
            frame_gains,
            coarse_of,
        )
    if values[I_ON] > 0.5:
        image(values[I_WIDTH], values[I_MONO], bus, rate, cos1, cos2, response)


@njit(cache=True, nogil=True)
def follow_lanes(detector_in, gains, dynamics, detector, memory):
    """`follow` with its constants taken from dynamics (5, lanes)."""
    follow(
        detector_in, gains, dynamics[0], dynamics[1], dynamics[2], dynamics[3], dynamics[4],
        detector, memory[:2],
    )  # fmt: skip


@njit(cache=True, nogil=True, fastmath=True)
def filter_bus(bus, slots, peaks, slot_frame, coarse_of, response, before, ratio):
    """A filter's squared magnitude (b,) on bus, slots and peaks."""
    coarse_ratio(bus, response, coarse_of, before, ratio)
    for x in range(3):
        for t in range(bus.shape[1]):
            for b in range(bus.shape[2]):
                bus[x, t, b] *= np.float32(response[b])
    for k in range(slots.shape[0]):
        t = slot_frame[k]
        power_in, power_out = _FLOOR, _FLOOR
        for c in range(slots.shape[1]):
            power_in += slots[k, c]
            slots[k, c] *= ratio[t, c]
            power_out += slots[k, c]
        peaks[k] *= power_out / power_in


@njit(cache=True, nogil=True, fastmath=True)
def saturate(
    drive_db, mix, bus, slots, peaks, slot_frame, slots3, gains, frame_gains, coarse_of
):  # fmt: skip
    """The level that soft saturation takes away.

    The gain of tanh for Gaussian input of standard deviation u is close to
    1 / sqrt(1 + pi u^2 / 2) (both have the limits 1 and sqrt(2 / pi) / u).
    """
    drive = 10 ** ((drive_db + NOMINAL_GAIN_DB) / 10)
    for k in range(slots.shape[0]):
        power = np.float32(0.0)
        for c in range(slots.shape[1]):
            power += slots[k, c]
            slots3[k, c, 0] = slots[k, c]
        wet = 1 / math.sqrt(1 + math.pi / 2 * drive * power / 2)
        gain = ((1 - mix) + mix * wet) ** 2
        gains[k, 0] = gain
        for c in range(slots.shape[1]):
            slots[k, c] *= gain
        peak = math.sqrt(drive * peaks[k]) + 1e-9
        peaks[k] *= ((1 - mix) + mix * math.tanh(peak) / peak) ** 2
    frame_means(slots3[:, :, :1], slot_frame, gains[:, :1], frame_gains[:, :, :1])
    for t in range(bus.shape[1]):
        for b in range(bus.shape[2]):
            for x in range(3):
                bus[x, t, b] *= frame_gains[t, coarse_of[b], 0]


@njit(cache=True, nogil=True, fastmath=True)
def image(width, mono_below_hz, bus, rate, cos1, cos2, response):
    """Width, and the side's high-pass: two first-order sections, phase included."""
    n = math.tan(math.pi * mono_below_hz / rate)
    for b in range(bus.shape[2]):
        real, size = width, width * width
        if mono_below_hz > LOWEST_MONO_HZ:
            w = math.acos(min(1.0, max(-1.0, cos1[b])))
            ratio = math.tan(w / 2) / n
            one = ratio / math.sqrt(1 + ratio * ratio)
            phase = 2 * math.atan2(1.0, ratio)
            real, size = width * one * one * math.cos(phase), (width * one * one) ** 2
        for t in range(bus.shape[1]):
            left, right, cross = bus[0, t, b], bus[1, t, b], bus[2, t, b]
            mid, side, both = (
                0.5 * (left + right) + cross,
                (0.5 * (left + right) - cross) * size,
                0.5 * (left - right) * real,
            )
            bus[0, t, b] = 0.5 * (mid + side) + both
            bus[1, t, b] = 0.5 * (mid + side) - both
            bus[2, t, b] = 0.5 * (mid - side)
