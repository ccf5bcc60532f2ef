"""Searchers as mixers: `mixer(song, budget) -> Mix`, found in `simulate`, chosen on `render`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from ..console.carry import carry
from ..console.mix import Budget, Mix
from ..console.rules import roles
from ..console.space import Space
from ..errors import MixgymError
from ..rewards import Evaluator, Reward
from ..songs import most_active_excerpt
from .cma_es import CmaEs
from .genetic import GeneticAlgorithm
from .genome import SongSpace
from .map_elites import MapElites
from .nsga2 import Nsga2
from .random_search import RandomSearch
from .search import Found, OnBatch, search
from .searcher import Searcher

if TYPE_CHECKING:
    from ..songs import Song

SEARCHERS: dict[str, Callable[..., Searcher]] = {
    "random": RandomSearch,
    "ga": GeneticAlgorithm,
    "cma_es": CmaEs,
    "sep_cma": partial(CmaEs, separable=True),
    "nsga2": Nsga2,
    "map_elites": MapElites,
}
FINALISTS = 4  # of the best that `simulate` found, heard on `render`


@dataclass(frozen=True, slots=True)
class Choice:
    """What came of a search.

    Attributes:
        mix: of the excerpt that was searched.
        found: in `simulate`.
        heard: score on `render` of the start and of the chosen mix.
        evaluations: of both fidelities together.
    """

    mix: Mix
    found: Found
    heard: tuple[float, float]
    evaluations: int


def searcher(name: str) -> Callable[..., Searcher]:
    """What makes searchers of that name: `make(space, seed, start, **options)`.

    Raises:
        MixgymError: there is none.
    """
    if name not in SEARCHERS:
        raise MixgymError(f"There is no search {name!r}; choose from {', '.join(SEARCHERS)}.")
    return SEARCHERS[name]


def search_excerpt(
    excerpt: Song,
    name: str,
    budget: Budget,
    *,
    reward: Reward | None = None,
    seed: int = 0,
    start: Mix | None = None,
    free: Space | None = None,
    on_batch: OnBatch | None = None,
    **options: Any,
) -> Choice:
    """Search mixes of an excerpt, and choose among the best by what `render` says.

    Args:
        excerpt: what to search on.
        name: of the searcher.
        budget: evaluations, those on `render` among them, and seconds.
        reward: `load_reward()` if None.
        seed: of the searcher.
        start: where to begin; the rules by role if None.
        free: the settings that are searched; the others stay as in the start.
        on_batch: told after every batch.
        options: of the searcher.

    Raises:
        MixgymError: no such searcher, a budget of nothing, or a stem that cannot be read.
    """
    make = searcher(name)
    if budget.evaluations < 1:
        raise MixgymError("A search needs a budget of at least 1 evaluation.")
    start = start or roles(excerpt, Budget())
    space = SongSpace(len(excerpt.stems), free or Space(), start)
    genome = space.encode(start)
    evaluator = Evaluator(excerpt, reward)
    listening = Evaluator(excerpt, evaluator.reward, fidelity="render")
    finalists = min(FINALISTS, budget.evaluations // 10)
    spare = replace(budget, evaluations=budget.evaluations - finalists - bool(finalists))
    found = search(evaluator, make(space, seed, genome, **options), space, spare, on_batch=on_batch)
    candidates = np.concatenate((genome[None], found.best[:finalists]))
    if finalists:
        heard = listening.evaluate(*space.decode(candidates)).score
        chosen = int(np.argmax(heard))
    else:
        candidates, heard, chosen = found.best[:1], np.full(1, np.nan), 0
    strips, buses, master = (values[0] for values in space.decode(candidates[chosen][None]))
    mix = replace(start, strips=strips, buses=buses, master=master, made_by=name, reasons={})
    return Choice(
        mix,
        found,
        (float(heard[0]), float(heard[chosen])),
        evaluator.evaluations + listening.evaluations,
    )


def search_mixer(
    name: str,
    *,
    reward: Reward | None = None,
    seed: int = 0,
    seconds: float = 10.0,
    on_batch: OnBatch | None = None,
    **options: Any,
) -> Callable[[Song, Budget], Mix]:
    """A mixer that searches a song's most active seconds and carries what it found to the song.

    Raises:
        MixgymError: no such searcher.
    """
    searcher(name)

    def mixer(song: Song, budget: Budget) -> Mix:
        excerpt = most_active_excerpt(song, seconds)
        choice = search_excerpt(
            excerpt, name, budget, reward=reward, seed=seed, on_batch=on_batch, **options
        )
        return carry(choice.mix, excerpt, song, otherwise=roles(song, budget))

    return mixer
