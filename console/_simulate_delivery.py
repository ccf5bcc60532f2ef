"""Target loudness under a true-peak ceiling, in Numba; see `_simulate` and `delivery`."""

from __future__ import annotations

import math

import numpy as np
from numba import njit

from ._dynamics import _exp2, _log2
from ._simulate_meters import gated_power, lufs
from .analysis import SLOTS
from .delivery import SAFETY_DB
from .parameters import MASTER

(LOUDNESS_ON, TARGET, LIMITER_ON, CEILING, LOOK_AHEAD_MS, RELEASE_MS) = (
    MASTER.index(name)
    for name in (
        "loudness_on", "target_lufs", "limiter_on", "ceiling_dbtp", "limiter_look_ahead_ms",
        "limiter_release_ms",
    )
)  # fmt: skip
# Drives that are tried at once, in dB above the one that would do without a limiter.
STEPS_DB = np.array(
    [0, 0.25, 0.5, 1, 1.5, 2, 3, 4, 5, 6, 8, 10, 13, 17, 24, 36], dtype=np.float32
)
DRIVES = 16
_DB_PER_OCTAVE = np.float32(10.0 * math.log10(2.0))


@njit(cache=True, nogil=True, error_model="numpy")
def deliver(values, energy, slot_weights, peaks, slots_per_s, needs, held, limited, reduction):
    """Drive, and what the limiter does to energy (t,) of K-weighted frames, in place.

    Args:
        slot_weights: K-weighted power in slots, (t, j).
        peaks: squared, (k,).
        needs (k,), held (DRIVES,), limited (DRIVES, t), reduction (DRIVES,): scratch.

    Returns:
        Drive, true peak of the master in dBTP, mean gain reduction in dB.
    """
    loudness = lufs(gated_power(energy, energy)[0])
    if not math.isfinite(loudness):
        return 0.0, -math.inf, 0.0
    drive = 0.0
    seeks = values[LOUDNESS_ON] > 0.5
    if seeks:
        drive = values[TARGET] - loudness
    highest = np.float32(0.0)
    for k in range(peaks.size):
        highest = max(highest, peaks[k])
    peak_db = 10 * math.log10(highest + 1e-20) + drive
    if values[LIMITER_ON] < 0.5 or peak_db <= values[CEILING]:
        energy *= np.float32(10 ** (drive / 10))
        return drive, peak_db, 0.0
    ceiling = values[CEILING] - SAFETY_DB
    for k in range(peaks.size):
        needs[k] = np.float32(ceiling - drive) - _DB_PER_OCTAVE * _log2(peaks[k] + 1e-20)
    tried = DRIVES if seeks else 1
    slot_ms = 1000.0 / slots_per_s
    limit(
        needs, slot_weights, energy, values[LOOK_AHEAD_MS] / slot_ms,
        values[RELEASE_MS] / slot_ms, held, limited, reduction,
    )  # fmt: skip
    low, part = 0, 0.0
    if seeks:
        high = tried - 1
        bottom = lufs(gated_power(limited[0], limited[0])[0]) - loudness
        top = lufs(gated_power(limited[high], limited[high])[0]) - loudness
        while high - low > 1:
            middle = (low + high) // 2
            reached = lufs(gated_power(limited[middle], limited[middle])[0]) - loudness
            if reached < 0.0:
                low, bottom = middle, reached
            else:
                high, top = middle, reached
        if top > bottom:
            part = min(1.0, max(0.0, -bottom / (top - bottom)))
    else:
        high = 0
    now, late = np.float32(1.0 - part), np.float32(part)
    gain = np.float32(10 ** (drive / 10))
    for t in range(energy.size):
        energy[t] = gain * (now * limited[low, t] + late * limited[high, t])
    taken = (1.0 - part) * reduction[low] + part * reduction[high]
    drive += (1.0 - part) * STEPS_DB[low] + part * STEPS_DB[high]
    return drive, ceiling, taken


@njit(cache=True, nogil=True, error_model="numpy", fastmath=True)
def limit(needs, slot_weights, energy, look_ahead, release, held, limited, reduction):
    """A look-ahead limiter at the slots' rate, for all drives at once.

    needs (k,): gain in dB that each slot may have, 0 dB of extra drive. look_ahead and release in
    slots. Where in a slot its peak falls is unknown: on average the gain falls `look_ahead` before
    the middle. Writes limited (DRIVES, t), energies per frame with drive and limiter, and
    reduction (DRIVES,), the mean gain reduction in dB.
    """
    after = np.float32(min(1.0, 0.5 + look_ahead))
    left = np.float32(math.exp(-1.0 / release))
    mean = np.float32((1.0 - left) * release)
    one, zero = np.float32(1.0), np.float32(0.0)
    held[:] = zero
    reduction[:] = zero
    limited[:] = zero
    row = np.empty(DRIVES, dtype=np.float32)
    for t in range(energy.size):
        row[:] = zero
        met = np.float32(1e-20)
        for j in range(SLOTS):
            need = needs[t * SLOTS + j]
            weight = slot_weights[t, j]
            met += weight
            for d in range(DRIVES):
                wanted = min(zero, need - STEPS_DB[d])
                distance = held[d] - wanted
                falls = distance > zero
                end = wanted if falls else wanted + left * distance
                level = (
                    wanted + (one - after) * distance if falls else wanted + mean * distance
                )
                held[d] = end
                reduction[d] -= level
                row[d] += weight * _exp2((level + STEPS_DB[d]) / _DB_PER_OCTAVE)
        share = energy[t] / met
        for d in range(DRIVES):
            limited[d, t] = row[d] * share
    for d in range(DRIVES):
        reduction[d] /= needs.size
