"""A searcher and an evaluator, until the budget is spent."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from ..console.mix import Budget
from ..console.mix_readings import MixReadings
from ..rewards import Evaluator
from ..rewards.reward import Reward, Scores
from .genome import SongSpace
from .searcher import Outcome, Searcher

GROUPS = {  # terms that pull the same way
    "balance": ("audibility", "masking"),
    "tone": ("spectrum", "reference"),
    "dynamics": ("dynamics", "loudness"),
    "space": ("stereo",),
    "restraint": ("restraint",),
}
MEASURES = ("brightness_db", "width", "loudness_lufs")
TREBLE_HZ = 4000.0
KEPT = 16

OnBatch = Callable[["Progress"], None]


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a search is.

    Attributes:
        evaluations: spent so far.
        seconds: since it began.
        score: the best so far.
        terms: of the best, by name; none while an interrupted search is led through again.
        outcomes: everything the searcher was told so far and is about to be told.
    """

    evaluations: int
    seconds: float
    score: float
    terms: Mapping[str, float] = field(default_factory=dict)
    outcomes: Sequence[Outcome] = ()


@dataclass(frozen=True, slots=True)
class Found:
    """What a search found.

    Attributes:
        best: the best genomes, the very best first, (at most `KEPT`, genes).
        scores: theirs, in the evaluator's fidelity.
        evaluations, seconds: spent.
        curve: evaluations and best score after each batch, (batches, 2).
        outcomes: everything the searcher was told, to lead another one through.
        interrupted: whether Ctrl-C ended it.
    """

    best: NDArray[np.float64]
    scores: NDArray[np.float64]
    evaluations: int
    seconds: float
    curve: NDArray[np.float64]
    outcomes: list[Outcome]
    interrupted: bool = False


def search(
    evaluator: Evaluator,
    searcher: Searcher,
    space: SongSpace,
    budget: Budget,
    *,
    told: list[Outcome] | None = None,
    on_batch: OnBatch | None = None,
) -> Found:
    """Ask, evaluate, tell, until evaluations or seconds are spent.

    A last batch that the budget does not cover is cut. Ctrl-C ends the search with what was found.

    Args:
        evaluator: of the song.
        searcher: a fresh one.
        space: what its genomes mean.
        budget: evaluations and seconds.
        told: outcomes of an interrupted search by the same searcher from the same seed: it is
            led through them again, without evaluating anything, and goes on from there.
        on_batch: told after every batch.

    Raises:
        MixgymError: a stem cannot be read.
    """
    started = time.perf_counter()
    outcomes: list[Outcome] = []
    best, scores, spent = np.empty((0, space.genes)), np.empty(0), 0
    terms: dict[str, float] = {}
    curve: list[tuple[int, float]] = []
    pending = list(reversed(told or []))
    interrupted = False
    try:
        while spent < budget.evaluations and time.perf_counter() - started < budget.seconds:
            asked = searcher.ask()
            genomes = asked[: budget.evaluations - spent]
            outcome = pending.pop().first(len(genomes)) if pending else None
            known = 0 if outcome is None else len(outcome.score)
            if known < len(genomes):
                scored = space.scores(evaluator, genomes[known:])
                fresh = outcome_of(scored, evaluator.centres_hz)
                outcome = fresh if outcome is None else outcome.joined(fresh)
                top = int(np.argmax(fresh.score))
                if not len(scores) or fresh.score[top] > scores[0]:
                    terms = {name: float(values[top]) for name, values in scored.terms.items()}
            assert outcome is not None
            best, scores = _kept(
                np.concatenate((best, genomes)), np.concatenate((scores, outcome.score))
            )
            spent += len(genomes)
            outcomes.append(outcome)
            curve.append((spent, float(scores[0])))
            if on_batch:
                seconds = time.perf_counter() - started
                on_batch(Progress(spent, seconds, float(scores[0]), terms, outcomes))
            if len(genomes) == len(asked):
                searcher.tell(genomes, outcome)
    except KeyboardInterrupt:
        interrupted = True
    seconds = time.perf_counter() - started
    return Found(
        best, scores, spent, seconds, np.array(curve).reshape(-1, 2), outcomes, interrupted
    )


def _kept(
    genomes: NDArray[np.float64], scores: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The best of them, each once."""
    _, first = np.unique(genomes, axis=0, return_index=True)
    order = first[np.lexsort((first, -scores[first]))][:KEPT]
    return genomes[order], scores[order]


def group_names(reward: Reward) -> tuple[str, ...]:
    """Names of an outcome's objectives, in their order."""
    return tuple(
        group for group, names in GROUPS.items() if any(name in reward.weights for name in names)
    )


def outcome_of(scores: Scores, centres_hz: NDArray[np.float64]) -> Outcome:
    """What searchers are told of a batch of scores, and the bands that its readings have."""
    gate = np.prod(list(scores.gates.values()), axis=0) if scores.gates else 1.0
    objectives = [
        gate * np.mean([scores.terms[name] for name in names if name in scores.terms], axis=0)
        for names in GROUPS.values()
        if any(name in scores.terms for name in names)
    ]
    measures = _measures(scores.readings, centres_hz > TREBLE_HZ)
    return Outcome(scores.score, np.stack(objectives, axis=1), measures)


def _measures(readings: MixReadings, treble: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Brightness in dB (treble against the rest), width, integrated loudness: (mixes, 3)."""
    power = readings.spectrum.astype(np.float64)
    high, low = power[:, treble].sum(axis=1), power[:, ~treble].sum(axis=1)
    weight = np.sqrt(power)
    width = (readings.width * weight).sum(axis=1) / np.maximum(weight.sum(axis=1), 1e-12)
    brightness_db = 10 * np.log10((high + 1e-12) / (low + 1e-12))
    loudness = np.nan_to_num(readings.integrated_lufs.astype(np.float64), neginf=-70.0)
    return np.stack((brightness_db, width, loudness), axis=1)
