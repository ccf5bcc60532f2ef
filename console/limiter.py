"""A look-ahead true-peak limiter with the gain computed at a control rate.

The peaks it must hold are read once, at 8x oversampling (ITU-R BS.1770-5 annex 2), slot by
slot; after that any drive can be tried in milliseconds, which is what finding a target
loudness takes.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ._kernels import limiter_gains, ramp_gain
from .control import control_hop, smoothing

SLOTS_PER_HOP = 2  # limiter slots in one control hop of the compressors


def limiter_hop(sample_rate: int) -> int:
    """Frames between the limiter's control points, about 0.7 ms at any rate."""
    return control_hop(sample_rate) // SLOTS_PER_HOP


@dataclass(frozen=True, slots=True)
class LimiterSettings:
    """What the limiter is set to."""

    ceiling_dbtp: float = -1.0
    look_ahead_ms: float = 3.0
    release_ms: float = 100.0


def limiter_curve(
    peaks: NDArray[np.float32],
    drive_db: float,
    settings: LimiterSettings,
    sample_rate: int,
) -> NDArray[np.float32]:
    """Gain at the borders of the slots, drive included.

    Args:
        peaks: linear true peak per slot of `limiter_hop` frames, shape (slots,).
        drive_db: gain ahead of the limiter.
        settings: ceiling, look-ahead, release.
        sample_rate: in Hz.

    Returns:
        Linear gains, shape (slots + 1,), to be joined by straight lines.
    """
    hop = limiter_hop(sample_rate)
    slots_per_s = sample_rate / hop
    gains = np.empty(len(peaks) + 1, dtype=np.float32)
    limiter_gains(
        peaks,
        drive_db,
        settings.ceiling_dbtp,
        max(1, round(settings.look_ahead_ms / 1000 * slots_per_s)),
        smoothing(settings.release_ms, slots_per_s),
        gains,
    )
    return gains


def apply_curve(
    audio: NDArray[np.float32], start: int, gains: NDArray[np.float32], sample_rate: int
) -> None:
    """Multiply one block in place by its part of a limiter curve.

    Args:
        audio: shape (2, frames).
        start: the block's first frame in the whole.
        gains: from `limiter_curve`.
        sample_rate: in Hz.
    """
    hop = limiter_hop(sample_rate)
    ramp_gain(audio, gains[start // hop :], hop, start % hop)
