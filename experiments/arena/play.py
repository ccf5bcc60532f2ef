"""The work of one chunk: mix an excerpt with every mixer, hear the mixes, score and judge them."""

from __future__ import annotations

import time
from contextlib import AbstractContextManager
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ...console.hear import hear
from ...console.mix import Mix
from ...console.rules import equal_loudness
from ...evolution.mixers import SEARCHERS
from ...rewards import Evaluator, Reward, load_reward
from ..judging import person_of
from ..machine import describe_machine
from .entrants import Begin, Entrant, entrant, searching
from .pieces import Piece, open_piece, open_song

if TYPE_CHECKING:
    from ...songs import Excerpt, Song

Row = dict[str, Any]


class Task(NamedTuple):
    """One mixer with one seed, at several budgets."""

    mixer: str
    seed: int
    budgets: tuple[int, ...]


class Chunk(NamedTuple):
    """What one worker does at a time: tasks on one excerpt, beside how many other workers."""

    piece: Piece
    tasks: tuple[Task, ...]
    style: str
    workers: int


class Heard(NamedTuple):
    """A mix as it sounds.

    Attributes:
        score, terms, gates: on `render`.
        judges: how far it is from the person's mix; empty where there is none.
        audio: shape (2, frames).
    """

    score: float
    terms: dict[str, float]
    gates: dict[str, float]
    judges: dict[str, float]
    audio: NDArray[np.float32]


class Stage:
    """One excerpt, ready to be mixed and heard.

    Args:
        piece: which.
        style: of the reward.

    Attributes:
        excerpt: open until a piece of another song is asked for.
        reward: what mixers search for.
        person: a person's mix of it; None where there is none.

    Raises:
        MixgymError: the song cannot be read, or there is no such style.
    """

    def __init__(self, piece: Piece, style: str) -> None:
        self.excerpt: Excerpt = open_piece(piece)
        self.reward = _reward(style)
        self._evaluator = Evaluator(self.excerpt, self.reward)
        self.person = person_of(piece.folder, self.excerpt)

    def warm_up(self) -> None:
        """Do once, before any clock runs, what only the first mix has to wait for."""
        neutral = equal_loudness(self.excerpt)
        self._evaluator.evaluate_mixes([neutral])  # its analysis is then on disk for everybody
        hear(self.excerpt, neutral)

    def hear(self, mix: Mix) -> Heard:
        """Render a mix, score and judge it; this is not counted as an evaluation."""
        readings, audio = hear(self.excerpt, mix)
        scene = self._evaluator.scene(mix.strips[None], mix.master[None])
        scores = self.reward(readings, scene)
        return Heard(
            float(scores.score[0]),
            {name: float(values[0]) for name, values in scores.terms.items()},
            {name: float(values[0]) for name, values in scores.gates.items()},
            {} if self.person is None else self.person.judges(audio, readings),
            audio,
        )


def play(chunk: Chunk) -> list[Row]:
    """Play the tasks of a chunk.

    Linear algebra keeps to one thread: its threads wait for each other at length where runs share a
    machine, and how many there are changes the last bits of what comes out.

    Returns:
        A row for each task and budget: `mixer`, `song`, `artist`, `split`, `excerpt`, `start_s`,
        `seed`, `budget`, `evaluations`, `seconds` (from an excerpt that was read and analysed to
        its settings), `score`, `terms`, `gates`, `judges`, `workers` (runs at work at a time), and
        `cpu`, `cores`, `commit` of the machine.

    Raises:
        MixgymError: the song cannot be read, or a policy cannot be used.
    """
    with one_thread():
        return _played(chunk)


def one_thread() -> AbstractContextManager[object]:
    """Linear algebra in one thread, within the `with` block."""
    from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

    limits: AbstractContextManager[object] = threadpool_limits(1, user_api="blas")
    return limits


def _played(chunk: Chunk) -> list[Row]:
    stage = _stage(open_song(chunk.piece.folder), chunk.piece, chunk.style)
    about = chunk.piece.model_dump(include={"song", "artist", "split", "excerpt", "start_s"})
    machine = _machine()
    rows = []
    for task in chunk.tasks:
        mixer = entrant(task.mixer)
        begin = _beginner(mixer, chunk.style)
        for budget in task.budgets:
            started = time.perf_counter()
            played = mixer.play(begin, stage.excerpt, stage.reward, budget, task.seed, chunk.style)
            seconds = time.perf_counter() - started
            heard = stage.hear(played.mix)
            rows.append(
                {
                    "mixer": task.mixer,
                    **about,
                    "seed": task.seed,
                    "budget": budget,
                    "evaluations": played.evaluations,
                    "seconds": seconds,
                    "score": heard.score,
                    "terms": heard.terms,
                    "gates": heard.gates,
                    "judges": heard.judges,
                    "workers": chunk.workers,
                    **machine,
                }
            )
    return rows


@lru_cache(maxsize=1)
def _stage(song: Song, piece: Piece, style: str) -> Stage:
    """The stage of an excerpt of a song that is open, ready while no other is asked for."""
    stage = Stage(piece, style)
    stage.warm_up()
    return stage


@cache
def _reward(style: str) -> Reward:
    return load_reward(style)


@cache
def _beginner(mixer: Entrant, style: str) -> Begin:
    """A mixer's start, loaded once in a process, and so are the libraries of its search."""
    if mixer.search in SEARCHERS:
        from ...evolution.genome import SongSpace

        SEARCHERS[mixer.search](SongSpace(2), 0).ask()
    elif mixer.search:
        searching(mixer.search)
    return mixer.beginner(style)


@cache
def _machine() -> dict[str, Any]:
    machine = describe_machine()
    return {"cpu": machine["cpu"], "cores": machine["cores"], "commit": machine["commit"]}
