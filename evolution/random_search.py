"""Random search: draws from the priors, the baseline of every comparison."""

from __future__ import annotations

import numpy as np

from .genome import SongSpace
from .searcher import Genomes, Outcome


class RandomSearch:
    """Draws every genome from the priors of its parameters.

    Args:
        space: what is searched.
        seed: of the draws.
        start: a genome to begin with, shape (genes,); the neutral mix if None.
        batch: genomes per `ask`.
    """

    def __init__(
        self, space: SongSpace, seed: int = 0, start: Genomes | None = None, *, batch: int = 64
    ) -> None:
        self._space, self._batch = space, batch
        self._rng = np.random.default_rng(seed)
        self._start: Genomes | None = space.neutral if start is None else start

    def ask(self) -> Genomes:
        """A batch of draws; the very first genome is the start."""
        genomes = self._space.sample(self._rng, self._batch)
        if self._start is not None:
            genomes[0], self._start = self._start, None
        return genomes

    def tell(self, genomes: Genomes, outcome: Outcome) -> None:
        """Nothing is learnt."""
