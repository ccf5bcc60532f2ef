"""`mixgym evolve`: from stems to a searched mix, galleries, interruptions and refusals."""

import json
import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
import soundfile as sf

from mixgym.console.preset import load_preset
from mixgym.evolution.search import MEASURES
from mixgym.runtime.search_view import sparkline
from mixgym.runtime.selection import spread_out
from mixgym.songs.generate import generate_song, write_song

FAST = ("--evaluations", 200, "--seconds", 3, "--refine", 2)


@pytest.fixture(autouse=True)
def _cache(tmp_path_factory, monkeypatch):
    monkeypatch.setenv("MIXGYM_CACHE", str(tmp_path_factory.getbasetemp() / "cache"))


def evolved(ran):
    assert ran.status == 0, ran.err
    return json.loads(ran.out)


def test_a_better_mix_is_found_and_written(mixgym, stems, tmp_path):
    out, preset, report = (tmp_path / name for name in ("m.wav", "p.json", "r.html"))
    result = evolved(
        mixgym(
            "evolve", stems, "-o", out, "--save-preset", preset, "--report", report, "--json", *FAST
        )
    )
    search = result["search"]
    assert search["name"] == result["made_by"] == "ga"
    assert search["found"]["simulate"] > search["start"]["simulate"] + 0.005
    assert search["found"]["render"] > search["start"]["render"]
    assert search["evaluations"] <= 200
    scores = [score for _, score in search["curve"]]
    assert scores == sorted(scores)
    assert abs(result["loudness_lufs"] + 14) < 0.2
    assert sf.info(out).channels == 2
    assert load_preset(preset).made_by == "ga"
    assert "<html" in report.read_text()


def test_the_same_seed_gives_the_same_mix(mixgym, stems, tmp_path):
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        preset = tmp_path / f"{name}.json"
        out = tmp_path / f"{name}.wav"
        ran = mixgym(
            "evolve", stems, "-o", out, "--save-preset", preset, "--seed", seed, "-q", *FAST
        )
        assert ran == (0, "", "")
    a, b, c = ((tmp_path / f"{name}.json").read_bytes() for name in "abc")
    assert a == b != c


def test_begins_with_a_preset(mixgym, stems, tmp_path):
    """What was found before is where the next search begins."""
    first = tmp_path / "first.json"
    mixgym("evolve", stems, "-o", tmp_path / "a.wav", "--save-preset", first, "-q", *FAST)
    result = evolved(
        mixgym("evolve", stems, "-o", tmp_path / "b.wav", "--start", first, "--json", *FAST)
    )
    plain = evolved(mixgym("evolve", stems, "-o", tmp_path / "c.wav", "--json", *FAST))
    assert result["search"]["start"]["simulate"] > plain["search"]["start"]["simulate"]
    assert result["search"]["found"]["render"] >= result["search"]["start"]["render"]


def table(folder):
    rows = json.loads((folder / "gallery.json").read_text())["mixes"]
    for row in rows:
        assert load_preset(folder / f"{row['mix']}.json").stems
        audio, _ = sf.read(folder / f"{row['mix']}.wav")
        assert np.abs(audio).max() > 0.05
        assert f"{row['mix']}.wav" in (folder / "index.html").read_text()
    assert len((folder / "gallery.csv").read_text().splitlines()) == len(rows) + 1
    return rows


def test_a_front_to_choose_from(mixgym, stems, tmp_path):
    out, front = tmp_path / "m.wav", tmp_path / "front"
    assert evolved(mixgym("evolve", stems, "-o", out, "--pareto", front, "--json", *FAST))
    rows = table(front)
    values = np.array([[v for k, v in row.items() if k != "mix"] for row in rows])
    assert 2 <= len(rows) <= 16
    for row in values:
        assert not ((values >= row).all(axis=1) & (values > row).any(axis=1)).any()


def test_variations_differ(mixgym, stems, tmp_path):
    pytest.importorskip("ribs")
    out = tmp_path / "m.wav"
    result = evolved(mixgym("evolve", stems, "-o", out, "--variations", 5, "--json", *FAST))
    assert result["search"]["gallery"] == str(tmp_path / "m-variations")
    rows = table(tmp_path / "m-variations")
    assert len(rows) == 5
    places = np.array([[row[name] for name in MEASURES] for row in rows])
    assert len(np.unique(places.round(3), axis=0)) == 5
    assert min(row["score"] for row in rows) > result["search"]["start"]["simulate"] - 0.02


KILLED = """
import sys
from mixgym.evolution import checkpoint
from mixgym.cli import main
checkpoint.INTERVAL_S = 0.0
sys.argv = ["mixgym", *sys.argv[1:]]
main()
"""


