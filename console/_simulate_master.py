"""The mix bus through the mastering chain, in Numba; see `_simulate`."""

# mypy: allow-untyped-defs, allow-untyped-calls
from __future__ import annotations

import math

import numpy as np
from numba import njit

from ._dynamics import _FLOOR, GROUP, follow, set_compressor, static_gain_db
from ._responses import equalise, low_pass_amplitude
from ._simulate import detect
from .analysis import SLOTS
from .mastering import BAND_LEVELS_DB
from .parameters import MASTER, NOMINAL_LUFS
from .saturation import NOMINAL_GAIN_DB

(C_ON, C_THRESHOLD, C_RATIO, C_KNEE, C_ATTACK, C_RELEASE, EQ_ON, EQ_FIRST, EQ_LAST, M_ON, X_LOW,
 X_HIGH, LOW, MID, HIGH, S_ON, S_DRIVE, S_MIX, I_ON, I_WIDTH, I_MONO) = (
    MASTER.index(name)
    for name in (
        "bus_compressor_on", "bus_compressor_threshold_db", "bus_compressor_ratio",
        "bus_compressor_knee_db", "bus_compressor_attack_ms", "bus_compressor_release_ms",
        "master_eq_on", "master_low_shelf_hz", "master_high_shelf_db", "multiband_on",
        "crossover_low_hz", "crossover_high_hz", "low_threshold_db", "mid_threshold_db",
        "high_threshold_db", "saturation_on", "saturation_drive_db", "saturation_mix", "image_on",
        "master_width", "mono_below_hz",
    )
)  # fmt: skip
LOWEST_MONO_HZ = MASTER["mono_below_hz"].low
BAND_KNEE_DB = 6.0
_LOW_LEVEL, _MID_LEVEL, _HIGH_LEVEL = (BAND_LEVELS_DB[name] for name in ("low", "mid", "high"))


@njit(error_model="numpy", fastmath=True, forceinline=True)
def scale(bus, slots, peaks, gain):
    """Multiply powers (and squared peaks) by a power gain."""
    bus *= gain
    slots *= gain
    peaks *= gain


@njit(error_model="numpy", fastmath=True, forceinline=True)
def _bus_shares(bus, response, edges, before, shares):
    """What a filter (b,) leaves of a bus in coarse bands: shares (c, t); before (t,) is scratch."""
    for c in range(edges.size - 1):
        share = shares[c]
        for t in range(share.size):
            share[t] = _FLOOR
            before[t] = _FLOOR
        for b in range(edges[c], edges[c + 1]):
            h, left, right = np.float32(response[b]), bus[0, b], bus[1, b]
            for t in range(share.size):
                before[t] += left[t] + right[t]
            for t in range(share.size):
                share[t] += h * (left[t] + right[t])
        for t in range(share.size):
            share[t] /= before[t]


@njit(error_model="numpy", fastmath=True, forceinline=True)
def _met_gains(slots, gains, frame_gain):
    """Mean of gains (j, t) in each frame, weighted by the power in slots (c, j, t): (c, t)."""
    for c in range(slots.shape[0]):
        row = frame_gain[c]
        for t in range(row.size):
            met, taken = _FLOOR, _FLOOR
            for j in range(SLOTS):
                met += slots[c, j, t]
                taken += gains[j, t] * slots[c, j, t]
            row[t] = taken / met


@njit(error_model="numpy", fastmath=True, forceinline=True)
def _apply_gain(bus, slots, peaks, edges, gains, frame_gain):
    """One power gain per slot (j, t) on bus, slots and peaks."""
    _met_gains(slots, gains, frame_gain)
    flat = gains.reshape(-1)
    for c in range(edges.size - 1):
        row = slots[c].reshape(-1)
        for k in range(row.size):
            row[k] *= flat[k]
        gain = frame_gain[c]
        for b in range(edges[c], edges[c + 1]):
            for x in range(3):
                line = bus[x, b]
                for t in range(line.size):
                    line[t] *= gain[t]
    squares = peaks.reshape(-1)
    for k in range(flat.size):
        squares[k] *= flat[k]


