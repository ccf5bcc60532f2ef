"""A few of many that differ most."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def spread_out(
    places: NDArray[np.float64], scores: NDArray[np.float64], count: int
) -> NDArray[np.int64]:
    """The best, then each time what lies furthest from all that were chosen.

    T. F. Gonzalez, "Clustering to minimize the maximum intercluster distance", Theoretical Computer
    Science 38 (1985).

    Args:
        places: shape (points, axes); every axis counts by its own range.
        scores: (points,).
        count: how many at most.

    Returns:
        Indices in the order of the scores, best first, each once.
    """
    extent = np.ptp(places, axis=0)
    scaled = places / np.where(extent > 0, extent, 1.0)
    chosen = [int(np.argmax(scores))]
    distance = np.full(len(places), np.inf)
    while len(chosen) < min(count, len(places)):
        distance = np.minimum(distance, np.square(scaled - scaled[chosen[-1]]).sum(axis=1))
        distance[chosen] = -1.0
        chosen.append(int(np.argmax(distance)))
    picked = np.array(chosen, dtype=np.int64)
    return picked[np.argsort(-scores[picked], kind="stable")]
