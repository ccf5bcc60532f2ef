"""DEAP's operators under a generator of their own.

DEAP draws from Python's global generator. `drawing` lends the global one the state of a searcher's
and puts it back afterwards, so that searchers neither disturb nor feel each other or anyone else.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock
from typing import Any

import numpy as np
from numpy.typing import NDArray

_LOCK = Lock()


class Individual(list[float]):
    """A genome as DEAP wants it: a list with a fitness."""

    def __init__(self, genes: NDArray[np.float64], weights: tuple[float, ...]) -> None:
        super().__init__(genes.tolist())
        self.fitness = _fitness(weights)


def _fitness(weights: tuple[float, ...]) -> Any:
    from deap import base

    kind = type("Fitness", (base.Fitness,), {"weights": weights})
    return kind()


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
