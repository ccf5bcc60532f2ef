"""Gradient ascent: better mixes by the simulator's own score, within its budget."""

import numpy as np
import pytest
import torch

from mixgym.agents.twin.ascend import ascend, ascend_excerpt, ascend_mixer
from mixgym.console.mix import Budget, Mix
from mixgym.errors import MixgymError
from mixgym.evolution.genome import SongSpace
from mixgym.rewards import Evaluator
from mixgym.songs.generate import generate_song


@pytest.fixture(scope="module")
def evaluator() -> Evaluator:
    return Evaluator(generate_song(3, 4.0, 24_000, stems=4), threads=1)


@pytest.fixture(scope="module")
def space(evaluator: Evaluator) -> SongSpace:
    return SongSpace(4, around=Mix.neutral(evaluator.song))


def test_the_simulators_score_rises(evaluator: Evaluator, space: SongSpace) -> None:
    before = evaluator.evaluations
    found = ascend(evaluator, space, space.neutral, Budget(evaluations=240), restarts=4)
    assert evaluator.evaluations - before == found.evaluations <= 240
    assert (np.abs(found.best) <= 1.0).all()
    assert (np.diff(found.curve[:, 1]) >= 0).all()
    scores = space.scores(evaluator, np.stack((space.neutral, *found.best))).score
    assert scores[1] > scores[0] + 0.05
    np.testing.assert_allclose(scores[1:], found.scores, rtol=0, atol=1e-3)
    assert found.scores[0] == found.scores.max() == found.curve[-1, 1]


def test_the_same_seed_ascends_the_same_way(evaluator: Evaluator, space: SongSpace) -> None:
    one, same, other = (
        ascend(evaluator, space, space.neutral, Budget(evaluations=20), seed=seed, restarts=2)
        for seed in (1, 1, 2)
    )
    assert np.array_equal(one.best, same.best)
    assert not np.array_equal(one.best, other.best)


@pytest.mark.parametrize(("evaluations", "spent"), [(1, 1), (3, 3), (4, 4), (11, 4), (12, 12)])
def test_no_more_is_spent_than_there_is(
    evaluator: Evaluator, space: SongSpace, evaluations: int, spent: int
) -> None:
    """Four starts: a score costs four evaluations, a step eight."""
    budget = Budget(evaluations=evaluations)
    assert ascend(evaluator, space, space.neutral, budget, restarts=4).evaluations == spent


@pytest.mark.parametrize(("evaluations", "starts"), [(9, 1), (799, 1), (800, 2), (1600, 4)])
def test_a_start_has_two_hundred_steps_before_there_is_another(
    evaluator: Evaluator, space: SongSpace, evaluations: int, starts: int
) -> None:
    budget = Budget(evaluations=evaluations, seconds=1e-6)
    assert len(ascend(evaluator, space, space.neutral, budget).best) == starts


def test_one_start_goes_further_than_four_on_few_evaluations(
    evaluator: Evaluator, space: SongSpace
) -> None:
    budget = Budget(evaluations=100)
    one, four = (
        ascend(evaluator, space, space.neutral, budget, restarts=restarts).scores[0]
        for restarts in (None, 4)
    )
    assert one > four + 0.005


def test_seconds_end_it_after_the_first_step(evaluator: Evaluator, space: SongSpace) -> None:
    found = ascend(evaluator, space, space.neutral, Budget(evaluations=10_000, seconds=1e-6))
    assert 0 < found.evaluations <= 12
    assert np.isfinite(found.scores).all()


def test_what_was_found_is_heard(evaluator: Evaluator) -> None:
    ascended = ascend_excerpt(evaluator.song, Budget(evaluations=100))
    assert ascended.evaluations <= 100
    assert ascended.heard[1] >= ascended.heard[0]
    again = Evaluator(evaluator.song, fidelity="render").evaluate_mixes([ascended.mix])
    assert again.score[0] == pytest.approx(ascended.heard[1])
    with pytest.raises(MixgymError, match="at least 1"):
        ascend_excerpt(evaluator.song, Budget())


def test_a_mixer_carries_it_to_the_whole_song() -> None:
    with generate_song(4, 6.0, 24_000, stems=3) as song:
        mix = ascend_mixer(seconds=3.0)(song, Budget(evaluations=40))
        assert mix.stems == tuple(stem.name for stem in song.stems)
        assert mix.made_by


def test_random_numbers_of_others_are_left_alone(evaluator: Evaluator, space: SongSpace) -> None:
    torch.manual_seed(5)
    expected = torch.rand(1)
    torch.manual_seed(5)
    ascend(evaluator, space, space.neutral, Budget(evaluations=8))
    assert torch.equal(torch.rand(1), expected)
