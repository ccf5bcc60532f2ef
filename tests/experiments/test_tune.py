"""Studies of searches: what is maximised, what is shown of it, and what is refused."""

import json
import re
import shutil
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mixgym.experiments.arena.pieces import open_piece
from mixgym.experiments.mapper import InlineMapper
from mixgym.experiments.statistics import interquartile_mean
from mixgym.experiments.tuning.dimensions import Choices, Range
from mixgym.experiments.tuning.learners import TunedTraining
from mixgym.experiments.tuning.searchers import TunedSearch, check_space, defaults_of, search_gain
from mixgym.experiments.tuning.settings import SearchTuning, read_tuning
from mixgym.rewards import Evaluator

optuna = pytest.importorskip("optuna", reason="needs the extra `search`")

from mixgym.experiments.tuning import validation  # noqa: E402

POPULATION = {"low": 4, "high": 64, "log": True, "int": True}


def tuned(tuning):
    return TunedSearch.of(tuning, InlineMapper(), nothing)


def nothing(what, share):
    pass


# What is maximised


def test_the_first_trial_is_of_the_defaults_and_values_are_of_the_gains(undisturbed):
    result, _ = undisturbed
    trials = result["trials"]
    assert [trial["trial"] for trial in trials] == list(range(5))
    assert trials[0]["params"] == {"population": 32, "swap": 0.3, "blocks": 1.0}
    assert result["defaults"] == trials[0]
    complete = [trial for trial in trials if trial["state"] == "complete"]
    for trial in complete:
        assert len(trial["gains"]) == 2
        assert trial["value"] == interquartile_mean(np.array(trial["gains"]))
    assert result["best"]["value"] == max(trial["value"] for trial in complete)
    assert len({json.dumps(trial["params"]) for trial in trials}) == 5


def test_a_gain_is_over_equal_loudness_and_keeps_to_the_budget(
    study_values, study_songs, monkeypatch
):
    from mixgym.console.rules import equal_loudness

    tuning = SearchTuning.model_validate(study_values | {"songs": [study_songs], "evaluations": 50})
    (piece,) = tuned(tuning).pieces
    scored = []
    evaluate = Evaluator.evaluate

    def counted(self, *values):
        scores = evaluate(self, *values)
        scored.extend(scores.score.tolist())
        assert self.fidelity == "simulate"
        return scores

    monkeypatch.setattr(Evaluator, "evaluate", counted)
    gain = search_gain(tuning, 1, piece, 1000, {"population": 8})
    base, searched = scored[0], scored[1:]
    assert len(searched) == 50
    assert gain == max(searched) - base
    excerpt = open_piece(piece)
    assert base == Evaluator(excerpt).evaluate_mixes([equal_loudness(excerpt)]).score[0]


def test_the_best_is_validated_on_other_songs_and_seeds(study_values, study_songs, held_out):
    tuning = SearchTuning.model_validate(study_values | {"songs": [study_songs]})
    here = tuned(tuning)
    others = here.elsewhere(InlineMapper(), nothing)
    assert here.songs == ["one"]
    assert others.songs == [held_out]
    assert not set(tuning.tuning_seeds) & set(tuning.other_seeds)
    same = {"population": 8}
    found = validation.validate(others, same, same, InlineMapper(), nothing)
    assert found.difference == found.low == found.high == 0.0
    gains = [search_gain(tuning, 1, others.pieces[0], seed, same) for seed in tuning.other_seeds]
    assert found.best == pytest.approx(interquartile_mean(np.array(gains)), abs=1e-12)
    alone = SearchTuning.model_validate(study_values | {"songs": [study_songs / "one"]})
    assert tuned(alone).elsewhere(InlineMapper(), nothing) == tuned(alone)


def test_a_comparison_is_paired():
    noise = np.random.default_rng(0).normal(0, 1, (20, 6))
    found = validation.compare(noise + 0.1, noise)
    assert found.low == pytest.approx(0.1) and found.high == pytest.approx(0.1)


