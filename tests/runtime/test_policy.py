"""Policies as mixers, without PyTorch."""

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import onnxruntime
import pytest

from mixgym.console.parameters import MASTER, STRIP
from mixgym.errors import MixgymError
from mixgym.export.parity import random_inputs
from mixgym.rewards import load_reward
from mixgym.runtime.policy.backends import open_policy
from mixgym.runtime.policy.contract import TASKS
from mixgym.runtime.policy.look import look_at
from mixgym.runtime.policy.mixer import PolicyMixer, settled
from mixgym.songs import Song
from mixgym.songs.generate import generate_song

WITHOUT = """
import sys

BLOCKED = ("torch", "stable_baselines3", "gymnasium", "onnx", "onnxscript")

class Blocker:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in BLOCKED:
            raise ImportError(name + " is blocked", name=name)

sys.meta_path.insert(0, Blocker())
import importlib
import pkgutil
from pathlib import Path

import mixgym.runtime
from mixgym.errors import MixgymError
from mixgym.runtime.policy.mixer import PolicyMixer
from mixgym.songs import Song
from mixgym.songs.generate import generate_song

for module in pkgutil.walk_packages(mixgym.runtime.__path__, "mixgym.runtime."):
    importlib.import_module(module.name)
with generate_song(4, 4.0, 24_000, stems=3) as song:
    mix = PolicyMixer(sys.argv[1]).mix(song)
assert mix.strips.shape[0] == 3
assert not set(BLOCKED) & set(sys.modules)
try:
    PolicyMixer(sys.argv[2])
except MixgymError as error:
    print(error)
"""
TOLERANCE = 1e-5  # of a parameter's range, between any two of what runs a policy


@pytest.fixture(autouse=True)
def _cache(tmp_path, monkeypatch):
    monkeypatch.setenv("MIXGYM_CACHE", str(tmp_path / "cache"))


@pytest.fixture(scope="module")
def song():
    with generate_song(4, 4.0, 24_000, stems=4) as made:
        yield made.excerpt(0.0, 4.0)


def test_nothing_of_the_runtime_needs_pytorch(policy_files):
    pytest.importorskip("ai_edge_litert", reason="one of the modules needs LiteRT")
    ran = subprocess.run(
        [sys.executable, "-c", WITHOUT, policy_files[".onnx"], policy_files[".pt2"]],
        capture_output=True,
        text=True,
    )
    assert ran.returncode == 0, ran.stderr
    assert "policy.pt2 needs torch: install it with pip install 'mixgym[train]'" in ran.stdout


@pytest.mark.parametrize("suffix", [".pt", ".pt2"])
def test_all_that_runs_a_policy_gives_the_same(policy_files, suffix):
    ours, theirs = (open_policy(policy_files[name]) for name in (".onnx", suffix))
    assert "ONNX Runtime" in ours.runs_on and "PyTorch" in theirs.runs_on
    assert ours.described == theirs.described
    for stems in (1, 2, 7, 33, 64):
        inputs = random_inputs("mixing", 2, stems, seed=stems)
        one, other = ours.run(inputs), theirs.run(inputs)
        span = STRIP.high - STRIP.low
        assert np.abs((one["strips"] - other["strips"]) / span).max() <= TOLERANCE


def test_many_threads_share_a_mixer(policy_files, song):
    mixer = PolicyMixer(policy_files[".onnx"])
    alone = [mixer.mix(song, style) for style in ("balanced", "warm")]
    with ThreadPoolExecutor(4) as pool:
        mixes = list(pool.map(lambda i: mixer.mix(song, ("balanced", "warm")[i % 2]), range(16)))
    for number, mix in enumerate(mixes):
        assert np.array_equal(mix.strips, alone[number % 2].strips)
    assert not np.array_equal(alone[0].strips, alone[1].strips)


def test_settings_are_within_their_ranges_and_exact_where_nothing_is_set(policy_files, song):
    mix = PolicyMixer(policy_files[".onnx"]).mix(song)
    assert (mix.strips >= STRIP.low).all() and (mix.strips <= STRIP.high).all()
    assert (mix.strips[:, STRIP.index("compressor_knee_db")] == 6.0).all()
    assert (mix.strips[:, STRIP.index("eq_on")] == 1.0).all()


def test_a_file_sets_nothing_that_it_does_not_name(policy_files, song):
    mixer = PolicyMixer(policy_files[".onnx"])
    look = look_at(song, load_reward(), mixer.described, 1)
    given = mixer.backend.run(look.inputs)
    limiter_on = MASTER.index("limiter_on")
    assert "limiter_on" not in mixer.described.master and look.rest[2][limiter_on] == 1.0
    given["master"][:, limiter_on] = 0.0
    assert settled(mixer.path, mixer.described, given, look)[2][limiter_on] == 1.0


def test_a_silent_song_and_an_unknown_style_are_refused(policy_files, song):
    mixer = PolicyMixer(policy_files[".onnx"])
    silence = Song.from_arrays({"one": np.zeros((1, 48_000), np.float32)}, 24_000)
    with pytest.raises(MixgymError, match="is silent"):
        mixer.mix(silence)
    with pytest.raises(MixgymError, match="no style"):
        mixer.mix(song, "no style")


def test_a_provider_that_is_not_there_is_told(policy_files):
    backend = open_policy(policy_files[".onnx"], providers=["CUDAExecutionProvider"])
    if "CUDAExecutionProvider" in onnxruntime.get_available_providers():
        pytest.skip("it is there")
    assert backend.runs_on == "ONNX Runtime on CPU"
    assert backend.notes == ("CUDA is not there.", "The policy runs on CPU.")


@pytest.mark.parametrize("name", ["policy.bin", "policy"])
def test_files_of_no_known_kind(name, tmp_path):
    with pytest.raises(MixgymError, match=r"\.onnx, \.tflite, \.pt or \.pt2"):
        open_policy(tmp_path / name)


@pytest.mark.parametrize("suffix", [".onnx", ".pt", ".pt2", ".tflite"])
def test_files_that_are_missing_or_cut_off(suffix, policy_files, tmp_path):
    path = tmp_path / f"policy{suffix}"
    pytest.importorskip("ai_edge_litert", reason="LiteRT is an extra")
    with pytest.raises(MixgymError, match="cannot be read"):
        open_policy(path)
    path.write_bytes(policy_files.get(suffix, policy_files[".onnx"]).read_bytes()[:-2000])
    with pytest.raises(MixgymError, match=r"export it again|no ONNX file"):
        open_policy(path)


def test_every_axis_of_the_contract_has_a_name_or_a_length():
    for task in TASKS.values():
        for axes in (*task.inputs.values(), *task.outputs.values()):
            assert axes[0] == "batch" and all(axis == "stems" or axis for axis in axes[1:])
