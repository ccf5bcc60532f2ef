"""Studies: what is maximised, that a kill changes nothing, who may share one, what is refused."""

import json
import os
import pwd
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
import soundfile as sf
import yaml
from hypothesis import HealthCheck, given
from hypothesis import settings as limits
from hypothesis import strategies as st

from mixgym.experiments.arena.pieces import Piece, open_piece
from mixgym.experiments.mapper import InlineMapper
from mixgym.experiments.statistics import interquartile_mean
from mixgym.experiments.tuning.commands import run_tune
from mixgym.experiments.tuning.dimensions import Choices, Range
from mixgym.experiments.tuning.learners import TunedTraining
from mixgym.experiments.tuning.searchers import (
    TunedSearch,
    check_space,
    defaults_of,
    search_gain,
)
from mixgym.experiments.tuning.settings import SearchTuning, read_tuning
from mixgym.rewards import Evaluator
from mixgym.songs.generate import generate_song
from mixgym.songs.training.splits import identify

optuna = pytest.importorskip("optuna", reason="needs the extra `search`")

from mixgym.experiments.tuning import searchers, storage, study, validation  # noqa: E402

RATE = 24_000
HELD_OUT = next(n for n in map("tune {}".format, range(99)) if identify(n).split == "validation")
SPACE = {
    "population": {"low": 4, "high": 64, "log": True, "int": True},
    "swap": {"low": 0.0, "high": 0.9},
    "blocks": {"low": 1, "high": 6, "log": True},
}
STUDY = {
    "search": "ga", "songs": "songs", "seconds": 4, "evaluations": 60, "seeds": 2,
    "validation_seeds": 2, "space": SPACE,
}  # fmt: skip


