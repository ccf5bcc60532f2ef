"""Searchers as mixers: `mixer(song, budget) -> Mix`, found in `simulate`, chosen on `render`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..console.carry import carry
from ..console.mix import Budget, Mix, Strength
from ..console.rules import roles
from ..console.space import Space
from ..console.styles import Style
from ..errors import MixgymError
from ..rewards import Evaluator, Reward
from ..rewards.features import target_loudness_lufs
from ..songs import most_active_excerpt
from .checkpoint import Checkpoint, search_identity
from .cma_es import CmaEs
from .genetic import GeneticAlgorithm
from .genome import SongSpace
from .map_elites import MapElites
from .nsga2 import Nsga2
from .random_search import RandomSearch
from .refine import Heard, affordable, refine_cost, refined
from .search import Found, OnBatch, search
from .searcher import Genomes, Searcher

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
DEFAULT_SEARCH = "ga"


@dataclass(frozen=True, slots=True)
class Choice:
    """What came of a search.

    Attributes:
        mix: of the excerpt that was searched.
        start: where the search began.
        found: in `simulate`.
        simulated: scores in `simulate` of the start and of the chosen mix.
        heard: their scores on `render`; NaN where the budget allowed no render.
        evaluations: of both fidelities together.
        space: what was free.
        searcher: after the search.
    """

    mix: Mix
    start: Mix
    found: Found
    simulated: tuple[float, float]
    heard: tuple[float, float]
    evaluations: int
    space: SongSpace
    searcher: Searcher

    def mix_of(self, genome: Genomes) -> Mix:
        """The mix that a genome, (genes,), stands for."""
        return changed_mix(self.start, self.space, genome, self.mix.made_by)


def searcher(name: str) -> Callable[..., Searcher]:
    """What makes searchers of that name: `make(space, seed, start, **options)`.

    Raises:
        MixgymError: there is none.
    """
    if name not in SEARCHERS:
        raise MixgymError(f"There is no search {name!r}; choose from {', '.join(SEARCHERS)}.")
    return SEARCHERS[name]


def default_space(name: str) -> Space:
    """What a search sets free unless told; a map of different mixes differs in loudness too."""
    if name == "map_elites":
        return Space(master=(*Space.master, "target_lufs"))
    return Space()


def search_excerpt(
    excerpt: Song,
    name: str,
    budget: Budget,
    *,
    reward: Reward | None = None,
    seed: int = 0,
    start: Mix | None = None,
    lean: Style | None = None,
    free: Space | None = None,
    refine: int = 0,
    checkpoint: Path | None = None,
    resume: Path | None = None,
    on_batch: OnBatch | None = None,
    **options: Any,
) -> Choice:
    """Search mixes of an excerpt, and choose among the best by what `render` says.

    Args:
        excerpt: what to search on.
        name: of the searcher.
        budget: evaluations, those on `render` among them, and seconds of the search.
        reward: `load_reward()` if None.
        seed: of the searcher.
        start: where to begin; `starting_mix` if None.
        lean: the style of the rules.
        free: the settings that are searched; the others stay as in the start. `default_space` if
            None.
        refine: renders around the best that was heard, within a fifth of the budget.
        checkpoint: file to keep what the searcher was told in.
        resume: such a file, to go on from.
        on_batch: told after every batch.
        options: of the searcher.

    Raises:
        MixgymError: no such searcher, a budget of nothing, nothing that sounds, a checkpoint that
            cannot be used, or a stem that cannot be read.
    """
    make = searcher(name)
    if budget.evaluations < 1:
        raise MixgymError("A search needs a budget of at least 1 evaluation.")
    simulator = Evaluator(excerpt, reward)
    most = budget.evaluations // 10
    start, start_score = scored_start(simulator, start, lean, most)
    space = SongSpace(len(excerpt.stems), free or default_space(name), start)
    genome = space.encode(start)
    seeker = make(space, seed, genome, **options)
    finalists = min(FINALISTS, most)
    refine = affordable(refine, budget.evaluations // 5) if finalists else 0
    after = finalists + bool(finalists) + refine_cost(refine)
    spare = replace(budget, evaluations=max(1, budget.evaluations - simulator.evaluations - after))
    saved = None
    if checkpoint is not None or resume is not None:
        identity = search_identity(simulator, space, genome, (name, seed, sorted(options.items())))
        saved = Checkpoint(checkpoint, identity, resume)
    found = search(
        simulator,
        seeker,
        space,
        spare,
        told=saved.told if saved else None,
        on_batch=saved.watching(on_batch) if saved else on_batch,
    )
    if saved:
        saved.save(found.outcomes)
    if not len(found.best):
        raise MixgymError("The search was ended before it tried anything; nothing was written.")
    renderer = Evaluator(excerpt, simulator.reward, fidelity="render")
    begun, best = heard_best(renderer, space, Heard(genome, start_score, np.nan), found, finalists)
    if refine and not found.interrupted:
        best = refined(simulator, renderer, space, best, refine, seed)
    return Choice(
        changed_mix(start, space, best.genome, name),
        start,
        found,
        (start_score, best.simulated),
        (begun.score, best.score),
        simulator.evaluations + renderer.evaluations,
        space,
        seeker,
    )


def scored_start(
    evaluator: Evaluator, start: Mix | None, lean: Style | None, most: int
) -> tuple[Mix, float]:
    """Where a search begins, `starting_mix` if that is None, and its score, as that gives it.

    Raises:
        MixgymError: nothing sounds, or a stem cannot be read.
    """
    if not evaluator.present.any():
        title = evaluator.song.title
        raise MixgymError(f"{title!r} is silent where it was searched; nothing to mix.")
    if start is None:
        return starting_mix(evaluator, lean, most)
    return start, float(evaluator.evaluate_mixes([start]).score[0]) if most else np.nan


def starting_mix(
    evaluator: Evaluator, lean: Style | None = None, most: int = 10
) -> tuple[Mix, float]:
    """Where a search begins unless told: of a few mixes by rule the one that scores best.

    These are equal loudness, the rules by role, and of the rules the levels and the panning alone,
    wholly or by half; all with the loudness that the reward asks for.

    Args:
        evaluator: of the song.
        lean: style of the rules.
        most: evaluations that may be spent.

    Returns:
        The mix and its score: NaN, and equal loudness, where `most` is too little.

    Raises:
        MixgymError: a stem cannot be read.
    """
    rules = roles(evaluator.song, Budget(), lean=lean)
    target_lufs = target_loudness_lufs(evaluator.reward)
    if target_lufs is not None:
        rules = rules.with_master(loudness_on=1.0, target_lufs=target_lufs)
    levels: dict[Strength, float] = {"eq": 0, "dynamics": 0, "space": 0, "master": 0}
    candidates = [rules.scaled(0.0), rules.scaled(0.5, levels), rules.scaled(1.0, levels), rules]
    if most < len(candidates):
        return candidates[0], np.nan
    scores = evaluator.evaluate_mixes(candidates).score
    top = int(np.argmax(scores))
    return candidates[top], float(scores[top])


def heard_best(
    renderer: Evaluator, space: SongSpace, start: Heard, found: Found, finalists: int
) -> tuple[Heard, Heard]:
    """Of the start and the best that were found, the one that scores highest on `render`.

    Args:
        renderer: of the song, on `render`.
        space: what genomes mean.
        start: not heard yet.
        found: in `simulate`.
        finalists: so many of these are heard; the best is taken unheard if 0.

    Returns:
        The start and the chosen one; their scores are NaN if unheard.

    Raises:
        MixgymError: a stem cannot be read.
    """
    if not finalists:
        return start, Heard(found.best[0], float(found.scores[0]), np.nan)
    finals = np.concatenate((start.genome[None], found.best[:finalists]))
    promises = np.concatenate(([start.simulated], found.scores[:finalists]))
    scores = space.scores(renderer, finals).score
    top = int(np.argmax(scores))
    first, best = (Heard(finals[i], float(promises[i]), float(scores[i])) for i in (0, top))
    return first, best


def changed_mix(start: Mix, space: SongSpace, genome: Genomes, name: str) -> Mix:
    """The mix that a genome, (genes,), makes of the start."""
    strips, buses, master = (values[0] for values in space.decode(genome[None]))
    return replace(start, strips=strips, buses=buses, master=master, made_by=name, reasons={})


def search_mixer(
    name: str,
    *,
    reward: Reward | None = None,
    seed: int = 0,
    seconds: float = 10.0,
    lean: Style | None = None,
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
            excerpt, name, budget, reward=reward, seed=seed, lean=lean, on_batch=on_batch, **options
        )
        return carry(choice.mix, excerpt, song, otherwise=roles(song, budget, lean=lean))

    return mixer
