"""Bad input to benchmarks that take minutes: refused before the work, not after it."""

import pytest

pytestmark = pytest.mark.usefixtures("odd_files")
SONGS = ["--songs", "song", "--split", "all"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["none.onnx", *SONGS], ["none.onnx", "cannot be read"]),
        (["cut.onnx", *SONGS], ["cut.onnx", "cut off"]),
        (["track.wav", *SONGS], ["track.wav", ".onnx"]),
        (["mixing.onnx"], ["--songs"]),
        (["mixing.onnx", "--songs", "none"], ["none", "no folder"]),
        (["mixing.onnx", "--songs", "empty"], ["empty", "no songs"]),
        (["mixing.onnx", "--songs", "quiet", "--split", "all"], ["quiet", "sound"]),
        (["mixing.onnx", *SONGS, "--split", "some"], ["some", "'test'"]),
        (["mixing.onnx", *SONGS, "--style", "icy"], ["icy", "balanced"]),
        (["mixing.onnx", *SONGS, "--excerpts", "0"], ["--excerpts", "1"]),
        (["mixing.onnx", *SONGS, "--json", "song"], ["song is a folder"]),
        (["mixing.onnx", *SONGS, "--json", "there/a.json"], ["there is a file", "a.json"]),
    ],
    ids=" ".join,
)
def test_policy(refused, arguments, words):
    refused("bench", "policy", *arguments, words=words)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--block", "100"], ["100", "multiple of 64"]),
        (["--block", "many"], ["--block", "integer"]),
        (["--seconds", "nan"], ["--seconds", "600"]),
        (["--seed", "-1"], ["--seed", "0"]),
    ],
    ids=" ".join,
)
def test_stream(refused, options, words):
    refused("bench", "stream", *options, words=words)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--policy", "none.onnx"], ["none.onnx", "cannot be read"]),
        (["--policy", "cut.onnx"], ["cut.onnx", "cut off"]),
        (["--policy", "track.wav"], ["track.wav", ".onnx"]),
        (["--policy", "mastering.onnx"], ["mastering.onnx", "cannot be run"]),
        (["--runs", "9"], ["--runs", "10"]),
        (["--repeats", "0"], ["--repeats", "1"]),
    ],
    ids=" ".join,
)
def test_inference(refused, options, words):
    refused("bench", "inference", *options, words=words)
