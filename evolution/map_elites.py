"""MAP-Elites: a map of good mixes that differ in brightness, width and loudness. On pyribs.

J.-B. Mouret, J. Clune, "Illuminating search spaces by mapping elites", arXiv:1504.04909 (2015);
children along the line between two elites: V. Vassiliades, J.-B. Mouret, "Discovering the Elite
Hypervolume by Leveraging Interspecies Correlation", GECCO 2018.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from .genome import SongSpace
from .searcher import Genomes, Outcome
from .variation import BlockVariation, first_population


class MapElites:
    """Keeps the best mix of every cell of a grid over the measures, and varies what it keeps.

    Args:
        space: what is searched.
        seed: of all draws.
        start: a genome of the first batch; the neutral mix if None.
        cells: of the grid, per measure.
        ranges: of the measures, low and high each.
        batch: genomes per `ask`.
        blocks: how many a child is mutated in, on average.
        line_sigma: spread along the line to another elite.
    """

    def __init__(
        self,
        space: SongSpace,
        seed: int = 0,
        start: Genomes | None = None,
        *,
        cells: tuple[int, ...] = (8, 8, 6),
        ranges: tuple[tuple[float, float], ...] = ((-24.0, 0.0), (0.0, 0.3), (-20.0, -8.0)),
        batch: int = 64,
        blocks: float = 2.0,
        line_sigma: float = 0.2,
    ) -> None:
        from ribs.archives import GridArchive

        self._batch, self._line_sigma = batch, line_sigma
        self._variation = BlockVariation(space, 0.0, blocks)
        self._rng = np.random.default_rng(seed)
        self._archive: Any = GridArchive(
            solution_dim=space.genes, dims=cells, ranges=ranges, seed=seed
        )
        self._asked: Genomes | None = first_population(
            space, self._rng, batch, start, self._variation
        )

    @property
    def elites(self) -> tuple[Genomes, Outcome]:
        """Genomes of the filled cells, and what they came to (without objectives)."""
        kept = self._archive.data(["solution", "objective", "measures"])
        scores = kept["objective"]
        return kept["solution"], Outcome(scores, np.empty((len(scores), 0)), kept["measures"])

    def ask(self) -> Genomes:
        """Variations of elites drawn at random."""
        if self._asked is not None:
            return self._asked
        elites = self._archive.data("solution")
        one, other = elites[self._rng.integers(len(elites), size=(2, self._batch))]
        along = self._line_sigma * self._rng.standard_normal((self._batch, 1)) * (other - one)
        return self._variation.mutate(self._rng, np.clip(one + along, -1.0, 1.0))

    def tell(self, genomes: Genomes, outcome: Outcome) -> None:
        """Offer the batch to the map."""
        self._asked = None
        self._archive.add(genomes, outcome.score, outcome.measures)
