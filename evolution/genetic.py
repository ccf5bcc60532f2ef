"""A genetic algorithm: tournaments, block crossover, bounded mutation, elitism. On DEAP.

K. Deb, R. B. Agrawal, "Simulated Binary Crossover for Continuous Search Space", Complex Systems 9
(1995); K. Deb, D. Deb, "Analysing mutation schemes for real-parameter genetic algorithms",
IJAISC 4 (2014).
"""

from __future__ import annotations

import random

import numpy as np
from numpy.typing import NDArray

from ._deap import Individual, drawing
from .genome import SongSpace
from .searcher import Genomes, Outcome

WEIGHTS = (1.0,)


class GeneticAlgorithm:
    """Breeds a population of mixes.

    Children take whole blocks (a stem's equaliser, its compressor, a bus) from either parent, since
    stems meet only in the sum; blocks that both bring are blended by simulated binary crossover.

    Args:
        space: what is searched.
        seed: of all draws.
        start: a genome of the first population, shape (genes,); the neutral mix if None. The
            others are draws around it and from the priors, half of each.
        population: genomes per generation.
        elite: how many of the best go on unchanged.
        tournament: how many compete to be a parent.
        swap: share of blocks taken from the other parent as they are.
        blend: share of children whose remaining genes are blended.
        mutation: genes mutated per child, on average.
        crossover_eta, mutation_eta: distribution indices; the higher, the nearer to the parents.
    """

    def __init__(
        self,
        space: SongSpace,
        seed: int = 0,
        start: Genomes | None = None,
        *,
        population: int = 64,
        elite: int = 4,
        tournament: int = 3,
        swap: float = 0.3,
        blend: float = 0.5,
        mutation: float = 6.0,
        crossover_eta: float = 10.0,
        mutation_eta: float = 15.0,
    ) -> None:
        self._space = space
        self._random = random.Random(seed)
        self._population, self._elite, self._tournament = population, elite, tournament
        self._swap, self._blend, self._mutation = swap, blend, mutation
        self._crossover_eta, self._mutation_eta = crossover_eta, mutation_eta
        self._parents: list[Individual] = []
        rng = np.random.default_rng(seed)
        self._asked = first_population(space, rng, population, start)

    def ask(self) -> Genomes:
        """One generation, without the elite that is already known."""
        return self._asked

    def tell(self, genomes: Genomes, outcome: Outcome) -> None:
        """Choose among the generation and the elite, and breed the next."""
        from deap import tools

        told = [Individual(genome, WEIGHTS) for genome in genomes]
        for individual, score in zip(told, outcome.score.tolist(), strict=True):
            individual.fitness.values = (score,)
        elite = tools.selBest(self._parents, self._elite) if self._parents else []
        self._parents = elite + told
        with drawing(self._random):
            chosen = tools.selTournament(self._parents, self._population, self._tournament)
            self._asked = np.array(
                [self._child(chosen[i], chosen[i - 1]) for i in range(self._population)]
            )

    def _child(self, mother: Individual, father: Individual) -> NDArray[np.float64]:
        from deap import tools

        one, other = list(mother), list(father)
        for block in self._space.blocks:
            if random.random() < self._swap:
                for gene in block:
                    one[gene], other[gene] = other[gene], one[gene]
        if random.random() < self._blend:
            tools.cxSimulatedBinaryBounded(one, other, self._crossover_eta, -1.0, 1.0)
        share = min(1.0, self._mutation / len(one))
        tools.mutPolynomialBounded(one, self._mutation_eta, -1.0, 1.0, share)
        return np.clip(one, -1.0, 1.0)


def first_population(
    space: SongSpace, rng: np.random.Generator, population: int, start: Genomes | None
) -> Genomes:
    """The start, draws around it, and draws from the priors, shape (population, genes)."""
    centre = space.neutral if start is None else start
    genomes = space.sample(rng, population)
    near = population // 2
    genomes[:near] = centre + 0.3 * space.spread * rng.standard_normal((near, space.genes))
    genomes[0] = centre
    return np.asarray(np.clip(genomes, -1.0, 1.0))
