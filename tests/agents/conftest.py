"""Short generated songs at a low rate, kept apart from the user's cache."""

import numpy as np
import pytest
import yaml

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
def settings(songs):
    """What a tiny run's YAML file holds."""
    return {
        "environment": {
            "id": "mixgym/MixingLevels-v0",
            "count": 16,
            "tries": 4,
            "arguments": {
                "songs": str(songs[0]),
                "seconds": SECONDS,
                "sample_rate": RATE,
                "control": "absolute",
                "episode_steps": 1,
            },
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
