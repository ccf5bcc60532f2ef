"""How much of its teachers' gain a student keeps on songs that it did not learn from."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..agents.encoders import PICTURED
from ..agents.environments import make_validation
from ..agents.load import TrainedPolicy
from ..agents.settings import DistillationSettings
from ..agents.validation import validate
from ..envs.options import EnvOptions
from ..errors import MixgymError
from ..rewards.evaluator import Fidelity
from ..songs.training.manifest import MANIFEST, read_manifest
from ..songs.training.splits import Split

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
        teachers: of each, (teachers, styles, excerpts).
    """

    titles: tuple[str, ...]
    groups: NDArray[np.int64]
    styles: tuple[str, ...]
    student: NDArray[np.float64]
    teachers: NDArray[np.float64]

    @property
    def best(self) -> NDArray[np.float64]:
        """Gain of the best teacher, song by song and style by style, (styles, excerpts)."""
        return np.asarray(self.teachers.max(axis=0))

    def kept(self, styles: Sequence[str] = (), teacher: int | None = None) -> Kept:
        """The student's mean gain as a share of a teacher's.

        The interval is of a bootstrap (percentiles) in which songs are drawn again, each with all
        of its excerpts and styles.

        Args:
            styles: of these alone; all if none are named.
            teacher: its number; the best for each song and style if None.
        """
        rows = [i for i, style in enumerate(self.styles) if not styles or style in styles]
        theirs = self.best if teacher is None else self.teachers[teacher]
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
) -> list[Comparison]:
    """Let students and the policies that taught them mix the validation songs of their run.

    Args:
        students: weights.
        settings: of the run, or of one of them where they differ in the network alone.
        styles: to mix under; those of the run if none are named.
        fidelity: of the scores.
        split: of the training set, for the one that the settings name.

    Raises:
        MixgymError: weights or songs that cannot be read, or no policy among the teachers.
    """
    if not settings.distillation.teachers:
        raise MixgymError("There is no policy among the teachers to compare with.")
    policies = [TrainedPolicy(path) for path in (*students, *settings.distillation.teachers)]
    usual = settings.environment.arguments.get("reward", EnvOptions.reward)
    names = tuple(dict.fromkeys(styles or settings.styles or (usual,)))
    validation = settings.validation
    if split is not None:
        validation = validation.model_copy(update={"split": split})
    gains = []
    titles: tuple[str, ...] = ()
    for style in names:
        episodes = make_validation(
            settings.environment, validation, reward=style, fidelity=fidelity
        )
        found = [
            validate(episodes, policy.act, pictured=policy.about.sizes.encoder in PICTURED)
            for policy in policies
        ]
        titles = tuple(found[0])
        gains.append([[gain for _, gain in by_title.values()] for by_title in found])
    by_policy = np.array(gains).swapaxes(0, 1)
    groups, count = _groups(titles, settings), len(students)
    return [
        Comparison(titles, groups, names, gained, by_policy[count:]) for gained in by_policy[:count]
    ]


def _groups(titles: Sequence[str], settings: DistillationSettings) -> NDArray[np.int64]:
    """Numbers of the songs that excerpts are from; a song each where that is not known."""
    songs = settings.validation.songs or settings.environment.arguments.get("songs")
    source = {}
    if isinstance(songs, str | Path) and (Path(songs) / MANIFEST).is_file():
        source = {row.id: row.source for row in read_manifest(songs)}
    names = [source.get(title, title) for title in titles]
    return np.unique(names, return_inverse=True)[1]
