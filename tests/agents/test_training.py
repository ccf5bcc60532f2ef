"""Training runs: what they learn, what they leave, and that they go on where they were cut off."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from mixgym import __version__, experiments
from mixgym.agents.settings import read_settings
from mixgym.agents.train import train


def lines(path):
    return path.read_text().splitlines() if path.exists() else []


def test_a_run_leaves_what_is_needed_to_know_it(mixgym, config, tmp_path, weights_of):
    run = tmp_path / "run"
    ran = mixgym("train", config({"validation": {"rendered": 1}}), "--out", run, "--json")
    assert ran.status == 0, ran.err
    told = json.loads(ran.out)
    assert told["finished"] and told["steps"] == 384
    assert {"settings.yaml", "run.json", "checkpoint.pt", "best.npz", "last.npz"} <= {
        path.name for path in run.iterdir()
    }
    assert not [path for path in run.iterdir() if path.name.startswith(".")]
    evaluations = [json.loads(line) for line in lines(run / "evaluations.jsonl")]
    assert [e["steps"] for e in evaluations if e["fidelity"] == "simulate"] == [0, 128, 256, 384]
    assert evaluations[0]["gain"] == pytest.approx(0.0, abs=1e-6)
    assert {len(e["gains"]) for e in evaluations if e["fidelity"] == "render"} == {1}
    assert told["gain"] == max(e["gain"] for e in evaluations if e["fidelity"] == "simulate")
    progress = lines(run / "progress.csv")
    assert progress[0].startswith("steps,seconds,score,gain,kl")
    assert [int(line.split(",")[0]) for line in progress[1:]] == [64, 128, 192, 256, 320, 384]
    about = json.loads(str(weights_of(run / "last.npz")["about"]))
    assert about["steps"] == 384 and about["strip"] == ["fader_db", "pan"]
    again = mixgym("train", run / "settings.yaml", "--out", run, "--resume", "--quiet")
    assert (again.status, again.out) == (0, "")


@pytest.mark.parametrize(
    "environment",
    [
        {"arguments": {"shuffle_stems": True}},
        {
            "id": "mixgym/Mixing-v0",
            "arguments": {"control": "delta", "episode_steps": 3, "max_stems": 6},
        },
    ],
    ids=["levels in one look", "the console in three moves"],
)
def test_a_run_that_was_asked_to_end_goes_on_to_the_same_weights(config, goes_on, environment):
    assert goes_on(read_settings(config({"environment": environment})), 3).steps < 384


@pytest.mark.slow
def test_a_run_that_was_killed_goes_on_to_the_same_weights(config, goes_on_though_killed):
    ended = goes_on_though_killed(config({"total_steps": 1280}), (2, 9))
    assert "over equal loudness" in ended.out


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="no such signal")
def test_ctrl_c_saves_and_ends(config, tmp_path):
    run = tmp_path / "run"
    path = config({"total_steps": 1_000_000})
    command = [sys.executable, "-m", "mixgym", "train", str(path), "--out", str(run)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    while not lines(run / "progress.csv") and process.poll() is None:
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    told, wrong = process.communicate(timeout=60)
    assert process.returncode == 0, wrong
    assert "--resume goes on" in told
    assert (run / "checkpoint.pt").exists()


@pytest.mark.slow
def test_a_policy_learns_what_helps_songs_that_it_never_heard(config, tmp_path):
    settings = read_settings(
        config(
            {
                "environment": {"count": 64, "tries": 8},
                "ppo": {"n_steps": 8, "batch_size": 256, "n_epochs": 4, "learning_rate": 0.001},
                "validation": {"every": 4096},
                "total_steps": 12_288,
                "checkpoint_every": 12_288,
            }
        )
    )
    assert train(settings, tmp_path / "run").gain > 0.01


def test_a_folder_with_a_run_is_neither_begun_again_nor_gone_on_with_otherwise(
    mixgym, config, tmp_path, check_sentence, contents
):
    run = tmp_path / "run"
    assert mixgym("train", config({"total_steps": 64}), "--out", run, "--quiet").status == 0
    before = contents(run)
    ran = mixgym("train", config({"total_steps": 64}), "--out", run)
    assert ran.status == 2
    check_sentence(ran.err, [run, "--resume"])
    ran = mixgym("train", config({"total_steps": 128}), "--out", run, "--resume")
    assert ran.status == 2
    check_sentence(ran.err, [run, "total_steps"])
    assert contents(run) == before
    about = (run / "run.json").read_text()
    (run / "run.json").write_text(about.replace(f'"mixgym": "{__version__}"', '"mixgym": "0.0.1"'))
    ran = mixgym("train", config({"total_steps": 64}), "--out", run, "--resume")
    assert ran.status == 2
    check_sentence(ran.err, [run, "mixgym 0.0.1"])
    (run / "run.json").write_text(about)
    other = tmp_path / "other"
    other.mkdir()
    (other / "song.wav").touch()
    ran = mixgym("train", config(), "--out", other)
    assert ran.status == 2
    check_sentence(ran.err, [other, "--out"])
    (run / "checkpoint.pt").write_bytes(b"nothing")
    ran = mixgym("train", config({"total_steps": 64}), "--out", run, "--resume")
    assert ran.status == 2
    check_sentence(ran.err, ["checkpoint.pt", "damaged"])


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"totl_steps": 3}, ["totl_steps"]),
        ({"ppo": {"learning_rat": 3}}, ["ppo.learning_rat"]),
        ({"ppo": {"gamma": 1.5}}, ["ppo.gamma", "1.5"]),
        ({"ppo": {"batch_size": 30}}, ["batch_size 30", "tries"]),
        ({"environment": {"id": "mixgym/Mastring-v0"}}, ["environment.id", "Mastring"]),
        ({"environment": {"tries": 3}}, ["16", "3"]),
        ({"environment": {"arguments": {"contrl": "delta"}}}, ["contrl", "control"]),
        ({"environment": {"arguments": {"control": "both"}}}, ["both", "delta, absolute"]),
        ({"environment": {"arguments": {"fidelity": "render"}}}, ["fidelity"]),
        ({"environment": {"arguments": {"songs": "$NOWHERE_AT_ALL/x"}}}, ["$NOWHERE_AT_ALL"]),
        ({"environment": {"arguments": {"songs": "nowhere"}}}, ["nowhere", "does not exist"]),
        ({"environment": {"arguments": {"max_stems": 2}}}, ["max_stems"]),
        ({"policy": {"encoder": "magic"}}, ["policy.encoder", "magic"]),
        ({"policy": {"heads": 5}}, ["width 32", "heads"]),
        ({"validation": {"songs": None}}, ["learned from and validated on"]),
        ({"algorithm": "dqn"}, ["algorithm", "dqn"]),
    ],
)
def test_settings_that_cannot_be_used_are_refused_in_a_sentence(
    config, mixgym, tmp_path, check_sentence, changed, words
):
    ran = mixgym("train", config(changed), "--out", tmp_path / "run")
    assert (ran.status, ran.out) == (2, "")
    check_sentence(ran.err, words)
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("- 1\n", ["settings"]),
        ("a: [", ["YAML"]),
        ("a: &x 1\nb: *x\n", ["alias"]),
        ('start: "a\\0b"\n', ["is no text"]),
        ('environment: {arguments: {songs: "\\ud800"}}\n', ["is no text"]),
        (None, ["read"]),
    ],
)
def test_files_that_hold_no_settings_are_refused(refused, tmp_path, text, words):
    path = tmp_path / "run.yaml"
    if text is not None:
        path.write_text(text)
    refused("train", path, "--out", tmp_path / "run", words=words)


def test_the_settings_that_come_along_can_be_read(songs):
    files = sorted((Path(experiments.__path__[0]) / "train").glob("*.yaml"))
    assert {"mixing.yaml", "mixing_policy.yaml", "tiny.yaml"} <= {file.name for file in files}
    for file in files:
        settings = read_settings(file, songs=songs[0])
        assert settings.environment.arguments["songs"] == str(songs[0])
