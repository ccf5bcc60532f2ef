"""`mixgym serve`: a song from its stems to the files, over HTTP."""

import io
import json
import tempfile
import threading
import time
import zipfile
from concurrent.futures import ThreadPoolExecutor

import httpx
import numpy as np
import pytest
import soundfile as sf

from mixgym.console.meters import LoudnessMeter
from mixgym.runtime.service.limits import Limits

RATE = 22_050


@pytest.fixture(scope="module")
def service(serving):
    with serving() as (url, _), httpx.Client(base_url=url, timeout=60) as client:
        yield client


def wav(audio, rate=RATE, **options):
    file = io.BytesIO()
    sf.write(file, audio, rate, format="WAV", **options)
    return file.getvalue()


def tone(hz, seconds=3.0, amplitude=0.3):
    t = np.arange(round(seconds * RATE)) / RATE
    return (amplitude * np.sin(2 * np.pi * hz * t) * (1 - 0.9 * (t % 0.5))).astype(np.float32)


def begin(service):
    answer = service.post("/api/jobs")
    assert answer.status_code == 201
    return f"/api/jobs/{answer.json()['id']}"


def send(service, job, name, content):
    return service.post(f"{job}/stems", params={"name": name}, content=content)


def done(service, job, until=lambda state: not state["task"], seconds=60):
    deadline = time.monotonic() + seconds
    while not until(state := service.get(job).json()):
        assert time.monotonic() < deadline, state
        time.sleep(0.02)
    return state


def read(service, files):
    job = begin(service)
    for name, content in files.items():
        assert send(service, job, name, content).status_code == 201
    assert service.post(f"{job}/read").status_code == 202
    return job, done(service, job)


def heard(service, job, revision):
    state = done(
        service, job, lambda s: s["error"] or (s["preview"] or {}).get("revision") == revision
    )
    assert state["error"] is None
    sounds = []
    for side in ("before", "after"):
        content = service.get(f"{job}/preview/{revision}/{side}.wav").content
        sounds.append(sf.read(io.BytesIO(content), dtype="float32")[0].T)
    return sounds


def mixed(service, job, **wanted):
    before = service.get(job).json()["revision"]
    wanted = {"mixer": "roles", **wanted}
    assert service.post(f"{job}/mix", json=wanted).status_code == 202
    return heard(service, job, before + 1)


def lufs(audio):
    meter = LoudnessMeter(RATE, 2)
    meter.push(np.ascontiguousarray(audio))
    return meter.integrated_lufs


def share(audio, hz):
    """Of the power, how much lies at a tone."""
    spectrum = np.abs(np.fft.rfft(audio.mean(axis=0))) ** 2
    at = np.fft.rfftfreq(audio.shape[1], 1 / RATE)
    return spectrum[np.abs(at - hz) < 30].sum() / spectrum.sum()


def song_files():
    flac = io.BytesIO()
    sf.write(flac, tone(600), RATE, format="FLAC")
    return {
        "BGVOX L.wav": wav(tone(1500)),
        "BGVOX R.wav": wav(tone(1500)[::-1]),
        "Kick.wav": wav(tone(80)),
        "Lead Vox.flac": flac.getvalue(),
    }


@pytest.fixture(scope="module")
def song(service):
    return read(service, dict(reversed(song_files().items())))


def test_stems_are_read_with_roles_and_waveforms(song):
    _, state = song
    assert state["error"] is None and state["read"]
    stems = state["stems"]
    assert [stem["name"] for stem in stems] == ["BGVOX", "Kick", "Lead Vox"]
    assert [stem["role"] for stem in stems] == ["backing_vocal", "kick", "lead_vocal"]
    assert [stem["channels"] for stem in stems] == [2, 1, 1]  # left and right were joined
    for stem in stems:
        assert stem["duration_s"] == pytest.approx(3, abs=0.01)
        assert len(stem["outline"]) > 100 and max(stem["outline"]) == 30


