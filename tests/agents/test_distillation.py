"""Distillation: labels of the best teacher, what a student keeps of them, that it goes on."""

import csv
import json

import numpy as np
import pytest

from mixgym.agents import teachers as asked
from mixgym.agents.distillation import DistillationLearner
from mixgym.agents.load import TrainedPolicy
from mixgym.agents.settings import read_settings
from mixgym.agents.train import train
from mixgym.agents.weights import read_weights
from mixgym.errors import MixgymError
from mixgym.experiments.random_policy import random_policy
from mixgym.export.kept import compare


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    """A cache of one's own; where labels lie."""
    monkeypatch.setenv("MIXGYM_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache" / "labels"


@pytest.fixture
def teachers(tmp_path, monkeypatch):
    """Two policies that were never trained, but set something."""
    monkeypatch.setattr("mixgym.experiments.random_policy.SPREAD", 0.01)
    (tmp_path / "config").mkdir(exist_ok=True)
    for name, width in (("wide.npz", 32), ("narrow.npz", 16)):
        random_policy(tmp_path / "config" / name, width, 1)
    return ["wide.npz", "narrow.npz"]


@pytest.fixture
def settings(short_run, teachers):
    """What a tiny run's YAML file holds."""
    return {
        "algorithm": "distillation",
        **short_run,
        "styles": ["balanced", "warm"],
        "distillation": {
            "teachers": teachers,
            "searches": [{"by": "gradient", "evaluations": 20, "share": 0.5}],
            "steps": 12,
            "learning_rate": 0.01,
            "warm_up_steps": 6,
            "probed": 2,
        },
        "gradient": {"batch_size": 3, "learning_rate": 0.001, "warm_up_steps": 3},
    }


def rows(run):
    with (run / "progress.csv").open() as file:
        return list(csv.DictReader(file))


def shown(learner, style, songs):
    return learner._climb.batches.shown(style, np.array(songs))


def test_a_label_is_the_best_teachers_mix_and_its_gain(config):
    settings = read_settings(config({"distillation": {"searches": []}}))
    learner = DistillationLearner(settings)
    songs = shown(learner, 1, [0, 2, 3])
    labels = [learner._teachers.label(songs, place) for place in range(3)]
    episodes = learner._teachers._styles[1]
    gains = []
    for teacher in settings.distillation.teachers:
        episodes.begin(np.arange(3), [0, 2, 3], [None] * 3)
        before = episodes.scores()[0]
        episodes.step(TrainedPolicy(teacher).act(episodes.observe()))
        gains.append((episodes.scores()[0] - before)[:3])
    assert [label.gain for label in labels] == pytest.approx(np.max(gains, axis=0), abs=1e-6)
    assert {label.evaluations for label in labels} == {2}


def test_a_search_goes_on_from_the_best_policy(config):
    changed = {"searches": [{"by": "gradient", "evaluations": 20}]}
    without = DistillationLearner(read_settings(config({"distillation": {"searches": []}})))
    searched = DistillationLearner(read_settings(config({"distillation": changed})))
    for song in (0, 1):
        seen = shown(without, 0, [song])
        told = without._teachers.label(seen, 0)
        found = searched._teachers.label(shown(searched, 0, [song]), 0)
        assert found.gain > told.gain + 0.001
        assert told.evaluations < found.evaluations <= told.evaluations + 20


def test_labels_are_kept_for_all_runs_of_these_teachers(config, tmp_path, monkeypatch, cache):
    settings = read_settings(config())
    train(settings, tmp_path / "run")
    files = {path.name for path in cache.iterdir()}
    spent = [int(row["evaluations"]) for row in rows(tmp_path / "run")]
    assert spent == sorted(spent) and spent[0] > 200  # what errors cost, among others
    assert spent[-1] - spent[-2] == 6  # three mixes there and back
    monkeypatch.setattr(asked, "act", None)
    train(settings, tmp_path / "again")
    assert [int(row["evaluations"]) for row in rows(tmp_path / "again")] == spent
    assert {path.name for path in cache.iterdir()} == files
    monkeypatch.undo()
    monkeypatch.setenv("MIXGYM_CACHE", str(cache.parent))
    fewer = {"teachers": [str(settings.distillation.teachers[0])]}
    train(read_settings(config({"distillation": fewer})), tmp_path / "fewer")
    assert len({path.name for path in cache.iterdir()} - files) > 2


def test_searches_go_on_from_what_the_student_sets(config):
    search = {"searches": [{"by": "gradient", "evaluations": 20}], "rounds": 1}
    learner = DistillationLearner(read_settings(config({"distillation": search})))
    songs = shown(learner, 0, [0, 1, 2])
    before = [learner._teachers.label(songs, place) for place in range(3)]
    learner._teachers.follow(learner.network)
    after = [learner._teachers.label(songs, place, students=1) for place in range(3)]
    for one, other in zip(before, after, strict=True):
        assert other.gain >= one.gain
        assert 2 < other.evaluations - one.evaluations <= 21
    assert any(other.gain > one.gain for one, other in zip(before, after, strict=True))


def test_a_student_that_looks_at_pictures_is_followed(config, tmp_path):
    rounds = {"steps": 6, "rounds": 1, "round_steps": 3, "searches": [{"by": "gradient"}]}
    pictured = {"policy": {"encoder": "spectrogram"}, "distillation": rounds}
    assert train(read_settings(config(pictured)), tmp_path / "run").finished


def test_a_style_that_is_named_twice_costs_no_more(config):
    searches = {"distillation": {"searches": []}}
    twice = read_settings(config({**searches, "styles": ["balanced", "warm", "balanced"]}))
    learner = DistillationLearner(twice)
    assert {shown(learner, style, [0]).style for style in (0, 1, 2)} == {0, 1}
    assert learner._teachers._styles[0] is learner._teachers._styles[2]


def test_nothing_is_kept_of_songs_that_are_met_once(config):
    learner = DistillationLearner(read_settings(config({"distillation": {"searches": []}})))
    songs = len(learner._teachers._styles[0].repertoire)
    for variant in range(1, 6):
        learner._teachers.label(shown(learner, 0, [songs * variant]), 0)
    assert not learner._teachers._known
    assert not learner._teachers._styles[0]._starts


@pytest.mark.parametrize("asked_at", [1, 2, 3, 5])
def test_a_run_that_was_asked_to_end_goes_on_to_the_same_weights(
    config, tmp_path, same_weights, monkeypatch, asked_at
):
    rounds = {"steps": 6, "rounds": 2, "round_steps": 3}
    settings = read_settings(config({"gradient": {"thinned": 0.5}, "distillation": rounds}))
    train(settings, tmp_path / "whole")
    monkeypatch.setenv("MIXGYM_CACHE", str(tmp_path / "other"))
    asked = iter([False] * asked_at + [True])
    first = train(settings, tmp_path / "parts", asked_to_end=lambda: next(asked))
    assert not first.finished and first.steps == 3 * asked_at
    assert train(settings, tmp_path / "parts", resume=True).finished
    same_weights(tmp_path / "parts", tmp_path / "whole")
    told = [row["evaluations"] for row in rows(tmp_path / "whole")]
    assert [row["evaluations"] for row in rows(tmp_path / "parts")] == told


def test_a_student_does_what_its_teacher_does(mixgym, config, tmp_path, teachers):
    changed = {
        "distillation": {"teachers": teachers[:1], "searches": [], "steps": 400},
        "gradient": {"batch_size": 4},
        "total_steps": 400,
        "validation": {"every": 400},
    }
    run = tmp_path / "run"
    ran = mixgym("distill", config(changed), "--out", run, "--json")
    assert ran.status == 0, ran.err
    told = json.loads(ran.out)
    assert told["finished"] and told["kept"]["low"] <= told["kept"]["share"] <= told["kept"]["high"]
    losses = [float(row["loss"]) for row in rows(run)]
    assert np.mean(losses[-10:]) < 0.2 * losses[0]
    arrays, about = read_weights(run / "last.npz")
    assert about.styles == ("balanced", "warm") and about.sizes.width == 16
    assert sum(array.nbytes for array in arrays.values()) < 1_000_000


def test_what_is_kept_is_told_of_searches_too(config, cache):
    settings = read_settings(config())
    told = []
    student = settings.distillation.teachers[1]
    found = compare([student], settings, tell=lambda what, share: told.append(share))[0]
    assert found.names == ("wide.npz", "narrow.npz", "gradient, 20")
    assert np.array_equal(found.student, found.teachers[1])
    assert (found.teachers[2] >= found.teachers[:2].max(axis=0) - 1e-6).all()
    assert found.kept().share < found.kept(teacher="narrow.npz").share == 1.0
    assert told == sorted(told) and 0.0 < told[-1] <= 1.0
    labels = sorted(cache.iterdir())
    rendered = compare([student], settings, styles=["warm"], fidelity="render")[0]
    assert rendered.styles == ("warm",) and sorted(cache.iterdir()) == labels


def test_searches_alone_teach_whole_songs_alone(mixgym, config, tmp_path, check_sentence):
    alone = {"teachers": [], "searches": [{"by": "ga", "evaluations": 40}]}
    path = config({"distillation": alone, "gradient": {"thinned": 0.5}})
    ran = mixgym("distill", path, "--out", tmp_path / "run")
    assert ran.status == 2
    check_sentence(ran.err, ["gradient.thinned", "teachers"])


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"teachers": []}, ["teachers", "share"]),
        ({"searches": [], "rounds": 1}, ["rounds", "searches"]),
        ({"teachers": ["nowhere.npz"]}, ["nowhere.npz", "read"]),
        ({"steps": 0}, ["distillation.steps", "0"]),
        ({"searches": [{"by": "nobody"}]}, ["searches", "nobody"]),
    ],
)
def test_what_cannot_teach_is_refused(mixgym, config, tmp_path, check_sentence, changed, words):
    path = config({"distillation": changed})
    ran = mixgym("distill", path, "--out", tmp_path / "run")
    assert ran.status == 2
    check_sentence(ran.err, words)
    assert not (tmp_path / "run").exists()


def test_a_teacher_of_other_parameters_is_refused(config):
    changed = {"environment": {"arguments": {"bus_parameters": []}}}
    with pytest.raises(MixgymError, match=r"wide\.npz sets other parameters"):
        DistillationLearner(read_settings(config(changed)))


def test_settings_of_other_runs_are_refused(mixgym, config, tmp_path, check_sentence):
    path = tmp_path / "other.yaml"
    path.write_text("algorithm: ppo\n")
    ran = mixgym("distill", path)
    assert ran.status == 2
    check_sentence(ran.err, ["other.yaml", "algorithm: distillation", "mixgym train"])
