"""Bad input to `mixgym diff`: files that hold no preset; see also test_presets_by_hand.py."""

import json
import os

import pytest

from mixgym.console.mix import Mix
from mixgym.console.preset import dumps
from mixgym.songs import Song

STEM = {"name": "Kick", "role": "kick"}


@pytest.fixture
def good(tmp_path):
    """A preset that can be read, and what it holds."""
    import numpy as np

    song = Song.from_arrays({"Kick": np.ones(44_100, np.float32)}, 44_100)
    path = tmp_path / "good.json"
    path.write_text(dumps(Mix.neutral(song)))
    return path, json.loads(path.read_text())


@pytest.fixture
def refused_beside(refused, good, tmp_path):
    """Compare a file with a good one, either way round; both must be refused."""

    def check(content, *words):
        path = tmp_path / "odd.json"
        path.write_bytes(content if isinstance(content, bytes) else json.dumps(content).encode())
        refused("diff", good[0], path, words=["odd.json", *words])
        refused("diff", path, good[0], words=["odd.json", *words])

    return check


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", ["not JSON"]),
        (b"{ fader: 3", ["not JSON"]),
        (b"RIFF\xff\xfe\x00", ["not JSON"]),
        (b"[" * 100_000, ["not JSON"]),
        (b" " * 5_000_000, ["larger"]),
        (b'{"format": 1, "format": 2}', ["'format' stands twice"]),
        (b"[]", ["no mixgym preset"]),
        (b"null", ["no mixgym preset"]),
    ],
    ids=["empty", "typo", "audio", "nested", "too long", "twice", "list", "null"],
)
def test_files_that_are_something_else(refused_beside, content, words):
    refused_beside(content, *words)


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"format": "other"}, ["no mixgym preset"]),
        ({"version": 99}, ["newer", "upgrade"]),
        ({"version": "new"}, ["version"]),
        ({"mastre": {}}, ["mastre"]),
        ({"stems": {}}, ["stems", "list"]),
        ({"stems": [STEM, STEM]}, ["Kick", "rename one"]),
        ({"stems": [STEM | {"role": "kik"}]}, ["kik", "kick"]),
        ({"stems": [STEM | {"side_chain": "Bass"}]}, ["Bass"]),
        ({"stems": [{"name": str(i)} for i in range(257)]}, ["stems", "256"]),
        ({"stems": [STEM | {"settings": {"fader": 3}}]}, ["fader", "fader_db"]),
        ({"master": {"target_lufs": 3}}, ["target_lufs is 3", "-30 to -6"]),
        ({"master": {"target_lufs": float("nan")}}, ["target_lufs", "finite"]),
        ({"buses": {"reverb_size": "big"}}, ["reverb_size", "number"]),
    ],
    ids=lambda value: str(value)[:40] if isinstance(value, dict) else "",
)
def test_presets_that_cannot_be_meant(refused_beside, good, changed, words):
    refused_beside(good[1] | changed, *words)


def test_no_file(refused, good, tmp_path):
    names = [tmp_path / "none.json", tmp_path, tmp_path / ("a" * 300)]
    if os.name == "posix":
        (tmp_path / "loop.json").symlink_to("loop.json")
        names.append(tmp_path / "loop.json")
    for name in names:
        refused("diff", good[0], name, words=[name])


def test_one_or_three_files(refused, good):
    refused("diff", good[0], words=["after"])
    refused("diff", *[good[0]] * 3, words=["good.json"])