def start(*arguments):
    return subprocess.Popen(
        [sys.executable, "-c", KILLED, *map(str, arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def wait_for(path, process):
    deadline = time.monotonic() + 120
    while not path.exists():
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.01)


@pytest.mark.slow
@pytest.mark.skipif(os.name != "posix", reason="needs POSIX")
def test_killed_and_resumed_it_ends_at_the_same_mix(mixgym, stems, tmp_path):
    options = ("--evaluations", 3000, "--seconds", 4, "--refine", 4, "-q")
    kept, presets = tmp_path / "c.npz", [tmp_path / name for name in ("a.json", "b.json")]
    arguments = ("evolve", stems, "-o", tmp_path / "a.wav", "--save-preset", presets[0], *options)
    process = start(*arguments, "--checkpoint", kept)
    wait_for(kept, process)
    process.kill()
    process.communicate()
    assert not presets[0].exists()
    size = kept.stat().st_size
    assert mixgym(*arguments, "--resume", kept) == (0, "", "")
    assert kept.stat().st_size > size
    again = ("evolve", stems, "-o", tmp_path / "b.wav", "--save-preset", presets[1], *options)
    assert mixgym(*again) == (0, "", "")
    assert presets[0].read_bytes() == presets[1].read_bytes()
    assert (tmp_path / "a.wav").read_bytes() == (tmp_path / "b.wav").read_bytes()


@pytest.mark.slow
@pytest.mark.skipif(os.name != "posix", reason="needs POSIX")
def test_ctrl_c_keeps_the_best_so_far(stems, tmp_path):
    kept, out = tmp_path / "c.npz", tmp_path / "m.wav"
    process = start(
        "evolve", stems, "-o", out, "--evaluations", 10_000_000, "--checkpoint", kept, "--json"
    )
    wait_for(kept, process)
    time.sleep(0.5)
    process.send_signal(signal.SIGINT)
    text, err = process.communicate(timeout=120)
    assert process.returncode == 0, err
    result = json.loads(text)
    assert result["search"]["interrupted"]
    assert result["search"]["found"]["render"] >= result["search"]["start"]["render"]
    assert out.exists()


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--search", "annealing"), ["annealing", "ga"]),
        (("--evaluations", 0), ["evaluations"]),
        (("--search", "ga", "--pareto", "front"), ["--pareto", "nsga2"]),
        (("--pareto", "front", "--variations", 3), ["choose one"]),
        (("--reward", "missing.yaml"), ["missing.yaml"]),
        (("--start", "missing.json"), ["missing.json"]),
        (("--resume", "missing.npz"), ["missing.npz"]),
        (("--checkpoint", "no/c.npz"), ["no", "does not exist"]),
        (("--style", "cosy"), ["cosy"]),
        (("--pareto", "front", "--evaluations", 20, "--seconds", 2), ["too short"]),
        (("--variations", 3, "--evaluations", 20, "--seconds", 2), ["too short"]),
    ],
)
def test_refusals(refused, stems, tmp_path, monkeypatch, options, words):
    monkeypatch.chdir(tmp_path)
    refused("evolve", stems, "-o", "m.wav", *options, words=words)


def test_no_output_may_replace_another_or_an_input(refused, mixgym, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with generate_song(3, 4.0, 44_100, stems=2) as song:
        write_song(song, tmp_path / "song")
    stem = next((tmp_path / "song").glob("*.wav"))
    before = stem.read_bytes()
    for options, words in (
        (("-o", "front/m.wav", "--pareto", "front", "--search", "nsga2"), ["front/m.wav"]),
        (("-o", "m.wav", "--checkpoint", "m.wav"), ["m.wav", "twice"]),
        (("-o", "m.wav", "--checkpoint", stem, "--overwrite"), [stem.name, "made from"]),
        (("-o", "m.wav", "--save-preset", stem, "--overwrite"), [stem.name, "made from"]),
        (("-o", "m.wav", "--pareto", "song", "--search", "nsga2", "--overwrite"), ["song"]),
    ):
        (tmp_path / "front").mkdir(exist_ok=True)
        refused("evolve", "song", *options, words=words)
    assert stem.read_bytes() == before


def test_a_rate_that_mp3_cannot_hold_is_refused_before_the_search(refused, tmp_path):
    folder = tmp_path / "song"
    folder.mkdir()
    sf.write(folder / "a.wav", np.random.default_rng(0).normal(0, 0.1, 96_000), 96_000)
    words = ["m.mp3", "96000 Hz", ".flac"]
    endless = ("--evaluations", 10_000_000)
    refused("evolve", folder, "-o", tmp_path / "m.mp3", *endless, words=words)


def test_silence_is_refused(refused, tmp_path_factory, tmp_path):
    folder = tmp_path_factory.mktemp("silent")
    for name in ("a", "b"):
        sf.write(folder / f"{name}.wav", np.zeros(44_100, np.float32), 44_100)
    refused("evolve", folder, "-o", tmp_path / "m.wav", words=["silent"])


def test_curves_in_block_characters():
    assert sparkline([]) == ""
    assert sparkline([1.0, 1.0]) == "▁▁"
    assert sparkline([0.0, 0.5, 1.0]) in ("▁▄█", "▁▅█")
    assert len(sparkline(list(range(1000)), 20)) == 20


def test_points_that_lie_furthest_apart_are_chosen():
    places = np.array([[0.0, 0.0], [0.01, 0.0], [1.0, 0.0], [0.0, 100.0], [0.5, 50.0]])
    scores = np.array([0.9, 1.0, 0.7, 0.8, 0.1])
    assert spread_out(places, scores, 3).tolist() == [1, 3, 2]
    assert sorted(spread_out(places, scores, 99).tolist()) == [0, 1, 2, 3, 4]
