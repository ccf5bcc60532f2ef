"""What the rows of an arena say: means over songs and seeds, and how sure they are.

Scores are read at every budget as arrays (seeds, excerpts); a mixer that draws nothing has one seed
and stands at every budget from the one on that it was run with.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from ...errors import MixgymError
from ..statistics import (
    Scores,
    improvement_interval,
    interquartile_mean,
    probability_of_improvement,
    rank_shares,
    stratified_bootstrap,
)
from .play import Row
from .settings import Settings

BASELINES = ("equal_loudness", "roles", "random")  # that every mixer is held against


@dataclass(frozen=True, slots=True)
class Estimate:
    """A statistic and its 95 % interval."""

    value: float
    low: float
    high: float


class Standing:
    """What complete rows of an arena say.

    Args:
        rows: as `run.compete` gives them.
        settings: that they were asked for with; rows that they do not ask for are left out.

    Attributes:
        mixers, budgets: in the order of the settings, and ascending.
        places: song and number of each excerpt, in the order of the arrays' columns.
    """

    def __init__(self, rows: Sequence[Row], settings: Settings) -> None:
        self.settings, self.mixers, self.budgets = settings, settings.mixers, settings.budgets
        self.rows = rows = [
            row
            for row in rows
            if row["mixer"] in self.mixers
            and row["budget"] in self.budgets
            and row["seed"] < settings.seeds
        ]
        self.places = sorted({(row["song"], row["excerpt"]) for row in rows})
        self._column = {place: i for i, place in enumerate(self.places)}
        self._by_run: dict[tuple[str, int], list[Row]] = {}
        for row in rows:
            self._by_run.setdefault((row["mixer"], row["budget"]), []).append(row)

    @property
    def last(self) -> int:
        """The largest budget."""
        return self.budgets[-1]

    def rows_at(self, mixer: str, budget: int) -> list[Row]:
        """The rows of a mixer that has a budget; none where that is too little."""
        runs = [run for name, run in self._by_run if name == mixer and run <= budget]
        return self._by_run[mixer, max(runs)] if runs else []

    def values(self, mixer: str, budget: int, field: str = "score") -> Scores | None:
        """A field of the rows, shape (seeds, excerpts); None where the budget is too little.

        Raises:
            MixgymError: rows are missing.
        """
        rows = self.rows_at(mixer, budget)
        if not rows:
            return None
        seeds = 1 + max(row["seed"] for row in rows)
        values = np.full((seeds, len(self.places)), np.nan)
        for row in rows:
            values[row["seed"], self._column[row["song"], row["excerpt"]]] = row[field]
        if np.isnan(values).any():
            raise MixgymError(
                f"Scores of {mixer} at {budget} evaluations are missing; let the run end first."
            )
        return values

    @cached_property
    def scores(self) -> dict[str, dict[int, Estimate]]:
        """Interquartile mean of the scores by mixer and budget."""
        return {
            mixer: {
                budget: _estimate(values)
                for budget in self.budgets
                if (values := self.values(mixer, budget)) is not None
            }
            for mixer in self.mixers
        }

    def seconds(self, mixer: str, budget: int) -> float | None:
        """Median seconds of a run."""
        values = self.values(mixer, budget, "seconds")
        return None if values is None else float(np.median(values))

    @cached_property
    def ranked(self) -> list[str]:
        """The mixers at the largest budget, the best first."""
        at_last = {m: s[self.last].value for m, s in self.scores.items() if self.last in s}
        return sorted(at_last, key=lambda mixer: -at_last[mixer])

    @cached_property
    def improvements(self) -> dict[str, dict[str, Estimate]]:
        """Probability of improvement at the largest budget, by mixer and baseline."""
        result: dict[str, dict[str, Estimate]] = {}
        for mixer in self.ranked:
            ours = self.values(mixer, self.last)
            for baseline in BASELINES:
                theirs = self.values(baseline, self.last) if baseline in self.mixers else None
                if mixer == baseline or ours is None or theirs is None:
                    continue
                result.setdefault(mixer, {})[baseline] = Estimate(
                    probability_of_improvement(ours, theirs), *improvement_interval(ours, theirs)
                )
        return result

    @cached_property
    def ranks(self) -> dict[str, NDArray[np.float64]]:
        """How often each mixer comes in at each rank at the largest budget."""
        values = {mixer: self.values(mixer, self.last) for mixer in self.ranked}
        return rank_shares({mixer: v for mixer, v in values.items() if v is not None})

    @cached_property
    def judges(self) -> dict[str, dict[str, float]]:
        """Mean of every judge at the largest budget, over the excerpts that a person has mixed."""
        result = {}
        for mixer in self.ranked:
            judged = [row["judges"] for row in self.rows_at(mixer, self.last) if row["judges"]]
            if judged:
                names = [n for n in judged[0] if all(n in j for j in judged)]
                result[mixer] = {n: float(np.mean([j[n] for j in judged])) for n in names}
        return result

    @property
    def workers(self) -> list[int]:
        """How many runs were at work at a time."""
        return sorted({row["workers"] for row in self.rows})

    @property
    def judged(self) -> int:
        """How many excerpts a person has mixed."""
        return len({(r["song"], r["excerpt"]) for r in self.rows if r["judges"]})

    @cached_property
    def songs(self) -> dict[str, dict[str, float]]:
        """Mean score by song and mixer at the largest budget."""
        names = list(dict.fromkeys(song for song, _ in self.places))
        result: dict[str, dict[str, float]] = {name: {} for name in names}
        for mixer in self.ranked:
            for name in names:
                rows = [r for r in self.rows_at(mixer, self.last) if r["song"] == name]
                result[name][mixer] = float(np.mean([row["score"] for row in rows]))
        return result

    @cached_property
    def findings(self) -> list[str]:
        """What a reader should not overlook, in sentences."""
        found = []
        for baseline in ("random", "equal_loudness"):
            if baseline not in self.ranked:
                continue
            least = self.scores[baseline][self.last].value
            beaten = [
                mixer
                for mixer in self.ranked
                if self.rows_at(mixer, self.last)[0]["evaluations"]
                and self.scores[mixer][self.last].value < least
            ]
            if beaten:
                found.append(f"At {self.last:,} evaluations {baseline} beats {', '.join(beaten)}.")
        for mixer in self.ranked:
            fallen = _fallen(self.scores[mixer])
            if fallen:
                found.append(
                    f"{mixer} is worse with a budget of {fallen[1]:,} than with {fallen[0]:,}."
                )
        return found


def _estimate(values: Scores) -> Estimate:
    return Estimate(interquartile_mean(values), *stratified_bootstrap(values))


def _fallen(scores: dict[int, Estimate]) -> tuple[int, int] | None:
    """The first two budgets of which the larger is surely worse."""
    ordered = sorted(scores)
    pairs = pairwise(ordered)
    return next((p for p in pairs if scores[p[1]].high < scores[p[0]].low), None)
