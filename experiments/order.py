"""Whether a reward ranks a good mix above the same mix spoiled, and how it falls on the way."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import fmean

import numpy as np

from .perturbations import SIZES, SPOILS
from .subjects import Sitting

DRAWS = 6  # of what is drawn by chance
DRAWN = ("levels", "strip_eq", "master_eq", "lopsided")
STEPS = (0.0, 0.125, 0.25, 0.5, 0.75, 1.0)  # of the curves
LEAST_WIDTH = 0.01  # of a mix that can be narrowed

Wins = dict[str, dict[str, list[bool]]]  # by kind and size
Curves = dict[str, list[float]]  # by kind, over STEPS


def wins(sitting: Sitting, seed: Sequence[int]) -> tuple[Wins, Wins]:
    """In which pairs the mix beats what was made of it: with all terms, and without `restraint`.

    A mix that is as good as mono is not narrowed.
    """
    rng = np.random.default_rng(seed)
    tags, mixes = [], [sitting.mix]
    for kind, spoil in SPOILS.items():
        for size, amount in SIZES.items():
            for _ in range(DRAWS if kind in DRAWN else 1):
                tags.append((kind, size))
                mixes.append(spoil(sitting.mix, amount, rng))
    scores = sitting.scores(mixes)
    weights = {k: w for k, w in sitting.evaluator.reward.weights.items() if k != "restraint"}
    total = max(1e-9, sum(weights.values()))
    bare = np.sum([scores.terms[k] * w / total for k, w in weights.items()], axis=0)
    bare = bare * np.prod(list(scores.gates.values()), axis=0)
    readings = scores.readings
    width = float((readings.width[0] * readings.spectrum[0]).sum() / readings.spectrum[0].sum())
    result: tuple[Wins, Wins] = ({}, {})
    for place, (kind, size) in enumerate(tags, start=1):
        if kind == "narrow" and width < LEAST_WIDTH:
            continue
        for found, score in zip(result, (scores.score, bare), strict=True):
            won = bool(score[0] > score[place])
            found.setdefault(kind, {}).setdefault(size, []).append(won)
    return result


def curves(sitting: Sitting, seed: Sequence[int]) -> Curves:
    """Mean score over growing sizes of every kind of perturbation, less that of the mix itself."""
    rng = np.random.default_rng(seed)
    result = {}
    for kind, spoil in SPOILS.items():
        draws = DRAWS if kind in DRAWN else 1
        states = [int(rng.integers(2**32)) for _ in range(draws)]
        mixes = [
            spoil(sitting.mix, step, np.random.default_rng(state)) if step else sitting.mix
            for step in STEPS
            for state in states
        ]
        score = sitting.scores(mixes).score.reshape(len(STEPS), draws).mean(axis=1)
        result[kind] = (score - score[0]).tolist()
    return result


def shares(found: Sequence[Wins]) -> dict[str, float | None]:
    """Share of pairs won by size, every kind counting the same."""
    kinds = {kind for wins in found for kind in wins}
    return {
        size: fmean(fmean(_pairs(found, kind, size)) for kind in sorted(kinds)) if kinds else None
        for size in SIZES
    }


def shares_by_kind(found: Sequence[Wins]) -> dict[str, dict[str, float | None]]:
    """Share of pairs won by kind and size."""
    return {
        kind: {
            size: fmean(pairs) if (pairs := _pairs(found, kind, size)) else None for size in SIZES
        }
        for kind in SPOILS
    }


def mean_curves(found: Mapping[str, Curves]) -> Curves:
    """The mean over songs."""
    return {
        kind: np.mean([curves[kind] for curves in found.values()], axis=0).tolist()
        for kind in SPOILS
    }


def _pairs(found: Sequence[Wins], kind: str, size: str) -> list[bool]:
    return [won for wins in found for won in wins.get(kind, {}).get(size, [])]