@pytest.fixture(scope="module", autouse=True)
def _cache(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MIXGYM_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture(scope="module")
def songs(tmp_path_factory):
    """A song to tune on and one to validate on."""
    folder = tmp_path_factory.mktemp("tuning") / "songs"
    for seed, name in enumerate(("one", HELD_OUT)):
        (folder / name).mkdir(parents=True)
        with generate_song(seed, 5.0, RATE, stems=2) as song:
            for stem in song.stems:
                audio = stem.read(0, song.frames).T
                sf.write(folder / name / f"{stem.name}.wav", audio, RATE, subtype="FLOAT")
    return folder


@pytest.fixture
def config(songs, tmp_path):
    """A study's file."""
    return write(tmp_path / "small.yaml", songs=str(songs))


def write(path, **changed):
    path.write_text(yaml.safe_dump(STUDY | changed))
    return path


@pytest.fixture(scope="module")
def undisturbed(songs, tmp_path_factory):
    """Trials of a study that nothing stopped, and its journal."""
    path = write(tmp_path_factory.mktemp("undisturbed") / "small.yaml", songs=str(songs))
    options = {"storage": None, "out": None, "jobs": 1, "summary": None, "tell": nothing}
    result = run_tune(path, 5, **options).to_json()
    return json.loads(json.dumps(result)), path.with_name("tune-small.journal")


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


def test_a_gain_is_over_equal_loudness_and_keeps_to_the_budget(songs, monkeypatch):
    from mixgym.console.rules import equal_loudness

    tuning = SearchTuning.model_validate(STUDY | {"songs": [songs], "evaluations": 50})
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


def test_the_best_is_validated_on_other_songs_and_seeds(songs):
    tuning = SearchTuning.model_validate(STUDY | {"songs": [songs]})
    here = tuned(tuning)
    others = here.elsewhere(InlineMapper(), nothing)
    assert here.songs == ["one"]
    assert others.songs == [HELD_OUT]
    assert not set(tuning.tuning_seeds) & set(tuning.other_seeds)
    same = {"population": 8}
    found = validation.validate(others, same, same, InlineMapper(), nothing)
    assert found.difference == found.low == found.high == 0.0
    gains = [search_gain(tuning, 1, others.pieces[0], seed, same) for seed in tuning.other_seeds]
    assert found.best == pytest.approx(interquartile_mean(np.array(gains)), abs=1e-12)
    alone = SearchTuning.model_validate(STUDY | {"songs": [songs / "one"]})
    assert tuned(alone).elsewhere(InlineMapper(), nothing) == tuned(alone)


def test_a_comparison_is_paired():
    noise = np.random.default_rng(0).normal(0, 1, (20, 6))
    found = validation.compare(noise + 0.1, noise)
    assert found.low == pytest.approx(0.1) and found.high == pytest.approx(0.1)


def tuned(tuning):
    return TunedSearch.of(tuning, InlineMapper(), nothing)


def nothing(what, share):
    pass


# Kills, and what they leave


@pytest.mark.skipif(os.name != "posix", reason="needs SIGKILL")
def test_killed_and_run_again_a_study_is_the_same(config, undisturbed, tmp_path):
    journal = tmp_path / "tune-small.journal"
    command = [sys.executable, "-m", "mixgym", "tune", str(config), "--trials", "5", "--json"]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    ends = time.monotonic() + 120
    half_way = len(undisturbed[1].read_bytes().splitlines()) // 2
    while not journal.exists() or journal.read_bytes().count(b"\n") < half_way:
        assert process.poll() is None and time.monotonic() < ends
        time.sleep(0.002)
    process.send_signal(signal.SIGKILL)
    process.wait()
    at_kill = journal.read_bytes()
    assert at_kill.count(b"\n") < len(undisturbed[1].read_bytes().splitlines())
    ran = subprocess.run(command, capture_output=True, check=True)
    assert json.loads(ran.stdout) == undisturbed[0]
    assert journal.read_bytes().startswith(at_kill[: at_kill.rindex(b"\n") + 1])


class Killed(BaseException):
    """What ends a study in this process."""


def synthetic(tuning, threads, piece, seed, options):
    """A gain with its best at swap 0.7, and noise of its own for every seed and song."""
    noise = np.random.default_rng((seed, piece.excerpt)).normal(0, 0.3)
    drawn = int(1e9 * options["swap"])
    noise += np.random.default_rng((seed, piece.excerpt, drawn)).normal(0, 0.01)
    return noise - (options["swap"] - 0.7) ** 2 - 0.01 * options["blocks"]


def run_synthetic(folder, trials, tuning, *, dies_after=None, mapper=None):
    """Trials of a study with synthetic gains."""
    place = storage.Place("synthetic", folder / "synthetic.journal")
    pieces = tuple(
        Piece(song="s", artist=None, split="train", excerpt=i, folder=folder, start_s=i, seconds=4)
        for i in range(3)
    )
    left = [dies_after]

    def dying(*given):
        if left[0] is not None:
            left[0] -= 1
            if left[0] < 0:
                raise Killed
        return synthetic(*given)

    tunable = TunedSearch(tuning, pieces)
    defaults = tunable.defaults()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(searchers, "search_gain", dying)
        with storage.kept(place):
            found = study.run_study(
                place, tunable, defaults, trials, mapper or InlineMapper(), nothing
            )
    return [(t.user_attrs, t.state, t.value, t.params, dict(t.intermediate_values)) for t in found]


def tuning_of(**changed):
    return SearchTuning.model_validate(STUDY | {"songs": ["nowhere"], "seeds": 4} | changed)


@limits(max_examples=6, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(deaths=st.lists(st.integers(0, 60), min_size=1, max_size=3))
def test_a_study_goes_on_wherever_it_was_stopped(whole, deaths):
    with tempfile.TemporaryDirectory() as folder:
        for death in deaths:
            try:
                run_synthetic(Path(folder), 14, tuning_of(), dies_after=death)
            except Killed:
                continue
        assert run_synthetic(Path(folder), 14, tuning_of()) == whole


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """Trials of a synthetic study that nothing stopped."""
    return run_synthetic(tmp_path_factory.mktemp("whole"), 14, tuning_of())


def test_trials_depend_on_the_seed_and_bad_ones_are_stopped(whole, tmp_path):
    states = [state for _, state, *_ in whole]
    assert states[0] == optuna.trial.TrialState.COMPLETE
    assert optuna.trial.TrialState.PRUNED in states
    other = run_synthetic(tmp_path, 14, tuning_of(sampler_seed=1))
    assert other[0] == whole[0]
    assert other[1:] != whole[1:]


def test_a_study_grows_by_what_is_new(whole, tmp_path):
    few = run_synthetic(tmp_path, 5, tuning_of())
    assert few == whole[:5]
    assert run_synthetic(tmp_path, 14, tuning_of()) == whole
    assert run_synthetic(tmp_path, 3, tuning_of()) == whole


def test_a_half_written_line_is_cut_off(whole, tmp_path):
    run_synthetic(tmp_path, 5, tuning_of())
    journal = tmp_path / "synthetic.journal"
    with journal.open("ab") as file:
        file.write(b'{"op_code":8,"worker_id":"x","tri')
    Path(f"{journal}.lock").touch()  # of a process that was killed while it wrote
    started = time.monotonic()
    assert run_synthetic(tmp_path, 14, tuning_of()) == whole
    assert time.monotonic() - started < 20


def test_a_full_disk_ends_in_a_sentence_and_is_gone_on_from(whole, tmp_path):
    resource = pytest.importorskip("resource", reason="needs limits on the size of files")
    run_synthetic(tmp_path, 3, tuning_of())
    journal = tmp_path / "synthetic.journal"
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (journal.stat().st_size + 1000, hard))
    try:
        with pytest.raises(storage.MixgymError, match=r"disk of .* is full; .* goes on"):
            run_synthetic(tmp_path, 14, tuning_of())
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert not journal.read_bytes().endswith(b"\n")
    assert run_synthetic(tmp_path, 14, tuning_of()) == whole


# Several at work


def test_processes_share_the_trials(mixgym, config):
    ran = mixgym("tune", config, "--trials", 4, "--jobs", 2, "--json")
    assert ran.status == 0, ran.err
    result = json.loads(ran.out)
    assert [trial["trial"] for trial in result["trials"]] == list(range(4))
    assert len({json.dumps(trial["params"]) for trial in result["trials"]}) == 4


def test_a_journal_belongs_to_one_command(refused, config, tmp_path):
    fcntl = pytest.importorskip("fcntl", reason="needs locks on files")
    with (tmp_path / "tune-small.journal").open("ab") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        refused("tune", config, "--trials", 1, words=["in another process", "--jobs"])


@contextmanager
def postgresql():
    """A server of its own, without a password, on a socket in a temporary folder."""
    pytest.importorskip("psycopg", reason="needs PostgreSQL's driver psycopg")
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    initdb = shutil.which("initdb") or (str(found[-1]) if found else None)
    if initdb is None:
        pytest.skip("needs PostgreSQL's programs initdb and pg_ctl")
    programs = Path(initdb).resolve().parent
    folder = Path(tempfile.mkdtemp(prefix="pg-"))
    owner = {}
    if os.geteuid() == 0:  # PostgreSQL refuses to run as root
        nobody = pwd.getpwnam("nobody")
        owner = {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}
        os.chown(folder, nobody.pw_uid, nobody.pw_gid)
    data = folder / "data"
    given = {**owner, "cwd": folder, "check": True, "stdout": subprocess.DEVNULL}
    try:
        command = [programs / "initdb", "-D", data, "-U", "tuner", "-A", "trust", "--no-sync"]
        subprocess.run(command, **given)
        options = f"-k {folder} -c listen_addresses='' -c fsync=off"
        control = [programs / "pg_ctl", "-D", data, "-w"]
        subprocess.run([*control, "-o", options, "-l", folder / "log", "start"], **given)
        try:
            yield f"postgresql+psycopg://tuner@/postgres?host={folder}"
        finally:
            subprocess.run([*control, "-m", "immediate", "stop"], **given)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@pytest.mark.skipif(os.name != "posix", reason="needs sockets in folders")
def test_two_commands_share_a_study_on_postgresql(config, songs, undisturbed, mixgym):
    with postgresql() as url:
        command = [sys.executable, "-m", "mixgym", "tune", str(config), "--trials", "4"]
        command += ["--storage", url, "--json"]
        both = [subprocess.Popen(command, stdout=subprocess.PIPE) for _ in range(2)]
        results = [json.loads(process.communicate(timeout=60)[0]) for process in both]
        assert results[0] == results[1]
        trials = results[0]["trials"]
        assert [trial["trial"] for trial in trials] == list(range(4))
        assert trials[0] == undisturbed[0]["trials"][0]

        forsaken = forsake_a_trial(url, ordinal=4)
        ran = mixgym("tune", config, "--trials", 5, "--storage", url, "--json")
        assert ran.status == 0, ran.err
        assert json.loads(ran.out)["trials"][:4] == trials
        assert json.loads(ran.out)["trials"][4]["trial"] == 4
        kept = optuna.load_study(study_name="small", storage=url)
        assert kept.trials[forsaken].state == optuna.trial.TrialState.FAIL

        write(config, evaluations=70, songs=str(songs))
        ran = mixgym("tune", config, "--trials", 6, "--storage", url)
        assert ran.status == 2 and "begun with evaluations 60, not 70" in ran.err


def forsake_a_trial(url, ordinal):
    """Leave a trial running whose heartbeat stopped an hour ago; its number."""
    from sqlalchemy import create_engine, text

    kept = optuna.load_study(study_name="small", storage=url)
    kept.enqueue_trial({}, user_attrs={study.ORDINAL: ordinal})
    trial = kept.ask()
    row = (
        "INSERT INTO trial_heartbeats (trial_id, heartbeat) VALUES (:trial, now() - interval '1h')"
    )
    with create_engine(url).begin() as connection:
        connection.execute(text(row), {"trial": trial._trial_id})
    return trial.number


# What is shown, and what is refused


def test_what_is_printed_and_written(mixgym, config, tmp_path):
    page = tmp_path / "study.md"
    ran = mixgym("tune", config, "--trials", 3, "--out", tmp_path / "a.journal", "--summary", page)
    assert ran.status == 0, ran.err
    assert "(defaults)" in ran.out and "population" in ran.out
    text = page.read_text()
    assert f"mixgym tune {config} --trials 3" in text
    assert f"optuna-dashboard {tmp_path / 'a.journal'}" in text
    assert "Tuned on one: seeds 1000 to 1001" in text
    trials = json.loads(mixgym("tune", config, "--trials", 3, "--out", tmp_path / "a.journal",
                               "--json").out)  # fmt: skip
    if trials["best"]["trial"]:
        assert f"Validated on {HELD_OUT}: seeds 1002 to 1003" in text
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
        ({"space": {"populaton": SPACE["population"]}}, ["populaton", "population, parents"]),
        ({"space": {"population": {"low": 4, "high": 64}}}, ["population", "int: true"]),
        (
            {"space": {"population": SPACE["population"] | {"low": 0, "log": False}}},
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
def test_studies_that_cannot_be(refused, songs, tmp_path, changed, words):
    path = write(tmp_path / "small.yaml", **{"songs": str(songs)} | changed)
    refused("tune", path, "--trials", 1, words=words)


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
def test_options_that_will_not_do(refused, config, options, words):
    refused("tune", config, *options, words=words)


def test_files_that_are_no_study(refused, tmp_path, songs):
    refused("tune", tmp_path / "none.yaml", words=["none.yaml"])
    path = tmp_path / "small.yaml"
    for text, words in (("[1, 2", ["not YAML"]), ("- 3", ["no settings"]), ("a: &b 1", ["search"])):
        path.write_text(text)
        refused("tune", path, words=words)
    (tmp_path / "empty").mkdir()
    refused("tune", write(path, songs="empty"), words=["empty", "no songs"])
    one = songs / "one"
    refused("tune", write(path, songs=str(one), split="validation"), words=["split validation"])


def test_another_study_of_the_same_name_is_refused(refused, mixgym, songs, undisturbed, tmp_path):
    journal = tmp_path / "tune-small.journal"
    shutil.copy(undisturbed[1], journal)
    path = tmp_path / "small.yaml"
    for changed, words in (
        ({"evaluations": 70}, ["evaluations 60, not 70"]),
        ({"seeds": 3}, ["seeds 2, not 3"]),
        (
            {"space": SPACE | {"swap": {"low": 0.1, "high": 0.9}}},
            ["space.swap low 0.0, high 0.9, ", "not low 0.1, high 0.9, "],
        ),
        ({"space": {"swap": SPACE["swap"]}}, ["space.blocks low 1.0", "not None"]),
        ({"songs": str(songs / "one"), "seconds": 4.5}, ["seconds 4.0, not 4.5"]),
        ({"style": "warm"}, ["style balanced, not warm"]),
        ({"split": "validation"}, ["split train, not validation"]),
        ({"sampler_seed": 9}, ["sampler_seed 0, not 9"]),
    ):
        write(path, **{"songs": str(songs)} | changed)
        refused("tune", path, "--trials", 5, words=[*words, "small", "--out"])
    write(path, songs=str(songs))
    assert mixgym("tune", path, "--trials", 5, "-q").status == 0


def test_damaged_journals_are_refused_and_left_as_they_are(refused, config, undisturbed, tmp_path):
    journal = tmp_path / "tune-small.journal"
    lines = undisturbed[1].read_bytes().splitlines(keepends=True)
    for content in (
        b"dear diary",
        b"dear diary\n",
        b"".join(lines[:3]) + b"\xff\n" + b"".join(lines[3:]),
        b"".join(lines[:5]) + b'{"op_code": 99}\n',
    ):
        journal.write_bytes(content)
        refused("tune", config, "--trials", 5, words=[journal, "damaged", "--out"])
    journal.write_bytes(re.sub(rb'"values":\[[^]]*\]', b'"values":[9.0]', b"".join(lines), count=1))
    refused("tune", config, "--trials", 5, words=[journal, "cannot have come to", "--out"])


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


def test_hyperparameters_are_those_of_the_searchers():
    assert defaults_of("ga") == {"population": 32, "parents": 8, "swap": 0.3, "blocks": 1.0}
    assert defaults_of("sep_cma") == {"sigma": 0.1, "batch": None}
    assert "separable" in defaults_of("cma_es")


def test_the_shipped_studies_can_be_run(monkeypatch, songs):
    import mixgym

    monkeypatch.setenv("MIXGYM_DATA", "/data")
    monkeypatch.setenv("MIXGYM_SET", str(songs))
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
