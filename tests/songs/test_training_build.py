"""`mixgym songs build`: what comes out, that nothing leaks, and that any run may be cut off."""

import json
import os
import resource
import shutil
import signal
import subprocess
import sys
import time
from itertools import pairwise

import numpy as np
import pytest
import soundfile as sf

from mixgym.errors import MixgymError
from mixgym.songs import read_song
from mixgym.songs.generate import generate_song, write_song
from mixgym.songs.training import BuildOptions, build_training_set, leaks, read_manifest

RATE = 16_000
ARTISTS = {  # as splits.json has them
    "one": ("Achim Settelmeier", "train"),
    "two": ("Socceroos", "train"),
    "three": ("Impulslogik", "validation"),
    "four": ("Greippi", "test"),
}


@pytest.fixture(scope="module")
def songs(tmp_path_factory):
    """Four songs by four artists, two of them to be learned from."""
    home = tmp_path_factory.mktemp("collection")
    for seed, (name, (artist, _)) in enumerate(ARTISTS.items()):
        with generate_song(seed, 13.0, RATE, stems=5) as song:
            write_song(song, home / name)
        say(home / name, artist=artist, title=name, licence="CC0-1.0")
    return home


def say(folder, **about):
    path = folder / "song.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | about))


def options(songs, **more):
    more = {"augment": 6, "jobs": 1, **more}
    return BuildOptions(stems=(songs,), seconds=4.0, sample_rate=RATE, excerpts_per_song=2, **more)


@pytest.fixture(scope="module")
def built(songs, tmp_path_factory):
    out = tmp_path_factory.mktemp("built") / "set"
    return out, build_training_set(out, options(songs))


def made(folder, contents):
    """What a set holds, wherever it lies."""
    return {path.relative_to(folder): data for path, data in contents(folder).items()}


# What comes out


def test_every_excerpt_is_a_song_folder(built):
    for row in read_manifest(built[0]):
        with read_song(row.folder) as song:
            assert song.title == row.song
            assert song.sample_rate == RATE
            assert song.duration_s == pytest.approx(4.0)
            assert [(s.name, s.role) for s in song.stems] == [(s.name, s.role) for s in row.stems]
            assert song.tempo_bpm == pytest.approx(row.tempo_bpm)
            for stem in song.stems:
                audio = stem.read(0, stem.frames)
                assert 0.001 < np.abs(audio).max() <= 1.0


def test_manifest_and_folders_say_the_same(built):
    rows = read_manifest(built[0])
    assert {row.id for row in rows} == {path.name for path in (built[0] / "excerpts").iterdir()}
    for row in rows:
        assert json.loads((row.folder / "song.json").read_text()) == row.to_json()


def test_songs_lie_in_the_split_of_their_artist(built):
    rows = [row for row in read_manifest(built[0]) if row.kind == "stems"]
    assert {(row.song, row.artist, row.split) for row in rows} == {
        (name, artist, split) for name, (artist, split) in ARTISTS.items()
    }
    assert all(row.licence == "CC0-1.0" and row.source.startswith("collection0") for row in rows)


def test_excerpts_of_a_song_do_not_overlap(built):
    starts = {}
    for row in read_manifest(built[0]):
        if row.kind == "stems":
            starts.setdefault(row.source, []).append(row.start_s)
    assert max(len(s) for s in starts.values()) == 2
    assert all(b - a >= 4 for s in starts.values() for a, b in pairwise(sorted(s)))


def test_an_excerpt_is_what_the_song_holds_there(built, songs):
    row = next(row for row in read_manifest(built[0]) if row.song == "two")
    with read_song(songs / "two") as song, read_song(row.folder) as excerpt:
        by_name = {stem.name: stem for stem in song.stems}
        for stem in excerpt.stems:
            wanted = by_name[stem.name].read(round(row.start_s * RATE), stem.frames)
            np.testing.assert_allclose(stem.read(0, stem.frames), wanted, atol=2**-15)


def test_summary(built):
    out, result = built
    rows = read_manifest(out)
    assert result["excerpts"] == len(rows)
    assert sum(part["excerpts"] for part in result["splits"].values()) == len(rows)
    assert result["sources"]["augmented"]["splits"] == {"train": 6, "validation": 0, "test": 0}
    assert result["hours"] == pytest.approx(len(rows) * 4 / 3600)
    assert result["skipped"] == []


