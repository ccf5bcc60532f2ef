"""Bad input to `mixgym distill`: one clear sentence and status 2, and no run is begun."""

import importlib.util
from pathlib import Path

import pytest
import torch

pytestmark = pytest.mark.usefixtures("odd_files")
RUN = ["--out", "run"]


@pytest.fixture
def settings(songs, policy_weights):
    """What a tiny run's YAML file holds, cloned from one policy."""
    arguments = {"songs": str(songs[0]), "seconds": 4.0, "sample_rate": 24_000}
    arguments |= {"control": "absolute", "episode_steps": 1}
    return {
        "algorithm": "distillation",
        "environment": {"id": "mixgym/Mixing-v0", "arguments": arguments},
        "distillation": {"teachers": [str(policy_weights())], "searches": [], "steps": 6},
        "policy": {"width": 16, "blocks": 1},
        "validation": {"songs": str(songs[1]), "every": 6, "rendered": 0},
        "total_steps": 12,
    }


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (None, ["run.yaml", "cannot be read"]),
        ("", ["run.yaml", "no settings"]),
        ("a: [", ["run.yaml", "YAML"]),
        ("a: &x 1\nb: *x\n", ["run.yaml", "aliases"]),
        ("#" * 200_000, ["run.yaml", "larger"]),
        ("algorithm: gradient\n", ["run.yaml", "mixgym train"]),
        ("algorithm: distilation\n", ["run.yaml", "distilation", "distillation"]),
        ("algorithm: distillation\n", ["run.yaml", "distillation", "required"]),
    ],
    ids=lambda value: str(value)[:20],
)
def test_files(refused, tmp_path, text, words):
    if text is not None:
        (tmp_path / "run.yaml").write_text(text)
    refused("distill", "run.yaml", *RUN, words=words)


@pytest.mark.parametrize(
    ("teachers", "words"),
    [
        ("weights.npz", ["distillation.teachers", "tuple"]),
        (["none.npz"], ["none.npz", "cannot be read"]),
        (["../cut.wav"], ["cut.wav", "no policy", "mixgym train"]),
        (["../mixing.onnx"], ["mixing.onnx", "no policy", "mixgym train"]),
        (["../song"], ["song", "cannot be read"]),
        ([3], ["distillation.teachers", "3"]),
    ],
    ids=str,
)
def test_teachers(refused, config, teachers, words):
    refused("distill", config({"distillation": {"teachers": teachers}}), *RUN, words=words)


def test_a_teacher_that_looks_more_than_once(refused, config, policy_weights):
    teacher = policy_weights(control="delta", episode_steps=3)
    refused(
        "distill", config(), *RUN, "--teacher", teacher,
        words=[teacher, "looks more than once", "episode_steps: 1"],
    )  # fmt: skip


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"searches": [{"by": "ga", "share": 2}]}, ["searches.0.share", "2"]),
        ({"searches": [{"by": "ga", "evaluations": 1}]}, ["searches.0.evaluations", "1"]),
        ({"learning_rate": -1}, ["learning_rate", "-1"]),
        ({"steps": "many"}, ["steps", "many"]),
        ({"stepps": 1}, ["stepps"]),
    ],
    ids=str,
)
def test_ways_to_be_taught(refused, config, changed, words):
    refused("distill", config({"distillation": changed}), *RUN, words=words)


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"styles": ["icy"]}, ["icy", "balanced"]),
        ({"styles": ["none.yaml"]}, ["none.yaml", "cannot be read"]),
        ({"environment": {"id": "mixgym/Mastering-v0"}}, ["other parameters"]),
        ({"environment": {"arguments": {"songs": "nowhere"}}}, ["nowhere", "not exist"]),
        ({"environment": {"arguments": {"episode_steps": 3}}}, ["episode_steps: 1"]),
        ({"environment": {"arguments": {"sample_rate": 1}}}, ["sample_rate is 1", "8000"]),
        ({"environment": {"arguments": {"seconds": "long"}}}, ["seconds is 'long'", "600"]),
        ({"validation": {"songs": None}}, ["learned from and validated on"]),
        ({"policy": {"heads": 5}}, ["width 16", "heads"]),
        ({"total_steps": 0}, ["total_steps", "0"]),
        ({"device": "tpu"}, ["device", "tpu", "cuda"]),
    ],
    ids=str,
)
def test_settings(refused, config, changed, words):
    refused("distill", config(changed), *RUN, words=words)


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is such a device here")
def test_a_device_that_is_not_there(refused, config):
    refused("distill", config({"device": "cuda"}), *RUN, words=["'cuda'", "cpu or auto"])


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ([*RUN, "--teacher", "none.npz"], ["none.npz", "cannot be read"]),
        ([*RUN, "--songs", "none"], ["none", "not exist"]),
        ([*RUN, "--songs", "quiet"], ["quiet", "silent"]),
        ([*RUN, "--seed", "-1"], ["--seed", "0"]),
        ([*RUN, "--threads", "65"], ["--threads", "64"]),
        (["--out", "full"], ["full", "something else", "--out"]),
        (["--out", "there"], ["there is a file", "--out"]),
        (["--out", "there/run"], ["there is a file", "--out"]),
        pytest.param(
            ["--out", "/proc/run"],
            ["/proc/run", "cannot be made", "--out"],
            marks=pytest.mark.skipif(not Path("/proc/self").is_dir(), reason="needs /proc"),
        ),
    ],
    ids=" ".join,
)
def test_options(refused, config, options, words):
    refused("distill", config(), *options, words=words)


def test_without_the_extra(refused, config, monkeypatch):
    path, find = config(), importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name: None if name == "torch" else find(name)
    )
    refused("distill", path, *RUN, words=["torch", "pip install 'mixgym[train]'"])
