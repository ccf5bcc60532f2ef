"""Whether the best settings beat the defaults where they were not chosen."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from ...songs.training.manifest import MANIFEST, read_manifest
from ...songs.training.sources import stem_sources
from ..arena.pieces import Piece, find_pieces
from ..arena.play import one_thread
from ..mapper import Mapper
from ..statistics import Scores, interquartile_mean, stratified_bootstrap
from .dimensions import Value
from .searchers import gain_of
from .settings import Tuning

Tell = Callable[[str, float], None]


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
    tuning: Tuning
    threads: int | None
    piece: Piece
    seed: int
    options: Mapping[str, Value]


def compare(best: Scores, defaults: Scores) -> Comparison:
    """Compare gains of shape (seeds, excerpts)."""
    difference = best - defaults
    return Comparison(
        interquartile_mean(best),
        interquartile_mean(defaults),
        interquartile_mean(difference),
        *stratified_bootstrap(difference),
    )


def other_pieces(
    tuning: Tuning, pieces: Sequence[Piece], mapper: Mapper, tell: Tell
) -> list[Piece]:
    """Excerpts of validation songs, where a study is of others; else those of the study.

    Raises:
        MixgymError: a song cannot be read.
    """
    if tuning.split != "validation" and any(_has_validation(root) for root in tuning.songs):
        return find_pieces(tuning.of_songs("validation"), mapper, tell)
    return list(pieces)


def validate(
    tuning: Tuning,
    pieces: Sequence[Piece],
    best: Mapping[str, Value],
    defaults: Mapping[str, Value],
    mapper: Mapper,
    tell: Tell,
) -> Comparison:
    """Compare the best settings with the defaults on seeds that no trial saw.

    Args:
        tuning: the study.
        pieces: where they are compared.
        best, defaults: hyperparameters.
        mapper: who works.
        tell: told what is being done and the share of it that is done.

    Raises:
        MixgymError: a song cannot be read.
    """
    threads = None if mapper.workers == 1 else 1
    runs = [
        _Run(tuning, threads, piece, seed, options)
        for piece in pieces
        for options in (best, defaults)
        for seed in tuning.other_seeds
    ]
    gains = np.empty(len(runs))
    for done, (index, gain) in enumerate(mapper.map(_gain, runs), 1):
        gains[index] = gain
        tell("Validating", done / len(runs))
    by_run = gains.reshape(len(pieces), 2, len(tuning.other_seeds))
    return compare(by_run[:, 0].T, by_run[:, 1].T)


def _gain(run: _Run) -> float:
    with one_thread():
        return gain_of(run.tuning, run.threads)(run.piece, run.seed, run.options)


def _has_validation(root: Path) -> bool:
    if (root / MANIFEST).is_file() or root.name == MANIFEST:
        return any(row.kind != "augmented" for row in read_manifest(root, "validation"))
    return any(source.identity.split == "validation" for source in stem_sources([root])[0])
