"""`mixgym bench env`."""

import json

import pytest
import soundfile

from mixgym.errors import MixgymError
from mixgym.experiments import bench_env as module
from mixgym.experiments.bench_env import bench_env
from mixgym.experiments.tables import print_table
from mixgym.songs.generate import generate_song


@pytest.mark.slow
def test_benchmark(tmp_path, monkeypatch, capsys):
    for name, value in {
        "RATE": 24_000, "SECONDS": 4.0, "STEMS": 2, "SONGS": 2, "BATCHES": (1, 4), "BATCH": 4,
        "LEAST_STEPS": 4, "PPO_ENVS": 4, "PPO_STEPS": 2, "PPO_BATCH": 4,
    }.items():  # fmt: skip
        monkeypatch.setattr(module, name, value)
    for seed in range(2):
        folder = tmp_path / "songs" / f"song {seed}"
        folder.mkdir(parents=True)
        with generate_song(seed, 4.0, 24_000, 2) as song:
            for stem in song.stems:
                soundfile.write(folder / f"{stem.name}.wav", stem.read(0, song.frames).T, 24_000)
    told = []
    result = bench_env(tmp_path / "songs", 1, lambda what, share: told.append(what))
    assert json.loads(json.dumps(result, allow_nan=False)) == result
    assert set(result["env"]) == set(result["simulate"]) == {"1", "4"}
    assert result["share"]["4"] == result["env"]["4"] / result["simulate"]["4"]
    assert result["ratio"] == result["env"]["4"] / result["render"] > 1
    assert set(result["goals"]) == {"share", "ratio", "ppo"}
    assert {"Reading", "Timing", "Singles", "Rendering", "PPO"} == set(told)
    print_table(result)
    assert "Steps per second by batch" in capsys.readouterr().out


def test_too_few_stems(tmp_path):
    with pytest.raises(MixgymError, match="holds 0 stems, too few"):
        bench_env(tmp_path, 1)
