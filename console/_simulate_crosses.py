"""Stems that interfere on the mix bus, in Numba; see `_simulate`.

Where two stems carry the same sound, or two steady notes beat, powers do not simply add. The
products of pairs of stems, octave by octave, are scaled as the two stems
are, turned by the phase between their high-passes, and added.
"""

# mypy: allow-untyped-defs, allow-untyped-calls
from __future__ import annotations

import math

import numpy as np
from numba import njit

from ._dynamics import _FLOOR
from ._responses import high_pass_phase
from ._simulate import HP_HZ, HP_ON, LOWEST_HZ
from .analysis import SLOTS

LEAST = np.float32(0.05)  # of the sum of powers stays, whatever cancels


@njit(error_model="numpy", fastmath=True, forceinline=True)
def add_crosses(
    strips, channels, pairs, crosses, sides, gains, edges, band_w, rate, turns, extra, ratios, bus,
    bus_slots, wants_slots,
):  # fmt: skip
    """Scale bus (3, b, t) and bus_slots (c, j, t) by what interference adds to their powers.

    Args:
        pairs (p, 2), crosses (p, 2 sides, c, t): see `Analysis`.
        sides (s, 2 sides, 2): amplitude on either side of a stem's channel of that side, and of
            its other channel, by fader, pan and width.
        gains (s, c, t): amplitude by equaliser and compressor.
        band_w (c,): middles of the bands, radians per sample.
        turns (s, c, 2), extra (2, c, t), ratios (2, t): scratch.

    Of what one stem's left and the other's right channel have in common nothing is known; it is
    taken for the mean of what the left and what the right channels have.
    """
    extra[:] = 0.0
    bands = gains.shape[1]
    half = np.float32(0.5)
    for s in range(strips.shape[0]):
        for c in range(bands):
            phase = _phase(strips[s], rate, band_w[c])
            turns[s, c, 0], turns[s, c, 1] = math.cos(phase), math.sin(phase)
    for p in range(pairs.shape[0]):
        i, j = pairs[p, 0], pairs[p, 1]
        for c in range(bands):
            both = turns[i, c, 0] * turns[j, c, 0] + turns[i, c, 1] * turns[j, c, 1]
            both *= np.float32(2.0)
            one, other = gains[i, c], gains[j, c]
            for x in range(2):
                a, b = sides[i, x, 0], sides[i, x, 1]
                d, e = sides[j, x, 0], sides[j, x, 1]
                if channels[i] == 1 or channels[j] == 1:
                    near, far = both * a * d, both * (a * e + b * d)
                else:
                    mixed = half * (a * e + b * d)
                    near, far = both * (a * d + mixed), both * (b * e + mixed)
                row, cross, across = extra[x, c], crosses[p, x, c], crosses[p, 1 - x, c]
                for t in range(row.size):
                    row[t] += one[t] * other[t] * (near * cross[t] + far * across[t])
    for c in range(bands):
        left, right = ratios[0], ratios[1]
        _compare(bus[0], edges[c], edges[c + 1], extra[0, c], left)
        _compare(bus[1], edges[c], edges[c + 1], extra[1, c], right)
        for b in range(edges[c], edges[c + 1]):
            ll, rr, lr = bus[0, b], bus[1, b], bus[2, b]
            for t in range(left.size):
                ll[t] *= left[t]
            for t in range(left.size):
                rr[t] *= right[t]
            for t in range(left.size):
                lr[t] *= np.float32(math.sqrt(left[t] * right[t]))
        if wants_slots:
            for t in range(left.size):
                left[t] = np.float32(0.5) * (left[t] + right[t])
            for j in range(SLOTS):
                row = bus_slots[c, j]
                for t in range(row.size):
                    row[t] *= left[t]


@njit(error_model="numpy", fastmath=True, forceinline=True)
def _compare(bus, first, last, extra, ratio):
    """Power of a coarse band with what interference adds, over that without: ratio (t,)."""
    for t in range(ratio.size):
        ratio[t] = _FLOOR
    for b in range(first, last):
        row = bus[b]
        for t in range(ratio.size):
            ratio[t] += row[t]
    for t in range(ratio.size):
        ratio[t] = max(LEAST, np.float32(1.0) + extra[t] / ratio[t])


@njit(error_model="numpy", forceinline=True)
def _phase(values, rate, w):
    if values[HP_ON] > 0.5 and values[HP_HZ] > LOWEST_HZ:
        return high_pass_phase(values[HP_HZ], rate, w)
    return 0.0
