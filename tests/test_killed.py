"""kill -9 in the middle: every output is as it was or whole, and the same command then succeeds.

What is left behind is hidden, or lies in the temporary folder, and goes with the next run.
"""

import csv
import io
import json
import os
import signal
import subprocess
import sys
import time

import httpx
import numpy as np
import pytest
import soundfile as sf
import yaml

from mixgym.songs.generate import generate_song, write_song

RATE = 44_100
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(os.name != "posix", reason="needs SIGKILL"),
]


@pytest.fixture
def temporary(tmp_path):
    """The temporary folder of the processes that are started."""
    made = tmp_path / "tmp"
    made.mkdir()
    return made


@pytest.fixture
def start(temporary, tmp_path):
    """Start a command in a process of its own."""
    processes = []

    def run(*arguments):
        environment = {"TMPDIR": str(temporary), "MIXGYM_CACHE": str(tmp_path / "cache")}
        processes.append(
            subprocess.Popen(
                [sys.executable, "-m", "mixgym", *map(str, arguments)],
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
                env={**os.environ, **environment},
            )
        )
        return processes[-1]

    yield run
    for process in processes:
        process.kill()
        process.communicate()


def kill(process, when):
    """End a process as soon as `when()` holds."""
    deadline = time.monotonic() + 60
    while not when():
        assert process.poll() is None and time.monotonic() < deadline
        time.sleep(0.002)
    process.kill()
    process.communicate()
    assert process.returncode == -signal.SIGKILL


def finish(process):
    out, err = process.communicate(timeout=120)
    assert process.returncode == 0, err
    return out


def visible(folder):
    return sorted(path.name for path in folder.iterdir() if path.name[0] != ".")


def write_noise(folder, stems, seconds=60):
    folder.mkdir()
    noise = np.random.default_rng(0).normal(0, 0.1, (seconds * RATE, 2))
    sf.write(folder / "a.wav", noise, RATE, subtype="PCM_16")
    for i in range(1, stems):
        os.link(folder / "a.wav", folder / f"b{i}.wav")
    return folder


@pytest.mark.parametrize("written", ["stems/*.wav", "p.dawproject"])
def test_mix(start, tmp_path, temporary, written):
    song = write_noise(tmp_path / "song", 4)
    out = tmp_path / "out"
    out.mkdir()
    (out / "p.json").write_text("mine")
    command = ["mix", song, "-o", out / "m.wav", "--mixer", "equal_loudness", "--overwrite"]
    command += ["--stems-out", out / "stems", "--save-preset", out / "p.json"]
    command += ["--dawproject", out / "p.dawproject", "--report", out / "r.html"]
    kill(start(*command), lambda: any(p.stat().st_size for p in out.glob(f".*/new/{written}")))
    assert visible(out) == ["p.json"]
    assert (out / "p.json").read_text() == "mine"
    finish(start(*command))
    everything = ["m.wav", "p.dawproject", "p.json", "r.html", "stems"]
    assert sorted(path.name for path in out.iterdir()) == everything
    assert json.loads((out / "p.json").read_text())["format"] == "mixgym-preset"
    assert sf.info(out / "m.wav").duration >= 60
    assert list(temporary.iterdir()) == []


def test_an_album(start, tmp_path, temporary):
    songs = [write_noise(tmp_path / name, 2) for name in ("first", "second")]
    out = tmp_path / "out"
    out.mkdir()
    command = ["mix", *songs, "--album", "-o", out / "album", "--mixer", "equal_loudness"]
    kill(start(*command), lambda: list(out.glob(".*/new/album/second.wav")))
    assert visible(out) == []
    finish(start(*command))
    assert [path.name for path in out.iterdir()] == ["album"]
    assert visible(out / "album") == ["first.wav", "second.wav"]
    for path in (out / "album").glob("*.wav"):
        assert sf.info(path).duration == pytest.approx(60)
    assert list(temporary.iterdir()) == []


def sent(client, files):
    """A job whose stems have been read."""
    job = f"/api/jobs/{client.post('/api/jobs').json()['id']}"
    for path in files:
        answer = client.post(f"{job}/stems?name={path.name}", content=path.read_bytes())
        assert answer.status_code == 201
    client.post(f"{job}/read")
    return job, done(client, job)


def done(client, job):
    deadline = time.monotonic() + 60
    while (state := client.get(job).json())["task"] or state["previewing"]:
        assert time.monotonic() < deadline
        time.sleep(0.02)
    assert state["error"] is None
    return state


def served(process):
    line = process.stdout.readline()
    url = next(word for word in line.split() if word.startswith("http"))
    return httpx.Client(base_url=url, timeout=60)


def test_the_service(start, tmp_path, temporary):
    stems = list(write_noise(tmp_path / "song", 2).iterdir())
    killed = start("serve", "--port", 0)
    with served(killed) as client:
        job, _ = sent(client, stems)
        client.post(f"{job}/mix", json={"mixer": "equal_loudness"})
        done(client, job)
        client.post(f"{job}/render", json={"kind": "project"})
        kill(killed, lambda: list(temporary.glob("*/*/**/.mixgym-*/new/*.wav")))
    (left,) = temporary.iterdir()
    short = write_noise(tmp_path / "short", 2, seconds=2)
    again = start("serve", "--port", 0)
    with served(again) as client:
        assert not left.exists()
        job, _ = sent(client, list(short.iterdir()))
        client.post(f"{job}/mix", json={"mixer": "equal_loudness"})
        done(client, job)
        client.post(f"{job}/render", json={"kind": "wav"})
        assert done(client, job)["files"] == {"mix.wav": 1}
        mix = client.get(f"{job}/files/mix.wav").content
    assert sf.info(io.BytesIO(mix)).duration >= 2
    again.send_signal(signal.SIGTERM)
    finish(again)
    assert list(temporary.iterdir()) == []


def test_training(start, tmp_path, mixgym, refused):
    for seed in range(4):
        with generate_song(seed, 4.0, 24_000, stems=3) as song:
            write_song(song, tmp_path / ("learned" if seed < 2 else "others") / f"song {seed}")
    arguments = {"songs": "learned", "seconds": 4, "sample_rate": 24_000}
    arguments |= {"control": "absolute", "episode_steps": 1}
    settings = {
        "algorithm": "gradient",
        "environment": {"id": "mixgym/MixingLevels-v0", "arguments": arguments},
        "gradient": {"batch_size": 2, "warm_up_steps": 2},
        "policy": {"width": 16, "blocks": 1},
        "validation": {"songs": "others", "every": 20, "rendered": 0},
        "total_steps": 60,
        "checkpoint_every": 10,
    }
    (tmp_path / "tiny.yaml").write_text(yaml.safe_dump(settings))
    run = tmp_path / "run"
    command = ["train", tmp_path / "tiny.yaml", "--out", run]
    kill(start(*command), lambda: (run / "checkpoint.pt").exists())
    json.loads((run / "run.json").read_text())
    for name in ("best.npz", "last.npz"):
        with np.load(run / name, allow_pickle=False) as weights:
            assert all(len(weights[key].shape) >= 0 for key in weights.files)
    refused(*command, words=[run, "--resume"])
    ran = mixgym(*command, "--resume", "--json")
    assert ran.status == 0, ran.err
    told = json.loads(ran.out)
    assert told["finished"] and told["steps"] == 60
    assert [path.name for path in run.iterdir() if path.name[0] == "."] == []
    with (run / "progress.csv").open() as file:
        assert [int(row["steps"]) for row in csv.DictReader(file)] == list(range(2, 62, 2))
