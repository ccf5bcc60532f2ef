"""Calls into code that a stranger's file may crash or hang, each in another process."""

import faulthandler
import os
import signal
from collections.abc import Callable
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, TypeVar

T = TypeVar("T")

LIMIT_S = 20.0
_helpers: list[Connection] = []  # one, or none


class DiedError(Exception):
    """The call crashed, or took more than 20 s."""


def guarded(function: Callable[..., T], *args: Any) -> T:
    """Call a function of a module in a process that is kept for such calls.

    Raises:
        DiedError: it did not come back; the next call has a new process.
        Exception: what the function raised.
    """
    if not _helpers:
        _helpers.append(_start())
    try:
        _helpers[0].send((LIMIT_S, function, args))
        result, error = _helpers[0].recv()
    except (EOFError, ConnectionError) as gone:
        _helpers.pop().close()
        raise DiedError from gone
    if error is not None:
        raise error
    returned: T = result
    return returned


def _start() -> Connection:
    """A process that ends with this one."""
    context = get_context("spawn")
    ours, its = context.Pipe()
    context.Process(target=_serve, args=(its,), daemon=True).start()
    its.close()
    return ours


def _serve(calls: Connection) -> None:
    """Answer calls until the other side is closed."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with Path(os.devnull).open("w") as nowhere, calls:
        while True:
            try:
                limit_s, function, args = calls.recv()
            except EOFError:
                return
            # A thread of its own ends the process, also where native code holds the interpreter.
            faulthandler.dump_traceback_later(limit_s, exit=True, file=nowhere)
            answer: tuple[Any, Exception | None]
            try:
                answer = function(*args), None
            except Exception as error:
                answer = None, error
            faulthandler.cancel_dump_traceback_later()
            calls.send(answer)
