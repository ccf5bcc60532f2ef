"""Refinement on `render` around a mix that `simulate` found, `simulate` choosing what to hear.

Many children of the best are simulated, and the few that promise most are rendered: pre-selection
by a surrogate (Y. Jin, "Surrogate-assisted evolutionary computation", Swarm and Evolutionary
Computation 1, 2011).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..rewards import Evaluator
from .genome import SongSpace
from .searcher import Genomes
from .variation import BlockVariation

CHILDREN = 64  # simulated per round
HEARD = 4  # of these


@dataclass(frozen=True, slots=True)
class Heard:
    """A genome, (genes,), its score in `simulate`, and on `render`."""

    genome: Genomes
    simulated: float
    score: float


def refine_cost(renders: int) -> int:
    """Evaluations, of both fidelities, that `refined` spends on so many renders."""
    return renders + CHILDREN * -(-renders // HEARD)


def affordable(renders: int, evaluations: int) -> int:
    """So many renders, or as many as `refined` makes of a number of evaluations."""
    return min(renders, HEARD * (evaluations // (CHILDREN + HEARD)))


def refined(
    simulator: Evaluator,
    renderer: Evaluator,
    space: SongSpace,
    best: Heard,
    renders: int,
    seed: int = 0,
) -> Heard:
    """The best that was heard within a number of renders; on `render` no worse than `best`.

    Args:
        simulator, renderer: evaluators of one song, one of each fidelity.
        space: what genomes mean.
        best: where to begin.
        renders: how many mixes may be rendered.
        seed: of the children.

    Raises:
        MixgymError: a stem cannot be read.
    """
    rng = np.random.default_rng([seed, renders])
    variation = BlockVariation(space, swap=0.0, blocks=1.0)
    while renders > 0:
        children = variation.mutate(rng, np.tile(best.genome, (CHILDREN, 1)))
        promises = space.scores(simulator, children).score
        tried = np.argsort(-promises, kind="stable")[: min(HEARD, renders)]
        scores = space.scores(renderer, children[tried]).score
        renders -= len(tried)
        top = int(np.argmax(scores))
        if scores[top] > best.score:
            child = tried[top]
            best = Heard(children[child], float(promises[child]), float(scores[top]))
    return best
