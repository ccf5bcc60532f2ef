"""Cloning: labels that hold what they say, what is learned of them, that it goes on."""

import csv

import numpy as np
import pytest
import yaml

from mixgym.agents import labels as made
from mixgym.agents.cloning import CloningLearner
from mixgym.agents.environments import make_one_look
from mixgym.agents.hyperparameters import Cloning
from mixgym.agents.labels import Labels
from mixgym.agents.run_folder import RunFolder
from mixgym.agents.settings import read_settings
from mixgym.agents.train import train


@pytest.fixture
def settings(short_run):
    """What a tiny run's YAML file holds."""
    return {
        "algorithm": "cloning",
        **short_run,
        "cloning": {
            "evaluations": 60,
            "batch_size": 3,
            "learning_rate": 0.01,
            "warm_up_steps": 6,
        },
    }


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    """A cache of one's own; where labels lie."""
    monkeypatch.setenv("MIXGYM_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache" / "labels"


def rows(run):
    with (run / "progress.csv").open() as file:
        return list(csv.DictReader(file))


@pytest.mark.parametrize("by", ["ga", "gradient"])
def test_a_label_is_a_mix_of_the_environment_and_its_gain(config, by):
    settings = read_settings(config())
    learner = CloningLearner(settings)
    episodes = make_one_look(settings.environment, 1)
    label = Labels(episodes, Cloning(by=by, evaluations=60)).get(2)
    episodes.begin(np.array([0]), [2], [None])
    before = episodes.scores()[0]
    episodes.step(learner._cells([label.genome]).numpy())
    assert episodes.scores()[0] - before == pytest.approx(label.gain, abs=1e-6)
    assert label.gain > 0.005
    genes = len(label.genome)
    assert label.evaluations == pytest.approx(61 + genes, abs=1)


def test_weights_tell_what_an_error_costs(config):
    settings = read_settings(config({"cloning": {"evaluations": 400}}))
    episodes = make_one_look(settings.environment, 1)
    label = Labels(episodes, settings.cloning).get(0)
    learner = CloningLearner(settings)
    episodes.begin(np.array([0]), [0], [None])

    def score(genome):
        episodes.step(learner._cells([genome]).numpy())
        return float(episodes.scores()[0][0])

    best, most = score(label.genome), int(np.argmax(label.weights))
    moved = [label.genome + step * (np.arange(len(label.genome)) == most) for step in (-0.2, 0.2)]
    costs = [best - score(genome) for genome in moved if np.abs(genome).max() <= 1.0]
    assert any(cost == pytest.approx(label.weights[most] * 0.04, rel=1e-3) for cost in costs)
    assert label.weights.min() >= 0.04 * label.weights.mean() > 0.0


def test_songs_are_searched_once_and_for_all_runs(config, tmp_path, monkeypatch, cache):
    settings = read_settings(config())
    train(settings, tmp_path / "run")
    files = sorted(cache.iterdir())
    assert len(files) == 4
    monkeypatch.setattr(made, "find_label", None)
    train(read_settings(config({"seed": 5})), tmp_path / "other")
    spent = [int(row["evaluations"]) for row in rows(tmp_path / "run")]
    assert spent[-1] == int(rows(tmp_path / "other")[-1]["evaluations"])
    assert spent[0] < spent[1] == spent[-1]
    monkeypatch.undo()
    files[0].write_bytes(b"nothing")
    monkeypatch.setenv("MIXGYM_CACHE", str(cache.parent))
    train(settings, tmp_path / "again")
    assert sorted(cache.iterdir()) == files and files[0].stat().st_size > 100


def test_a_run_that_was_asked_to_end_goes_on_to_the_same_weights(config, goes_on):
    assert goes_on(read_settings(config()), 3).steps == 9


def test_it_imitates_and_ppo_goes_on_from_there(config, tmp_path):
    changed = {"total_steps": 300, "validation": {"every": 300}, "cloning": {"evaluations": 200}}
    run = tmp_path / "run"
    gain = train(read_settings(config(changed)), run).gain
    losses = [float(row["loss"]) for row in rows(run)]
    assert np.mean(losses[-10:]) < 0.3 * losses[0]
    assert gain > 0.01
    values = yaml.safe_load(config().read_text())
    values |= {
        "algorithm": "ppo",
        "environment": values["environment"] | {"count": 4, "tries": 2},
        "ppo": {"n_steps": 2, "batch_size": 8, "learning_rate": 1e-6},
        "validation": values["validation"] | {"every": 8},
        "total_steps": 8,
        "start": str(run / "last.npz"),
    }
    del values["cloning"]
    further = tmp_path / "ppo.yaml"
    further.write_text(yaml.safe_dump(values))
    train(read_settings(further), tmp_path / "further")
    ended = RunFolder(run).validations()[-1].gains
    assert RunFolder(tmp_path / "further").validations()[0].gains == pytest.approx(ended, abs=1e-5)


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"cloning": {"by": "magic"}}, ["cloning.by", "magic"]),
        ({"cloning": {"evaluations": 3}}, ["cloning.evaluations", "3"]),
        ({"environment": {"arguments": {"control": "delta"}}}, ["absolute"]),
        ({"environment": {"id": "mixgym/Mastering-v0"}}, ["environment.id"]),
        ({"gradient": {"noise": 0.1}}, ["gradient"]),
    ],
)
def test_settings_that_cannot_be_used_are_refused_in_a_sentence(
    config, mixgym, tmp_path, check_sentence, changed, words
):
    ran = mixgym("train", config(changed), "--out", tmp_path / "run")
    assert (ran.status, ran.out) == (2, "")
    check_sentence(ran.err, words)
