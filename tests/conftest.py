"""What tests of several folders share."""

import os
import re
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
import soundfile as sf

from mixgym import cli
from mixgym.songs.generate import generate_song, write_song


class Ran(NamedTuple):
    """How a command ended."""

    status: int
    out: str
    err: str


@pytest.fixture(scope="session")
def stems(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of six stems, 5 s long."""
    folder = tmp_path_factory.mktemp("song") / "stems"
    with generate_song(3, 5.0, stems=6) as song:
        write_song(song, folder)
    return folder


@pytest.fixture
def mixgym(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[..., Ran]]:
    """Run the command line in this process, as the installed script would."""
    handlers = {s: signal.getsignal(s) for s in (signal.SIGINT, signal.SIGTERM)}

    def run(*arguments: object) -> Ran:
        monkeypatch.setattr("sys.argv", ["mixgym", *map(str, arguments)])
        capsys.readouterr()
        with pytest.raises(SystemExit) as end:
            cli.main()
        return Ran(int(end.value.code or 0), *capsys.readouterr())

    yield run
    for number, handler in handlers.items():
        signal.signal(number, handler)


def _contents(folder):
    """Every name below a folder, hidden ones too, with what the files hold."""
    return {
        path: path.read_bytes() if path.is_file() else None
        for path in sorted(folder.rglob("*"))
        if os.access(path, os.R_OK)
    }


def _check_sentence(text, words):
    assert text.startswith("mixgym: ")
    assert text.endswith("\n") and text.count("\n") == 1
    assert "Traceback" not in text
    for word in words:
        assert str(word) in text


@pytest.fixture
def contents():
    """What lies below a folder, to be compared before and after."""
    return _contents


@pytest.fixture
def check_sentence():
    """See that a text is one clear sentence of ours which holds the given words."""
    return _check_sentence


@pytest.fixture
def refused(mixgym, tmp_path):
    """Run a command that must be refused with the given words, without a trace in `tmp_path`."""

    def run(*arguments, words):
        before = _contents(tmp_path)
        ran = mixgym(*arguments)
        assert ran.status == 2
        assert ran.out == ""
        _check_sentence(ran.err, words)
        assert _contents(tmp_path) == before

    return run


@pytest.fixture
def folder(tmp_path):
    """A folder with one good stem."""
    made = tmp_path / "song"
    made.mkdir()
    tone = (0.3 * np.sin(np.arange(44_100) / 20)).astype(np.float32)
    sf.write(made / "good.wav", tone, 44_100)
    return made


@pytest.fixture
def odd_files(
    folder: Path, policies: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Path:
    """The working folder: a good `song/` and two policies beside what nothing can be made of."""
    good = (folder / "good.wav").read_bytes()
    for name in ("quiet", "empty", "folder.onnx", "full"):
        (tmp_path / name).mkdir()
    sf.write(tmp_path / "quiet/a.wav", np.zeros(44_100), 44_100)
    (tmp_path / "track.wav").write_bytes(good)
    (tmp_path / "cut.wav").write_bytes(good[:20_000])
    for name in ("text.wav", "text.json", "text.onnx", "there.wav", "there", "full/diary.txt"):
        (tmp_path / name).write_text("precious")
    for task in ("mixing", "mastering"):
        (tmp_path / f"{task}.onnx").write_bytes((policies / f"{task}.onnx").read_bytes())
    whole = (policies / "mixing.onnx").read_bytes()
    (tmp_path / "cut.onnx").write_bytes(whole[: len(whole) // 2])
    (tmp_path / "old.onnx").write_bytes(re.sub(rb'(?<="features":)\d', b"0", whole))
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture(scope="session")
def policies() -> Path:
    """The folder of the policies that come along."""
    from mixgym.runtime.mixers import POLICIES

    return POLICIES


@pytest.fixture(scope="session")
def policy_weights(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """Write weights of a policy that was never trained, but sets something: `write(**about)`."""
    from mixgym.experiments.random_policy import random_policy

    def write(**about: object) -> Path:
        path = tmp_path_factory.mktemp("weights") / "weights.npz"
        random_policy(path, 32, 2, **about)
        return path

    return write


@pytest.fixture(scope="session")
def policy_files(
    policy_weights: Callable[..., Path], tmp_path_factory: pytest.TempPathFactory
) -> dict[str, Path]:
    """One policy's weights (.npz) and its files, by suffix."""
    from mixgym.agents.load import read_network
    from mixgym.export.deployed import MixingPolicy
    from mixgym.export.export import Wanted, describe
    from mixgym.export.writers import writer

    weights = policy_weights()
    network, about = read_network(weights)
    described = describe(weights, about, Wanted())
    files = {".npz": weights}
    for suffix in (".onnx", ".pt", ".pt2"):
        files[suffix] = tmp_path_factory.mktemp("policy") / f"policy{suffix}"
        write = writer(files[suffix], "fp32")
        write(MixingPolicy(network, described.space), described, [], files[suffix])
    return files
