"""How commands meet the terminal: endings in one sentence, progress bars, JSON."""

from __future__ import annotations

import json
import os
import re
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from io import TextIOWrapper
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import typer

from ._text import printable
from .errors import MixgymError

if TYPE_CHECKING:
    from .console.render import Progress

ENDING_SIGNALS = tuple(
    getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)
)
OPEN_FILES = 4096  # a song may have 256 stems, all of them open, and as many are written


class _InterruptedError(BaseException):
    """Ctrl-C, or a request to end; not a KeyboardInterrupt, which Typer would swallow."""


def run_app(app: typer.Typer) -> NoReturn:
    """Run a command line and end the process.

    A person's mistake, a refusal of the system and an interruption end in one sentence on
    standard error and status 2.
    """
    for number in ENDING_SIGNALS:
        if signal.getsignal(number) != signal.SIG_IGN:
            signal.signal(number, _interrupt)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    _allow_open_files()
    try:
        status = app(prog_name="mixgym", standalone_mode=False)
    except MixgymError as error:
        _fail(str(error))
    except _InterruptedError:
        _fail("Interrupted; nothing was written.")
    except OSError as error:
        _fail(f"{error.filename or 'The system'}: {error.strerror or error}.")
    except Exception as error:
        if not hasattr(error, "format_message"):
            raise
        _fail_usage(error.format_message())
    sys.exit(status if isinstance(status, int) else 0)


def _interrupt(*_: object) -> NoReturn:
    """Stop the work; what tidies up afterwards is not stopped again."""
    for number in ENDING_SIGNALS:
        signal.signal(number, signal.SIG_IGN)
    raise _InterruptedError


def _allow_open_files() -> None:
    try:
        import resource
    except ImportError:  # Windows has no such limit
        return
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY:
        return
    wanted = OPEN_FILES if hard == resource.RLIM_INFINITY else min(OPEN_FILES, hard)
    if soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def _fail(sentence: str) -> NoReturn:
    """Names of files may hold anything; the sentence stays on one line."""
    typer.secho(f"mixgym: {printable(sentence)}", err=True, fg=typer.colors.RED)
    sys.exit(2)


def _fail_usage(message: str) -> NoReturn:
    """What the command line's parser refuses; it is empty where the help was shown instead."""
    if not message:
        sys.exit(2)
    sentence = re.sub(r"\s+", " ", message).strip().rstrip(".")
    _fail(f"{sentence}{'' if sentence.endswith('?') else '.'} See mixgym --help.")


def print_json(value: Any) -> None:
    """One JSON document on standard output.

    Raises:
        ValueError: it holds NaN or infinity, which JSON lacks.
    """
    typer.echo(json.dumps(value, indent=1, allow_nan=False))


@contextmanager
def progress_bars(silent: bool) -> Iterator[Progress]:
    """A bar on standard error for each thing that is being done, where a person watches."""
    if silent or sys.stderr is None or not sys.stderr.isatty():
        yield lambda what, share: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    bar = Progress(
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        TextColumn("{task.percentage:3.0f} %"),
        TimeElapsedColumn(),
        console=Console(stderr=True),
        transient=True,
    )
    if not _compiled():
        typer.secho("First run: compiling for this machine, once: a minute or two.", err=True)
    tasks: dict[str, Any] = {}

    def tell(what: str, share: float) -> None:
        if what not in tasks:
            tasks[what] = bar.add_task(printable(what), total=1.0)
        bar.update(tasks[what], completed=share)

    with bar:
        yield tell


def _compiled() -> bool:
    """Whether Numba has kept the console's kernels from an earlier run."""
    home = Path(__file__).parent / "console" / "__pycache__"
    kept = os.environ.get("NUMBA_CACHE_DIR")
    return any((Path(kept) if kept else home).rglob("_kernels.*.nbc"))
