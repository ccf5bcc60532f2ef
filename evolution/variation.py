"""Variation of whole generations at once, by blocks: a processor of a stem, of the buses or master.

Stems meet only in the sum, so that a block that is good in one mix is mostly good in another, and a
child that differs from its parents in a few blocks keeps what the others were worth. Genes lie in
[-1, 1]; arrays have the shape (children, genes).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .genome import SongSpace
from .searcher import Genomes

SIZES = 1.5  # standard deviation of the logarithm of a mutation's size
MEDIAN_SIZE = 0.35  # in standard deviations of the priors


class BlockVariation:
    """Crossover and mutation by blocks.

    Args:
        space: what is searched.
        swap: share of blocks that a child takes from its second parent.
        blocks: how many a child is mutated in, on average; at least one.
    """

    def __init__(self, space: SongSpace, swap: float, blocks: float) -> None:
        self._spread, self._swap = space.spread, swap
        self._block_of = np.empty(space.genes, dtype=np.int64)
        for number, block in enumerate(space.blocks):
            self._block_of[block] = number
        self._blocks = len(space.blocks)
        self._share = min(1.0, blocks / self._blocks)

    def cross(self, rng: np.random.Generator, mothers: Genomes, fathers: Genomes) -> Genomes:
        """Mothers with some blocks of the fathers, each taken as a whole: uniform crossover.

        G. Syswerda, "Uniform Crossover in Genetic Algorithms", ICGA 1989, on blocks for genes.
        """
        return np.where(self._drawn(rng, len(mothers), self._swap), fathers, mothers)

    def mutate(self, rng: np.random.Generator, genomes: Genomes) -> Genomes:
        """Gaussian steps in a few blocks, of a size drawn for each child from a wide distribution.

        Small steps refine and large ones leap, from the first generation to the last; that spares
        a step size that adapts.
        """
        children = len(genomes)
        moved = self._drawn(rng, children, self._share)
        still = ~moved.any(axis=1)
        one = rng.integers(self._blocks, size=int(still.sum()))
        moved[still] = self._block_of == one[:, None]
        size = MEDIAN_SIZE * np.exp(SIZES * rng.standard_normal((children, 1)))
        step = size * self._spread * rng.standard_normal(genomes.shape)
        return np.asarray(np.clip(genomes + np.where(moved, step, 0.0), -1.0, 1.0))

    def _drawn(self, rng: np.random.Generator, children: int, share: float) -> NDArray[np.bool_]:
        """Which genes lie in a share of all blocks."""
        return np.asarray((rng.random((children, self._blocks)) < share)[:, self._block_of])


def first_population(
    space: SongSpace,
    rng: np.random.Generator,
    population: int,
    start: Genomes | None,
    variation: BlockVariation,
) -> Genomes:
    """The start, mutants of it, and a quarter with blocks from the priors, (population, genes)."""
    centre = space.neutral if start is None else start
    genomes = variation.mutate(rng, np.tile(centre, (population, 1)))
    drawn = population // 4
    if drawn:
        genomes[-drawn:] = variation.cross(rng, genomes[-drawn:], space.sample(rng, drawn))
    genomes[0] = centre
    return np.asarray(np.clip(genomes, -1.0, 1.0))
