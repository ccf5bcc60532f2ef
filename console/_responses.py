"""Squared magnitude responses of the console's filters, in Numba.

The same digital filters that `render` runs: pedalboard's are those of JUCE, which follow
R. Bristow-Johnson's "Audio EQ Cookbook"; the crossover's are in `crossover`.
"""

# mypy: allow-untyped-defs, allow-untyped-calls
from __future__ import annotations

import math

from numba import njit

SHELF_Q = 0.7071
HIGHEST = 0.45  # of the sample rate, as in `filters`


@njit(error_model="numpy", fastmath=True, forceinline=True)
def _section(b0, b1, b2, a0, a1, a2, cos1, cos2, out):
    """out[band] *= |H|^2, from cos(w) and cos(2 w) at the bands' centres."""
    n0, n1, n2 = b0 * b0 + b1 * b1 + b2 * b2, 2 * b1 * (b0 + b2), 2 * b0 * b2
    d0, d1, d2 = a0 * a0 + a1 * a1 + a2 * a2, 2 * a1 * (a0 + a2), 2 * a0 * a2
    for band in range(out.size):
        top = n0 + n1 * cos1[band] + n2 * cos2[band]
        out[band] *= max(top, 0.0) / (d0 + d1 * cos1[band] + d2 * cos2[band])


@njit(error_model="numpy", forceinline=True)
def bell(hz, gain_db, q, rate, cos1, cos2, out):
    """Multiply by a peaking filter."""
    if gain_db == 0.0 or hz >= HIGHEST * rate:
        return
    root = 10.0 ** (gain_db / 40.0)
    w = 2 * math.pi * hz / rate
    alpha, c = math.sin(w) / (2 * q), -2 * math.cos(w)
    _section(
        1 + alpha * root,
        c,
        1 - alpha * root,
        1 + alpha / root,
        c,
        1 - alpha / root,
        cos1,
        cos2,
        out,
    )


@njit(error_model="numpy", forceinline=True)
def shelf(hz, gain_db, high, rate, cos1, cos2, out):
    """Multiply by a low (high = False) or high shelf."""
    if gain_db == 0.0 or hz >= HIGHEST * rate:
        return
    root = 10.0 ** (gain_db / 40.0)
    w = 2 * math.pi * hz / rate
    sign = -1.0 if high else 1.0
    c, beta = sign * math.cos(w), math.sin(w) * math.sqrt(root) / SHELF_Q
    up, down = root + 1, root - 1
    _section(
        root * (up - down * c + beta),
        sign * 2 * root * (down - up * c),
        root * (up - down * c - beta),
        up + down * c + beta,
        -sign * 2 * (down + up * c),
        up + down * c - beta,
        cos1,
        cos2,
        out,
    )


@njit(error_model="numpy", forceinline=True)
def equalise(settings, rate, cos1, cos2, out):
    """Multiply by two shelves and two bells, settings (10,) in the order of the tables."""
    for n in range(2):
        shelf(settings[8 * n], settings[8 * n + 1], n == 1, rate, cos1, cos2, out)
        bell(settings[3 * n + 2], settings[3 * n + 3], settings[3 * n + 4], rate, cos1, cos2, out)


@njit(error_model="numpy", forceinline=True)
def high_pass(hz, rate, cos1, cos2, out):
    """Multiply by two first-order high-passes."""
    n = math.tan(math.pi * min(hz, HIGHEST * rate) / rate)
    for _ in range(2):
        _section(1.0, -1.0, 0.0, n + 1.0, n - 1.0, 0.0, cos1, cos2, out)


@njit(error_model="numpy", forceinline=True)
def high_pass_phase(hz, rate, w):
    """Phase of two first-order high-passes at w radians per sample."""
    n = math.tan(math.pi * min(hz, HIGHEST * rate) / rate)
    return 2.0 * math.atan2(n, math.tan(w / 2.0))


@njit(error_model="numpy", forceinline=True)
def low_pass(hz, rate, cos1, cos2, out):
    """Multiply by a first-order low-pass."""
    n = math.tan(math.pi * min(hz, HIGHEST * rate) / rate)
    _section(n, n, 0.0, n + 1.0, n - 1.0, 0.0, cos1, cos2, out)


@njit(error_model="numpy", forceinline=True)
def low_pass_amplitude(hz, rate, cos1, cos2, out):
    """Write the amplitude of a fourth-order Linkwitz-Riley low-pass; the high-pass is 1 - it."""
    k = math.tan(math.pi * min(hz, HIGHEST * rate) / rate)
    a0, a1, a2 = 1 + math.sqrt(2.0) * k + k * k, 2 * (k * k - 1), 1 - math.sqrt(2.0) * k + k * k
    out[:] = 1.0
    _section(k * k, 2 * k * k, k * k, a0, a1, a2, cos1, cos2, out)