@pytest.mark.slow
def test_whatever_is_given(songs, tmp_path):
    """Every kind of source at once, by two processes."""
    midi = pytest.importorskip("symusic") and tmp_path / "midi"
    midi.mkdir()
    (midi / "broken.mid").write_bytes(b"MThd nonsense")
    write_band(midi / "Somebody - Song.mid")
    result = build_training_set(
        tmp_path / "set", options(songs, midi=(midi,), generate=2, augment=2, jobs=2)
    )
    assert set(result["sources"]) == {"stems", "midi", "generator", "augmented"}
    assert ["broken.mid" in line for line in result["skipped"]] == [True]
    rows = read_manifest(tmp_path / "set")
    assert leaks(rows) == {}
    (piece,) = {(row.artist, row.song, row.soundfont) for row in rows if row.kind == "midi"}
    assert piece == ("Somebody", "Song", "TimGM6mb.sf2 (GPL-2.0)")


def write_band(path):
    import symusic

    score = symusic.Score(ttype="second")
    for program, pitch in ((33, 40), (25, 60), (48, 67)):
        track = symusic.Track(program=program, ttype="second")
        for beat in range(20):
            track.notes.append(symusic.Note(beat / 2, 0.4, pitch, 90, ttype="second"))
        score.tracks.append(track)
    score.to("tick").dump_midi(str(path))


# Nothing leaks


def test_nothing_leaks(built):
    rows = read_manifest(built[0])
    assert leaks(rows) == {}
    train = {row.id for row in rows if row.split == "train"}
    for row in rows:
        assert (row.kind == "augmented") <= (row.split == "train" and set(row.parents) <= train)


def test_copies_under_other_names_stay_out_of_training(songs, tmp_path):
    """Stems of the test song, renamed, as FLAC, one of them in stereo, under another artist."""
    home = tmp_path / "songs"
    shutil.copytree(songs, home)
    copy = home / "copy"
    copy.mkdir()
    for number, path in enumerate(sorted((songs / "four").glob("*.wav"))[:3]):
        audio, rate = sf.read(path, dtype="int32", always_2d=True)
        if number == 0:
            audio = np.repeat(audio[:, :1], 2, axis=1)
        sf.write(copy / f"track {number}.flac", audio, rate, subtype="PCM_24")
    (copy / "song.json").write_text('{"artist": "Socceroos", "song": "five"}')
    result = build_training_set(tmp_path / "set", options(home))
    rows = read_manifest(tmp_path / "set")
    assert "five" not in {row.song for row in rows}
    assert "test" in result["skipped"][0] and "five" not in json.dumps(result["splits"])
    assert leaks(rows) == {}
    assert not list((tmp_path / "set" / "excerpts").glob("*five*"))
    held_out = {stem.sha256 for row in rows if row.split != "train" for stem in row.stems}
    learned = {stem.sha256 for row in rows if row.split == "train" for stem in row.stems}
    assert not held_out & learned
    again = build_training_set(tmp_path / "set", options(home))
    assert again | {"seconds_taken": 0} == result | {"seconds_taken": 0}


def test_other_spellings_of_a_held_out_artist_stay_out_of_training(songs, tmp_path):
    home = tmp_path / "songs"
    shutil.copytree(songs, home)
    with generate_song(9, 9.0, RATE, stems=4) as song:
        write_song(song, home / "nine")
    say(home / "nine", artist="  GREIPPI ", title="nine")
    build_training_set(tmp_path / "set", options(home))
    assert {r.split for r in read_manifest(tmp_path / "set") if r.song == "nine"} == {"test"}


# Any run may be cut off


@pytest.mark.slow
def test_processes_do_not_matter(built, songs, tmp_path, contents):
    build_training_set(tmp_path / "set", options(songs, jobs=2))
    assert made(tmp_path / "set", contents) == made(built[0], contents)


def test_another_seed_augments_otherwise(built, songs, tmp_path):
    build_training_set(tmp_path / "set", options(songs, seed=1))
    ours, others = (
        {r.id: r.sha256 for r in read_manifest(s)} for s in (built[0], tmp_path / "set")
    )
    assert all((ours[name] == others[name]) == name.startswith("stems") for name in ours)


def test_finished_excerpts_are_not_done_again(built, songs):
    out, _ = built
    before = {path: path.stat().st_mtime_ns for path in (out / "excerpts").rglob("*")}
    build_training_set(out, options(songs))
    assert {path: path.stat().st_mtime_ns for path in (out / "excerpts").rglob("*")} == before


def test_what_was_lost_is_made_again(built, songs, tmp_path, contents):
    shutil.copytree(built[0], tmp_path / "set")
    whole = made(tmp_path / "set", contents)
    shutil.rmtree(tmp_path / "set" / "excerpts" / "augmented-00002")
    shutil.rmtree(next((tmp_path / "set" / "excerpts").glob("stems-two-*")))
    (tmp_path / "set" / "manifest.jsonl").unlink()
    (tmp_path / "set" / ".partial" / "x").mkdir(parents=True)
    build_training_set(tmp_path / "set", options(songs))
    assert made(tmp_path / "set", contents) == whole


