"""DEAP's selection over genomes, under a generator of their own.

DEAP draws from Python's global generator. `drawing` lends the global one the state of a searcher's
and puts it back afterwards, so that searchers neither disturb nor feel each other or anyone else.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from threading import Lock
from typing import Any

import numpy as np
from numpy.typing import NDArray

_LOCK = Lock()


class Individual:
    """A genome with a fitness, every value of which is to be maximised.

    Attributes:
        genome: shape (genes,).
        fitness: as DEAP knows it.
    """

    def __init__(self, genome: NDArray[np.float64], values: Sequence[float]) -> None:
        self.genome = genome
        self.fitness: Any = _fitness(len(values))()
        self.fitness.values = tuple(values)


@cache
def _fitness(values: int) -> Any:
    from deap import base

    return type("Fitness", (base.Fitness,), {"weights": (1.0,) * values})


def genomes_of(individuals: Sequence[Individual]) -> NDArray[np.float64]:
    """Theirs, shape (individuals, genes)."""
    return np.array([individual.genome for individual in individuals])


@contextmanager
def drawing(generator: random.Random) -> Iterator[None]:
    """Python's global generator is `generator` inside of the block."""
    with _LOCK:
        before = random.getstate()
        random.setstate(generator.getstate())
        try:
            yield
        finally:
            generator.setstate(random.getstate())
            random.setstate(before)