@njit(error_model="numpy", fastmath=True, forceinline=True)
def _total_power(slots, total):
    """Slots (c, j, t) over bands: total (j, t)."""
    row = total.reshape(-1)
    for k in range(row.size):
        row[k] = _FLOOR
    for c in range(slots.shape[0]):
        part = slots[c].reshape(-1)
        for k in range(row.size):
            row[k] += part[k]


@njit(error_model="numpy", fastmath=True, forceinline=True)
def _filter_bus(bus, slots, peaks, edges, response, before, shares, totals):
    """A filter's squared magnitude (b,) on bus, slots and peaks."""
    _bus_shares(bus, response, edges, before, shares)
    for x in range(3):
        for b in range(bus.shape[1]):
            line, h = bus[x, b], np.float32(response[b])
            for t in range(line.size):
                line[t] *= h
    _total_power(slots, totals[0])
    for c in range(slots.shape[0]):
        share = shares[c]
        for j in range(SLOTS):
            row = slots[c, j]
            for t in range(row.size):
                row[t] *= share[t]
    _total_power(slots, totals[1])
    _follow_peaks(peaks, totals)


@njit(error_model="numpy", fastmath=True, forceinline=True)
def _follow_peaks(peaks, totals):
    """Squared peaks change as the power of their slot, from totals[0] to totals[1], does."""
    before, after, squares = totals[0].reshape(-1), totals[1].reshape(-1), peaks.reshape(-1)
    for k in range(squares.size):
        squares[k] *= after[k] / before[k]


@njit(error_model="numpy", fastmath=True, forceinline=True)
def _compress(values, bus, slots, peaks, edges, slots_per_s, constants, totals, frame_gain):
    """The mix-bus compressor."""
    threshold, ratio = values[C_THRESHOLD], values[C_RATIO]
    gains = totals[0]
    _total_power(slots, gains)
    set_compressor(
        NOMINAL_LUFS + threshold, ratio, values[C_KNEE], values[C_ATTACK], values[C_RELEASE],
        slots_per_s, constants[0],
    )  # fmt: skip
    follow(totals[:GROUP], constants[:GROUP], slots_per_s)
    _scale(gains, np.float32(10 ** (-static_gain_db(-threshold, ratio, values[C_KNEE]) / 10)))
    _apply_gain(bus, slots, peaks, edges, gains, frame_gain)


@njit(error_model="numpy", fastmath=True, forceinline=True)
def _compress_bands(
    values, bus, slots, peaks, edges, cos1, cos2, rate, slots_per_s, constants, totals, frame_gains,
    response, amplitudes, before, shares,
):  # fmt: skip
    """The three-band compressor; Linkwitz-Riley bands are in phase, so amplitudes add."""
    for n in range(2):
        low_pass_amplitude(values[(X_LOW, X_HIGH)[n]], rate, cos1, cos2, amplitudes[2 * n])
    for b in range(response.size):
        low, up = amplitudes[0, b], amplitudes[2, b]
        amplitudes[1, b], amplitudes[2, b] = (1 - low) * up, (1 - low) * (1 - up)
    for band in range(3):
        first = (LOW, MID, HIGH)[band]
        for b in range(response.size):
            response[b] = amplitudes[band, b] * amplitudes[band, b]
        _bus_shares(bus, response, edges, before, shares[band])
        detect(slots, shares[band], totals[band])
        set_compressor(
            NOMINAL_LUFS + values[first], values[first + 1], BAND_KNEE_DB, values[first + 2],
            values[first + 3], slots_per_s, constants[band],
        )  # fmt: skip
    follow(totals[:GROUP], constants[:GROUP], slots_per_s)
    for band in range(3):
        first, level = (LOW, MID, HIGH)[band], (_LOW_LEVEL, _MID_LEVEL, _HIGH_LEVEL)[band]
        reduction_db = static_gain_db(level - values[first], values[first + 1], BAND_KNEE_DB)
        _scale(totals[band], np.float32(10 ** (-reduction_db / 10)))
        _met_gains(slots, totals[band], frame_gains[band])
        _take_roots(totals[band])
        _take_roots(frame_gains[band])
        _take_roots(shares[band])
    for c in range(edges.size - 1):
        low, mid, high = frame_gains[0, c], frame_gains[1, c], frame_gains[2, c]
        for b in range(edges[c], edges[c + 1]):
            lows, mids = np.float32(amplitudes[0, b]), np.float32(amplitudes[1, b])
            highs = np.float32(amplitudes[2, b])
            for t in range(before.size):
                before[t] = (lows * low[t] + mids * mid[t] + highs * high[t]) ** 2
            for x in range(3):
                line = bus[x, b]
                for t in range(line.size):
                    line[t] *= before[t]
    total = totals[GROUP]
    _total_power(slots, total)
    for c in range(slots.shape[0]):
        low, mid, high = shares[0, c], shares[1, c], shares[2, c]
        for j in range(SLOTS):
            lows, mids, highs = totals[0, j], totals[1, j], totals[2, j]
            for t in range(before.size):
                before[t] = (low[t] * lows[t] + mid[t] * mids[t] + high[t] * highs[t]) ** 2
            row = slots[c, j]
            for t in range(before.size):
                row[t] *= before[t]
    _total_power(slots, totals[GROUP + 1])
    _follow_peaks(peaks, totals[GROUP:])


