"""Gradient ascent on one song's mix, and a mixer that does it.

Adam (Kingma and Ba, 2015) on genomes in [-1, 1], several at once from different starts. A forward
pass of a mix counts as one evaluation and the backward pass behind it as one more, so that budgets
compare with those of searchers that only ask for scores.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import torch

from ...console.carry import carry
from ...console.mix import Budget, Mix
from ...console.rules import roles
from ...console.space import Space
from ...console.styles import Style
from ...errors import MixgymError
from ...evolution.genome import SongSpace
from ...evolution.mixers import FINALISTS, changed_mix, heard_best, scored_start
from ...evolution.refine import Heard
from ...evolution.search import Found
from ...rewards import Evaluator, Reward
from ...songs import most_active_excerpt
from .genomes import decode
from .reward import Twin
from .songs import Songs

if TYPE_CHECKING:
    from ...songs import Song

RATE = 0.04  # of Adam at the beginning, in genes, of which a range is 2
LAST_RATE = 0.1  # of that at the end, by half a cosine
RESTARTS = 4
STEPS = 200  # that a start has at least before there is another
APART = 0.5  # standard deviation of the starts, in that of the priors
MADE_BY = "gradient"


@dataclass(frozen=True, slots=True)
class Ascended:
    """What came of an ascent.

    Attributes:
        mix: of the excerpt. start: where the ascent began.
        found: by the twin.
        simulated, heard: scores in `simulate` and on `render` of the start and of the mix; NaN
            where the budget allowed none.
        evaluations: of both fidelities and of gradients together.
    """

    mix: Mix
    start: Mix
    found: Found
    simulated: tuple[float, float]
    heard: tuple[float, float]
    evaluations: int


def ascend(
    evaluator: Evaluator,
    space: SongSpace,
    start: np.ndarray,
    budget: Budget,
    *,
    seed: int = 0,
    restarts: int | None = None,
    rate: float = RATE,
) -> Found:
    """Follow the gradient of a song's score until evaluations or seconds are spent.

    Switches stay as they are; the best genome of each start is kept.

    Args:
        evaluator: of the song, in `simulate`; what is spent is counted there.
        space: what genomes mean.
        start: the first genome to start at, (genes,); the others are drawn around it.
        budget: two evaluations a mix and step, one for its score and one for its gradient.
        seed: of the other starts.
        restarts: how many starts, so many genomes in a step; if None one, and another for every
            `STEPS` that the budget allows beyond so many, up to `RESTARTS`.
        rate: of Adam at the beginning, in genes.

    Returns:
        The best genome of each start, the very best first.

    Raises:
        MixgymError: a term of the reward cannot be differentiated, or a budget of nothing.
    """
    if budget.evaluations < 1:
        raise MixgymError("An ascent needs a budget of at least 1 evaluation.")
    if restarts is None:
        restarts = min(RESTARTS, max(1, budget.evaluations // (2 * STEPS)))
    with _one_thread():
        return _ascend(evaluator, space, start, budget, seed, restarts, rate)


def _ascend(
    evaluator: Evaluator,
    space: SongSpace,
    start: np.ndarray,
    budget: Budget,
    seed: int,
    restarts: int,
    rate: float,
) -> Found:
    began = time.perf_counter()
    twin, songs = Twin(evaluator.reward), Songs.of(evaluator.analysis, evaluator.roles)
    around = space.around
    values = None if around is None else (around.strips, around.buses, around.master)
    keys = None if space.side_chains is None else torch.from_numpy(space.side_chains)
    restarts = min(restarts, budget.evaluations)
    rng = np.random.default_rng(seed)
    away = APART * space.spread * rng.standard_normal((restarts, space.genes))
    away[0] = 0.0
    genomes = torch.from_numpy(np.clip(start + away, -1.0, 1.0)).requires_grad_()
    adam = torch.optim.Adam([genomes], lr=rate)
    best, scores = genomes.detach().clone(), torch.full((restarts,), -math.inf)
    curve: list[tuple[int, float]] = []
    spent = 0
    while spent + restarts <= budget.evaluations:
        done = max(spent / budget.evaluations, (time.perf_counter() - began) / budget.seconds)
        if curve and done >= 1.0:
            break
        settings = decode(space.space, genomes[None], space.stems, values)
        score = twin(songs, *settings, keys).score[0]
        spent += restarts
        better = score.detach() > scores
        best[better], scores[better] = genomes.detach()[better], score.detach()[better]
        curve.append((spent, float(scores.max())))
        if spent + 2 * restarts > budget.evaluations:
            break
        adam.zero_grad()
        (-score.sum()).backward()  # type: ignore[no-untyped-call]
        spent += restarts
        assert genomes.grad is not None
        genomes.grad.nan_to_num_(0.0, 0.0, 0.0)
        adam.param_groups[0]["lr"] = rate * _cooled(done)
        adam.step()
        with torch.no_grad():
            genomes.clamp_(-1.0, 1.0)
    evaluator.evaluations += spent
    order = np.argsort(-scores.numpy(), kind="stable")
    return Found(
        best.numpy()[order],
        scores.numpy().astype(np.float64)[order],
        spent,
        time.perf_counter() - began,
        np.array(curve).reshape(-1, 2),
        [],
    )


def ascend_excerpt(
    excerpt: Song,
    budget: Budget,
    *,
    reward: Reward | None = None,
    seed: int = 0,
    start: Mix | None = None,
    lean: Style | None = None,
    free: Space | None = None,
    restarts: int | None = None,
    rate: float = RATE,
) -> Ascended:
    """Ascend from a mix of an excerpt, and choose among the best by what `render` says.

    Arguments and what is spent are as those of `search_excerpt`.

    Raises:
        MixgymError: a budget of nothing, nothing that sounds, a term of the reward that cannot be
            differentiated, or a stem that cannot be read.
    """
    if budget.evaluations < 1:
        raise MixgymError("An ascent needs a budget of at least 1 evaluation.")
    evaluator = Evaluator(excerpt, reward)
    most = budget.evaluations // 10
    start, start_score = scored_start(evaluator, start, lean, most)
    space = SongSpace(len(excerpt.stems), free or Space(), start)
    genome = space.encode(start)
    finalists = min(FINALISTS, most)
    after = finalists + bool(finalists)
    spare = replace(budget, evaluations=max(1, budget.evaluations - evaluator.evaluations - after))
    found = ascend(evaluator, space, genome, spare, seed=seed, restarts=restarts, rate=rate)
    renderer = Evaluator(excerpt, evaluator.reward, fidelity="render")
    begun, best = heard_best(renderer, space, Heard(genome, start_score, np.nan), found, finalists)
    return Ascended(
        changed_mix(start, space, best.genome, MADE_BY),
        start,
        found,
        (start_score, best.simulated),
        (begun.score, best.score),
        evaluator.evaluations + renderer.evaluations,
    )


def ascend_mixer(
    *,
    reward: Reward | None = None,
    seed: int = 0,
    seconds: float = 10.0,
    lean: Style | None = None,
) -> Callable[[Song, Budget], Mix]:
    """A mixer that ascends on a song's most active seconds and carries the mix to the song."""

    def mixer(song: Song, budget: Budget) -> Mix:
        excerpt = most_active_excerpt(song, seconds)
        ascended = ascend_excerpt(excerpt, budget, reward=reward, seed=seed, lean=lean)
        return carry(ascended.mix, excerpt, song, otherwise=roles(song, budget, lean=lean))

    return mixer


@contextmanager
def _one_thread() -> Iterator[None]:
    """PyTorch on one thread: a few mixes are too little work to share out."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def _cooled(done: float) -> float:
    """Share of the first rate after a part of the budget."""
    return LAST_RATE + (1.0 - LAST_RATE) * 0.5 * (1.0 + math.cos(math.pi * done))
