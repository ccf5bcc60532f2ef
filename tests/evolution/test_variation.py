"""Block operators: what they move, what they leave, and that they reach everything."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from mixgym.evolution.genome import SongSpace
from mixgym.evolution.variation import BlockVariation, first_population

SPACE = SongSpace(3)
BLOCKS = SPACE.blocks


def touched(before: np.ndarray, after: np.ndarray) -> np.ndarray:
    """Which blocks differ, (children, blocks)."""
    moved = before != after
    return np.stack([moved[:, block].any(axis=1) for block in BLOCKS], axis=1)


@given(seed=st.integers(0, 2**32), share=st.floats(0, 1))
def test_a_child_takes_whole_blocks_from_either_parent(seed: int, share: float) -> None:
    rng = np.random.default_rng(seed)
    mothers = rng.uniform(-1, 1, (20, SPACE.genes))
    fathers = rng.uniform(-1, 1, (20, SPACE.genes))
    children = BlockVariation(SPACE, share, 1.0).cross(rng, mothers, fathers)
    for block in BLOCKS:
        of_mother = (children[:, block] == mothers[:, block]).all(axis=1)
        of_father = (children[:, block] == fathers[:, block]).all(axis=1)
        assert (of_mother ^ of_father).all()
    assert share not in (0, 1) or np.array_equal(children, fathers if share else mothers)


@given(seed=st.integers(0, 2**32), blocks=st.floats(0.1, 8))
def test_mutants_differ_in_a_few_blocks_and_stay_in_range(seed: int, blocks: float) -> None:
    rng = np.random.default_rng(seed)
    genomes = rng.uniform(-0.5, 0.5, (400, SPACE.genes))
    mutants = BlockVariation(SPACE, 0.0, blocks).mutate(rng, genomes)
    assert np.abs(mutants).max() <= 1
    number = touched(genomes, mutants).sum(axis=1)
    assert number.min() >= 1
    expected = blocks + (1 - blocks / len(BLOCKS)) ** len(BLOCKS)  # none becomes one
    assert abs(number.mean() - expected) < 0.2 * expected + 0.1


def test_every_block_is_reached() -> None:
    rng = np.random.default_rng(0)
    genomes = np.zeros((2000, SPACE.genes))
    assert touched(genomes, BlockVariation(SPACE, 0.0, 1.0).mutate(rng, genomes)).any(axis=0).all()


def test_the_first_population_holds_the_start_and_its_mutants() -> None:
    start = np.clip(SPACE.neutral + 0.1, -1, 1)
    variation = BlockVariation(SPACE, 0.3, 1.0)
    genomes = first_population(SPACE, np.random.default_rng(0), 32, start, variation)
    assert genomes.shape == (32, SPACE.genes)
    assert np.array_equal(genomes[0], start)
    changed = touched(np.tile(start, (32, 1)), genomes).sum(axis=1)
    assert (changed[1:24] >= 1).all() and changed[1:24].mean() < 3
    assert changed[24:].mean() > 5  # a share of their blocks comes from the priors
