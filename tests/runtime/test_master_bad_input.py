"""Bad input to `mixgym master`: policies and albums; see also test_bad_input.py."""

from pathlib import Path

import pytest

pytestmark = pytest.mark.usefixtures("odd_files")
WAV = ["-o", "master.wav"]
POLICY = ["--policy", "mastering.onnx"]


@pytest.mark.parametrize(
    ("policy", "words"),
    [
        ("none.onnx", ["none.onnx", "cannot be read"]),
        ("folder.onnx", ["folder.onnx", "cannot be read"]),
        ("cut.onnx", ["cut.onnx", "cut off", "mixgym export"]),
        ("old.onnx", ["old.onnx", "features of version 0", "export it again"]),
        ("text.onnx", ["text.onnx", "no ONNX file", "mixgym export"]),
        ("mixing.onnx", ["mixing.onnx", "for mixing", "for mastering"]),
        ("track.wav", ["track.wav", ".onnx", "mixgym export"]),
    ],
)
def test_policies(refused, policy, words):
    refused("master", "track.wav", *WAV, "--policy", policy, words=words)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ([*POLICY, "--mixer", "rules"], ["--policy", "--mixer rules"]),
        ([*POLICY, "--reference", "cut.wav"], ["--reference", "--policy"]),
        ([*POLICY, "--preset", "text.json"], ["--preset", "--policy"]),
        (["--mixer", "policy", "--reference", "cut.wav"], ["--reference", "--mixer"]),
        (["--mixer", "roles"], ["'roles'", "rules"]),
        (["--mixer", ""], ["''", "rules"]),
    ],
    ids=" ".join,
)
def test_options(refused, options, words):
    refused("master", "track.wav", *WAV, *options, words=words)


@pytest.mark.parametrize(
    ("tracks", "words"),
    [
        (["song/good.wav"], ["2 tracks", "--album"]),
        (["song/good.wav", "cut.wav"], ["3 tracks", "--album"]),
    ],
    ids=" ".join,
)
def test_several_tracks(refused, tracks, words):
    refused("master", "track.wav", *tracks, *WAV, words=words)


@pytest.mark.parametrize(
    ("place", "words"),
    [
        ("album.wav", ["album.wav", "folder"]),
        ("full", ["full", "other things"]),
        ("there", ["there is a file"]),
        ("no/album", ["no", "create it"]),
        (".", ["another output"]),
        pytest.param(
            "/proc/album",
            ["/proc cannot be written"],
            marks=pytest.mark.skipif(not Path("/proc/self").is_dir(), reason="needs /proc"),
        ),
    ],
)
def test_folders_for_albums(refused, place, words):
    refused("master", "track.wav", "--album", "-o", place, "--overwrite", words=words)


@pytest.mark.parametrize(
    ("tracks", "words"),
    [
        (["none.wav"], ["none.wav", "not exist"]),
        (["song"], ["song is a folder"]),
        (["quiet/a.wav"], ["a.wav", "silent"]),
        (["cut.wav"], ["cut.wav", "cut short"]),
        (["text.wav"], ["text.wav", "not an audio file"]),
        (["track.wav"], ["track.wav", "rename"]),
    ],
    ids=" ".join,
)
def test_tracks_of_an_album(refused, tracks, words):
    refused("master", "track.wav", *tracks, "--album", "-o", "album", words=words)


@pytest.mark.parametrize("option", ["--save-preset", "--report", "--reference"])
def test_what_an_album_cannot_have(refused, option):
    album = ["--album", "-o", "album"]
    refused("master", "track.wav", *album, option, "track.wav", words=[option, "--album"])
    refused("master", "track.wav", *album, "--bit-depth", 20, words=["20", "16, 24 or 32"])
