"""MIDI files become stems, one for each instrument; what strangers put into them is bounded."""

import os
import time
from itertools import pairwise

import numpy as np
import pytest

from mixgym.errors import MixgymError

symusic = pytest.importorskip("symusic")

from mixgym.songs.training import guarded, midi  # noqa: E402
from mixgym.songs.training.guarded import DiedError  # noqa: E402
from mixgym.songs.training.midi import (  # noqa: E402
    check_soundfont,
    find_soundfont,
    play,
    read_piece,
    takes_of_piece,
)

RATE = 22_050


def write_midi(path, tracks, tempo_bpm=120.0):
    """Write tracks of (name, program, is_drum, [(start_s, duration_s, pitch)])."""
    score = symusic.Score(ttype="second")
    score.tempos.append(symusic.Tempo(0.0, tempo_bpm, ttype="second"))
    for name, program, is_drum, notes in tracks:
        track = symusic.Track(name=name, program=program, is_drum=is_drum, ttype="second")
        for start_s, duration_s, pitch in notes:
            track.notes.append(symusic.Note(start_s, duration_s, pitch, 100, ttype="second"))
        score.tracks.append(track)
    score.to("tick").dump_midi(str(path))
    return path


def beats(pitch, count=16, step_s=0.5, offset_s=0.0):
    return [(offset_s + i * step_s, 0.2, pitch) for i in range(count)]


KIT = [*beats(36), *beats(38, offset_s=0.25), *beats(42, 32, 0.25), *beats(56, 4, 2.0)]
BAND = [
    ("who cares", 33, False, beats(40)),
    ("Steel and Brass", 48, False, beats(60)),
    ("kit", 0, True, KIT),
]


@pytest.fixture
def band(tmp_path):
    return write_midi(tmp_path / "band.mid", BAND, 96.0)


@pytest.fixture(scope="module")
def soundfont():
    return find_soundfont(None)


def test_parts_and_roles(band):
    piece = read_piece(band)
    assert {part.role for part in piece.parts} == {
        "bass", "strings", "kick", "snare", "hats", "percussion"
    }  # fmt: skip
    assert piece.tempo_bpm(3.0) == pytest.approx(96.0, abs=0.1)


@pytest.mark.parametrize(
    ("name", "program", "role"),
    [("Vox Lead", 0, "lead_vocal"), ("Vox Lead", 25, "guitar"), ("Spur 1", 0, "keys"),
     ("", 56, "brass"), ("", 73, "winds"), ("", 89, "pad"), ("", 52, "backing_vocal"),
     ("", 47, "percussion"), ("", 81, "synth")],
)  # fmt: skip
def test_the_program_says_the_role_or_else_the_name(tmp_path, name, program, role):
    path = write_midi(tmp_path / "x.mid", [(name, program, False, beats(60))])
    assert [part.role for part in read_piece(path).parts] == [role]


def test_a_part_is_heard_when_it_plays(band, soundfont):
    bass = next(part for part in read_piece(band).parts if part.role == "bass")
    audio = play(bass, soundfont, 2.0, 4.0, RATE)
    assert audio.shape == (2, 4 * RATE)
    assert 0.0 < np.abs(audio).max() <= 0.5
    assert play(bass, soundfont, 60.0, 4.0, RATE) is None


def test_notes_fall_where_they_are_written(tmp_path, soundfont):
    path = write_midi(tmp_path / "x.mid", [("", 0, False, [(5.0, 1.0, 60)])])
    (part,) = read_piece(path).parts
    audio = np.abs(play(part, soundfont, 4.0, 4.0, RATE)).max(axis=0)
    first = np.argmax(audio > 0.1 * audio.max()) / RATE
    assert first == pytest.approx(1.0, abs=0.05)


