"""`mixgym serve`: what it refuses, and that a refusal is one sentence and leaves nothing behind."""

import asyncio
import io
import os
import signal
import socket
import subprocess
import sys
import time
from types import SimpleNamespace

import httpx
import numpy as np
import pytest
import soundfile as sf

from mixgym.runtime.service.folders import PREFIX
from mixgym.runtime.service.limits import Limits, RefusalError
from mixgym.runtime.service.uploads import Uploads

RATE = 22_050
LIMITS = Limits(
    files=3, file_bytes=300_000, job_bytes=500_000, song_s=5, jobs=4, stalled_s=0.5, free_bytes=0
)
NOBODY = "/api/jobs/" + "0" * 32


def wav(seconds=1.0, amplitude=0.3, channels=1):
    t = np.arange(round(seconds * RATE)) / 40
    file = io.BytesIO()
    sf.write(file, np.repeat(amplitude * np.sin(t)[:, None], channels, 1), RATE, format="WAV")
    return file.getvalue()


@pytest.fixture(scope="module")
def running(serving):
    with serving(LIMITS) as (url, jobs), httpx.Client(base_url=url, timeout=30) as client:
        client.jobs = jobs
        yield client


@pytest.fixture
def job(running):
    made = f"/api/jobs/{running.post('/api/jobs').json()['id']}"
    yield made
    if running.get(made).status_code == 200:
        running.delete(made)


def check(answer, status, *words):
    assert answer.status_code == status, answer.text
    sentence = answer.json()["error"]
    assert list(answer.json()) == ["error"]
    assert sentence.endswith((".", "?")) and "\n" not in sentence and "Traceback" not in sentence
    assert "/tmp" not in sentence and "stems/0" not in sentence
    for word in words:
        assert word in sentence
    return sentence


def send(running, job, name, content, **headers):
    return running.post(f"{job}/stems", params={"name": name}, content=content, headers=headers)


def failed(running, job, *words):
    """What a worker's failure says."""
    deadline = time.monotonic() + 30
    while (state := running.get(job).json())["task"] or not state["error"]:
        assert time.monotonic() < deadline
        time.sleep(0.02)
    for word in words:
        assert word in state["error"]
    assert str(running.jobs._folder.path) not in state["error"]


@pytest.mark.parametrize(
    ("name", "content", "status", "words"),
    [
        ("notes.txt", b"hello", 415, ["notes.txt", "not a kind of audio file"]),
        ("no ending", b"hello", 415, ["no ending"]),
        ("", b"hello", 415, ["That file"]),
        (".wav", b"hello", 415, [".wav"]),
        ("evil.wav/../passwd", b"hello", 415, ["passwd"]),
        ("Kick.wav", b"", 400, ["Kick.wav is empty"]),
        ("Kick.wav", bytes(300_001), 413, ["Kick is too large", "may have 300000 bytes"]),
    ],
)
def test_uploads_that_cannot_be(running, job, name, content, status, words):
    check(send(running, job, name, content), status, *words)
    check(running.post(f"{job}/stems", content=content), 422, "query.name")
    folder = running.jobs.get(job.rpartition("/")[2]).folder
    assert list((folder / "stems").iterdir()) == []


def test_size_and_number_hold_whatever_a_request_says_of_itself(running, job):
    def endless():
        for _ in range(100):
            yield bytes(10_000)

    check(send(running, job, "a.wav", endless()), 413, "a is too large")
    for name in ("a.wav", "b.wav"):
        assert send(running, job, name, bytes(200_000)).status_code == 201
    check(send(running, job, "c.wav", bytes(200_000)), 413, "all together may have")
    assert send(running, job, "c.wav", bytes(50_000)).status_code == 201
    check(send(running, job, "d.wav", b"x"), 413, "A song may have 3 files")
    folder = running.jobs.get(job.rpartition("/")[2]).folder
    assert sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) == 450_000


