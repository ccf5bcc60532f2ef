"""Statistics against closed forms and the published definitions."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy.stats import mannwhitneyu, norm, trim_mean

from mixgym.experiments.statistics import (
    best_so_far,
    improvement_interval,
    interquartile_mean,
    probability_of_improvement,
    rank_shares,
    stratified_bootstrap,
)

ARRAYS = hnp.arrays(
    np.float64, st.tuples(st.integers(2, 8), st.integers(1, 6)), elements=st.floats(0, 1)
)


@given(ARRAYS)
def test_interquartile_mean_is_a_trimmed_mean(scores: np.ndarray) -> None:
    assert interquartile_mean(scores) == pytest.approx(trim_mean(scores, 0.25, axis=None))


def test_interquartile_mean_ignores_outliers() -> None:
    assert interquartile_mean(np.array([[-1e9, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 1e9]])) == 3.5


def test_bootstrap_covers_as_often_as_it_says() -> None:
    """Normal scores: the interval of the mean holds the truth in 95 of 100 cases, or nearly so."""
    rng = np.random.default_rng(1)
    held = 0
    for trial in range(300):
        scores = rng.normal(0.0, 1.0, (20, 3))
        low, high = stratified_bootstrap(scores, np.mean, seed=trial, resamples=300)
        held += low <= 0.0 <= high
    assert 0.89 <= held / 300 <= 0.99


def test_bootstrap_of_a_mean_has_the_width_that_theory_gives() -> None:
    scores = np.random.default_rng(2).normal(0.0, 1.0, (400, 2))
    low, high = stratified_bootstrap(scores, np.mean, resamples=4000)
    deviation = np.sqrt(scores.var(axis=0).sum() / 400) / 2
    assert high - low == pytest.approx(2 * norm.ppf(0.975) * deviation, rel=0.1)


def test_bootstrap_varies_seeds_and_not_songs() -> None:
    scores = np.tile([0.1, 0.9], (5, 1))
    assert stratified_bootstrap(scores) == (pytest.approx(0.5), pytest.approx(0.5))


def test_probability_of_improvement_is_mann_whitney_s() -> None:
    rng = np.random.default_rng(3)
    ours, theirs = rng.integers(0, 5, (7, 4)) / 4, rng.integers(0, 5, (5, 4)) / 4
    expected = [
        mannwhitneyu(ours[:, song], theirs[:, song]).statistic / (7 * 5) for song in range(4)
    ]
    assert probability_of_improvement(ours, theirs) == pytest.approx(np.mean(expected))


@given(ARRAYS)
def test_nobody_improves_on_themselves(scores: np.ndarray) -> None:
    assert probability_of_improvement(scores, scores) == pytest.approx(0.5)
    higher = scores + np.ptp(scores) + 1
    assert probability_of_improvement(higher, scores) == 1.0


def test_improvement_interval_holds_the_estimate() -> None:
    rng = np.random.default_rng(4)
    ours, theirs = rng.normal(0.5, 1, (10, 3)), rng.normal(0, 1, (10, 3))
    low, high = improvement_interval(ours, theirs, resamples=500)
    assert low < probability_of_improvement(ours, theirs) < high


def test_best_so_far() -> None:
    spent, scores = np.array([10.0, 20.0, 30.0]), np.array([0.5, 0.4, 0.7])
    found = best_so_far(spent, scores, np.array([5.0, 10.0, 29.0, 30.0, 99.0]))
    assert found == pytest.approx([np.nan, 0.5, 0.5, 0.7, 0.7], nan_ok=True)


def test_ranks() -> None:
    rng = np.random.default_rng(5)
    scores = {
        "best": rng.normal(2.0, 0.1, (5, 4)),
        "even": np.full((5, 4), 1.0),
        "as even": np.full((5, 4), 1.0),
    }
    shares = rank_shares(scores, resamples=200)
    assert shares["best"] == pytest.approx([1, 0, 0])
    assert shares["even"] == pytest.approx([0, 0.5, 0.5])
    assert shares["as even"] == pytest.approx([0, 0.5, 0.5])
