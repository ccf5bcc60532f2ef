"""Sections: where in a song other stems play than before."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from .levels import StemLevel
from .windows import activity

SHORTEST_S = 8
NEW_SECTION = 1.0  # what one has to explain: one stem in eight that plays half of 32 s, or more
MOST_SLOTS = 900  # seconds are taken together in songs that are longer


def find_sections(levels: Sequence[StemLevel]) -> list[tuple[int, int]]:
    """Cut a song where the stems that play change.

    The sections' means explain how much each stem plays in each second best in the sense of least
    squares, with a fixed price for each section, by dynamic programming: B. Jackson et al., "An
    algorithm for optimal partitioning of data on an interval", IEEE Signal Processing Letters 12,
    2005.

    Args:
        levels: of the stems.

    Returns:
        First second and the second behind the last of each section, one behind the other; one
        section where the song is shorter than two, none where it is silent.
    """
    seconds = max((len(level.seconds_lufs) for level in levels), default=0)
    plays = np.zeros((len(levels), seconds))
    for row, level in zip(plays, levels, strict=True):
        row[: len(level.seconds_lufs)] = activity(level)
    plays = plays[plays.any(axis=1)]
    if not plays.size:
        return []
    slot_s = -(-seconds // MOST_SLOTS)
    slots = np.add.reduceat(plays, np.arange(0, seconds, slot_s), axis=1) / slot_s
    borders = _borders(slots, -(-SHORTEST_S // slot_s), NEW_SECTION / slot_s)
    edges = [min(border * slot_s, seconds) for border in borders]
    return list(pairwise(edges))


def _borders(plays: NDArray[np.float64], shortest: int, price: float) -> list[int]:
    """Borders of the best sections of (stems, slots), the song's ends among them."""
    stems, slots = plays.shape
    sums = np.concatenate((np.zeros((stems, 1)), np.cumsum(plays, axis=1)), axis=1)
    squares = np.concatenate(([0.0], np.cumsum((plays**2).sum(axis=0))))
    cost = np.full(slots + 1, np.inf)
    cost[0] = 0.0
    before = np.zeros(slots + 1, dtype=np.int64)
    for end in range(min(shortest, slots), slots + 1):
        starts = np.arange(max(end - shortest, 0) + 1)
        means = (sums[:, end : end + 1] - sums[:, starts]) ** 2 / (end - starts)
        spread = (squares[end] - squares[starts] - means.sum(axis=0)) / stems
        totals = cost[starts] + spread + price
        best = int(np.argmin(totals))
        cost[end], before[end] = totals[best], starts[best]
    borders = [slots]
    while borders[-1]:
        borders.append(int(before[borders[-1]]))
    return borders[::-1]