def test_names_are_never_paths(running, job):
    names = [
        "../../../etc/cron.d/x.wav",
        "C:\\Windows\\..\\k\0ick\n.wav",
        "/" * 900 + "é" * 90 + ".wav",
    ]
    shown = []
    for name in names:
        answer = send(running, job, name, wav(0.2))
        assert answer.status_code == 201, answer.text
        shown.append(answer.json()["name"])
    assert shown == ["x", "kick", "é" * 90]
    folder = running.jobs.get(job.rpartition("/")[2]).folder
    found = sorted(path.name for path in (folder / "stems").iterdir())
    assert found == ["000.wav", "001.wav", "002.wav"]
    running.post(f"{job}/read")
    deadline = time.monotonic() + 30
    while not (state := running.get(job).json())["read"]:
        assert time.monotonic() < deadline and not state["error"]
        time.sleep(0.02)
    assert [stem["name"] for stem in state["stems"]] == sorted(shown)
    check(running.get(f"{job}/files/..%2Fstems%2F000.wav"), 404)
    check(running.get(f"{job}/files/song.json"), 422, "path.name")


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("Kick.wav", b"RIFF this is no audio", ["Kick is", "not an audio file"]),
        ("Kick.flac", b"fLaC" + bytes(100), ["Kick is"]),
        ("Kick.wav", wav()[:20_000], ["Kick is cut short"]),
        ("Kick.wav", wav(channels=3, seconds=0.5), ["Kick has 3 channels"]),
        ("Kick.wav", wav(6.0), ["The song lasts 6 s; here it may last 5 s"]),
        (None, None, ["There are no stems yet"]),
    ],
)
def test_songs_that_cannot_be_read(running, job, name, content, words):
    if name:
        assert send(running, job, name, content).status_code == 201
    assert running.post(f"{job}/read").status_code == 202
    failed(running, job, *words)


def test_mixes_that_cannot_be(running, job):
    running.post(f"{job}/mix", json={"mixer": "roles"})
    failed(running, job, "have not been read yet")
    send(running, job, "a.wav", wav(amplitude=0.0))
    running.post(f"{job}/read")
    while running.get(job).json()["task"]:
        time.sleep(0.02)
    running.post(f"{job}/mix", json={"mixer": "nobody"})
    failed(running, job, "There is no mixer 'nobody'")
    running.post(f"{job}/mix", json={"mixer": "roles", "style": "odd"})
    failed(running, job, "There is no style 'odd'")
    for body, words in (
        ({"amount": 1.5}, ["body.amount"]),
        ({"roles": {"a": "horn"}}, ["body.roles.a", "'horn'"]),
        ({"mixers": "roles"}, ["body.mixers"]),
    ):
        check(running.post(f"{job}/mix", json=body), 422, *words)
    running.post(f"{job}/mix", json={"mixer": "equal_loudness"})
    failed(running, job, "silent: there is nothing to mix")
    for body, status, words in (
        ({"strips": {"b": {}}}, 404, ["no stem 'b'"]),
        ({"strips": {"a": {"fader": 1}}}, 400, ["no parameter 'fader'", "did you mean"]),
        ({"strips": {"a": {"fader_db": 99}}}, 400, ["fader_db is 99", "-24 to 12 dB"]),
        ({"master": {"limiter_on": 0.5}}, 400, ["limiter_on"]),
        ({"buses": {"reverb_size": "big"}}, 422, ["body.buses.reverb_size"]),
        ({"stems": []}, 422, ["body.stems"]),
    ):
        check(running.patch(f"{job}/settings", json=body), status, *words)
    check(running.post(f"{job}/render", json={"kind": "mp3"}), 422, "body.kind")


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"[]",
        b"[" * 100_000,
        b'{"master": {"target_lufs": NaN}}',
        b'{"master": {"target_lufs": 1e999}}',
        b"\xff\xfe",
    ],
)
def test_nonsense_is_refused(running, job, content):
    answer = running.patch(
        f"{job}/settings", content=content, headers={"Content-Type": "application/json"}
    )
    assert answer.status_code in (400, 422)
    check(answer, answer.status_code)


def test_requests_are_bounded(running, job):
    def pieces():
        yield b"{}"

    check(running.patch(f"{job}/settings", content=bytes(1_000_001)), 413, "1000000 bytes")
    check(running.patch(f"{job}/settings", content=pieces()), 411)
    check(running.get("/api/nothing"), 404)
    check(running.put("/"), 405)
    for method, path in (
        ("GET", ""),
        ("DELETE", ""),
        ("GET", "/events"),
        ("POST", "/read"),
        ("POST", "/stems?name=a.wav"),
    ):
        check(running.request(method, NOBODY + path), 404, "gone")


def test_no_more_songs_than_allowed(running):
    made = [running.post("/api/jobs").json()["id"] for _ in range(LIMITS.jobs)]
    assert len(set(made)) == len(made) and all(len(name) == 32 for name in made)
    check(running.post("/api/jobs"), 503, "4 songs")
    for name in made:
        assert running.delete(f"/api/jobs/{name}").status_code == 204
    assert len(running.jobs) == 0


def test_other_sites_cannot_ask(running, job):
    own = str(running.base_url).rstrip("/")
    for host in ("evil.example", "127.0.0.1.evil.example", "192.168.0.7", "", "["):
        check(running.get("/", headers={"Host": host}), 403, "its own address only")
    for host in ("localhost", "LOCALHOST:1", "[::1]:80"):
        assert running.get("/", headers={"Host": host}).status_code == 200
    for origin in (
        "http://evil.example",
        "null",
        f"{own}.evil.example",
        "http://[",
        "http://localhost",
    ):
        answer = running.delete(job, headers={"Origin": origin})
        check(answer, 403, "own page")
    assert running.get(job).status_code == 200
    assert running.delete(job, headers={"Origin": own}).status_code == 204


