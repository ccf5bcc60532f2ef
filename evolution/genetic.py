"""A genetic algorithm: the best breed, by block crossover and block mutation. Selection by DEAP.

Truncation selection with elitism, the (mu + lambda) scheme: H.-P. Schwefel, "Numerical Optimization
of Computer Models", 1981; selection by DEAP (F.-A. Fortin et al., JMLR 13, 2012).
"""

from __future__ import annotations

import numpy as np

from ._deap import Individual, genomes_of
from .genome import SongSpace
from .searcher import Genomes, Outcome
from .variation import BlockVariation, first_population


class GeneticAlgorithm:
    """Breeds a population of mixes from the best so far.

    Args:
        space: what is searched.
        seed: of all draws.
        start: a genome of the first population, shape (genes,); the neutral mix if None.
        population: genomes per generation.
        parents: how many of the best so far breed; they stay until better ones come.
        swap: share of blocks that a child takes from its second parent.
        blocks: how many a child is mutated in, on average.
    """

    def __init__(
        self,
        space: SongSpace,
        seed: int = 0,
        start: Genomes | None = None,
        *,
        population: int = 32,
        parents: int = 8,
        swap: float = 0.3,
        blocks: float = 1.0,
    ) -> None:
        self._variation = BlockVariation(space, swap, blocks)
        self._population, self._most = population, parents
        self._parents: list[Individual] = []
        self._rng = np.random.default_rng(seed)
        self._asked = first_population(space, self._rng, population, start, self._variation)

    @property
    def parents(self) -> tuple[Genomes, list[float]]:
        """The best so far, best first, and what they scored."""
        return genomes_of(self._parents), [one.fitness.values[0] for one in self._parents]

    def ask(self) -> Genomes:
        """One generation."""
        return self._asked

    def tell(self, genomes: Genomes, outcome: Outcome) -> None:
        """Choose parents among the generation and the parents so far, and breed the next."""
        from deap import tools

        told = [
            Individual(genome, (score,))
            for genome, score in zip(genomes, outcome.score.tolist(), strict=True)
        ]
        self._parents = tools.selBest(self._parents + told, self._most)
        best = genomes_of(self._parents)
        mothers, fathers = best[self._rng.integers(len(best), size=(2, self._population))]
        children = self._variation.cross(self._rng, mothers, fathers)
        self._asked = self._variation.mutate(self._rng, children)
