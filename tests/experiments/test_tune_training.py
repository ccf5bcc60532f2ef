"""Studies of training: what is maximised, that bad trials are stopped, what is refused."""

import json

import numpy as np
import pytest
import yaml

from mixgym.agents.run_folder import RunFolder
from mixgym.agents.settings import read_settings
from mixgym.agents.train import train
from mixgym.experiments.mapper import InlineMapper
from mixgym.experiments.tuning.learners import TunedTraining
from mixgym.experiments.tuning.settings import read_tuning

optuna = pytest.importorskip("optuna", reason="needs the extra `search`")

from mixgym.experiments.tuning import learners, storage, study  # noqa: E402


@pytest.fixture
def config(base, tmp_path):
    """Write a study of tiny runs."""

    def write(**changed):
        base("mixgym/MixingLevels-v0", every=5)
        values = {
            "train": "base.yaml", "steps": 20, "every": 10, "seeds": 2, "validation_seeds": 2,
            "space": {
                "ppo.learning_rate": {"low": 1e-4, "high": 1e-1, "log": True},
                "ppo.n_epochs": {"low": 1, "high": 2, "int": True},
            },
        }  # fmt: skip
        path = tmp_path / "small.yaml"
        path.write_text(yaml.safe_dump(values | changed))
        return path

    return write


def test_a_study_is_of_gains_on_validation_songs(mixgym, config, tmp_path, training_songs):
    path, page = config(), tmp_path / "small.md"
    ran = mixgym("tune", path, "--trials", 3, "--summary", page, "--json")
    assert ran.status == 0, ran.err
    told = json.loads(ran.out)
    assert told["defaults"]["params"] == {"ppo.learning_rate": 3e-4, "ppo.n_epochs": 1}
    assert len(told["defaults"]["gains"]) == 4  # two validations of each of two seeds
    assert told["defaults"]["value"] == pytest.approx(np.mean(told["defaults"]["gains"][1::2]))
    changed = {"total_steps": 20, "validation": {"every": 10, "rendered": 0}}
    settings = read_settings(tmp_path / "base.yaml", seed=1001, changed=[changed])
    train(settings, tmp_path / "run")
    last = RunFolder(tmp_path / "run").validations()[-1]
    assert told["defaults"]["gains"][3] == np.mean(list(last.gains.values()))
    assert "Hyperparameters of `base.yaml`, 20 steps." in page.read_text()
    again = mixgym("tune", path, "--trials", 3, "--json")
    assert json.loads(again.out)["trials"] == told["trials"]
    grown = mixgym("tune", path, "--trials", 4, "--json")
    assert json.loads(grown.out)["trials"][:3] == told["trials"]


def test_the_comparison_is_song_by_song_on_other_seeds(config):
    tunable = TunedTraining(read_tuning(config()))
    gains = tunable.confirm(1002, {"ppo.learning_rate": 0.01}, 1)
    assert len(gains) == 2
    reports = []
    tunable.judge(1002, {"ppo.learning_rate": 0.01}, None, reports.append)
    assert reports[-1] == pytest.approx(np.mean(gains), abs=1e-12)
    assert tunable.gains([*reports, *reports]).tolist() == [[reports[-1]]] * 2


def test_a_trial_that_does_worse_is_stopped_along_its_curve(config, tmp_path, monkeypatch):
    steps = []

    def judge(self, seed, options, threads, report):
        for step in range(self.per_seed):
            steps.append((options["ppo.learning_rate"], seed, step))
            report(0.01 * step - abs(np.log10(options["ppo.learning_rate"] / 3e-4)))

    monkeypatch.setattr(learners.TunedTraining, "judge", judge)
    tunable = TunedTraining(read_tuning(config(steps=1000)))
    place = storage.Place("curves", tmp_path / "curves.journal")
    with storage.kept(place):
        found = study.run_study(
            place, tunable, tunable.defaults(), 4, InlineMapper(), lambda what, share: None
        )
    assert found[0].state == optuna.trial.TrialState.COMPLETE
    assert all(trial.state == optuna.trial.TrialState.PRUNED for trial in found[1:])
    assert all(len(trial.intermediate_values) < 20 for trial in found[1:])


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"steps": 25}, ["steps 25", "every 10"]),
        ({"train": "nowhere.yaml"}, ["nowhere.yaml"]),
        ({"search": "ga"}, ["search"]),
        ({"space": {"ppo.rate": {"low": 0, "high": 1}}}, ["ppo.rate", "base.yaml"]),
        ({"space": {"ppo": {"low": 0, "high": 1}}}, ["'ppo'", "single value"]),
        ({"space": {"ppo.n_epochs": {"low": 1, "high": 2}}}, ["int: true"]),
        ({"space": {"ppo.n_epochs": {"low": 2, "high": 4, "int": True}}}, ["is 1", "2 to 4"]),
        ({"space": {"ppo.batch_size": {"choices": [4, 6]}}}, ["batch_size 6"]),
        ({"changed": {"totl_steps": 4}}, ["totl_steps"]),
    ],
)
def test_studies_that_cannot_be(refused, config, changed, words):
    refused("tune", config(**changed), "--trials", 1, words=words)


def test_another_study_of_the_same_name_is_refused(refused, mixgym, config):
    assert mixgym("tune", config(), "--trials", 1, "-q").status == 0
    for changed, words in (
        ({"steps": 30}, ["steps 20, not 30"]),
        ({"changed": {"policy": {"width": 16}}}, ["train"]),
        ({"seeds": 3}, ["seeds 2, not 3"]),
    ):
        refused("tune", config(**changed), "--trials", 1, words=words)
