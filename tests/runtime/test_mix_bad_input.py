"""Bad input to `mixgym mix`: policies, projects and albums; see also test_bad_input.py."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.usefixtures("odd_files")
WAV = ["-o", "mix.wav"]
PRESET = ["--preset", "text.json"]


@pytest.mark.parametrize(
    ("policy", "words"),
    [
        ("none.onnx", ["none.onnx", "cannot be read"]),
        ("folder.onnx", ["folder.onnx", "cannot be read"]),
        ("cut.onnx", ["cut.onnx", "cut off", "mixgym export"]),
        ("old.onnx", ["old.onnx", "features of version 0", "export it again"]),
        ("text.onnx", ["text.onnx", "no ONNX file", "mixgym export"]),
        ("mastering.onnx", ["mastering.onnx", "for mastering", "for mixing"]),
        ("track.wav", ["track.wav", ".onnx", "mixgym export"]),
        ("best.npz", ["best.npz", ".onnx", "mixgym export"]),
    ],
)
def test_policies(refused, policy, words):
    refused("mix", "song", *WAV, "--policy", policy, words=words)


def test_what_pytorch_says_of_a_broken_program_is_not_shown(tmp_path, check_sentence):
    (tmp_path / "text.pt2").write_text("precious")
    command = [sys.executable, "-m", "mixgym", "mix", "song", *WAV, "--policy", "text.pt2"]
    ran = subprocess.run(command, capture_output=True, text=True)
    assert ran.returncode == 2
    check_sentence(ran.stderr, ["text.pt2", "export it again"])


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--policy", "mixing.onnx", "--mixer", "roles"], ["--policy", "--mixer roles"]),
        (["--policy", "mixing.onnx", *PRESET], ["--preset", "--policy"]),
        (["--search", "5", *PRESET], ["--preset", "--search"]),
        (["--copy-stems"], ["--copy-stems", "--rpp"]),
        (["--mixer", ""], ["''", "policy"]),
        (["--automation", "--mixer", "roles"], ["--automation", "--mixer"]),
        (["--automation", *PRESET], ["--automation", "--preset"]),
        (["--search", "-1"], ["--search", "0"]),
        (["--search", "nan"], ["--search", "86400"]),
        (["--search", "long"], ["--search", "number"]),
        (["--rpp", "song.txt"], ["song.txt", ".rpp"]),
        (["--rpp", "there"], ["there", "--overwrite"]),
        (["--rpp", "mix.wav"], ["mix.wav", "twice"]),
        (["--rpp", "no/song.rpp"], ["no", "create it"]),
        (["--rpp", "folder.onnx", "--overwrite"], ["folder.onnx", "is a folder"]),
        (["--rpp", "song/good.wav", "--overwrite"], ["good.wav", "another output"]),
        (["--dawproject", "song.rpp"], ["song.rpp", ".dawproject"]),
        (["--dawproject", "there"], ["there", "--overwrite"]),
        (["--dawproject", "a.rpp", "--rpp", "a.rpp"], ["a.rpp", "twice"]),
        (["--dawproject", "no/song.dawproject"], ["no", "create it"]),
    ],
    ids=" ".join,
)
def test_options(refused, options, words):
    refused("mix", "song", *WAV, *options, words=words)


@pytest.mark.skipif(not Path("/proc/self").is_dir(), reason="needs a read-only file system")
def test_projects_where_nothing_can_be_written(refused):
    for option, name in (("--rpp", "a.rpp"), ("--dawproject", "a.dawproject")):
        refused("mix", "song", *WAV, option, f"/proc/{name}", words=["/proc cannot be written"])


def test_copies_for_reaper_among_other_things(refused, tmp_path):
    (tmp_path / "song_media").mkdir()
    (tmp_path / "song_media/diary.txt").write_text("precious")
    refused(
        "mix", "song", *WAV, "--rpp", "song.rpp", "--copy-stems", "--overwrite",
        words=["song_media", "other things"],
    )  # fmt: skip


@pytest.mark.parametrize(
    ("place", "words"),
    [
        ("album.flac", ["album.flac", "folder"]),
        ("full", ["full", "other things"]),
        ("there", ["there is a file"]),
        ("no/album", ["no", "create it"]),
        ("song", ["song", "another output"]),
        ("song/album", ["song/album", "among the stems"]),
        (".", ["another output"]),
        ("a" * 300, ["aaa", "too long"]),
    ],
)
@pytest.mark.parametrize("more", [[], ["--overwrite"]], ids=["", "overwrite"])
def test_folders_for_albums(refused, place, words, more):
    refused("mix", "song", "--album", "-o", place, *more, words=words)


@pytest.mark.skipif(not Path("/proc/self").is_dir(), reason="needs a read-only file system")
def test_an_album_where_nothing_can_be_written(refused):
    refused("mix", "song", "--album", "-o", "/proc/album", words=["/proc cannot be written"])


@pytest.mark.parametrize(
    ("songs", "words"),
    [
        (["none"], ["none", "not exist"]),
        (["empty"], ["empty", "no audio"]),
        (["quiet"], ["quiet", "silent"]),
        (["cut.wav"], ["cut.wav", "cut short"]),
        (["text.wav"], ["text.wav", "not an audio file"]),
        (["song"], ["song.wav", "rename"]),
    ],
    ids=" ".join,
)
def test_songs_of_an_album(refused, songs, words):
    refused("mix", "song", *songs, "--album", "-o", "album", words=words)


@pytest.mark.parametrize(
    "option", ["--save-preset", "--report", "--stems-out", "--rpp", "--dawproject", "--copy-stems"]
)
def test_what_an_album_cannot_have(refused, option):
    values = [] if option == "--copy-stems" else ["new"]
    refused("mix", "song", "--album", "-o", "album", option, *values, words=[option, "--album"])


@pytest.mark.skipif(os.name != "posix", reason="needs links")
def test_an_album_behind_a_link_to_nowhere(refused, tmp_path):
    (tmp_path / "link").symlink_to(tmp_path / "nowhere")
    refused("mix", "song", "--album", "-o", "link", words=["link is a file"])


@pytest.mark.parametrize("kept", ["preset", "policy"])
def test_what_a_mix_is_made_from_is_not_replaced(refused, tmp_path, kept):
    (tmp_path / "kept").write_text("mine")
    given = (f"--{kept}", tmp_path / "kept")
    for option in ("-o", "--report", "--dawproject"):
        outputs = (option, tmp_path / "kept", *(() if option == "-o" else ("-o", "m.wav")))
        refused("mix", "song", *given, *outputs, "--overwrite", words=["kept", "made from"])
    assert (tmp_path / "kept").read_text() == "mine"
