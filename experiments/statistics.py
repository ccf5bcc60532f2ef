"""Statistics of a comparison: aggregates over songs and seeds, and how sure they are.

R. Agarwal, M. Schwarzer, P. S. Castro, A. Courville, M. G. Bellemare, "Deep Reinforcement Learning
at the Edge of the Statistical Precipice", NeurIPS 2021. Scores are arrays of shape (seeds, songs).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray

Scores = NDArray[np.float64]
RESAMPLES = 2000
CONFIDENCE = 0.95


def interquartile_mean(scores: Scores) -> float:
    """Mean of the middle half of all scores, whatever their shape.

    A quarter of the scores, rounded down, is left out at either end.
    """
    ordered = np.sort(scores, axis=None)
    cut = ordered.size // 4
    return float(ordered[cut : ordered.size - cut].mean())


def stratified_bootstrap(
    scores: Scores,
    statistic: Callable[[Scores], float] = interquartile_mean,
    *,
    seed: int = 0,
    resamples: int = RESAMPLES,
    confidence: float = CONFIDENCE,
) -> tuple[float, float]:
    """Percentile interval of a statistic, seeds drawn again within each song.

    Songs are strata: what a resample varies is which runs were seen of each, not which songs.

    Args:
        scores: shape (seeds, songs).
        statistic: of such an array.
        seed: of the draws.
        resamples: how many.
        confidence: share of them inside of the interval.
    """
    rng = np.random.default_rng(seed)
    values = [statistic(_resampled(scores, rng)) for _ in range(resamples)]
    low, high = np.quantile(values, ((1 - confidence) / 2, (1 + confidence) / 2))
    return float(low), float(high)


def probability_of_improvement(ours: Scores, theirs: Scores) -> float:
    """Chance that a run of ours beats a run of theirs on a song drawn at random; ties count half.

    The mean over songs of the Mann-Whitney statistic. Arrays (seeds, songs) of the same songs; the
    numbers of seeds may differ.
    """
    wins = ours[:, None, :] > theirs[None, :, :]
    ties = ours[:, None, :] == theirs[None, :, :]
    return float((wins + 0.5 * ties).mean(axis=(0, 1)).mean())


def improvement_interval(
    ours: Scores,
    theirs: Scores,
    *,
    seed: int = 0,
    resamples: int = RESAMPLES,
    confidence: float = CONFIDENCE,
) -> tuple[float, float]:
    """Bootstrap interval of `probability_of_improvement`, both sides drawn again within songs."""
    rng = np.random.default_rng(seed)
    values = [
        probability_of_improvement(_resampled(ours, rng), _resampled(theirs, rng))
        for _ in range(resamples)
    ]
    low, high = np.quantile(values, ((1 - confidence) / 2, (1 + confidence) / 2))
    return float(low), float(high)


def best_so_far(
    spent: NDArray[np.float64], scores: NDArray[np.float64], at: NDArray[np.float64]
) -> NDArray[np.float64]:
    """The best score known after each budget: a step function of what was spent.

    Args:
        spent: ascending, shape (points,).
        scores: at these points, (points,).
        at: budgets, (budgets,).

    Returns:
        Shape (budgets,); NaN before the first point.
    """
    best = np.maximum.accumulate(scores)
    place = np.searchsorted(spent, at, side="right") - 1
    return np.where(place >= 0, best[np.maximum(place, 0)], np.nan)


def rank_shares(
    scores: Mapping[str, Scores], *, seed: int = 0, resamples: int = RESAMPLES
) -> dict[str, NDArray[np.float64]]:
    """How often each competitor comes in at each rank when runs are drawn again.

    Args:
        scores: competitor to array (seeds, songs) of the same songs.
        seed: of the draws.
        resamples: how many.

    Returns:
        Competitor to shares, shape (competitors,), first place first; ties share their places.
    """
    from scipy.stats import rankdata

    rng = np.random.default_rng(seed)
    counts = np.zeros((len(scores), len(scores)))
    for _ in range(resamples):
        values = [interquartile_mean(_resampled(array, rng)) for array in scores.values()]
        lowest = rankdata(np.negative(values), method="min").astype(int) - 1
        highest = rankdata(np.negative(values), method="max").astype(int) - 1
        for i, (first, last) in enumerate(zip(lowest, highest, strict=True)):
            counts[i, first : last + 1] += 1 / (last - first + 1)
    return dict(zip(scores, counts / resamples, strict=True))


def _resampled(scores: Scores, rng: np.random.Generator) -> Scores:
    """Seeds drawn with replacement, for each song on its own."""
    seeds, songs = scores.shape
    return scores[rng.integers(seeds, size=(seeds, songs)), np.arange(songs)]
