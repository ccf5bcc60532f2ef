"""Target loudness under a true-peak ceiling, in Numba; see `_simulate` and `delivery`."""

# mypy: allow-untyped-defs, allow-untyped-calls
from __future__ import annotations

import math

import numpy as np
from numba import njit

from ._dynamics import _exp2, _log2
from ._simulate_meters import gated_power, lufs
from .analysis import SLOTS
from .delivery import SAFETY_DB, TOLERANCE_LU
from .parameters import MASTER

(LOUDNESS_ON, TARGET, LIMITER_ON, CEILING, LOOK_AHEAD_MS, RELEASE_MS) = (
    MASTER.index(name)
    for name in (
        "loudness_on", "target_lufs", "limiter_on", "ceiling_dbtp", "limiter_look_ahead_ms",
        "limiter_release_ms",
    )
)  # fmt: skip
# Drives that are tried at once, in dB above the one that would do without a limiter.
STEPS_DB = np.array([0, 0.25, 0.5, 1, 1.5, 2, 3, 4, 5, 6, 8, 10, 13, 17, 24, 36], dtype=np.float32)
DRIVES = 16
_DB_PER_OCTAVE = np.float32(10.0 * math.log10(2.0))


@njit(error_model="numpy", forceinline=True)
def deliver(
    values, energy, loudness, slot_weights, peaks, slots_per_s, needs, held, limited, reduction
):  # fmt: skip
    """Drive, and what the limiter does to energy (t,) of K-weighted frames, in place.

    Args:
        loudness: of energy, in LUFS.
        slot_weights: K-weighted power in slots, (j, t).
        peaks: squared, (j, t).
        needs (j, t), held (2, DRIVES), limited (DRIVES, t), reduction (DRIVES,): scratch.

    Returns:
        Drive, true peak of the master in dBTP, mean gain reduction in dB.
    """
    if not math.isfinite(loudness):
        return 0.0, -math.inf, 0.0
    drive = 0.0
    seeks = values[LOUDNESS_ON] > 0.5
    if seeks:
        drive = values[TARGET] - loudness
    highest = np.float32(0.0)
    squares = peaks.reshape(-1)
    for k in range(squares.size):
        highest = max(highest, squares[k])
    peak_db = 10 * math.log10(highest + 1e-20) + drive
    if values[LIMITER_ON] < 0.5 or peak_db <= values[CEILING]:
        energy *= np.float32(10 ** (drive / 10))
        return drive, peak_db, 0.0
    ceiling = values[CEILING] - SAFETY_DB
    allowed, row = np.float32(ceiling - drive), needs.reshape(-1)
    for k in range(row.size):
        row[k] = allowed - _DB_PER_OCTAVE * _log2(squares[k] + np.float32(1e-20))
    tried = DRIVES if seeks else 1
    slot_ms = 1000.0 / slots_per_s
    limit(
        needs, slot_weights, energy, values[LOOK_AHEAD_MS] / slot_ms,
        values[RELEASE_MS] / slot_ms, held, limited, reduction,
    )  # fmt: skip
    low, high, part = 0, 0, 0.0
    if seeks:
        reached = held[0]
        for d in range(tried):
            reached[d] = lufs(gated_power(limited[d], limited[d])[0]) - loudness
        wanted = min(0.0, reached[tried - 1] - TOLERANCE_LU)
        while low < tried - 2 and reached[low + 1] < wanted:
            low += 1
        high = low + 1
        if reached[high] > reached[low]:
            part = (wanted - reached[low]) / (reached[high] - reached[low])
            part = min(1.0, max(0.0, part))
    now, late = np.float32(1.0 - part), np.float32(part)
    gain = np.float32(10 ** (drive / 10))
    for t in range(energy.size):
        energy[t] = gain * (now * limited[low, t] + late * limited[high, t])
    taken = (1.0 - part) * reduction[low] + part * reduction[high]
    drive += (1.0 - part) * STEPS_DB[low] + part * STEPS_DB[high]
    return drive, ceiling, taken


@njit(error_model="numpy", fastmath=True, forceinline=True)
def limit(needs, slot_weights, energy, look_ahead, release, held, limited, reduction):
    """A look-ahead limiter at the slots' rate, for all drives at once.

    needs (j, t): gain in dB that each slot may have, with 0 dB of extra drive. look_ahead and
    release in slots; held (2, DRIVES) is scratch. Where in a slot its peak falls is unknown: on
    average the gain falls `look_ahead` before the middle. Writes limited (DRIVES, t), energies per
    frame with drive and limiter, and reduction (DRIVES,), the mean gain reduction in dB.
    """
    after = np.float32(min(1.0, 0.5 + look_ahead))
    left = np.float32(math.exp(-1.0 / release))
    mean = np.float32((1.0 - left) * release)
    one, zero = np.float32(1.0), np.float32(0.0)
    gains, row = held[0], held[1]
    gains[:] = zero
    reduction[:] = zero
    limited[:] = zero
    for t in range(energy.size):
        row[:] = zero
        met = np.float32(1e-20)
        for j in range(SLOTS):
            need = needs[j, t]
            weight = slot_weights[j, t]
            met += weight
            for d in range(DRIVES):
                wanted = min(zero, need - STEPS_DB[d])
                distance = gains[d] - wanted
                falls = distance > zero
                end = wanted if falls else wanted + left * distance
                level = wanted + (one - after) * distance if falls else wanted + mean * distance
                gains[d] = end
                reduction[d] -= level
                row[d] += weight * _exp2((level + STEPS_DB[d]) / _DB_PER_OCTAVE)
        share = energy[t] / met
        for d in range(DRIVES):
            limited[d, t] = row[d] * share
    for d in range(DRIVES):
        reduction[d] /= energy.size * SLOTS


@njit(error_model="numpy", fastmath=True, forceinline=True)
def weigh_slots(slots, coarse_k, out):
    """K-weighted power in slots, out (j, t), from slots (c, j, t)."""
    row = out.reshape(-1)
    for k in range(row.size):
        row[k] = np.float32(0.0)
    for c in range(slots.shape[0]):
        part, weight = slots[c].reshape(-1), coarse_k[c]
        for k in range(row.size):
            row[k] += weight * part[k]


@njit(error_model="numpy", fastmath=True, forceinline=True)
def apply_drive(bus, before, after, frames):
    """Scale a bus (3, b, t) as its K-weighted frames were scaled, (t,); before is overwritten."""
    for t in range(frames):
        before[t] = after[t] / (before[t] + np.float32(1e-20))
    for x in range(3):
        for b in range(bus.shape[1]):
            row = bus[x, b]
            for t in range(frames):
                row[t] *= before[t]
