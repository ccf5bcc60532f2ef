"""Songs, studies and runs small enough to be tried."""

import json

import pytest
import soundfile as sf
import yaml

from mixgym.songs.generate import generate_song, write_song
from mixgym.songs.training.splits import identify

RATE = 24_000
HELD_OUT = next(n for n in map("tune {}".format, range(99)) if identify(n).split == "validation")


@pytest.fixture(scope="session", autouse=True)
def _cache(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MIXGYM_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield


# Runs of training


@pytest.fixture(scope="session")
def training_songs(tmp_path_factory):
    """Folders of songs to learn from, `learned`, and to validate on, `other`."""
    root = tmp_path_factory.mktemp("songs")
    for folder, seed in (("learned", 0), ("other", 1), ("other", 2)):
        with generate_song(seed, 4.0, RATE, 3) as song:
            write_song(song, root / folder / f"song-{seed}")
    return root


@pytest.fixture
def base(training_songs, tmp_path):
    """Write `base.yaml` of a tiny run: `base(environment, **validation)`."""

    def write(environment, **validation):
        arguments = {
            "songs": str(training_songs / "learned"), "seconds": 4, "sample_rate": RATE,
            "control": "absolute", "episode_steps": 1,
        }  # fmt: skip
        values = {
            "environment": {"id": environment, "count": 4, "tries": 2, "arguments": arguments},
            "ppo": {"n_steps": 2, "batch_size": 4, "n_epochs": 1},
            "policy": {"width": 8, "blocks": 0},
            "validation": {"songs": str(training_songs / "other"), **validation},
        }
        (tmp_path / "base.yaml").write_text(yaml.safe_dump(values))

    return write


# Studies of searches


@pytest.fixture(scope="session")
def study_songs(tmp_path_factory):
    """A folder with a song to tune on, `one`, and one to validate on."""
    folder = tmp_path_factory.mktemp("tuning") / "songs"
    for seed, name in enumerate(("one", HELD_OUT)):
        (folder / name).mkdir(parents=True)
        with generate_song(seed, 5.0, RATE, stems=2) as song:
            for stem in song.stems:
                audio = stem.read(0, song.frames).T
                sf.write(folder / name / f"{stem.name}.wav", audio, RATE, subtype="FLOAT")
    return folder


@pytest.fixture(scope="session")
def held_out():
    """The title of the second."""
    return HELD_OUT


@pytest.fixture(scope="session")
def study_values(study_songs):
    """What a small study's YAML file holds."""
    return {
        "search": "ga", "songs": str(study_songs), "seconds": 4, "evaluations": 60, "seeds": 2,
        "validation_seeds": 2,
        "space": {
            "population": {"low": 4, "high": 64, "log": True, "int": True},
            "swap": {"low": 0.0, "high": 0.9},
            "blocks": {"low": 1, "high": 6, "log": True},
        },
    }  # fmt: skip


@pytest.fixture
def study_file(study_values, tmp_path):
    """Write a small study to `small.yaml`: `study_file(seeds=3)`."""

    def write(**changed):
        path = tmp_path / "small.yaml"
        path.write_text(yaml.safe_dump(study_values | changed))
        return path

    return write


@pytest.fixture(scope="session")
def undisturbed(study_values, tmp_path_factory):
    """Trials of a study that nothing stopped, and its journal."""
    from mixgym.experiments.tuning.commands import run_tune

    path = tmp_path_factory.mktemp("undisturbed") / "small.yaml"
    path.write_text(yaml.safe_dump(study_values))
    options = {"storage": None, "out": None, "jobs": 1, "summary": None}
    result = run_tune(path, 5, **options, tell=lambda what, share: None).to_json()
    return json.loads(json.dumps(result)), path.with_name("tune-small.journal")


# Several machines


@pytest.fixture
def cluster(monkeypatch):
    """A head and another node of one processor each, or a reason why there is none."""
    pytest.importorskip("ray", reason="needs the extra `cluster`")
    import ray
    from ray.cluster_utils import Cluster

    monkeypatch.setenv("RAY_worker_niceness", "0")  # else other tests come first
    made = None
    try:
        made = Cluster(initialize_head=True, head_node_args={"num_cpus": 1, "num_gpus": 0})
        other = made.add_node(num_cpus=1, num_gpus=0)
        made.wait_for_nodes(timeout=60)
    except Exception as error:  # whatever keeps Ray from starting is no fault of ours
        if made is not None:
            made.shutdown()
        pytest.skip(f"Ray does not start here: {error}")
    yield made, other
    ray.shutdown()
    made.shutdown()