def test_every_answer_tells_browsers_to_be_careful(running, job):
    for path in ("/", "/api/parameters", job, NOBODY):
        headers = running.get(path).headers
        policy = headers["content-security-policy"]
        assert "default-src 'none'" in policy and "unsafe" not in policy
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["cache-control"] == "no-store"
        assert "access-control-allow-origin" not in headers
        assert "server" not in headers


def test_an_upload_that_stalls_is_given_up(running, job):
    host, port = running.base_url.host, running.base_url.port
    with socket.create_connection((host, port), timeout=10) as connection:
        head = (
            f"POST {job}/stems?name=a.wav HTTP/1.1\r\nHost: {host}\r\nContent-Length: 1000\r\n\r\n"
        )
        connection.sendall(head.encode() + bytes(10))
        answer = b""
        while b"stopped arriving" not in answer and (more := connection.recv(10_000)):
            answer += more
    assert b" 408 " in answer and b"stopped arriving" in answer
    folder = running.jobs.get(job.rpartition("/")[2]).folder
    assert list((folder / "stems").iterdir()) == []


def test_an_upload_of_unknown_length_leaves_room_on_the_disk(tmp_path, monkeypatch):
    left = iter([10_000_000, 0])  # when it begins, and some megabytes later
    monkeypatch.setattr(
        "mixgym.runtime.service.uploads.shutil.disk_usage",
        lambda place: SimpleNamespace(free=next(left)),
    )
    uploads = Uploads(tmp_path, Limits(free_bytes=1_000_000))

    async def endless():
        while True:
            yield bytes(1_000_000)

    with pytest.raises(RefusalError, match="no room left"):
        asyncio.run(uploads.receive("a.wav", endless(), 0))
    assert list(tmp_path.iterdir()) == []


def started(folder, *options):
    """The command in a process of its own, and the page's address."""
    process = subprocess.Popen(
        [sys.executable, "-m", "mixgym", "serve", "--port", "0", *options],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "TMPDIR": str(folder)},
    )
    line = process.stdout.readline()
    assert "http://127.0.0.1:" in line, process.stderr.read()
    return process, next(word for word in line.split() if word.startswith("http"))


def test_a_page_that_goes_away_is_no_error(tmp_path):
    process, url = started(tmp_path)
    try:
        with httpx.Client(base_url=url) as client:
            job = f"/api/jobs/{client.post('/api/jobs').json()['id']}"
            host, port = client.base_url.host, client.base_url.port
            with socket.create_connection((host, port), timeout=10) as connection:
                head = f"POST {job}/stems?name=a.wav HTTP/1.1\r\nHost: {host}:{port}\r\n"
                connection.sendall(f"{head}Content-Length: 1000\r\n\r\n".encode() + bytes(10))
                time.sleep(0.5)
            assert send(client, job, "b.wav", wav(0.2)).status_code == 201
    finally:
        process.terminate()
    _, told = process.communicate(timeout=60)
    assert "Traceback" not in told and "Disconnect" not in told


@pytest.mark.skipif(os.name != "posix", reason="needs POSIX")
@pytest.mark.slow
def test_killed_or_ended_it_leaves_nothing(tmp_path, contents):
    killed, url = started(tmp_path)
    with httpx.Client(base_url=url, timeout=30) as client:
        job = f"api/jobs/{client.post('api/jobs').json()['id']}"
        send(client, f"/{job}", "a.wav", wav())
    killed.kill()
    killed.communicate()
    (left,) = tmp_path.glob(f"{PREFIX}*")
    assert list(left.rglob("000.wav"))
    (tmp_path / f"{PREFIX}of-somebody").mkdir()  # no marker: not ours to remove

    alive, _ = started(tmp_path)
    assert not left.exists()
    (second,) = [p for p in tmp_path.glob(f"{PREFIX}*") if list(p.iterdir())]
    warned, _ = started(tmp_path, "--host", "0.0.0.0")
    assert second.exists()  # its marker is held
    for process, number in ((alive, signal.SIGINT), (warned, signal.SIGTERM)):
        process.send_signal(number)
        out, err = process.communicate(timeout=20)
        assert process.returncode == 0 and out == ""
        assert ("other machines" in err) == (process is warned)
        assert "Traceback" not in err
    assert contents(tmp_path) == {tmp_path / f"{PREFIX}of-somebody": None}
