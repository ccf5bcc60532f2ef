"""How near two lists of readings are: what was rendered and what was simulated."""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterable, Mapping, Sequence

import numpy as np

Pairs = list[tuple[float, float]]  # rendered, simulated
Nearness = dict[str, float | None]


def nearness(*groups: Pairs) -> Nearness:
    """Mean absolute error, bias and worst case over all pairs; Spearman correlation.

    The latter is the mean over groups, such as width and correlation, whose values do not
    compare; None where it is not defined. Pairs that hold infinity or NaN are left out.
    """
    errors: list[float] = []
    ranks: list[float] = []
    for pairs in groups:
        kept = np.array([pair for pair in pairs if all(map(math.isfinite, pair))]).reshape(-1, 2)
        errors += (kept[:, 1] - kept[:, 0]).tolist()
        if len(kept) > 2 and (np.ptp(kept, axis=0) > 0).all():
            ranks.append(_spearman(kept))
    if not errors:
        return {"mae": None, "bias": None, "spearman": None, "worst": None}
    return {
        "mae": statistics.fmean(map(abs, errors)),
        "bias": statistics.fmean(errors),
        "spearman": statistics.fmean(ranks) if ranks else None,
        "worst": max(map(abs, errors)),
    }


def overall(songs: Iterable[Mapping[str, Nearness]], meters: Sequence[str]) -> dict[str, Nearness]:
    """Of each meter: mean error over songs, median correlation, worst case of all."""
    songs = list(songs)
    result = {}
    for meter in meters:
        found = [song[meter] for song in songs]
        result[meter] = {
            "mae": _over(statistics.fmean, found, "mae"),
            "spearman_median": _over(statistics.median, found, "spearman"),
            "worst": _over(max, found, "worst"),
        }
    return result


def _over(reduce, found: list[Nearness], name: str) -> float | None:  # type: ignore[no-untyped-def]
    values = [reading[name] for reading in found if reading[name] is not None]
    return float(reduce(values)) if values else None


def _spearman(pairs: np.ndarray) -> float:
    from scipy.stats import spearmanr

    return float(spearmanr(pairs[:, 0], pairs[:, 1]).statistic)
