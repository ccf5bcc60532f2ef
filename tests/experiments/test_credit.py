"""What an evaluation is held against: estimates of a gradient that is known, and the command."""

import numpy as np
import pytest
import typer
from typer.testing import CliRunner

from mixgym.experiments import credit
from mixgym.experiments.credit import ESTIMATORS, Noisy, signals

SLOPES = np.array([3.0, -1.0, 2.0, 0.5, -2.0, 1.0])
PARTS = [np.array([0, 1]), np.array([2, 3]), np.array([4, 5])]


def of(score):
    return Noisy(score, np.zeros(6), PARTS)


def cosine(one, other):
    return one @ other / np.linalg.norm(one) / np.linalg.norm(other)


@pytest.mark.parametrize("name", ESTIMATORS)
def test_many_evaluations_tell_the_way_up(name):
    noisy = of(lambda genomes: 0.7 + genomes @ SLOPES)
    estimate = ESTIMATORS[name](noisy, 40_000, np.random.default_rng(0))
    assert cosine(estimate, SLOPES) > 0.995


@pytest.mark.parametrize("name", ESTIMATORS)
def test_no_more_is_spent_than_was_given(name):
    spent = []

    def score(genomes):
        spent.append(len(genomes))
        return genomes @ SLOPES

    ESTIMATORS[name](of(score), 64, np.random.default_rng(0))
    assert 48 <= sum(spent) <= 64 + 1  # the mix without noise is known to whoever tries about it


def test_a_mirrored_try_sees_the_slope_of_a_hill():
    """It falls as much on the left as on the right, which two that mirror each other leave out."""
    curved = of(lambda genomes: genomes @ SLOPES - 200 * (genomes**2).sum(axis=1))
    found = signals(curved, 60, 4000, 20)
    assert found["the mirrored try"].mean() > 5 * found["the other tries"].mean()


def test_what_all_noise_costs_is_not_charged_to_each():
    """Any noise does harm, and the other tries suffer as much of it."""
    harmed = of(lambda genomes: genomes @ SLOPES - 5.0 * genomes.any(axis=1))
    found = signals(harmed, 60, 4000, 20)
    assert found["the other tries"].mean() > 5 * found["the mix without noise"].mean()


def test_the_same_seed_finds_the_same():
    noisy = of(lambda genomes: genomes @ SLOPES)
    one, other = (signals(noisy, 30, 200, 3, seed=4) for _ in range(2))
    assert {name: values.tolist() for name, values in one.items()} == {
        name: values.tolist() for name, values in other.items()
    }


@pytest.fixture
def command():
    app = typer.Typer()
    app.command()(credit.main)
    return lambda *words: CliRunner().invoke(app, list(map(str, words)))


def test_the_command_writes_a_page(command, study_songs, tmp_path):
    page = tmp_path / "credit.md"
    sizes = ["--evaluations", 16, "--many", 64, "--estimates", 2, "--excerpts", 1]
    ran = command(study_songs, *sizes, "--page", page)
    assert ran.exit_code == 0, ran.output
    text = page.read_text()
    for title in credit.CENTRES:
        assert f"## {title}" in text
    rows = [line for line in text.splitlines() if line.startswith("| the ")]
    assert len(rows) == 2 * len(ESTIMATORS)


def test_songs_that_are_not_there(command, tmp_path, check_sentence):
    ran = command(tmp_path / "none", "--page", tmp_path / "credit.md")
    assert ran.exit_code == 2
    check_sentence(ran.stderr, [tmp_path / "none"])
    assert not (tmp_path / "credit.md").exists()
