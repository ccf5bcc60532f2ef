"""Crossover and mutation of whole generations at once.

Simulated binary crossover: K. Deb, R. B. Agrawal, "Simulated Binary Crossover for Continuous Search
Space", Complex Systems 9 (1995). Polynomial mutation: K. Deb, D. Deb, "Analysing mutation schemes
for real-parameter genetic algorithms", IJAISC 4 (2014). Genes lie in [-1, 1] and are clipped to it.
Arrays have the shape (children, genes).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Genomes = NDArray[np.float64]


def block_numbers(blocks: Sequence[Sequence[int]], genes: int) -> NDArray[np.int64]:
    """The number of the block that each gene belongs to, (genes,)."""
    numbers = np.empty(genes, dtype=np.int64)
    for number, block in enumerate(blocks):
        numbers[list(block)] = number
    return numbers


def swap_blocks(
    rng: np.random.Generator,
    mothers: Genomes,
    fathers: Genomes,
    numbers: NDArray[np.int64],
    share: float,
) -> tuple[Genomes, Genomes]:
    """Exchange a share of all blocks, each as a whole.

    Args:
        rng: draws which.
        mothers, fathers: the parents.
        numbers: see `block_numbers`.
        share: probability that a block is exchanged.

    Returns:
        Both children of each pair.
    """
    drawn = rng.random((len(mothers), int(numbers.max()) + 1)) < share
    swapped = drawn[:, numbers]
    return np.where(swapped, fathers, mothers), np.where(swapped, mothers, fathers)


def binary_crossover(
    rng: np.random.Generator, mothers: Genomes, fathers: Genomes, eta: float
) -> tuple[Genomes, Genomes]:
    """Simulated binary crossover of every gene.

    Args:
        rng: draws the spread of each gene.
        mothers, fathers: the parents.
        eta: distribution index; the higher, the nearer children are to a parent.
    """
    drawn = rng.random(mothers.shape)
    low = 2 * drawn
    beta = np.where(low <= 1, low, 1 / np.maximum(2 - low, 1e-12)) ** (1 / (eta + 1))  # eq. 6
    middle, half = (mothers + fathers) / 2, beta * (fathers - mothers) / 2
    return np.clip(middle - half, -1, 1), np.clip(middle + half, -1, 1)


def polynomial_mutation(
    rng: np.random.Generator, genomes: Genomes, eta: float, share: float
) -> Genomes:
    """Move a share of the genes, within the range and mostly by little.

    Args:
        rng: draws which genes, and how far.
        genomes: to be varied.
        eta: distribution index; the higher, the smaller the steps.
        share: probability that a gene is moved.
    """
    drawn, power = rng.random(genomes.shape), 1 / (eta + 1)
    down, up = (genomes + 1) / 2, (1 - genomes) / 2  # to the ends of the range, over its length
    below = (2 * drawn + (1 - 2 * drawn) * (1 - down) ** (eta + 1)) ** power - 1
    above = 1 - (2 * (1 - drawn) + (2 * drawn - 1) * (1 - up) ** (eta + 1)) ** power
    step = 2 * np.where(drawn < 0.5, below, above)
    moved = rng.random(genomes.shape) < share
    return np.clip(np.where(moved, genomes + step, genomes), -1, 1)
