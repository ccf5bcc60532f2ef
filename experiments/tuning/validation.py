"""Whether the best settings beat the defaults where they were not chosen."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from ..arena.play import one_thread
from ..mapper import Mapper
from ..statistics import Scores, interquartile_mean, stratified_bootstrap
from .dimensions import Value
from .tunable import Tell, Tunable


class Comparison(NamedTuple):
    """Gains of the best settings beside those of the defaults, on the same excerpts and seeds.

    Attributes:
        best, defaults: interquartile means of their gains.
        difference: interquartile mean of the differences, pair by pair.
        low, high: its 95 % interval, of a bootstrap of the seeds within each excerpt.
    """

    best: float
    defaults: float
    difference: float
    low: float
    high: float

    def to_json(self) -> dict[str, float]:
        """As JSON."""
        return self._asdict()


class _Run(NamedTuple):
    tunable: Tunable
    seed: int
    options: Mapping[str, Value]
    threads: int | None


def compare(best: Scores, defaults: Scores) -> Comparison:
    """Compare gains of shape (seeds, parts)."""
    difference = best - defaults
    return Comparison(
        interquartile_mean(best),
        interquartile_mean(defaults),
        interquartile_mean(difference),
        *stratified_bootstrap(difference),
    )


def validate(
    tunable: Tunable,
    best: Mapping[str, Value],
    defaults: Mapping[str, Value],
    mapper: Mapper,
    tell: Tell,
) -> Comparison:
    """Compare the best settings with the defaults on seeds that no trial saw.

    Args:
        tunable: what is tuned, where they are compared.
        best, defaults: hyperparameters.
        mapper: who works.
        tell: told what is being done and the share of it that is done.

    Raises:
        MixgymError: a song cannot be read.
    """
    threads = None if mapper.workers == 1 else 1
    seeds = tunable.tuning.other_seeds
    runs = [_Run(tunable, seed, options, threads) for options in (best, defaults) for seed in seeds]
    gains: dict[int, list[float]] = {}
    for done, (index, found) in enumerate(mapper.map(_gains, runs), 1):
        gains[index] = found
        tell("Validating", done / len(runs))
    by_run = np.array([gains[index] for index in range(len(runs))])
    return compare(by_run[: len(seeds)], by_run[len(seeds) :])


def _gains(run: _Run) -> list[float]:
    with one_thread():
        return run.tunable.confirm(run.seed, run.options, run.threads)