def test_hyperparameters_are_those_of_the_searchers():
    assert defaults_of("ga") == {"population": 32, "parents": 8, "swap": 0.3, "blocks": 1.0}
    assert defaults_of("sep_cma") == {"sigma": 0.1, "batch": None}
    assert "separable" in defaults_of("cma_es")


def test_the_shipped_studies_can_be_run(monkeypatch, study_songs):
    import mixgym

    monkeypatch.setenv("MIXGYM_DATA", "/data")
    monkeypatch.setenv("MIXGYM_SET", str(study_songs))
    shipped = sorted((Path(mixgym.__file__).parent / "experiments" / "tune").glob("*.yaml"))
    assert [path.stem for path in shipped] == ["cma_es", "ga", "ppo", "sep_cma"]
    for path in shipped:
        tuning = read_tuning(path)
        if path.stem == "ppo":
            assert TunedTraining(tuning).defaults().keys() == tuning.space.keys()
            continue
        assert tuning.search == path.stem
        assert tuning.songs == (Path("/data/songs"),)
        assert check_space(tuning).keys() == tuning.space.keys()


# What is shown, and what is refused


def test_what_is_printed_and_written(mixgym, study_file, held_out, tmp_path):
    path, page = study_file(), tmp_path / "study.md"
    ran = mixgym("tune", path, "--trials", 3, "--out", tmp_path / "a.journal", "--summary", page)
    assert ran.status == 0, ran.err
    assert "(defaults)" in ran.out and "population" in ran.out
    text = page.read_text()
    assert f"mixgym tune {path} --trials 3" in text
    assert f"optuna-dashboard {tmp_path / 'a.journal'}" in text
    assert "Tuned on one: seeds 1000 to 1001" in text
    trials = json.loads(mixgym("tune", path, "--trials", 3, "--out", tmp_path / "a.journal",
                               "--json").out)  # fmt: skip
    if trials["best"]["trial"]:
        assert f"Validated on {held_out}: seeds 1002 to 1003" in text
        assert f"{trials['validated']['difference']:+.4f}" in text
    for name, value in trials["best"]["params"].items():
        assert re.search(rf"^{name}: {value:.4g}$", text, re.MULTILINE)


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"split": "test"}, ["split", "test", "tune on train or validation"]),
        ({"split": "all"}, ["split", "tune on train or validation"]),
        ({"first_seed": 3}, ["first_seed", "1000"]),
        ({"surplus": 1}, ["surplus"]),
        ({"evaluations": "many"}, ["evaluations", "many"]),
        ({"search": "gaa"}, ["gaa", "map_elites"]),
        ({"songs": "nowhere"}, ["nowhere"]),
        ({"songs": "$NO_SUCH_PLACE/songs"}, ["$NO_SUCH_PLACE"]),
        ({"style": "cosy"}, ["cosy", "balanced"]),
        ({"space": {}}, ["space"]),
        ({"space": {"populaton": POPULATION}}, ["populaton", "population, parents"]),
        ({"space": {"population": {"low": 4, "high": 64}}}, ["population", "int: true"]),
        (
            {"space": {"population": POPULATION | {"low": 0, "log": False}}},
            ["population 0"],
        ),
        ({"space": {"swap": {"low": 0.5, "high": 0.9}}}, ["swap", "0.3", "0.5 to 0.9"]),
        ({"space": {"swap": {"low": 0.9, "high": 0.1}}}, ["space.swap", "less than"]),
        ({"space": {"swap": {"low": 0, "high": 1, "log": True}}}, ["space.swap", "above 0"]),
        ({"space": {"swap": {"choices": [0.3]}}}, ["space.swap"]),
        ({"space": {"swap": {"choices": [0.3, 0.3]}}}, ["space.swap", "once"]),
        ({"space": {"swap": {"choices": [0.3, float("nan")]}}}, ["space.swap"]),
    ],
)
def test_studies_that_cannot_be(refused, study_file, changed, words):
    refused("tune", study_file(**changed), "--trials", 1, words=words)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--trials", 0], ["at least 1 trial"]),
        (["--jobs", 0], ["--jobs"]),
        (["--storage", "sqlite:///x.db"], ["SQLite", "--storage"]),
        (["--storage", "mine"], ["postgresql+psycopg://"]),
        (["--storage", "oddity://host"], ["oddity://host", "driver"]),
        (["--storage", "sqlite://", "--out", "a.journal"], ["--out", "--storage"]),
        (["--out", "nowhere/a.journal"], ["nowhere"]),
        (["--summary", "nowhere/a.md"], ["nowhere"]),
    ],
)
def test_options_that_will_not_do(refused, study_file, options, words):
    refused("tune", study_file(), *options, words=words)


