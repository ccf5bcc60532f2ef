"""What came of an ablation: gains with intervals, differences, curves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from ...errors import MixgymError
from ..statistics import (
    Scores,
    improvement_interval,
    interquartile_mean,
    probability_of_improvement,
    stratified_bootstrap,
)
from .runs import Run


class Estimate(NamedTuple):
    """A statistic, and the ends of its 95 % interval."""

    value: float
    low: float
    high: float


class Standing(NamedTuple):
    """How a variant does in the end.

    Attributes:
        gain: over equal loudness, interquartile mean over seeds and excerpts.
        mean: the same as a plain mean.
        difference: to the first variant, seed by seed and excerpt by excerpt.
        better: chance that a run of it beats one of the first variant on an excerpt.
        seconds: of a run, the median.
    """

    gain: Estimate
    mean: float
    difference: Estimate
    better: Estimate
    seconds: float


class Curve(NamedTuple):
    """A variant's validations.

    Attributes:
        steps: ascending.
        gains: as `Standing.gain`, of each.
    """

    steps: list[int]
    gains: list[Estimate]


class Findings(NamedTuple):
    """What came of an ablation.

    Attributes:
        seeds: whose runs count.
        excerpts: that were validated on.
        standings, curves: by variant, in the order of the file.
    """

    seeds: int
    excerpts: int
    standings: dict[str, Standing]
    curves: dict[str, Curve]


def find(runs: Mapping[str, Sequence[Run]]) -> Findings:
    """Findings of the runs of each variant, one for each seed.

    Raises:
        MixgymError: variants were validated on different excerpts.
    """
    titles = list(next(iter(runs.values()))[0].curve[0].gains)
    final = {name: _gains(name, of, -1, titles) for name, of in runs.items()}
    first = next(iter(final.values()))
    standings = {
        name: Standing(
            gain=_estimate(gains),
            mean=float(gains.mean()),
            difference=_estimate(gains - first),
            better=Estimate(
                probability_of_improvement(gains, first), *improvement_interval(gains, first)
            ),
            seconds=float(np.median([run.seconds for run in runs[name]])),
        )
        for name, gains in final.items()
    }
    curves = {name: _curve(name, of, titles) for name, of in runs.items()}
    return Findings(len(first), len(titles), standings, curves)


def _curve(name: str, runs: Sequence[Run], titles: Sequence[str]) -> Curve:
    steps = [point.steps for point in runs[0].curve]
    return Curve(
        steps, [_estimate(_gains(name, runs, place, titles)) for place in range(len(steps))]
    )


def _gains(name: str, runs: Sequence[Run], place: int, titles: Sequence[str]) -> Scores:
    """Of the validation at one place of the curves, (seeds, excerpts)."""
    points = [run.curve[place].gains for run in runs]
    if any(set(point) != set(titles) for point in points):
        raise MixgymError(
            f"{name!r} was validated on other excerpts than the first variant; give all the same."
        )
    return np.array([[point[title] for title in titles] for point in points])


def _estimate(scores: Scores) -> Estimate:
    return Estimate(interquartile_mean(scores), *stratified_bootstrap(scores))
