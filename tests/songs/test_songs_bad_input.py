"""A person's mistake gets one sentence that names the file, never a traceback."""

import errno
import json
import os
import tempfile
from pathlib import Path

import numpy as np
import pytest
import soundfile as sf

from mixgym.errors import MixgymError
from mixgym.songs import read_song
from mixgym.songs.spool import SpoolReader

RATE = 44_100
NOISE = np.random.default_rng(0).uniform(-0.5, 0.5, (50_000, 2))


def refused(paths, *words, **options):
    with pytest.raises(MixgymError) as caught:
        read_song(paths, **options)
    for word in words:
        assert str(word) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_missing_file_and_folder(tmp_path):
    refused(tmp_path / "nothing", tmp_path / "nothing", "does not exist")
    refused([tmp_path / "a.wav", tmp_path / "b.wav"], "a.wav", "does not exist")


def test_nothing_at_all():
    refused([], "No stems given")


def test_folder_without_audio(tmp_path):
    refused(tmp_path, tmp_path, "no audio")
    (tmp_path / "notes.txt").write_text("hello")
    (tmp_path / "reference").mkdir()
    sf.write(tmp_path / "reference/mix.wav", NOISE, RATE)
    refused(tmp_path, tmp_path, "no audio")


def test_folder_of_songs_is_not_a_song(tmp_path):
    for name in ("Yesterday", "Tomorrow", "Today"):
        (tmp_path / name).mkdir()
        sf.write(tmp_path / name / "a.wav", NOISE, RATE)
    refused(tmp_path, "no audio")


def test_folder_of_stem_files_is_not_a_song(tmp_path):
    for name in "ab":
        (tmp_path / f"{name}.stem.mp4").write_bytes(b"x")
    refused(tmp_path, "several Stem files")


@pytest.mark.parametrize("name", ["a.wav", "a.mp3", "a.m4a", "a.stem.mp4"])
def test_empty_file(tmp_path, name):
    (tmp_path / name).touch()
    refused(tmp_path, name, "empty")


@pytest.mark.parametrize("name", ["a.wav", "a.flac", "a.ogg", "a.mp3", "a.m4a", "a.aac", "a.txt"])
@pytest.mark.parametrize(
    "content",
    [
        b"hello, this is text\n" * 100,
        b"#EXTM3U\n/etc/hostname\n",
        np.random.default_rng(1).bytes(5000),
        b"\0" * 5000,
    ],
    ids=["text", "playlist", "random", "zeros"],
)
def test_not_audio(tmp_path, name, content):
    (tmp_path / name).write_bytes(content)
    refused(tmp_path / name, name)


@pytest.mark.parametrize("magic", [b"RIFF", b"RF64", b"FORM", b"OggS", b"caff", b"fLaC", b"riff"])
@pytest.mark.parametrize("size", [4, 12, 30, 60])
def test_nothing_but_the_beginning_of_a_header(tmp_path, magic, size):
    (tmp_path / "a.wav").write_bytes((magic + b"\1" * 60)[:size])
    refused(tmp_path, "a.wav")


def test_header_without_samples(tmp_path):
    sf.write(tmp_path / "a.wav", NOISE[:0], RATE)
    refused(tmp_path, "a.wav", "no audio")


@pytest.mark.parametrize("kept", [0.99, 0.5])
@pytest.mark.parametrize(
    ("form", "subtype"),
    [
        ("WAV", "PCM_16"),
        ("RF64", "PCM_24"),
        ("W64", "FLOAT"),
        ("CAF", "PCM_16"),
        ("AIFF", "PCM_16"),
        ("FLAC", "PCM_16"),
        ("OGG", "VORBIS"),
        ("MP3", "MPEG_LAYER_III"),
    ],
)
def test_cut_file(tmp_path, form, subtype, kept):
    path = tmp_path / "a.wav"
    sf.write(path, NOISE, RATE, format=form, subtype=subtype)
    read_song(path).close()
    data = path.read_bytes()
    path.write_bytes(data[: int(kept * len(data))])
    refused(path, path, "cut short")


@pytest.mark.parametrize("size", [0xFFFFFFFF, 0x7FFFFFFF + 0x24])
def test_wav_written_into_a_pipe_is_whole(tmp_path, size):
    path = tmp_path / "a.wav"
    sf.write(path, NOISE, RATE)
    data = bytearray(path.read_bytes())
    at = data.index(b"data") + 4
    data[at : at + 4] = size.to_bytes(4, "little")
    path.write_bytes(data)
    assert read_song(path).frames == len(NOISE)