def test_files_that_are_no_study(refused, study_file, study_songs, tmp_path):
    refused("tune", tmp_path / "none.yaml", words=["none.yaml"])
    path = tmp_path / "small.yaml"
    for text, words in (("[1, 2", ["not YAML"]), ("- 3", ["no settings"]), ("a: &b 1", ["search"])):
        path.write_text(text)
        refused("tune", path, words=words)
    (tmp_path / "empty").mkdir()
    refused("tune", study_file(songs="empty"), words=["empty", "no songs"])
    one = study_file(songs=str(study_songs / "one"), split="validation")
    refused("tune", one, words=["split validation"])


def test_another_study_of_the_same_name_is_refused(
    refused, mixgym, study_file, study_values, study_songs, undisturbed, tmp_path
):
    journal = tmp_path / "tune-small.journal"
    shutil.copy(undisturbed[1], journal)
    space = study_values["space"]
    for changed, words in (
        ({"evaluations": 70}, ["evaluations 60, not 70"]),
        ({"seeds": 3}, ["seeds 2, not 3"]),
        (
            {"space": space | {"swap": {"low": 0.1, "high": 0.9}}},
            ["space.swap low 0.0, high 0.9, ", "not low 0.1, high 0.9, "],
        ),
        ({"space": {"swap": space["swap"]}}, ["space.blocks low 1.0", "not None"]),
        ({"songs": str(study_songs / "one"), "seconds": 4.5}, ["seconds 4.0, not 4.5"]),
        ({"style": "warm"}, ["style balanced, not warm"]),
        ({"split": "validation"}, ["split train, not validation"]),
        ({"sampler_seed": 9}, ["sampler_seed 0, not 9"]),
    ):
        refused("tune", study_file(**changed), "--trials", 5, words=[*words, "small", "--out"])
    assert mixgym("tune", study_file(), "--trials", 5, "-q").status == 0


def test_damaged_journals_are_refused_and_left_as_they_are(
    refused, study_file, undisturbed, tmp_path
):
    path, journal = study_file(), tmp_path / "tune-small.journal"
    lines = undisturbed[1].read_bytes().splitlines(keepends=True)
    for content in (
        b"dear diary",
        b"dear diary\n",
        b"".join(lines[:3]) + b"\xff\n" + b"".join(lines[3:]),
        b"".join(lines[:5]) + b'{"op_code": 99}\n',
    ):
        journal.write_bytes(content)
        refused("tune", path, "--trials", 5, words=[journal, "damaged", "--out"])
    journal.write_bytes(re.sub(rb'"values":\[[^]]*\]', b'"values":[9.0]', b"".join(lines), count=1))
    refused("tune", path, "--trials", 5, words=[journal, "cannot have come to", "--out"])


@given(low=st.floats(-1e4, 1e4), width=st.floats(1e-3, 1e4), share=st.floats(0, 1))
def test_a_range_holds_what_it_suggests(low, width, share):
    whole = Range(low=float(int(low)), high=float(int(low + width) + 1), **{"int": True})
    for values in (Range(low=low, high=low + width), whole):
        trial = optuna.trial.FixedTrial({"x": values.ends[0]})
        assert all(map(values.holds, values.ends)) and values.holds(values.suggest(trial, "x"))
        assert not values.holds(values.ends[0] - 1) and not values.holds(values.ends[1] + 1)
        assert not values.holds(None) and not values.holds(True)
    assert whole.holds(int(low)) and not whole.holds(int(low) + 0.5)
    choices = Choices(choices=(None, True, 3, 0.5, "a"))
    assert all(map(choices.holds, choices.ends)) and not choices.holds("b")