def test_both_sides_of_a_preview_are_equally_loud(service, song):
    before, after = mixed(service, song[0])
    assert before.shape == after.shape == (2, 3 * RATE)
    assert lufs(before) == pytest.approx(lufs(after), abs=0.05)
    assert not np.allclose(before, after, atol=0.01)


def test_turning_a_knob_is_heard_soon(service, song):
    job = song[0]
    _, usual = mixed(service, job)
    started = time.monotonic()
    answer = service.patch(f"{job}/settings", json={"strips": {"Kick": {"fader_db": 10}}})
    _, loud = heard(service, job, answer.json()["revision"])
    assert time.monotonic() - started < 5  # a second on an idle machine
    assert share(loud, 80) > 1.3 * share(usual, 80)
    preset = service.get(f"{job}/preset.json").json()
    assert preset["stems"][1]["settings"]["fader_db"] == 10
    assert preset["made_by"] == "roles and a person"


def test_roles_style_and_amount_are_what_was_asked_for(service, song):
    job = song[0]
    roles = {"Kick": "bass", "Lead Vox": "pad"}
    mixed(service, job, roles=roles, style="dynamic", amount=0)
    preset = service.get(job).json()["preset"]
    assert [stem["role"] for stem in preset["stems"]] == ["backing_vocal", "bass", "pad"]
    assert preset["master"]["target_lufs"] == -18
    assert all(stem["settings"]["fader_db"] == 0 for stem in preset["stems"])
    mixed(service, job, roles={"Kick": "kick", "Lead Vox": "lead_vocal"})


def test_files_are_what_the_command_line_makes_of_the_preset(service, song, mixgym, tmp_path):
    job = song[0]
    mixed(service, job)
    edit = {"master": {"target_lufs": -17}, "buses": {"reverb_size": 0.8}}
    revision = service.patch(f"{job}/settings", json=edit).json()["revision"]
    assert service.post(f"{job}/render", json={"kind": "project"}).status_code == 202
    state = done(service, job, lambda s: s["files"].get("project.zip") == revision)
    assert state["files"] == {"mix.wav": revision, "project.zip": revision}

    given = tmp_path / "song"
    given.mkdir()
    for name, content in song_files().items():
        (given / name).write_bytes(content)
    preset = service.get(f"{job}/preset.json")
    assert 'filename="preset.json"' in preset.headers["content-disposition"]
    (tmp_path / "preset.json").write_bytes(preset.content)
    ran = mixgym(
        "mix", given, "-o", tmp_path / "m.wav", "--preset", tmp_path / "preset.json", "--quiet"
    )
    assert ran.status == 0, ran.err
    here, there = (
        sf.read(source, dtype="int32")[0]
        for source in (io.BytesIO(service.get(f"{job}/files/mix.wav").content), tmp_path / "m.wav")
    )
    np.testing.assert_array_equal(here, there)

    with zipfile.ZipFile(io.BytesIO(service.get(f"{job}/files/project.zip").content)) as archive:
        names = archive.namelist()
        assert {"project.rpp", "mix.wav", "project_media/2_Kick.wav"} <= set(names)
        assert any(name.startswith("Effects/") for name in names)
        assert all(not name.startswith("/") and ".." not in name for name in names)
        assert b"project_media/2_Kick.wav" in archive.read("project.rpp")


def test_a_page_is_told_what_is_done(service):
    job = begin(service)
    send(service, job, "Bass.wav", wav(tone(100)))
    told = []

    def listen():
        with service.stream("GET", f"{job}/events") as events:
            assert events.headers["content-type"].startswith("text/event-stream")
            lines = (line for line in events.iter_lines() if line.startswith("data: "))
            told.extend(json.loads(line[6:]) for line in lines)

    listener = threading.Thread(target=listen)
    listener.start()
    service.post(f"{job}/read")
    done(service, job)
    mixed(service, job)
    time.sleep(0.3)
    service.delete(job)
    listener.join(10)
    assert not listener.is_alive()
    assert told[-1] == {}  # gone
    assert told[-2]["read"] and told[-2]["preview"]["revision"] == told[-2]["revision"] == 1
    assert not told[0]["read"]


