"""What a search found for each song, kept on disk: what cloning learns from."""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..archives import read_arrays
from ..console.analysis_cache import cache_folder
from ..console.mix import Budget, Mix
from ..envs.episodes import Episodes
from ..evolution.checkpoint import search_identity
from ..evolution.genome import SongSpace
from ..evolution.mixers import searcher, starting_mix
from ..evolution.search import search
from ..rewards import Evaluator
from ..rewards.features import target_loudness_lufs
from .hyperparameters import Cloning, Seeking

Values = NDArray[np.float64]
VERSION = 1  # of the files
MOST_BYTES = 10_000_000  # of one
PROBE = 0.2  # genes by which each setting is moved to see what depends on it
LEAST = 0.05  # weight of a setting re the mean of the song's


class Label(NamedTuple):
    """What was found for a song.

    Attributes:
        genome: the best one, (genes,).
        weights: what the square of an error in each gene costs, in score, (genes,).
        gain: of its score over the neutral mix's.
        evaluations: spent, those that tell the weights among them.
    """

    genome: Values
    weights: Values
    gain: float
    evaluations: int


class Labels:
    """The labels of songs, each made when it is first asked for, and read from then on.

    They lie beside the cached analyses, one file a song, so that whatever ends a run loses one
    search at most, and other runs on the same songs search no more.

    Args:
        episodes: whose songs, parameters and reward.
        given: how they are searched.
        folder: where the files lie; beside the analyses if None.
    """

    def __init__(self, episodes: Episodes, given: Cloning, folder: Path | None = None) -> None:
        self._episodes, self._given = episodes, given
        self._folder = folder or cache_folder().parent / "labels"
        self._known: dict[int, Label] = {}

    def get(self, number: int) -> Label:
        """Of a song of the repertoire.

        Raises:
            MixgymError: it cannot be read, or is silent.
        """
        if number not in self._known:
            self._known[number] = self._found(number)
        return self._known[number]

    def _found(self, number: int) -> Label:
        episodes, given = self._episodes, self._given
        song = episodes.repertoire.song(number)
        evaluator = Evaluator(song, episodes.reward, threads=episodes.options.threads)
        around = Mix.neutral(song)
        target_lufs = target_loudness_lufs(episodes.reward)
        if target_lufs is not None:
            around = around.with_master(target_lufs=target_lufs)
        space = SongSpace(len(song.stems), episodes.space, around)
        choices = (VERSION, given.by, given.evaluations, given.search_seed)
        name = search_identity(evaluator, space, space.neutral, choices)
        path = self._folder / f"{name}.npz"
        return kept_label(path, space.genes, lambda: find_label(evaluator, space, given))


def kept_label(path: Path, genes: int, find: Callable[[], Label]) -> Label:
    """A label from its file, or found and written there.

    Args:
        path: of the file.
        genes: that the label has.
        find: makes it where there is no file that can be used.
    """
    label = _read(path, genes)
    if label is None:
        label = find()
        with contextlib.suppress(OSError):
            _write(path, label)
    return label


def find_label(evaluator: Evaluator, space: SongSpace, given: Cloning) -> Label:
    """Search a song from the best mix by rule, and weigh what was found.

    Args:
        evaluator: of the song, in `simulate`.
        space: what is free.
        given: how it is searched.

    Raises:
        MixgymError: a term of the reward cannot be differentiated, and gradients were asked for.
    """
    before = evaluator.evaluations
    neutral = float(space.scores(evaluator, space.neutral[None]).score[0])
    start = space.encode(starting_mix(evaluator)[0])
    left = given.evaluations - (evaluator.evaluations - before)
    genome, score = seek(evaluator, space, start, given.by, left, given.search_seed)
    weights = costs(genome, score, space.neutral, lambda g: space.scores(evaluator, g).score)
    return Label(genome, weights, score - neutral, evaluator.evaluations - before)


def seek(
    evaluator: Evaluator, space: SongSpace, start: Values, by: Seeking, evaluations: int, seed: int
) -> tuple[Values, float]:
    """The best genome that a search finds from a start, and its score in `simulate`.

    Args:
        evaluator: of the song, in `simulate`.
        space: what is free.
        start: genome, (genes,).
        by: what searches.
        evaluations: that it may spend.
        seed: of what is drawn.

    Raises:
        MixgymError: a term of the reward cannot be differentiated, and gradients were asked for.
    """
    budget = Budget(evaluations)
    if by == "gradient":
        from .twin.ascend import ascend

        found = ascend(evaluator, space, start, budget, seed=seed, restarts=1)
    else:
        found = search(evaluator, searcher(by)(space, seed, start), space, budget)
    return found.best[0], float(found.scores[0])


def costs(
    genome: Values, score: float, neutral: Values, scores: Callable[[Values], Values]
) -> Values:
    """What the square of an error in each gene costs, in score, (genes,).

    Near an optimum the score falls with the square of an error, for each setting at a rate of its
    own: a threshold that is never reached costs nothing, a vocal's fader much. The rates are read
    off one mix for each setting, in which that alone is moved by `PROBE`, towards the neutral mix
    where that is further away. A setting that costs nothing keeps `LEAST` of the mean, so that it
    is learned where nothing speaks against it.

    Args:
        genome: about which, (genes,).
        score: its own.
        neutral: the genome of the neutral mix, (genes,).
        scores: of genomes, (mixes, genes) to (mixes,).
    """
    moved = scores(genome + np.diag(_probe(genome, neutral)))
    weights = np.maximum(score - moved, 0.0) / PROBE**2
    return np.asarray(np.maximum(weights, LEAST * weights.mean()))


def _probe(genome: Values, neutral: Values) -> Values:
    """By how much each gene is moved, (genes,); none leaves [-1, 1]."""
    away = neutral - genome
    inwards = np.where(genome > 0.0, -1.0, 1.0)
    return PROBE * np.where(np.abs(away) >= PROBE, np.sign(away), inwards)


def _read(path: Path, genes: int) -> Label | None:
    """A label's file; None where there is none that can be used."""
    try:
        data = read_arrays(path, MOST_BYTES)
        label = Label(
            np.asarray(data["genome"], np.float64),
            np.asarray(data["weights"], np.float64),
            float(data["gain"]),
            int(data["evaluations"]),
        )
    except (OSError, ValueError, TypeError, KeyError):  # an ArchiveError is a ValueError
        return None
    arrays = (label.genome, label.weights)
    fits = all(array.shape == (genes,) and np.isfinite(array).all() for array in arrays)
    return label if fits else None


def _write(path: Path, label: Label) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, suffix=".partial")
    try:
        with os.fdopen(handle, "wb") as file:
            np.savez(file, **{name: np.asarray(value) for name, value in label._asdict().items()})  # type: ignore[arg-type]
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
