"""`mixgym live`: to a file, and to a sound device that is not there or pretends to be."""

import json
import sys
import threading
import time
from types import SimpleNamespace

import numpy as np
import pytest
import soundfile as sf

from mixgym.console.meters import measure
from mixgym.runtime.mixers import POLICIES


def test_to_a_file(mixgym, stems, tmp_path):
    ran = mixgym("live", stems, "-o", tmp_path / "live.wav", "--every", 1, "--json")
    assert ran.status == 0, ran.err
    report = json.loads(ran.out)
    audio, rate = sf.read(tmp_path / "live.wav", always_2d=True, dtype="float32")
    assert report["sample_rate"] == rate
    assert report["latency_ms"] < 20
    assert report["times"]["blocks"] >= len(audio) / 256
    assert report["control_steps"] >= 4
    readings = measure(np.ascontiguousarray(audio.T), rate)
    assert readings.integrated_lufs == pytest.approx(-14, abs=2)
    assert readings.true_peak_dbtp <= -0.95


def test_the_policy_is_asked_and_leaves_nothing_behind(mixgym, stems, tmp_path, monkeypatch):
    cache = tmp_path / "cache"
    monkeypatch.setenv("MIXGYM_CACHE", str(cache))
    heard = {}
    for name, options in {
        "once": ("--every", 60),
        "often": ("--every", 0.5),
        "roles": ("--every", 0.5, "--mixer", "roles"),
        "named": ("--every", 0.5, "--policy", POLICIES / "mixing.onnx"),
    }.items():
        ran = mixgym("live", stems, "-o", tmp_path / f"{name}.wav", *options, "-q")
        assert ran.status == 0, ran.err
        heard[name] = sf.read(tmp_path / f"{name}.wav")[0]
        if name == "once":
            kept = sorted(cache.rglob("*"))  # what looking at the whole song leaves
    assert sorted(cache.rglob("*")) == kept
    for other in ("once", "roles"):
        frames = min(len(heard[other]), len(heard["often"]))
        assert not np.allclose(heard[other][:frames], heard["often"][:frames], atol=1e-3)
    np.testing.assert_array_equal(heard["named"], heard["often"])


def test_measured_first_it_is_what_mix_writes(mixgym, stems, tmp_path):
    preset = tmp_path / "p.json"
    mixed = mixgym(
        "mix", stems, "-o", tmp_path / "mix.wav", "--mixer", "roles", "--save-preset", preset, "-q"
    )
    assert mixed.status == 0, mixed.err
    for block in (64, 1024):
        ran = mixgym(
            "live",
            stems,
            "-o",
            tmp_path / f"{block}.wav",
            "--preset",
            preset,
            "--measure-first",
            "--block",
            block,
            "-q",
        )
        assert ran.status == 0, ran.err
        assert ran.out == ""
    mix, _ = sf.read(tmp_path / "mix.wav")
    live, _ = sf.read(tmp_path / "64.wav")
    other, _ = sf.read(tmp_path / "1024.wav")
    assert np.array_equal(live, other)
    assert mix.shape == live.shape
    assert np.abs(mix - live).max() < 1e-3


def test_the_same_twice(mixgym, stems, tmp_path):
    for name in ("a.wav", "b.wav"):
        ran = mixgym("live", stems, "-o", tmp_path / name, "--every", 1, "-q")
        assert ran.status == 0, ran.err
    assert (tmp_path / "a.wav").read_bytes() == (tmp_path / "b.wav").read_bytes()


def test_what_a_person_reads(mixgym, stems, tmp_path):
    ran = mixgym("live", stems, "-o", tmp_path / "live.flac", "--every", 60)
    assert ran.status == 0, ran.err
    for words in ("99th percentile", "latency", "live.flac"):
        assert words in ran.out


# The sound device


class Device:
    """Calls back as a sound device would, eight times as fast."""

    def __init__(self, samplerate, blocksize, callback, **rest):
        self.rate, self.block, self.callback = samplerate, blocksize, callback
        self.rest, self.latency, self.heard = rest, 0.01, []
        self._stop = threading.Event()
        Device.last = self

    def _run(self):
        out = np.zeros((self.block, 2), dtype=np.float32)
        while not self._stop.is_set():
            self.callback(out, self.block, None, None)
            self.heard.append(out.copy())
            time.sleep(self.block / self.rate / 8)

    def __enter__(self):
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *exception):
        self._stop.set()
        self._thread.join()


class PortAudioError(Exception):
    pass


def test_through_a_sound_device(mixgym, stems, monkeypatch):
    library = SimpleNamespace(OutputStream=Device, PortAudioError=PortAudioError)
    monkeypatch.setitem(sys.modules, "sounddevice", library)
    interval = sys.getswitchinterval()
    ran = mixgym("live", stems, "--device", "speakers", "--json")
    assert ran.status == 0, ran.err
    report = json.loads(ran.out)
    assert report["device_latency_ms"] == 10
    assert report["control_steps"] >= 1
    assert Device.last.rest["device"] == "speakers"
    assert Device.last.rest["channels"] == 2
    heard = np.concatenate(Device.last.heard)
    assert np.isfinite(heard).all()
    assert 0.05 < np.abs(heard).max() <= 1
    assert sys.getswitchinterval() == interval


def test_a_stem_that_breaks_while_it_plays(check_sentence, monkeypatch, mixgym, folder):
    from mixgym.errors import MixgymError
    from mixgym.runtime.stream.live import Session

    def broken(self, start, frames, out):
        raise MixgymError("good.wav went away.")

    library = SimpleNamespace(OutputStream=Device, PortAudioError=PortAudioError)
    monkeypatch.setitem(sys.modules, "sounddevice", library)
    monkeypatch.setattr(Session, "read", broken)
    ran = mixgym("live", folder)
    assert ran.status == 2
    check_sentence(ran.err, ["good.wav"])


def test_a_device_that_refuses(refused, folder, monkeypatch):
    def refuse(**settings):
        raise PortAudioError("Invalid sample rate")

    library = SimpleNamespace(OutputStream=refuse, PortAudioError=PortAudioError)
    monkeypatch.setitem(sys.modules, "sounddevice", library)
    refused("live", folder, words=["Invalid sample rate", "--device", "-o"])