def test_broken_flac(tmp_path):
    path = tmp_path / "a.flac"
    sf.write(path, NOISE, RATE)
    data = bytearray(path.read_bytes())
    data[len(data) // 2 : len(data) // 2 + 2000] = bytes(2000)
    path.write_bytes(data)
    refused(path, path, "damaged")


def test_one_bad_file_among_good_ones_is_named(tmp_path):
    for name in "abcd":
        sf.write(tmp_path / f"{name}.flac", NOISE, RATE)
    data = (tmp_path / "c.flac").read_bytes()
    (tmp_path / "c.flac").write_bytes(data[: len(data) // 2])
    refused(tmp_path, tmp_path / "c.flac", "cut short")


@pytest.mark.parametrize("channels", [3, 6])
def test_too_many_channels(tmp_path, channels):
    sf.write(tmp_path / "a.wav", np.zeros((100, channels)), RATE)
    refused(tmp_path, "a.wav", f"{channels} channels", "split")


@pytest.mark.parametrize("rate", [4000, 384_000])
def test_rate_out_of_range(tmp_path, rate):
    sf.write(tmp_path / "a.wav", NOISE, rate)
    refused(tmp_path, "a.wav", f"{rate} Hz")
    refused(tmp_path, f"{rate} Hz", sample_rate=rate)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_not_finite_while_decoding(tmp_path, bad):
    data = NOISE.copy()
    data[RATE // 2, 1] = bad
    sf.write(tmp_path / "a.wav", data, RATE, subtype="FLOAT")
    refused(tmp_path, "a.wav", "NaN or infinite", "0.500 s", sample_rate=48_000)


@pytest.mark.parametrize("subtype", ["FLOAT", "DOUBLE"])
def test_not_finite_while_reading(tmp_path, subtype):
    data = NOISE.copy()
    data[RATE // 2, 0] = np.nan
    sf.write(tmp_path / "a.wav", data, RATE, subtype=subtype)
    stem = read_song(tmp_path).stems[0]
    assert stem.read(0, 20_000).shape == (2, 20_000)
    with pytest.raises(MixgymError, match=r"a\.wav .*0\.500 s"):
        stem.read(20_000, 10_000)


def test_loud_is_not_infinite(tmp_path):
    sf.write(tmp_path / "a.wav", NOISE * 1e30, RATE, subtype="FLOAT")
    got = read_song(tmp_path).stems[0].read(0, 100)
    np.testing.assert_allclose(got, NOISE[:100].T * 1e30, rtol=1e-6)


def test_too_many_stems(tmp_path):
    for number in range(300):
        sf.write(tmp_path / f"{number}.wav", NOISE[:1], RATE)
    refused(tmp_path, "300 stems", "256")


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root reads all")
def test_unreadable_file(tmp_path):
    sf.write(tmp_path / "a.wav", NOISE, RATE)
    (tmp_path / "a.wav").chmod(0)
    refused(tmp_path, "a.wav", "permission")


def test_unreadable_file_for_anyone(tmp_path, monkeypatch):
    sf.write(tmp_path / "a.wav", NOISE, RATE)

    def denied(self, *arguments, **options):
        raise PermissionError(errno.EACCES, "Permission denied", str(self))

    monkeypatch.setattr(Path, "open", denied)
    refused(tmp_path, "a.wav", "Permission denied")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_disk_full(tmp_path, monkeypatch):
    sf.write(tmp_path / "a.flac", NOISE, RATE)
    monkeypatch.setattr(tempfile, "TemporaryFile", lambda **_: open("/dev/full", "wb", 0))  # noqa: PTH123, SIM115
    refused(tmp_path, tempfile.gettempdir(), "is full", "TMPDIR")


def test_no_temporary_folder(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "gone"))
    with pytest.raises(MixgymError, match=r"gone.*TMPDIR"):
        SpoolReader(1)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("{", ["cannot be understood"]),
        ("[]", ["song.json"]),
        ("[" * 100_000, ["cannot be understood"]),
        ({"title": 3}, ["title", "string"]),
        ({"bpm": "fast"}, ["bpm", "number"]),
        ({"tempo_bpm": -1}, ["tempo_bpm", "greater"]),
        ({"stems": {}}, ["stems", "list"]),
        ({"stems": [{"file": "a.wav"}, {"file": 5}]}, ["stems.1.file", "string"]),
        ({"stems": [{"file": "a.wav", "role": "banana"}]}, ["stems.0.role", "banana", "kick"]),
        ({"pad": "x" * 4_100_000}, ["4 MB"]),
    ],
)
def test_song_json_that_is_wrong(tmp_path, content, words):
    sf.write(tmp_path / "a.wav", NOISE, RATE)
    text = content if isinstance(content, str) else json.dumps(content)
    (tmp_path / "song.json").write_text(text)
    refused(tmp_path, tmp_path / "song.json", *words)


def test_song_json_that_is_not_text(tmp_path):
    sf.write(tmp_path / "a.wav", NOISE, RATE)
    (tmp_path / "song.json").write_bytes(b"\xff\xfe\x00{")
    refused(tmp_path, "song.json", "cannot be understood")


def test_interrupting_stops_the_decoding(tmp_path):
    for name in "abcdef":
        sf.write(tmp_path / f"{name}.flac", NOISE, RATE)
    seen = []

    def interrupt(fraction):
        seen.append(fraction)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        read_song(tmp_path, progress=interrupt)
    assert len(seen) < 6
