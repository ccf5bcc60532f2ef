"""Peaks of the mix bus from the stems' samples at chosen instants, in Numba; see `_simulate`."""

# mypy: allow-untyped-defs, allow-untyped-calls
from __future__ import annotations

import math

import numpy as np
from numba import njit

from .analysis import SLOTS


@njit(error_model="numpy", fastmath=True, forceinline=True)
def unplaced_power(balance, matrix):
    """Power of a stem before pan, width and fader, matrix (3, 3), over that behind them.

    balance (3,): <LL>, <RR> and <LR> of the whole stem.
    """
    placed = 1e-30
    for x in range(2):
        placed += matrix[x, 0] * balance[0] + matrix[x, 1] * balance[1] + matrix[x, 2] * balance[2]
    return np.float32((balance[0] + balance[1]) / placed)


@njit(error_model="numpy", fastmath=True, forceinline=True)
def place_samples(samples, inverse_power, unplaced, amplitudes, out, peaks):
    """Add one stem's samples at the slots' instants to both sides' sums: peaks (2, j, t).

    samples (2 sides, 2 channels, j, t); inverse_power (j, t) of its slots; out (j, t): their power
    on the bus, overwritten; unplaced: see `unplaced_power`. A sample grows as its slot's power
    does, beyond what pan and fader, amplitudes (2, 2), do to it.
    """
    flat, inverse = out.reshape(-1), inverse_power.reshape(-1)
    for k in range(flat.size):
        flat[k] = np.float32(math.sqrt(unplaced * flat[k] * inverse[k]))
    for x in range(2):
        a, b = np.float32(amplitudes[x, 0]), np.float32(amplitudes[x, 1])
        total = peaks[x].reshape(-1)
        left, right = samples[x, 0].reshape(-1), samples[x, 1].reshape(-1)
        for k in range(total.size):
            total[k] += flat[k] * (a * left[k] + b * right[k])


@njit(error_model="numpy", fastmath=True, forceinline=True)
def join_peaks(peaks, returned):
    """Squared peaks of the louder side, to peaks[0]; returned (t,): power of reverb and delay."""
    half = np.float32(0.5)
    for j in range(SLOTS):
        left, right = peaks[0, j], peaks[1, j]
        for t in range(left.size):
            reach = max(abs(left[t]), abs(right[t])) + np.float32(math.sqrt(half * returned[t]))
            left[t] = reach * reach
