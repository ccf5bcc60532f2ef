"""Every searcher: bounds, seeds, replay, and that it finds what is there to be found."""

from collections.abc import Callable

import numpy as np
import pytest

from mixgym.evolution.cma_es import CmaEs
from mixgym.evolution.genetic import GeneticAlgorithm
from mixgym.evolution.genome import SongSpace
from mixgym.evolution.map_elites import MapElites
from mixgym.evolution.nsga2 import Nsga2
from mixgym.evolution.random_search import RandomSearch
from mixgym.evolution.searcher import Outcome, Searcher

SPACE = SongSpace(3)
MAKERS: dict[str, Callable[..., Searcher]] = {
    "random": RandomSearch,
    "ga": GeneticAlgorithm,
    "cma_es": CmaEs,
    "sep_cma": lambda *a, **k: CmaEs(*a, separable=True, **k),
    "nsga2": Nsga2,
    "map_elites": MapElites,
}


def hill(genomes: np.ndarray) -> Outcome:
    """A smooth hill away from neutral, and its two halves as objectives."""
    goal = np.clip(SPACE.neutral + 0.6 * np.sin(np.arange(SPACE.genes)), -0.9, 0.9)
    error = np.square(genomes - goal)
    half = SPACE.genes // 2
    score = 1 / (1 + error.mean(axis=1))
    objectives = np.stack(
        (1 / (1 + error[:, :half].mean(axis=1)), 1 / (1 + error[:, half:].mean(axis=1))), axis=1
    )
    measures = np.stack(
        (-12 + 12 * genomes[:, 0], 0.15 + 0.15 * genomes[:, 1], -14 + 6 * genomes[:, 2]), axis=1
    )
    return Outcome(score, objectives, measures)


def run(searcher: Searcher, generations: int) -> tuple[list[np.ndarray], list[Outcome]]:
    asked, outcomes = [], []
    for _ in range(generations):
        genomes = searcher.ask()
        outcome = hill(genomes)
        searcher.tell(genomes, outcome)
        asked.append(genomes)
        outcomes.append(outcome)
    return asked, outcomes


@pytest.mark.parametrize("name", MAKERS)
def test_genomes_stay_in_range_and_follow_the_seed(name: str) -> None:
    runs = [run(MAKERS[name](SPACE, seed), 6)[0] for seed in (0, 0, 1)]
    for genomes in runs[0]:
        assert genomes.shape[1:] == (SPACE.genes,)
        assert np.abs(genomes).max() <= 1
    assert all(np.array_equal(one, same) for one, same in zip(*runs[:2], strict=True))
    assert not np.array_equal(runs[0][-1], runs[2][-1])


@pytest.mark.parametrize("name", MAKERS)
def test_two_at_once_do_not_disturb_each_other(name: str) -> None:
    alone, _ = run(MAKERS[name](SPACE, 3), 4)
    one, other = MAKERS[name](SPACE, 3), MAKERS[name](SPACE, 4)
    for expected in alone:
        genomes = one.ask()
        assert np.array_equal(genomes, expected)
        one.tell(genomes, hill(genomes))
        others = other.ask()
        other.tell(others, hill(others))


@pytest.mark.parametrize("name", MAKERS)
def test_told_again_it_goes_on_as_if_never_stopped(name: str) -> None:
    whole, outcomes = run(MAKERS[name](SPACE, 5), 8)
    again = MAKERS[name](SPACE, 5)
    for outcome in outcomes[:5]:
        again.tell(again.ask(), outcome)
    assert np.array_equal(again.ask(), whole[5])


@pytest.mark.parametrize("name", MAKERS)
def test_begins_at_the_start(name: str) -> None:
    start = np.clip(SPACE.neutral + 0.1, -1, 1)
    genomes = MAKERS[name](SPACE, 0, start).ask()
    distance = np.abs(genomes - start).max(axis=1).min()
    assert distance == 0 or (name in ("cma_es", "sep_cma") and distance < 1)


@pytest.mark.parametrize("name", ["ga", "sep_cma", "cma_es", "nsga2", "map_elites"])
def test_beats_random_search(name: str) -> None:
    def best(maker: Callable[..., Searcher]) -> float:
        searcher, spent, found = maker(SPACE, 7), 0, 0.0
        while spent < 3000:
            genomes = searcher.ask()
            outcome = hill(genomes)
            searcher.tell(genomes, outcome)
            spent += len(genomes)
            found = max(found, outcome.score.max())
        return found

    assert best(MAKERS[name]) > best(MAKERS["random"]) + 0.01


def test_the_best_so_far_are_never_lost() -> None:
    searcher = GeneticAlgorithm(SPACE, 2, parents=3)
    scores: list[float] = []
    for _ in range(30):
        genomes = searcher.ask()
        outcome = hill(genomes)
        searcher.tell(genomes, outcome)
        scores += outcome.score.tolist()
    genomes, kept = searcher.parents
    assert kept == sorted(scores, reverse=True)[:3]
    assert hill(genomes).score.tolist() == kept


def test_no_mix_of_the_front_is_worse_in_everything() -> None:
    searcher = Nsga2(SPACE, 1)
    run(searcher, 20)
    genomes, values = searcher.front
    assert np.array_equal(hill(genomes).objectives, values)
    worse = (values[:, None, :] <= values[None, :, :]).all(axis=2) & (
        values[:, None, :] < values[None, :, :]
    ).any(axis=2)
    assert len(values) > 1
    assert not worse.any()


def test_the_map_holds_different_mixes() -> None:
    searcher = MapElites(SPACE, 1)
    run(searcher, 20)
    genomes, outcome = searcher.elites
    assert len(genomes) > 30
    again = hill(genomes)
    assert np.allclose(again.score, outcome.score)
    assert np.allclose(again.measures, outcome.measures)
