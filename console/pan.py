"""Panning and stereo width."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray


def pan_matrix(pan: float, width: float, channels: int, gain: float = 1.0) -> NDArray[np.float32]:
    """What takes one stem to left and right.

    Args:
        pan: -1 left, 0 centre, +1 right. A mono stem obeys the constant-power (sine) law. A
            stereo stem is balanced by the same law scaled to leave the centre untouched, and
            what leaves one side is not folded into the other.
        width: side over mid of a stereo stem: 0 mono, 1 as it is, 1.5 wide. Mono stems have none.
        channels: 1 or 2.
        gain: linear gain of the whole.

    Returns:
        Matrix (2, channels) for `out = matrix @ audio`.
    """
    angle = (pan + 1.0) * math.pi / 4.0
    left, right = math.cos(angle) * gain, math.sin(angle) * gain
    if channels == 1:
        return np.array([[left], [right]], dtype=np.float32)
    same, other = (1.0 + width) / 2.0, (1.0 - width) / 2.0
    root = math.sqrt(2.0)
    rows = [[left * root * same, left * root * other], [right * root * other, right * root * same]]
    return np.array(rows, dtype=np.float32)
