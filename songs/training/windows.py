"""Which seconds of a song to take: the busiest ones that do not overlap."""

import numpy as np
from numpy.typing import NDArray

LEAST_SHARE = 0.5  # of the activity of the busiest window


def busiest_windows(activity: NDArray[np.float64], window_s: float, count: int) -> list[int]:
    """Choose windows that start on whole seconds, greedily by activity.

    Args:
        activity: of every second, (seconds,); how much plays.
        window_s: length of a window.
        count: how many at most.

    Returns:
        Starts in seconds, in time's order. The first that was chosen is the busiest of all; none is
        less than half as busy as it. The earliest wins among equals, and a song shorter than a
        window has one, at 0.
    """
    length = int(np.ceil(window_s))
    total = np.concatenate([[0.0], np.cumsum(activity)])
    if len(activity) <= length:
        return [0] if total[-1] > 0.0 else []
    scores = np.round(total[length:] - total[:-length], 6)
    least = max(LEAST_SHARE * scores.max(), 1e-6)
    starts: list[int] = []
    while len(starts) < count:
        best = int(np.argmax(scores))
        if scores[best] < least:
            break
        starts.append(best)
        scores[max(best - length + 1, 0) : best + length] = -np.inf
    return sorted(starts)
