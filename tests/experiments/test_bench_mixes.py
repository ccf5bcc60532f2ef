"""`mixgym bench mixes`: several mixers on the same songs, all along."""

import json
import os
import re

import numpy as np
import pytest
import soundfile as sf

from mixgym.errors import MixgymError
from mixgym.experiments.bench_mixes import MIXERS
from mixgym.experiments.results_page import write_page
from mixgym.songs import read_song
from mixgym.songs.generate import generate_song, write_song


@pytest.fixture
def songs(tmp_path, monkeypatch):
    """Two songs, one with the mix of a person who likes all stems equally loud."""
    monkeypatch.setenv("MIXGYM_CACHE", str(tmp_path / "cache"))
    for seed in (1, 2):
        with generate_song(seed, 22.0, stems=3) as song:
            write_song(song, tmp_path / "songs" / f"song-{seed}")
    folder = tmp_path / "songs" / "song-1"
    (folder / "reference").mkdir()
    with read_song(folder) as song:
        total = np.zeros((2, song.frames), dtype=np.float32)
        for stem in song.stems:
            audio = stem.read(0, song.frames)
            total += audio / np.sqrt(np.mean(audio**2)) / 50
        sf.write(folder / "reference" / "mix.wav", total.T, song.sample_rate)
    return tmp_path / "songs"


def test_every_mixer_on_every_song(mixgym, songs, tmp_path):
    ran = mixgym("bench", "mixes", "--songs", songs, "--json")
    assert ran.status == 0, ran.err
    result = json.loads(ran.out)
    assert set(result["songs"]) == {"song-1", "song-2"}
    for row in result["songs"].values():
        assert set(row["mixers"]) == set(MIXERS)
        for mixed in row["mixers"].values():
            assert len(mixed["scores"]) == 2
            assert mixed["score"] == pytest.approx(np.mean(mixed["scores"]))
            assert mixed["loudness_lufs"] == pytest.approx(-14, abs=0.15)
    assert all(mixed["judges"] for mixed in result["songs"]["song-1"]["mixers"].values())
    assert not any(mixed["judges"] for mixed in result["songs"]["song-2"]["mixers"].values())
    mixed = result["songs"]["song-1"]["mixers"]
    assert mixed["equal_loudness"]["judges"]["levels_db"] < 0.5
    assert mixed["plain_sum"]["judges"]["levels_db"] > 1
    overall = result["overall"]
    assert 0 < overall["equal_loudness"]["frechet"] < overall["plain_sum"]["frechet"]
    assert overall["policy"]["score"] > overall["plain_sum"]["score"]
    assert overall["policy"]["above"]["plain_sum"] == 1
    assert overall["equal_loudness"]["closer"]["plain_sum"] > 0.5
    (tmp_path / "mixes.json").write_text(ran.out)
    write_page([tmp_path / "mixes.json"], tmp_path / "RESULTS.md")
    written = (tmp_path / "RESULTS.md").read_text()
    assert f"| mean |  |  |  | {overall['plain_sum']['score']:.4f} |" in written
    assert "### Judges by which" in written
    levels_db = mixed["equal_loudness"]["judges"]["levels_db"]
    assert re.search(
        rf"^\| \w* \| 1 \| equal_loudness \|.* {levels_db:.2f} \|$", written, re.MULTILINE
    )
    assert f"| plain_sum | {overall['plain_sum']['frechet']:.1f} |" in written
    assert f"results_page {os.path.relpath(tmp_path / 'mixes.json')} --out" in written
    (tmp_path / "other.json").write_text('{"benchmark": "render"}')
    for name in ("other.json", "missing.json"):
        with pytest.raises(MixgymError, match=name):
            write_page([tmp_path / name], tmp_path / "no.md")
    assert not (tmp_path / "no.md").exists()


def test_for_people(mixgym, songs):
    ran = mixgym("bench", "mixes", "--songs", songs, "--mixers", "roles,plain_sum", "--quiet")
    assert ran.status == 0 and ran.out == ""
    ran = mixgym("bench", "mixes", "--songs", songs, "--mixers", "roles, plain_sum", "--windows", 1)
    assert "song-1" in ran.out and "roles" in ran.out and "policy" not in ran.out


def test_bad_input(refused, songs, tmp_path):
    refused("bench", "mixes", "--songs", tmp_path / "no", words=["no", "folder"])
    bench = ("bench", "mixes", "--songs", songs, "--mixers")
    refused(*bench, "roles,tuba", words=["'tuba'", "roles"])
