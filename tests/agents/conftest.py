"""Short generated songs at a low rate, kept apart from the user's cache; runs that are cut off."""

import subprocess
import sys
import time

import numpy as np
import pytest
import yaml

from mixgym.agents.settings import read_settings
from mixgym.agents.train import train
from mixgym.songs.generate import generate_song, write_song

RATE, SECONDS = 24_000, 4.0


@pytest.fixture(scope="session", autouse=True)
def _cache(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MIXGYM_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield


def _written(folder, seeds, stems):
    for seed in seeds:
        with generate_song(seed, SECONDS, RATE, stems) as song:
            write_song(song, folder / f"song-{seed}")
    return folder


@pytest.fixture(scope="session")
def songs(tmp_path_factory):
    """Folders of songs to learn from, of 4 stems, and to validate on, of 5."""
    root = tmp_path_factory.mktemp("songs")
    return _written(root / "learned", range(4), 4), _written(root / "other", (20, 21, 22), 5)


@pytest.fixture
def arguments(songs):
    """Of an environment whose episodes are one look at a song to learn from."""
    return {
        "songs": str(songs[0]),
        "seconds": SECONDS,
        "sample_rate": RATE,
        "control": "absolute",
        "episode_steps": 1,
    }


@pytest.fixture
def short_run(songs, arguments):
    """What YAML files share of tiny runs that do not explore, six steps of three songs."""
    return {
        "environment": {"id": "mixgym/Mixing-v0", "arguments": arguments},
        "policy": {"width": 16, "blocks": 1},
        "validation": {"songs": str(songs[1]), "every": 6, "rendered": 0},
        "total_steps": 18,
        "checkpoint_every": 6,
    }


@pytest.fixture
def settings(songs, arguments):
    """What a tiny run's YAML file holds."""
    return {
        "environment": {
            "id": "mixgym/MixingLevels-v0",
            "count": 16,
            "tries": 4,
            "arguments": arguments,
        },
        "ppo": {"n_steps": 4, "batch_size": 32, "n_epochs": 2},
        "policy": {"width": 32, "blocks": 1},
        "validation": {"songs": str(songs[1]), "every": 128, "rendered": 0},
        "total_steps": 384,
        "checkpoint_every": 128,
    }


@pytest.fixture
def config(settings, tmp_path):
    """Write settings to a file, some of them changed: `config({"ppo": {"gamma": 0.5}})`."""

    def write(changed=None):
        path = tmp_path / "config" / "run.yaml"
        path.parent.mkdir(exist_ok=True)
        path.write_text(yaml.safe_dump(_merged(settings, changed or {})))
        return path

    return write


def _merged(values, changed):
    merged = dict(values)
    for key, value in changed.items():
        deeper = isinstance(value, dict) and isinstance(merged.get(key), dict)
        merged[key] = _merged(merged[key], value) if deeper else value
    return merged


@pytest.fixture
def weights_of():
    """All arrays of a weights file."""

    def read(path):
        with np.load(path, allow_pickle=False) as data:
            return {name: data[name] for name in data.files}

    return read


@pytest.fixture
def same_weights(weights_of):
    """See that two runs left the same weights, their best and their last."""

    def check(one, other):
        for name in ("best.npz", "last.npz"):
            weights, others = weights_of(one / name), weights_of(other / name)
            assert weights.keys() == others.keys()
            for array, values in weights.items():
                np.testing.assert_array_equal(values, others[array], err_msg=array)

    return check


@pytest.fixture
def goes_on(tmp_path, same_weights):
    """See that a run that was asked to end goes on to the same as a `whole` one; how it ended."""

    def run(settings, updates, told=("progress.csv", "evaluations.jsonl")):
        whole, parts = tmp_path / "whole", tmp_path / "parts"
        train(settings, whole)
        asked = iter([False] * updates + [True])
        ended = train(settings, parts, asked_to_end=lambda: next(asked))
        assert not ended.finished
        assert train(settings, parts, resume=True).finished
        same_weights(parts, whole)
        for name in told:
            assert _untimed(parts / name) == _untimed(whole / name)
        return ended

    return run


@pytest.fixture
def goes_on_though_killed(mixgym, tmp_path, same_weights):
    """See that a run that is killed at rows of its progress goes on to the same; its end."""

    def run(path, rows):
        train(read_settings(path), tmp_path / "whole")
        out = tmp_path / "killed"
        command = ["train", str(path), "--out", str(out), "--resume"]
        for reached in rows:
            process = subprocess.Popen([sys.executable, "-m", "mixgym", *command])
            while len(_lines(out / "progress.csv")) <= reached and process.poll() is None:
                time.sleep(0.005)
            process.kill()
            process.wait()
        assert len(_lines(out / "progress.csv")) < len(_lines(tmp_path / "whole/progress.csv"))
        ran = mixgym(*command)
        assert ran.status == 0, ran.err
        same_weights(out, tmp_path / "whole")
        return ran

    return run


def _lines(path):
    return path.read_text().splitlines() if path.exists() else []


def _untimed(path):
    """Rows of a run without their second column, seconds."""
    rows = [line.split(",") for line in _lines(path)]
    return [row[:1] + row[2:] for row in rows]
