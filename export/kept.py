"""How much of its teachers' gain a student keeps on songs that it did not learn from."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from ..agents.batches import PER_PASS, Batches
from ..agents.cloning import cells_of
from ..agents.encoders import PICTURED
from ..agents.environments import make_one_look, make_validation, network_sizes
from ..agents.hyperparameters import Search
from ..agents.load import TrainedPolicy
from ..agents.settings import DistillationSettings, Validation
from ..agents.teachers import Teachers
from ..agents.validation import validate
from ..envs.episodes import Episodes
from ..envs.options import EnvOptions
from ..envs.repertoire import distinct
from ..rewards.evaluator import Fidelity
from ..songs.training.splits import Split

Tell = Callable[[str, float], None]
RESAMPLES = 2000
CONFIDENCE = 0.95


class Kept(NamedTuple):
    """A share of gain, with the ends of its interval."""

    share: float
    low: float
    high: float

    def __str__(self) -> str:
        """In per cent."""
        return f"{self.share:.1%} ({self.low:.1%} to {self.high:.1%})"


class Comparison(NamedTuple):
    """A student beside its teachers.

    Attributes:
        titles: of excerpts.
        groups: of songs, by number, that the excerpts are from, (excerpts,).
        styles: names.
        student: gains over equal loudness, (styles, excerpts).
        names: of teachers, no two alike: policies' files, then searches by what they are and may
            spend.
        teachers: gains of each, (teachers, styles, excerpts).
    """

    titles: tuple[str, ...]
    groups: NDArray[np.int64]
    styles: tuple[str, ...]
    student: NDArray[np.float64]
    names: tuple[str, ...]
    teachers: NDArray[np.float64]

    @property
    def best(self) -> NDArray[np.float64]:
        """Gain of the best teacher, song by song and style by style, (styles, excerpts)."""
        return np.asarray(self.teachers.max(axis=0))

    def kept(self, styles: Sequence[str] = (), teacher: str | None = None) -> Kept:
        """The student's mean gain as a share of a teacher's.

        The interval is of a bootstrap (percentiles) in which songs are drawn again, each with all
        of its excerpts and styles.

        Args:
            styles: of these alone; all if none are named.
            teacher: its name; the best for each song and style if None.
        """
        rows = [i for i, style in enumerate(self.styles) if not styles or style in styles]
        theirs = self.best if teacher is None else self.teachers[self.names.index(teacher)]
        songs = np.unique(self.groups)
        of_song = self.groups[None] == songs[:, None]
        ours_by_song = of_song @ self.student[rows].sum(axis=0)
        theirs_by_song = of_song @ theirs[rows].sum(axis=0)
        draws = np.random.default_rng(0).integers(len(songs), size=(RESAMPLES, len(songs)))
        shares = ours_by_song[draws].sum(axis=1) / theirs_by_song[draws].sum(axis=1)
        low, high = np.quantile(shares, ((1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2))
        return Kept(float(ours_by_song.sum() / theirs_by_song.sum()), float(low), float(high))


def compare(
    students: Sequence[Path],
    settings: DistillationSettings,
    *,
    styles: Sequence[str] = (),
    fidelity: Fidelity = "simulate",
    split: Split | None = None,
    tell: Tell = lambda what, share: None,
) -> list[Comparison]:
    """Let students and those who taught them mix the validation songs of their run.

    Every song is searched here, whatever share of them was searched to learn from. Searches are in
    `simulate`, begin with the best mix of the policies, and lie on disk as labels do.

    Args:
        students: weights.
        settings: of the run, or of one of them where they differ in the network alone.
        styles: to mix under; those of the run if none are named.
        fidelity: of the scores.
        split: of the training set, for the one that the settings name.
        tell: told what is being done, and the share of it that is done.

    Raises:
        MixgymError: weights or songs that cannot be read.
    """
    given = settings.distillation
    policies = [TrainedPolicy(path) for path in (*students, *given.teachers)]
    usual = settings.environment.arguments.get("reward", EnvOptions.reward)
    styles = tuple(dict.fromkeys(styles or settings.styles or (usual,)))
    validation = settings.validation
    if split is not None:
        validation = validation.model_copy(update={"split": split})
    gains = []
    titles: tuple[str, ...] = ()
    groups = np.zeros(0, dtype=np.int64)
    actors = len(policies) + len(given.searches)
    for number, style in enumerate(styles):
        episodes = make_validation(
            settings.environment, validation, reward=style, fidelity=fidelity
        )
        found = []
        for place in range(actors):
            tell("Comparing", (number + place / actors) / len(styles))
            if place < len(policies):
                act, encoder = policies[place].act, policies[place].about.sizes.encoder
                found.append(validate(episodes, act, pictured=encoder in PICTURED))
            else:
                search = given.searches[place - len(policies)]
                actions = _searched(settings, validation, style, search, episodes)
                found.append(validate(episodes, lambda seen, held=actions: held))
        titles = tuple(found[0])
        origins = [source.origin for source in episodes.repertoire.sources[: episodes.count]]
        groups = np.unique(origins, return_inverse=True)[1]
        gains.append([[song.gain for song in by_title.values()] for by_title in found])
    by_actor = np.array(gains).swapaxes(0, 1)
    names = (
        *(path.name for path in given.teachers),
        *(f"{search.by}, {search.evaluations:,}" for search in given.searches),
    )
    return [
        Comparison(
            titles, groups, styles, gained, tuple(distinct(names)), by_actor[len(students) :]
        )
        for gained in by_actor[: len(students)]
    ]


def _searched(
    settings: DistillationSettings,
    validation: Validation,
    style: str,
    search: Search,
    episodes: Episodes,
) -> NDArray[np.float32]:
    """Actions that set what a search finds for each of some episodes, (episodes, *action)."""
    songs = validation.songs or settings.environment.arguments.get("songs")
    few = make_one_look(
        settings.environment,
        PER_PASS,
        reward=style,
        songs=songs,
        split=validation.split,
        max_stems=None,
    )
    sizes = network_sizes(few, settings.policy)
    batches = Batches([few], PER_PASS, settings.seed, torch.device("cpu"))
    whole = search.model_copy(update={"share": 1.0})
    given = settings.distillation.model_copy(update={"searches": (whole,)})
    teachers = Teachers([few], batches, given, sizes, settings.seed)
    genomes = []
    for first in range(0, episodes.count, PER_PASS):
        shown = batches.shown(0, np.arange(first, min(first + PER_PASS, episodes.count)))
        genomes += [teachers.label(shown, place).genome for place in range(len(shown.numbers))]
    return cells_of(genomes, episodes.action_mask.shape, sizes).numpy()
