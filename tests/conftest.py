"""What tests of several folders share."""

import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

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