@pytest.mark.slow
@pytest.mark.skipif(os.name != "posix", reason="needs POSIX")
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT])
def test_killed_and_begun_again(built, songs, tmp_path, contents, number):
    out = tmp_path / "set"
    command = [
        *(sys.executable, "-m", "mixgym", "songs", "build", out, "--stems", songs, "--seconds", 4),
        *("--sample-rate", RATE, "--excerpts-per-song", 2, "--augment", 6, "--jobs", 2, "--quiet"),
    ]
    for excerpts in (1, 9):  # while songs are cut, while excerpts are augmented
        process = subprocess.Popen([*map(str, command)], stderr=subprocess.PIPE, text=True)
        while len(list(out.glob("excerpts/*"))) < excerpts and process.poll() is None:
            time.sleep(0.005)
        process.send_signal(number)
        _, err = process.communicate()
        assert process.returncode in (-number, 2)
        assert "Traceback" not in err
        for folder in out.glob("excerpts/*"):
            assert (folder / "song.json").is_file()
    assert subprocess.run([*map(str, command)]).returncode == 0
    assert made(out, contents) == made(built[0], contents)


# Bad input


def test_nothing_to_build_from(refused, tmp_path):
    refused("songs", "build", tmp_path / "set", words=["--stems", "--midi", "--generate"])


@pytest.mark.parametrize("option", ["--stems", "--midi"])
def test_missing_folder(refused, tmp_path, option):
    pytest.importorskip("symusic")
    refused("songs", "build", tmp_path / "set", option, tmp_path / "no", words=[tmp_path / "no"])


@pytest.mark.parametrize("option", ["--stems", "--midi"])
def test_folder_without_songs(refused, tmp_path, option):
    pytest.importorskip("symusic")
    (tmp_path / "none").mkdir()
    refused("songs", "build", tmp_path / "set", option, tmp_path / "none", words=["none", "no "])


def test_folder_that_holds_something_else(refused, tmp_path):
    (tmp_path / "set").mkdir()
    (tmp_path / "set" / "thesis.txt").write_text("mine")
    refused("songs", "build", tmp_path / "set", "--generate", 1, words=["something else"])


def test_set_begun_otherwise(built, songs):
    with pytest.raises(MixgymError, match=r"begun with other seed, augment|other .*seed"):
        build_training_set(built[0], options(songs, seed=5, augment=7))


def test_unreadable_soundfont(refused, tmp_path):
    pytest.importorskip("symusic")
    write_band(tmp_path / "a.mid")
    (tmp_path / "bad.sf2").write_bytes(b"nothing")
    refused(
        "songs", "build", tmp_path / "set", "--midi", tmp_path, "--soundfont", tmp_path / "bad.sf2",
        words=["bad.sf2"],
    )  # fmt: skip


def test_a_set_among_the_songs(refused, folder):
    refused("songs", "build", folder / "set", "--stems", folder, words=["elsewhere"])


def test_broken_songs_are_named_and_left_out(songs, tmp_path):
    home = tmp_path / "songs"
    shutil.copytree(songs, home)
    (home / "one" / "01_Kick.wav").write_bytes(b"noise")
    (home / "two" / "song.json").write_text("{")
    result = build_training_set(tmp_path / "set", options(home))
    assert len(result["skipped"]) == 2
    assert "song.json" in result["skipped"][0] and "01_Kick.wav" in result["skipped"][1]
    assert {row.song for row in read_manifest(tmp_path / "set")} == {"three", "four"}


@pytest.mark.slow
@pytest.mark.skipif(os.name != "posix", reason="needs POSIX")
@pytest.mark.parametrize("jobs", [1, 2])
def test_full_disk(songs, tmp_path, check_sentence, jobs):
    """No file may grow over 20 kB."""
    ran = subprocess.run(
        [sys.executable, "-m", "mixgym", "songs", "build", str(tmp_path / "set"), "--stems",
         str(songs), "--sample-rate", str(RATE), "--seconds", "4", "--jobs", str(jobs)],
        capture_output=True, text=True,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000)),
    )  # fmt: skip
    assert ran.returncode == 2
    check_sentence(ran.stderr, ["full"])
    assert not list(tmp_path.glob("set/excerpts/*"))


def test_the_command_tells_what_it_made(songs, tmp_path, mixgym):
    ran = mixgym(
        "songs", "build", tmp_path / "set", "--stems", songs, "--seconds", 4, "--sample-rate", RATE,
        "--jobs", 1, "--json",
    )  # fmt: skip
    assert ran.status == 0
    assert json.loads(ran.out)["excerpts"] == len(read_manifest(tmp_path / "set"))
    ran = mixgym(
        "songs", "build", tmp_path / "set", "--stems", songs, "--seconds", 4, "--sample-rate", RATE,
        "--jobs", 1,
    )  # fmt: skip
    assert "validation" in ran.out