@njit(error_model="numpy", fastmath=True, forceinline=True)
def _scale(powers, factor):
    row = powers.reshape(-1)
    for k in range(row.size):
        row[k] *= factor


@njit(error_model="numpy", fastmath=True, forceinline=True)
def _take_roots(powers):
    row = powers.reshape(-1)
    for k in range(row.size):
        row[k] = np.float32(math.sqrt(row[k]))


@njit(error_model="numpy", fastmath=True, forceinline=True)
def _saturate(values, bus, slots, peaks, edges, totals, frame_gain):
    """The level that soft saturation takes away.

    The gain of tanh for Gaussian input of standard deviation u is close to
    1 / sqrt(1 + pi u^2 / 2) (both have the limits 1 and sqrt(2 / pi) / u).
    """
    drive, mix = np.float32(10 ** ((values[S_DRIVE] + NOMINAL_GAIN_DB) / 10)), values[S_MIX]
    dry, wet = np.float32(1.0 - mix), np.float32(mix)
    half_pi, half = np.float32(math.pi / 2), np.float32(0.5)
    gains = totals[0]
    _total_power(slots, gains)
    flat, squares = gains.reshape(-1), peaks.reshape(-1)
    for k in range(flat.size):
        root = np.float32(math.sqrt(np.float32(1.0) + half_pi * drive * flat[k] * half))
        flat[k] = (dry + wet / root) ** 2
    for k in range(flat.size):
        peak = math.sqrt(drive * squares[k]) + 1e-9
        squares[k] *= ((1 - mix) + mix * math.tanh(peak) / peak) ** 2 / flat[k]
    _apply_gain(bus, slots, peaks, edges, gains, frame_gain)


@njit(error_model="numpy", fastmath=True, forceinline=True)
def _image(width, mono_below_hz, bus, rate, cos1):
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


@njit(error_model="numpy", forceinline=True)
def run_master(
    values, bus, slots, peaks, edges, cos1, cos2, rate, slots_per_s, constants, totals, frame_gains,
    response, amplitudes, before, shares,
):  # fmt: skip
    """The mastering chain over a bus (3, b, t) at nominal loudness, in place.

    slots (c, j, t) and squared peaks (j, t) follow it; the rest is scratch.
    """
    if values[C_ON] > 0.5 and values[C_RATIO] > 1.0:
        _compress(values, bus, slots, peaks, edges, slots_per_s, constants, totals, frame_gains[0])
    if values[EQ_ON] > 0.5:
        response[:] = 1.0
        equalise(values[EQ_FIRST : EQ_LAST + 1], rate, cos1, cos2, response)
        _filter_bus(bus, slots, peaks, edges, response, before, shares[0], totals)
    if values[M_ON] > 0.5:
        _compress_bands(
            values, bus, slots, peaks, edges, cos1, cos2, rate, slots_per_s, constants, totals,
            frame_gains, response, amplitudes, before, shares,
        )  # fmt: skip
    if values[S_ON] > 0.5 and values[S_MIX] > 0.0:
        _saturate(values, bus, slots, peaks, edges, totals, frame_gains[0])
    if values[I_ON] > 0.5:
        _image(values[I_WIDTH], values[I_MONO], bus, rate, cos1)
