"""NSGA-II: a front of mixes, none of which is better than another in every respect. On DEAP.

K. Deb, A. Pratap, S. Agarwal, T. Meyarivan, "A Fast and Elitist Multiobjective Genetic Algorithm:
NSGA-II", IEEE Transactions on Evolutionary Computation 6 (2002); varied by blocks.
"""

from __future__ import annotations

import random

import numpy as np

from ._deap import Individual, drawing, genomes_of
from .genome import SongSpace
from .searcher import Genomes, Outcome
from .variation import BlockVariation, first_population


class Nsga2:
    """Breeds a population towards the Pareto front of the reward's groups.

    Args:
        space: what is searched.
        seed: of all draws.
        start: a genome of the first population; the neutral mix if None.
        population: genomes per generation, rounded up to a multiple of 4.
        swap: share of blocks that a child takes from its second parent.
        blocks: how many a child is mutated in, on average.
    """

    def __init__(
        self,
        space: SongSpace,
        seed: int = 0,
        start: Genomes | None = None,
        *,
        population: int = 64,
        swap: float = 0.3,
        blocks: float = 2.0,
    ) -> None:
        self._population = population + -population % 4
        self._random = random.Random(seed)
        self._rng = np.random.default_rng(seed)
        self._variation = BlockVariation(space, swap, blocks)
        self._parents: list[Individual] = []
        self._asked = first_population(space, self._rng, self._population, start, self._variation)

    @property
    def front(self) -> tuple[Genomes, Genomes]:
        """Genomes that no other of the population dominates, and their objectives.

        Shapes (any, genes) and (any, groups); none before the first generation was told.
        """
        from deap import tools

        if not self._parents:
            return np.empty((0, self._asked.shape[1])), np.empty((0, 0))
        first = tools.sortNondominated(self._parents, len(self._parents), first_front_only=True)[0]
        genomes, places = np.unique(genomes_of(first), axis=0, return_index=True)
        return genomes, np.array([first[i].fitness.values for i in places.tolist()])

    def ask(self) -> Genomes:
        """One generation."""
        return self._asked

    def tell(self, genomes: Genomes, outcome: Outcome) -> None:
        """Keep the best fronts of parents and children, and breed the next generation."""
        from deap import tools

        told = [
            Individual(genome, values)
            for genome, values in zip(genomes, outcome.objectives.tolist(), strict=True)
        ]
        self._parents = tools.selNSGA2(self._parents + told, self._population)
        with drawing(self._random):
            chosen = genomes_of(tools.selTournamentDCD(self._parents, self._population))
        mates = chosen.reshape(-1, 2, chosen.shape[1])[:, ::-1].reshape(chosen.shape)
        children = self._variation.cross(self._rng, chosen, mates)
        self._asked = self._variation.mutate(self._rng, children)
