"""What a searcher lets one set, and how well it does with that."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from functools import lru_cache, partial
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from ...console.mix import Budget
from ...console.rules import equal_loudness
from ...console.styles import STYLES
from ...errors import MixgymError
from ...evolution.genome import SongSpace
from ...evolution.mixers import default_space, searcher, starting_mix
from ...evolution.search import GROUPS, MEASURES, search
from ...evolution.searcher import Genomes, Outcome
from ...rewards import Evaluator, load_reward
from ..arena.pieces import Piece, open_piece
from .dimensions import Range, Value
from .settings import Tuning

if TYPE_CHECKING:
    from .dimensions import Dimension

Options = Mapping[str, Value]
Gain = Callable[[Piece, int, Options], float]


class Ground(NamedTuple):
    """An excerpt to search on, and where every search of it begins.

    Attributes:
        evaluator: in `simulate`.
        space: what is searched.
        start: a genome, (genes,).
        start_score: its score.
        base_score: of all stems equally loud.
        spent: evaluations that the choice of the start took; they count for every search.
    """

    evaluator: Evaluator
    space: SongSpace
    start: Genomes
    start_score: float
    base_score: float
    spent: int


def gain_of(tuning: Tuning, threads: int | None = None) -> Gain:
    """What a study measures of an excerpt, a seed and hyperparameters.

    Args:
        tuning: the study.
        threads: at work on one batch of mixes; None takes all processors.
    """
    return partial(search_gain, tuning, threads)


def search_gain(
    tuning: Tuning, threads: int | None, piece: Piece, seed: int, options: Options
) -> float:
    """How much a search improves on all stems equally loud, both scored in `simulate`.

    The search begins where `search_excerpt` begins and ends when the study's evaluations are spent,
    those for the choice of the start among them. Its best mix counts; nothing is rendered.

    Args:
        tuning: the study.
        threads: at work on one batch of mixes; None takes all processors.
        piece: the excerpt.
        seed: of the search.
        options: hyperparameters; the searcher's defaults for the others.

    Raises:
        MixgymError: the song cannot be read or is silent there.
    """
    ground = _ground(piece, tuning.search, tuning.style, tuning.evaluations, threads)
    seeker = searcher(tuning.search)(ground.space, seed, ground.start, **options)
    budget = Budget(tuning.evaluations - ground.spent)
    found = search(ground.evaluator, seeker, ground.space, budget)
    if found.interrupted:
        raise KeyboardInterrupt
    return max(float(found.scores[0]), ground.start_score) - ground.base_score


@lru_cache(maxsize=512)
def _ground(piece: Piece, name: str, style: str, evaluations: int, threads: int | None) -> Ground:
    excerpt = open_piece(piece)
    evaluator = Evaluator(excerpt, load_reward(style), threads=threads)
    if not evaluator.present.any():
        raise MixgymError(f"{piece.song} is silent from {piece.start_s:g} s on; leave it out.")
    base_score = float(evaluator.evaluate_mixes([equal_loudness(excerpt)]).score[0])
    before = evaluator.evaluations
    start, start_score = starting_mix(evaluator, STYLES.get(style), evaluations // 10)
    space = SongSpace(len(excerpt.stems), default_space(name), start)
    spent = evaluator.evaluations - before
    return Ground(evaluator, space, space.encode(start), start_score, base_score, spent)


def defaults_of(name: str) -> dict[str, Value]:
    """Hyperparameters that a searcher takes, with their defaults.

    Raises:
        MixgymError: there is no such searcher.
    """
    make = searcher(name)
    settled = make.keywords if isinstance(make, partial) else {}
    return {
        parameter.name: parameter.default
        for parameter in inspect.signature(make).parameters.values()
        if parameter.kind is parameter.KEYWORD_ONLY and parameter.name not in settled
    }


def check_space(tuning: Tuning) -> dict[str, Value]:
    """See that a searcher can be tuned over a space; every end of it is tried on a toy song.

    Returns:
        The defaults of what is tuned.

    Raises:
        MixgymError: no such searcher or hyperparameter, a default that lies outside of the space,
            or a value that the searcher cannot run with.
    """
    known = defaults_of(tuning.search)
    for name, dimension in tuning.space.items():
        if name not in known:
            has = f"it has {', '.join(known)}" if known else "it has none"
            raise MixgymError(f"{tuning.search} has no hyperparameter {name!r}; {has}.")
        _check_default(name, known[name], dimension)
        for value in dimension.ends:
            try:
                _one_generation(tuning.search, {name: value})
            except Exception as error:
                raise MixgymError(
                    f"{tuning.search} cannot search with {name} {value} ({error}); narrow its "
                    "values."
                ) from error
    return {name: known[name] for name in tuning.space}


def _check_default(name: str, default: Value, dimension: Dimension) -> None:
    if isinstance(default, int) and isinstance(dimension, Range) and not dimension.whole:
        raise MixgymError(f"{name} is a whole number; add `int: true`.")
    if not dimension.holds(default):
        raise MixgymError(
            f"{name} is {default} unless told, which lies outside of {dimension}; widen that, so "
            "that the study shows whether tuning helps."
        )


def _one_generation(name: str, options: Options) -> None:
    space = SongSpace(2, default_space(name))
    seeker = searcher(name)(space, 0, **options)
    genomes = seeker.ask()
    batch = len(genomes)
    outcome = Outcome(
        np.zeros(batch), np.zeros((batch, len(GROUPS))), np.zeros((batch, len(MEASURES)))
    )
    seeker.tell(genomes, outcome)
    seeker.ask()
