"""Bad input to `mixgym live`: one clear sentence and status 2, and nothing plays."""

import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.usefixtures("odd_files")
WAV = ["-o", "live.wav"]


@pytest.mark.parametrize(
    ("stems", "words"),
    [
        ("none", ["none", "not exist"]),
        ("empty", ["empty", "no audio"]),
        ("quiet", ["quiet", "silent"]),
        ("cut.wav", ["cut.wav", "cut short"]),
        ("text.wav", ["text.wav", "not an audio file"]),
    ],
)
def test_stems(refused, stems, words):
    refused("live", stems, *WAV, words=words)


@pytest.mark.parametrize(
    ("output", "words"),
    [
        ("live.xyz", ["live.xyz", ".wav"]),
        ("there.wav", ["there.wav", "--overwrite"]),
        ("no/live.wav", ["no", "create it"]),
        ("full", ["full is a folder"]),
        ("song/good.wav", ["good.wav"]),
        ("song/live.wav", ["song/live.wav", "among the stems"]),
        (f"{'a' * 300}.wav", ["aaa", "too long"]),
        pytest.param(
            "/proc/live.wav",
            ["/proc cannot be written"],
            marks=pytest.mark.skipif(not Path("/proc/self").is_dir(), reason="needs /proc"),
        ),
    ],
)
def test_outputs(refused, output, words):
    refused("live", "song", "-o", output, words=words)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--block", "0"], ["0 frames", "multiple of 64"]),
        (["--block", "many"], ["--block", "integer"]),
        (["--sample-rate", "192000", "--block", "64"], ["64 frames", "multiple of 256"]),
        (["--sample-rate", "7999"], ["--sample-rate", "8000"]),
        (["--window", "61"], ["--window", "60"]),
        (["--every", "nan"], ["--every", "60"]),
        (["--every", "0"], ["--every", "0.05"]),
        (["--lufs", "-31"], ["--lufs", "-30"]),
        (["--true-peak", "1"], ["--true-peak", "0"]),
        (["--bit-depth", "20"], ["20", "16, 24 or 32"]),
        (["--mixer", "magic"], ["magic", "roles"]),
        (["--style", "icy"], ["icy", "balanced"]),
        (["--mixer", "plain_sum", "--style", "warm"], ["--style"]),
        (["--preset", "text.json"], ["text.json", "JSON"]),
        (["--preset", "folder.onnx"], ["folder.onnx"]),
        (["--preset", "text.json", "--mixer", "roles"], ["--preset", "--mixer"]),
        (["--preset", "text.json", "--style", "warm"], ["--preset", "--style"]),
        (["--policy", "none.onnx"], ["none.onnx", "cannot be read"]),
        (["--policy", "cut.onnx"], ["cut.onnx", "cut off", "mixgym export"]),
        (["--policy", "mastering.onnx"], ["mastering.onnx", "for mixing"]),
        (["--policy", "mixing.onnx", "--mixer", "roles"], ["--policy", "--mixer"]),
        (["--device", "speakers"], ["--device", "--output"]),
    ],
    ids=" ".join,
)
def test_options(refused, options, words):
    refused("live", "song", *WAV, *options, words=words)


def test_formats_that_cannot_hold_it(refused):
    refused("live", "song", "-o", "l.flac", "--bit-depth", 32, words=["l.flac", "32"])
    refused("live", "song", "-o", "l.mp3", "--sample-rate", 96_000, words=["MP3", 96_000])


def test_without_the_extra(refused, monkeypatch):
    monkeypatch.setitem(sys.modules, "sounddevice", None)
    refused("live", "song", words=["mixgym[live]", "-o"])
