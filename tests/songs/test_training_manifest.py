"""The manifest: read without anything heavy, and the proof that nothing leaks."""

import json
import subprocess
import sys

import pytest

from mixgym.errors import MixgymError
from mixgym.songs.training import ManifestRow, leaks, read_manifest
from mixgym.songs.training.manifest import write_manifest


def digest(text):
    return f"{hash(text) & (2**64 - 1):064x}"


def row(name, split="train", **about):
    """An excerpt of a song that nothing else has anything in common with."""
    about = {
        "kind": "stems",
        "source": name,
        "song": f"song {name}",
        "artist": f"artist {name}",
        "source_sha256": [digest(f"source {name}")],
        "audio": name,
        **about,
    }
    audio = digest(about.pop("audio"))
    stem = {"file": "01-bass.flac", "name": "Bass", "role": "bass", "sha256": audio}
    return ManifestRow(
        id=name, sha256=digest(name), split=split, seconds=10, sample_rate=44_100, stems=[stem],
        **about,
    )  # fmt: skip


ROWS = [row("a"), row("b", "validation"), row("c", "test")]


def test_written_and_read(tmp_path):
    write_manifest(tmp_path / "manifest.jsonl", ROWS)
    read = read_manifest(tmp_path)
    assert [r.to_json() for r in read] == [r.to_json() for r in ROWS]
    assert [r.folder for r in read] == [tmp_path / "excerpts" / name for name in "abc"]
    assert read_manifest(tmp_path / "manifest.jsonl") == read


def test_one_split(tmp_path):
    write_manifest(tmp_path / "manifest.jsonl", ROWS)
    assert [r.id for r in read_manifest(tmp_path, "validation")] == ["b"]


def test_reading_needs_nothing_heavy():
    code = (
        "import sys; from mixgym.songs.training import read_manifest\n"
        "heavy = {'numpy', 'numba', 'scipy', 'soundfile', 'pedalboard', 'symusic', 'torch'}\n"
        "assert not heavy & set(sys.modules), heavy & set(sys.modules)\n"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert ran.returncode == 0, ran.stderr


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"id": "../../etc"}, "id"),
        ({"split": "dev"}, "split"),
        ({"seconds": -1}, "seconds"),
        ({"stems": []}, "stems"),
        ({"surprise": 1}, "surprise"),
        ({"stems": [{**ROWS[0].to_json()["stems"][0], "file": "../x.flac"}]}, "file"),
    ],
)
def test_bad_rows_are_named(tmp_path, change, word):
    path = tmp_path / "manifest.jsonl"
    path.write_text(json.dumps(ROWS[0].to_json() | change) + "\n")
    with pytest.raises(MixgymError, match=rf"line 1.*{word}"):
        read_manifest(tmp_path)


def test_no_manifest(tmp_path):
    with pytest.raises(MixgymError, match="mixgym songs build"):
        read_manifest(tmp_path)


def test_unknown_split(tmp_path):
    with pytest.raises(MixgymError, match="'dev'"):
        read_manifest(tmp_path, "dev")


def test_songs_with_nothing_in_common_do_not_leak():
    assert leaks([*ROWS, row("d")]) == {}


@pytest.mark.parametrize("later", ["validation", "test"])
@pytest.mark.parametrize(
    "same",
    [
        {"artist": "ARTIST-Z"},
        {"song": "Song  z", "artist": None},
        {"song": "SONG-Z"},
        {"audio": "z"},
        {"source_sha256": [digest("mine"), digest("source z")]},
    ],
    ids=["artist", "title alone", "title", "stem", "whole stem"],
)
def test_what_training_has_in_common_with_a_later_split_leaks(later, same):
    assert set(leaks([row("a", **same), row("b"), row("z", later)])) == {"a"}


def test_validation_must_not_have_what_test_has():
    assert set(leaks([row("a", "validation", audio="z"), row("z", "test")])) == {"a"}


def test_a_song_within_its_split_may_repeat():
    assert leaks([row("a", artist="x"), row("b", artist="X", audio="a")]) == {}


@pytest.mark.parametrize("parent", ["b", "c", "gone"])
def test_augmentation_of_what_is_not_for_training_leaks(parent):
    made = row("m", kind="augmented", parents=["a", parent])
    assert set(leaks([*ROWS, made])) == {"m"}


def test_augmentation_of_what_leaks_leaks():
    made = row("m", kind="augmented", parents=["a"])
    assert set(leaks([row("a", audio="c"), row("c", "test"), made])) == {"a", "m"}
