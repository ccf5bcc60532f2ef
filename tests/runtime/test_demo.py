"""`mixgym demo`: a song, its mix, its preset and its report from nothing."""

import json

import pytest
import soundfile as sf

from mixgym.console.preset import load_preset
from mixgym.runtime.measuring import measure_file

OPTIONS = ("--duration", 6)


def test_demo_in_an_empty_folder(mixgym, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    ran = mixgym("demo", *OPTIONS)
    assert ran.status == 0, ran.err
    made = tmp_path / "mixgym-demo"
    assert [path.name for path in tmp_path.iterdir()] == ["mixgym-demo"]
    assert sorted(path.name for path in made.iterdir()) == [
        "mix.wav", "preset.json", "report.html", "stems",
    ]  # fmt: skip
    for name in ("mix.wav", "preset.json", "report.html"):
        assert f"mixgym-demo/{name}" in ran.out
    assert "Kick" in ran.out and "LUFS" in ran.out
    assert load_preset(made / "preset.json").stems
    assert "<html" in (made / "report.html").read_text()
    measured = measure_file(made / "mix.wav")
    assert measured.integrated_lufs == pytest.approx(-14, abs=0.1)
    assert measured.true_peak_dbtp <= -1 + 0.05


def test_the_same_every_time(mixgym, tmp_path):
    for name in ("a", "b"):
        ran = mixgym("demo", tmp_path / name, *OPTIONS, "--json")
        assert ran.status == 0, ran.err
        assert json.loads(ran.out)["audio"] == str(tmp_path / name / "mix.wav")
    for name in ("mix.wav", "preset.json", "report.html"):
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()


def test_another_seed_is_another_song(mixgym, tmp_path):
    for seed in (1, 2):
        assert mixgym("demo", tmp_path / str(seed), *OPTIONS, "--seed", seed, "-q") == (0, "", "")
    one, other = (sf.read(tmp_path / str(seed) / "mix.wav")[0][:1000] for seed in (1, 2))
    assert (one != other).any()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("there",), "there exists"),
        (("no/demo",), "no for demo does not exist"),
        (("new", "--duration", 3), "--duration"),
        (("new", "--seed", -1), "-1"),
    ],
)
def test_refusals(mixgym, tmp_path, monkeypatch, arguments, words):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "there").mkdir()
    ran = mixgym("demo", *arguments)
    assert ran.status == 2
    assert words in ran.err
    assert [path.name for path in tmp_path.iterdir()] == ["there"]


def test_nothing_is_left_when_it_fails(mixgym, tmp_path, monkeypatch):
    def fail(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("mixgym.runtime.mixing.write_master", fail)
    ran = mixgym("demo", tmp_path / "demo", *OPTIONS)
    assert ran.status == 2
    assert "full" in ran.err
    assert list(tmp_path.iterdir()) == []
