"""The control rate: how often levels are detected and gains set."""

from __future__ import annotations

import math

NOMINAL_HOP = 64  # samples at 44.1 and 48 kHz, 1.5 and 1.3 ms
NOMINAL_RATE = 48_000
QUANTUM = 8192  # frames; pedalboard works in buffers of this size, and rounds at their ends


def control_hop(sample_rate: int) -> int:
    """Samples between control points: a power of two of about 1.3 ms at any rate.

    It divides `QUANTUM`, so blocks of whole quanta hold no partial slot.
    """
    octaves = round(math.log2(sample_rate / NOMINAL_RATE))
    return int(max(8, NOMINAL_HOP * 2.0**octaves))


def whole_quanta(block_frames: int) -> int:
    """The block length that is used for an asked one: rounded up to whole quanta.

    Every stage then sees its buffers end at the same frames, and the result is the same to the
    last bit whatever block length was asked for.
    """
    return max(1, -(-block_frames // QUANTUM)) * QUANTUM


def smoothing(time_ms: float, points_per_s: float) -> float:
    """Coefficient of a one-pole smoother whose step response covers 1 - 1/e in `time_ms`.

    Giannoulis, Massberg and Reiss, "Digital Dynamic Range Compressor Design", JAES 60(6),
    2012, eq. (7).
    """
    return math.exp(-1000.0 / (max(time_ms, 1e-3) * points_per_s))
