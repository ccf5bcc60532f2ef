"""The songs that rewards are tried on, each with the mixes that it is known to be good in."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ..console.analysis_cache import cached_analysis
from ..console.hear import hear
from ..console.mix import Mix
from ..console.rules import equal_loudness, roles
from ..errors import MixgymError
from ..rewards.evaluator import Evaluator
from ..songs import most_active_excerpt, read_song
from .judging import Person, person_of
from .people import person_faders_db, person_mix

if TYPE_CHECKING:
    from ..rewards.reward import Reward, Scores
    from ..songs import Song


@dataclass(frozen=True, slots=True)
class Sitting:
    """A song, an evaluator for it, and one mix of it that is known to be good."""

    song: Song
    evaluator: Evaluator
    mix: Mix

    def scores(self, mixes: Sequence[Mix]) -> Scores:
        """What mixes of the song are worth, simulated."""
        return self.evaluator.evaluate_mixes(mixes)

    def rendered(self, mix: Mix) -> float:
        """What the render of a mix is worth."""
        readings, _ = hear(self.song, mix)
        scene = self.evaluator.scene(mix.strips[None], mix.master[None])
        return float(self.evaluator.reward(readings, scene).score[0])


@dataclass(frozen=True, slots=True)
class Subject:
    """A song of the benchmark.

    Attributes:
        name: of its folder.
        rules: the song as the role rules mix it.
        person: the stems that a person's mix holds, in the person's balance; None where unknown.
        human: the person's finished mix; None where there is none.
    """

    name: str
    rules: Sitting
    person: Sitting | None
    human: Person | None

    @property
    def equal(self) -> Mix:
        """Every stem equally loud."""
        return equal_loudness(self.rules.song)


def song_folders(songs: Path) -> list[Path]:
    """The folders in a folder.

    Raises:
        MixgymError: there are none.
    """
    folders = sorted(path for path in songs.iterdir() if path.is_dir()) if songs.is_dir() else []
    if not folders:
        raise MixgymError(f"{songs} holds no folders of stems; give a folder of song folders.")
    return folders


def subjects(folders: Sequence[Path], reward: Reward, seconds: float) -> Iterator[Subject]:
    """The most active excerpt of every song; valid until the next one is asked for.

    Raises:
        MixgymError: a song or a person's mix cannot be read.
    """
    for folder in folders:
        with read_song(folder) as song:
            excerpt = most_active_excerpt(song, seconds)
            rules = Sitting(excerpt, Evaluator(excerpt, reward), roles(excerpt))
            if not rules.evaluator.present.any():
                continue
            person = None
            faders = person_faders_db(folder, excerpt, cached_analysis(excerpt))
            if faders is not None and np.isfinite(faders).sum() > 1:
                held, mix = person_mix(excerpt, faders)
                person = Sitting(held, Evaluator(held, reward), mix)
            yield Subject(folder.name, rules, person, person_of(folder, excerpt))
