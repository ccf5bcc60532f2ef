"""All mixers on all excerpts with all seeds and budgets."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from importlib.util import find_spec
from itertools import groupby
from pathlib import Path

from ...errors import MixgymError
from ...rewards import load_reward
from ..mapper import Mapper
from .entrants import entrant, searching
from .pieces import Piece, find_pieces
from .play import Chunk, Row, Task, play
from .settings import Settings
from .store import Key, Store

Tell = Callable[[str, float], None]


def compete(
    settings: Settings, folder: Path, mapper: Mapper, tell: Tell
) -> tuple[list[Row], tuple[Piece, ...]]:
    """Play what is not yet in the run's folder, and write `scores.parquet` there.

    Stopped at any time, the same call goes on from there.

    Args:
        settings: what is played.
        folder: of the run.
        mapper: who works.
        tell: told what is being done and the share of it that is done.

    Returns:
        All rows of the folder, see `play`, and the excerpts.

    Raises:
        MixgymError: settings that cannot be played, a song that cannot be read, a folder of
            another run or a damaged one, a full disk.
    """
    check(settings)
    store = Store(folder)
    pieces = store.pieces(settings)
    if pieces is None:
        pieces = tuple(find_pieces(settings, mapper, tell))
    chunks = chunks_of(settings, pieces, store.rows(), mapper.workers)
    store.begin(settings, pieces)
    for done, (index, rows) in enumerate(mapper.map(play, chunks), 1):
        store.add(chunks[index], rows)
        tell("Competing", done / len(chunks))
    rows = list(store.rows().values())
    store.write_parquet(rows, settings)
    return rows, pieces


def check(settings: Settings) -> None:
    """See that every mixer is there and can be run with some budget.

    Raises:
        MixgymError: one cannot.
    """
    need_libraries()
    load_reward(settings.style)
    for name in settings.mixers:
        mixer = entrant(name)
        least = mixer.cost + mixer.draws
        if settings.budgets[-1] < least:
            raise MixgymError(f"{name} needs a budget of at least {least} evaluations; raise it.")
        mixer.beginner(settings.style)
        if mixer.search:
            searching(mixer.search)


def need_libraries() -> None:
    """Refuse to begin without the libraries that the arena needs.

    Raises:
        MixgymError: one is not installed.
    """
    for library in ("pyarrow", "threadpoolctl"):
        if find_spec(library) is None:
            raise MixgymError(
                f"The arena needs {library}: install mixgym's extra with "
                "pip install 'mixgym[search]'."
            )


def tasks_of(settings: Settings) -> list[Task]:
    """What is played on every excerpt; mixers that draw nothing have the seed 0 alone."""
    tasks = []
    for seed in range(settings.seeds):
        for name in settings.mixers:
            mixer = entrant(name)
            if seed == 0 or mixer.draws:
                tasks.append(Task(name, seed, mixer.budgets(settings.budgets)))
    return tasks


def chunks_of(
    settings: Settings, pieces: Sequence[Piece], known: dict[Key, Row], workers: int
) -> list[Chunk]:
    """What is still to be played: for each excerpt and seed a chunk, songs one after another."""
    chunks = []
    for piece in pieces:
        for _, tasks in groupby(tasks_of(settings), key=lambda task: task.seed):
            left = [_left(piece, task, known) for task in tasks]
            if waiting := tuple(task for task in left if task.budgets):
                chunks.append(Chunk(piece, waiting, settings.style, workers))
    return chunks


def _left(piece: Piece, task: Task, known: dict[Key, Row]) -> Task:
    """The budgets of a task that are not yet played."""
    waiting = _keys(piece, task) - known.keys()
    return task._replace(budgets=tuple(sorted(budget for *_, budget in waiting)))


def _keys(piece: Piece, task: Task) -> set[Key]:
    return {(task.mixer, piece.song, piece.excerpt, task.seed, budget) for budget in task.budgets}