def mix_one_of_ten(url, number, hz, target_lufs):
    with httpx.Client(base_url=url, timeout=120) as client:
        files = {f"song {number}.wav": wav(tone(hz)), "quiet.wav": wav(tone(5000, amplitude=0.01))}
        job, state = read(client, files)
        assert [stem["name"] for stem in state["stems"]] == ["quiet", f"song {number}"]
        mixed(client, job, mixer="equal_loudness")
        edit = {
            "master": {"target_lufs": target_lufs},
            "strips": {"quiet": {"fader_db": -24}},
        }
        revision = client.patch(f"{job}/settings", json=edit).json()["revision"]
        _, after = heard(client, job, revision)
        client.post(f"{job}/render", json={"kind": "wav"})
        done(client, job, lambda s: s["files"].get("mix.wav") == revision)
        content = client.get(f"{job}/files/mix.wav").content
        preset = client.get(f"{job}/preset.json").json()
        client.delete(job)
        return after, sf.read(io.BytesIO(content), dtype="float32")[0].T, preset


def test_ten_songs_at_once_are_not_mixed_up(serving):
    tones = [200 + 150 * number for number in range(10)]
    targets = [-14 - number for number in range(10)]
    with serving() as (url, jobs), ThreadPoolExecutor(10) as people:
        made = list(people.map(mix_one_of_ten, [url] * 10, range(10), tones, targets))
        assert len(jobs) == 0
    for number, (after, audio, preset) in enumerate(made):
        assert preset["stems"][1]["name"] == f"song {number}"
        assert share(after, tones[number]) > 0.9
        assert share(audio, tones[number]) > 0.9
        assert lufs(audio) == pytest.approx(targets[number], abs=0.2)


def test_what_must_wait_is_told_so(service):
    job, _ = read(service, {"a.wav": wav(tone(300))})
    for method, path, body in (
        ("PATCH", "settings", {}),
        ("POST", "render", {}),
        ("GET", "preset.json", None),
    ):
        answer = service.request(method, f"{job}/{path}", json=body)
        assert (answer.status_code, answer.json()) == (409, {"error": "Mix the stems first."})
    assert service.get(f"{job}/files/mix.wav").status_code == 404
    assert send(service, job, "b.wav", b"late").status_code == 409
    assert service.post(f"{job}/read").status_code == 409
    mixed(service, job)
    assert service.get(f"{job}/preview/7/after.wav").status_code == 404


def test_an_abandoned_song_goes_with_its_work(serving):
    limits = Limits(free_bytes=0, away_s=0.2, idle_s=60)
    with serving(limits) as (url, jobs), httpx.Client(base_url=url, timeout=60) as client:
        watched, kept = begin(client), begin(client)
        with client.stream("GET", f"{watched}/events") as events:
            next(events.iter_lines())
        deadline = time.monotonic() + 20
        while len(jobs) > 1:
            assert time.monotonic() < deadline
            time.sleep(0.05)
        assert client.get(watched).status_code == 404
        assert client.get(kept).status_code == 200


def test_removal_stops_a_render_and_shutdown_leaves_nothing(serving, monkeypatch, tmp_path):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    noise = np.random.default_rng(0).normal(0, 0.1, (60 * 44_100, 2)).astype(np.float32)
    with serving() as (url, _), httpx.Client(base_url=url, timeout=60) as client:
        job, _ = read(client, {f"{number}.wav": wav(noise, 44_100) for number in range(6)})
        (service_folder,) = tmp_path.glob("mixgym-serve-*")
        mixed(client, job)
        client.post(f"{job}/render", json={})
        done(client, job, lambda s: (s["task"] or {}).get("what") in ("Mixing", "Mastering"))
        client.delete(job)
        deadline = time.monotonic() + 10
        while any(path.is_dir() for path in service_folder.iterdir()):
            assert time.monotonic() < deadline
            time.sleep(0.05)
        read(client, {"a.wav": wav(tone(300))})
    assert list(tmp_path.iterdir()) == []
