"""What the rows of an arena are made to say."""

import numpy as np
import pytest

from mixgym.errors import MixgymError
from mixgym.experiments.arena.results import results
from mixgym.experiments.arena.settings import make_settings
from mixgym.experiments.arena.standing import Standing
from mixgym.experiments.arena.tables import tables

JUDGES = ("spectrogram", "rms_db", "crest_db", "width", "imbalance", "bark_db")
SONGS, SEEDS, BUDGETS = ("a", "b"), 3, (0, 10, 100)
LEVELS = {"random": 0.5, "ga": 0.7, "cma_es": 0.4}


def row(mixer, song, excerpt, seed, budget, score, evaluations=None):
    judges = dict.fromkeys(JUDGES, 1 - score) if song == "a" else {}
    return {
        "mixer": mixer, "song": song, "artist": None, "split": "test", "excerpt": excerpt,
        "start_s": 0.0, "seed": seed, "budget": budget,
        "evaluations": budget if evaluations is None else evaluations,
        "seconds": 0.01 * budget + 0.001 * seed, "score": score, "terms": {"loudness": score},
        "gates": {}, "judges": judges, "workers": 2, "cpu": "a processor", "cores": 2,
        "commit": "abc",
    }  # fmt: skip


@pytest.fixture
def settings():
    mixers = ["equal_loudness", *LEVELS]
    return make_settings(songs=["songs"], mixers=mixers, budgets=BUDGETS, seeds=SEEDS, excerpts=2)


@pytest.fixture
def rows():
    """Two songs of two excerpts; scores rise with the budget, and a little with the seed."""
    made = []
    for song in SONGS:
        for excerpt in range(2):
            made.append(row("equal_loudness", song, excerpt, 0, 0, 0.45, 0))
            made += [
                row(mixer, song, excerpt, seed, budget, level + 0.001 * budget + 0.01 * seed)
                for mixer, level in LEVELS.items()
                for seed in range(SEEDS)
                for budget in BUDGETS
            ]
    return made


def test_scores_are_arrays_of_seeds_and_excerpts(rows, settings):
    standing = Standing(rows, settings)
    values = standing.values("ga", 10)
    assert values.shape == (SEEDS, 4)
    assert np.allclose(values, 0.71 + 0.01 * np.arange(SEEDS)[:, None])
    estimate = standing.scores["ga"][10]
    assert estimate.value == pytest.approx(0.72)
    assert 0.71 <= estimate.low <= estimate.value <= estimate.high <= 0.73
    assert standing.seconds("ga", 100) == pytest.approx(1.001)


def test_what_draws_nothing_stands_at_every_budget(rows, settings):
    standing = Standing(rows, settings)
    for budget in BUDGETS:
        estimate = standing.scores["equal_loudness"][budget]
        assert estimate.value == estimate.low == estimate.high == pytest.approx(0.45)


def test_order_improvement_and_ranks(rows, settings):
    standing = Standing(rows, settings)
    assert standing.ranked == ["ga", "random", "cma_es", "equal_loudness"]
    assert standing.improvements["ga"]["random"].value == 1.0
    assert standing.improvements["cma_es"]["random"].value == 0.0
    assert standing.ranks["ga"].tolist() == [1, 0, 0, 0]


def test_a_reader_is_told_when_random_search_wins(rows, settings):
    assert Standing(rows, settings).findings == ["At 100 evaluations random beats cma_es."]
    worse = [{**r, "score": 0.1} if r["mixer"] == "ga" and r["budget"] == 100 else r for r in rows]
    findings = Standing(worse, settings).findings
    assert "At 100 evaluations equal_loudness beats ga." in findings
    assert "ga is worse with a budget of 100 than with 10." in findings


def test_ties_beat_nobody(rows, settings):
    level = [{**r, "score": 0.5} for r in rows]
    assert Standing(level, settings).findings == []


def test_judges_are_means_over_what_a_person_mixed(rows, settings):
    standing = Standing(rows, settings)
    assert standing.judged == 2
    assert standing.judges["ga"]["spectrogram"] == pytest.approx(1 - 0.81)


def test_missing_rows_are_not_passed_over(rows, settings):
    lost = row("ga", "b", 1, 1, 10, 0.72)
    standing = Standing([r for r in rows if r != lost], settings)
    assert len(standing.rows) == len(rows) - 1
    with pytest.raises(MixgymError, match="Scores of ga at 10 evaluations are missing"):
        tables(standing)


def test_rows_that_were_not_asked_for_are_left_out(rows, settings):
    fewer = settings.model_copy(update={"mixers": ("ga",), "budgets": (10,), "seeds": 1})
    standing = Standing(rows, fewer)
    assert {r["mixer"] for r in standing.rows} == {"ga"}
    assert standing.values("ga", 10).shape == (1, 4)


def test_results_are_markdown_with_the_command(rows, settings):
    standing = Standing(rows, settings)
    page = results(standing)
    assert page.startswith("# The arena, split all: random, ga, cma_es\n")
    assert "mixgym compete --songs SONGS --mixers equal_loudness,random,ga,cma_es" in page
    assert "--budgets 0,10,100 --seeds 3" in page
    assert "a processor, 2 cores" in page and "abc" in page
    assert "- At 100 evaluations random beats cma_es." in page
    for table in tables(standing):
        assert f"## {table.title}" in page
        assert {len(r) for r in table.rows} == {len(table.columns)}
    assert results(Standing(rows[::-1], settings)) == page
