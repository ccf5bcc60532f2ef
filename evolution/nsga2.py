"""NSGA-II: a front of mixes, none of which is better than another in every respect. On DEAP.

K. Deb, A. Pratap, S. Agarwal, T. Meyarivan, "A Fast and Elitist Multiobjective Genetic Algorithm:
NSGA-II", IEEE Transactions on Evolutionary Computation 6 (2002).
"""

from __future__ import annotations

import random

import numpy as np
from numpy.typing import NDArray

from ._deap import Individual, drawing
from .genetic import first_population
from .genome import SongSpace
from .searcher import Genomes, Outcome


class Nsga2:
    """Breeds a population towards the Pareto front of the reward's groups.

    Args:
        space: what is searched.
        seed: of all draws.
        start: a genome of the first population; the neutral mix if None.
        population: genomes per generation, a multiple of 4.
        crossover_eta, mutation_eta: distribution indices.
        mutation: genes mutated per child, on average.
    """

    def __init__(
        self,
        space: SongSpace,
        seed: int = 0,
        start: Genomes | None = None,
        *,
        population: int = 64,
        crossover_eta: float = 10.0,
        mutation_eta: float = 15.0,
        mutation: float = 6.0,
    ) -> None:
        self._population = population + -population % 4
        self._random = random.Random(seed)
        self._crossover_eta, self._mutation_eta = crossover_eta, mutation_eta
        self._mutation = mutation
        self._parents: list[Individual] = []
        rng = np.random.default_rng(seed)
        self._asked = first_population(space, rng, self._population, start)

    @property
    def front(self) -> Genomes:
        """Genomes that no other of the population dominates, shape (any, genes)."""
        from deap import tools

        first = tools.sortNondominated(self._parents, len(self._parents), first_front_only=True)
        return np.unique(np.array(first[0]), axis=0)

    def ask(self) -> Genomes:
        """One generation."""
        return self._asked

    def tell(self, genomes: Genomes, outcome: Outcome) -> None:
        """Keep the best fronts of parents and children, and breed the next generation."""
        from deap import tools

        weights = (1.0,) * outcome.objectives.shape[1]
        told = [Individual(genome, weights) for genome in genomes]
        for individual, values in zip(told, outcome.objectives.tolist(), strict=True):
            individual.fitness.values = tuple(values)
        self._parents = tools.selNSGA2(self._parents + told, self._population)
        with drawing(self._random):
            chosen = tools.selTournamentDCD(self._parents, self._population)
            pairs = zip(chosen[::2], chosen[1::2], strict=True)
            self._asked = np.concatenate([self._children(*pair) for pair in pairs])

    def _children(self, mother: Individual, father: Individual) -> NDArray[np.float64]:
        from deap import tools

        children = [list(mother), list(father)]
        tools.cxSimulatedBinaryBounded(*children, self._crossover_eta, -1.0, 1.0)
        share = min(1.0, self._mutation / len(mother))
        for child in children:
            tools.mutPolynomialBounded(child, self._mutation_eta, -1.0, 1.0, share)
        return np.clip(children, -1.0, 1.0)
