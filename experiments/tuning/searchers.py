"""What a searcher lets one set, and how well it does with that."""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

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
from ...songs.training.manifest import MANIFEST, read_manifest
from ...songs.training.sources import stem_sources
from ..arena.pieces import Piece, find_pieces, open_piece
from ..mapper import Mapper
from ..statistics import Scores
from .dimensions import Range, Value
from .settings import SearchTuning
from .tunable import Options, Report, Tell

if TYPE_CHECKING:
    from .dimensions import Dimension


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


@dataclass(frozen=True)
class TunedSearch:
    """A `Tunable`: a searcher, judged by the gain on every excerpt.

    Attributes:
        tuning: the study.
        pieces: its excerpts.
    """

    tuning: SearchTuning
    pieces: tuple[Piece, ...]

    @classmethod
    def of(cls, tuning: SearchTuning, mapper: Mapper, tell: Tell) -> TunedSearch:
        """The study's, with the excerpts of its songs.

        Raises:
            MixgymError: there is no such style, or a song cannot be read.
        """
        load_reward(tuning.style)
        return cls(tuning, tuple(find_pieces(tuning.of_songs(tuning.split), mapper, tell)))

    @property
    def about(self) -> str:
        """See `Tunable`."""
        given = self.tuning
        return (
            f"Hyperparameters of `{given.search}`, {given.evaluations:,} evaluations on "
            f"{given.seconds:g} s, style {given.style}."
        )

    @property
    def measure(self) -> str:
        """See `Tunable`."""
        return (
            "Gain: by how much the best mix of a search scores above all stems equally loud, both "
            "in `simulate`; interquartile mean over excerpts and seeds."
        )

    @property
    def songs(self) -> list[str]:
        """See `Tunable`."""
        return list(dict.fromkeys(piece.song for piece in self.pieces))

    @property
    def per_seed(self) -> int:
        """See `Tunable`."""
        return len(self.pieces)

    def defaults(self) -> dict[str, Value]:
        """See `Tunable`."""
        return check_space(self.tuning)

    def identity(self) -> dict[str, Any]:
        """See `Tunable`."""
        return self.tuning.identity(self.pieces)

    def judge(self, seed: int, options: Options, threads: int | None, report: Report) -> None:
        """See `Tunable`."""
        for piece in self.pieces:
            report(search_gain(self.tuning, threads, piece, seed, options))

    def gains(self, reports: Sequence[float]) -> Scores:
        """See `Tunable`."""
        return np.array(reports).reshape(-1, self.per_seed)

    def confirm(self, seed: int, options: Options, threads: int | None) -> list[float]:
        """See `Tunable`."""
        return [search_gain(self.tuning, threads, piece, seed, options) for piece in self.pieces]

    def elsewhere(self, mapper: Mapper, tell: Tell) -> TunedSearch:
        """See `Tunable`: on the songs of the split `validation`, if the study is of others."""
        given = self.tuning
        if given.split == "validation" or not any(map(_has_validation, given.songs)):
            return self
        found = find_pieces(given.of_songs("validation"), mapper, tell)
        return replace(self, pieces=tuple(found))


def search_gain(
    tuning: SearchTuning, threads: int | None, piece: Piece, seed: int, options: Options
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


def check_space(tuning: SearchTuning) -> dict[str, Value]:
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


def _has_validation(root: Path) -> bool:
    if (root / MANIFEST).is_file() or root.name == MANIFEST:
        return any(row.kind != "augmented" for row in read_manifest(root, "validation"))
    return any(source.identity.split == "validation" for source in stem_sources([root])[0])