def test_a_held_note_rings_into_the_window(tmp_path, soundfont):
    path = write_midi(tmp_path / "x.mid", [("", 16, False, [(0.0, 20.0, 60)])])
    (part,) = read_piece(path).parts
    audio = play(part, soundfont, 10.0, 4.0, RATE)
    assert np.abs(audio[:, : RATE // 4]).max() > 0.01


def test_takes_do_not_overlap_and_repeat(tmp_path, soundfont):
    long = [(n, p, d, [*notes, *((s + 10, t, k) for s, t, k in notes)]) for n, p, d, notes in BAND]
    piece = read_piece(write_midi(tmp_path / "x.mid", long))
    first, again = ([*takes_of_piece(piece, soundfont, 4.0, RATE, 3)] for _ in range(2))
    starts = [take.start_s for take in first]
    assert len(starts) == 3
    assert all(b - a >= 4 for a, b in pairwise(starts))
    for one, other in zip(first, again, strict=True):
        for a, b in zip(one.tracks, other.tracks, strict=True):
            assert np.array_equal(a.audio, b.audio)


def test_fingerprints_know_a_performance_again(tmp_path, band):
    renamed = write_midi(tmp_path / "y.mid", [("other", *rest) for _, *rest in BAND], 96.0)
    moved = write_midi(tmp_path / "z.mid", [("", 33, False, beats(41))])
    marks = set(read_piece(band).fingerprints())
    assert set(read_piece(renamed).fingerprints()) == marks
    assert not marks & set(read_piece(moved).fingerprints())


@pytest.mark.parametrize(
    "content",
    [b"", b"MThd", b"no midi at all" * 10, b"MThd\0\0\0\6\0\1\xff\xff\0\x60" + b"MTrk" * 50],
    ids=["empty", "short", "text", "lies about its tracks"],
)
def test_broken_files_are_named(tmp_path, content):
    (tmp_path / "bad.mid").write_bytes(content)
    with pytest.raises(MixgymError, match=r"bad\.mid"):
        read_piece(tmp_path / "bad.mid")


def test_every_truncation_is_read_or_refused(band, tmp_path):
    whole = band.read_bytes()
    for size in range(0, len(whole), 37):
        (tmp_path / "cut.mid").write_bytes(whole[:size])
        try:
            assert read_piece(tmp_path / "cut.mid").parts
        except MixgymError as error:
            assert "cut.mid" in str(error)


def test_large_files_are_refused(tmp_path, monkeypatch, band):
    monkeypatch.setattr(midi, "_MOST_BYTES", 100)
    with pytest.raises(MixgymError, match="larger"):
        read_piece(band)


def test_too_many_tracks_are_refused(tmp_path):
    path = write_midi(tmp_path / "x.mid", [("", 0, False, beats(60))] * 257)
    with pytest.raises(MixgymError, match="256 tracks"):
        read_piece(path)


def test_times_without_end_are_cut(tmp_path):
    path = write_midi(tmp_path / "x.mid", [("", 0, False, [(0, 9000, 60), (8000, 1, 60)])])
    piece = read_piece(path)
    assert len(piece.activity()) < 100
    assert [len(part.notes) for part in piece.parts] == [1]


def test_silence_is_no_piece(tmp_path):
    with pytest.raises(MixgymError, match="no notes"):
        read_piece(write_midi(tmp_path / "x.mid", [("", 0, False, [])]))


@pytest.mark.parametrize(
    "content", [b"", b"RIFF", b"RIFF\0\0\0\0sfbk", b"RIFF\xff\xff\xff\xffsfbk"]
)
def test_broken_soundfonts_are_named(tmp_path, content):
    (tmp_path / "bad.sf2").write_bytes(content)
    with pytest.raises(MixgymError, match=r"bad\.sf2"):
        check_soundfont(tmp_path / "bad.sf2", RATE)


# What never comes back


@pytest.mark.parametrize(
    ("function", "arguments"),
    [(time.sleep, (100,)), (pow, (7, 10**9)), (os._exit, (3,))],
    ids=["sleeps", "holds the interpreter", "crashes"],
)
def test_what_hangs_or_crashes_is_given_up(function, arguments, monkeypatch):
    monkeypatch.setattr(guarded, "LIMIT_S", 0.5)
    with pytest.raises(DiedError):
        guarded.guarded(function, *arguments)
    assert guarded.guarded(abs, -2) == 2
