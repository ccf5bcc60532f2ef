"""Bad input to `mixgym export`: one clear sentence and status 2, and no file."""

import json
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest

pytestmark = pytest.mark.usefixtures("odd_files")
ONNX = ["-o", "policy.onnx"]


@pytest.fixture
def weights(policy_weights, tmp_path):
    """Write weights to the working folder: `weights(**about)`."""

    def write(**about):
        path = tmp_path / "weights.npz"
        path.write_bytes(policy_weights(**about).read_bytes())
        return path

    return write


@pytest.fixture
def forged(weights):
    """Weights with some of what they say of themselves, or some arrays, changed or left out."""

    def write(about=None, **changed):
        path = weights()
        with np.load(path) as data:
            arrays = dict(data)
        said = json.loads(str(arrays["about"]))
        sizes = said["sizes"] | (about or {}).pop("sizes", {})
        arrays["about"] = np.array(json.dumps(said | (about or {}) | {"sizes": sizes}))
        arrays |= {name: change(arrays[name]) for name, change in changed.items()}
        np.savez(path, **{name: array for name, array in arrays.items() if array is not None})
        return path

    return write


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("none.npz", ["none.npz", "cannot be read"]),
        ("song", ["song", "best.npz", "folder of a run"]),
        ("track.wav", ["track.wav", "no policy", "mixgym train"]),
        ("mixing.onnx", ["mixing.onnx", "no policy", "mixgym train"]),
    ],
)
def test_sources(refused, source, words):
    refused("export", source, *ONNX, words=words)


@pytest.mark.parametrize("kept", [0, 0.5, 0.99])
def test_weights_that_are_cut_short(refused, weights, kept):
    path = weights()
    content = path.read_bytes()
    path.write_bytes(content[: int(kept * len(content))])
    refused("export", path, *ONNX, words=["weights.npz", "no policy", "mixgym train"])


def test_an_archive_that_unfolds_to_too_much(refused, tmp_path):
    with zipfile.ZipFile(tmp_path / "bomb.npz", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.npy", bytes(210_000_000))
    refused("export", "bomb.npz", *ONNX, words=["bomb.npz", "larger"])


@pytest.mark.parametrize(
    ("about", "words"),
    [
        ({"format": "mixgym-policy-9"}, ["another format", "mixgym-policy-9", "train it again"]),
        ({"features": 1000}, ["features of version 1000", "train it again"]),
        ({"table": "other"}, ["other parameter ranges", "train it again"]),
        ({"strip": ["loudness_knob"]}, ["no parameter", "loudness_knob"]),
        ({"extra": 1}, ["no policy of this version"]),
        ({"sizes": {"width": 64}}, ["do not fit"]),
        ({"sizes": {"heads": 5}}, ["no policy of this version"]),
        ({"sizes": {"blocks": 10**6}}, ["no policy of this version"]),
        ({"sizes": {"encoder": "stock"}}, ["compare with"]),
        ({"styles": ["a" * 5000]}, ["no policy of this version"]),
    ],
    ids=str,
)
def test_weights_of_something_else(refused, forged, about, words):
    refused("export", forged(dict(about)), *ONNX, words=["weights.npz", *words])


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda array: array * np.float32(np.nan), "no number"),
        (lambda array: array.astype(np.float64), "no number"),
        (lambda array: array.astype(object), "no policy"),
        (lambda array: None, "do not fit"),
    ],
    ids=["NaN", "double", "pickled", "missing"],
)
def test_arrays_that_cannot_be(refused, forged, change, words):
    path = forged(**{"network.strip_head.weight": change})
    refused("export", path, *ONNX, words=["weights.npz", words])


def test_a_policy_that_looks_more_than_once(refused, weights):
    path = weights(control="delta", episode_steps=3)
    refused("export", path, *ONNX, words=["weights.npz", "3 steps", "episode_steps: 1"])


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["-o", "policy.bin"], ["policy.bin", ".onnx, .pt, .pt2, .tflite"]),
        (["-o", "policy"], ["policy", ".onnx"]),
        (["-o", "mixing.onnx"], ["mixing.onnx", "--overwrite"]),
        (["-o", "folder.onnx", "--overwrite"], ["folder.onnx is a folder"]),
        (["-o", "no/policy.onnx"], ["no", "create it"]),
        (["-o", f"{'a' * 250}.onnx"], ["aaa.onnx.md", "too long"]),
        ([*ONNX, "--precision", "int4"], ["int4", "int8"]),
        (["-o", "policy.pt2", "--precision", "fp16"], ["policy.pt2", "fp16", ".onnx"]),
        ([*ONNX, "--licence", " "], ["licence", "Apache-2.0"]),
        ([*ONNX, "--licence", "a" * 5000], ["licence", "5000", "Apache-2.0"]),
        ([*ONNX, "--songs", "none"], ["none", "not exist"]),
        ([*ONNX, "--songs", "empty"], ["empty", "no audio"]),
        ([*ONNX, "--songs", "quiet"], ["quiet", "silent"]),
        ([*ONNX, "--songs", "cut.wav"], ["cut.wav", "cut short"]),
        pytest.param(
            ["-o", "/proc/policy.onnx", "--songs", "song"],
            ["/proc cannot be written"],
            marks=pytest.mark.skipif(not Path("/proc/self").is_dir(), reason="needs /proc"),
        ),
    ],
    ids=lambda value: " ".join(value)[:50],
)
def test_options(refused, weights, options, words):
    refused("export", weights(), *options, words=words)


def test_a_page_that_is_there_already(refused, weights, tmp_path):
    (tmp_path / "policy.onnx.md").write_text("precious")
    refused("export", weights(), *ONNX, words=["policy.onnx.md", "--overwrite"])


def test_weights_are_not_replaced(refused, weights, tmp_path):
    weights().rename(tmp_path / "weights.onnx")
    refused("export", "weights.onnx", "-o", "weights.onnx", "--overwrite", words=["another output"])


def test_without_the_extra(refused, monkeypatch):
    for name in ("export", "deployed"):
        monkeypatch.delitem(sys.modules, f"mixgym.export.{name}", raising=False)
    monkeypatch.setitem(sys.modules, "torch", None)
    refused("export", "weights.npz", *ONNX, words=["torch", "pip install 'mixgym[export]'"])
