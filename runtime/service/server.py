"""From a host and a port to a running service."""

from __future__ import annotations

import errno
import os
import signal
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from ...errors import MixgymError
from .guard import LOOPBACK, WILDCARDS
from .jobs import Jobs
from .limits import Limits

try:
    import uvicorn

    from .app import make_app
except ImportError as error:
    raise MixgymError(
        "mixgym serve needs FastAPI and uvicorn: install mixgym's extra with "
        "pip install 'mixgym[serve]'."
    ) from error

ENDING = tuple(
    getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)
)
MOST_CONNECTIONS = 256


class Service(uvicorn.Server):
    """A server of jobs that a signal ends in good order, without an error."""

    def __init__(self, jobs: Jobs, host: str) -> None:
        super().__init__(
            uvicorn.Config(
                make_app(jobs, host),
                http="h11",
                ws="none",
                lifespan="on",
                log_level="error",
                access_log=False,
                server_header=False,
                proxy_headers=False,
                limit_concurrency=MOST_CONNECTIONS,
                timeout_graceful_shutdown=3,
            )
        )
        self._jobs = jobs

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Take signals as the wish to end; they are not raised again afterwards."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        before = {number: signal.signal(number, self.handle_exit) for number in ENDING}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Let pages go, whose streams would never end, then end."""
        self._jobs.closing = True
        await super().shutdown(sockets)


def serve(host: str, port: int, limits: Limits, invite: Callable[[str], None]) -> None:
    """Serve the page until a signal comes.

    Args:
        host: name or address to listen at.
        port: any that is free if 0.
        limits: what one may ask for.
        invite: told the page's address.

    Raises:
        MixgymError: the port is taken, the host is none of this machine's, or no extra installed.
    """
    with listening(host, port) as taken, Jobs(limits) as jobs:
        service = Service(jobs, host)
        invite(address(host, taken))
        service.run(sockets=[taken])


@contextmanager
def listening(host: str, port: int) -> Iterator[socket.socket]:
    """A socket that listens there.

    Raises:
        MixgymError: the port is taken, or the host is none of this machine's.
    """
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        family, _, _, _, place = found[0]
        taken = socket.create_server(place[:2], family=family, backlog=128)
    except (socket.gaierror, UnicodeError) as error:
        raise MixgymError(
            f"{host!r} is no name or address of this machine: leave --host out, or give one that "
            "is."
        ) from error
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise MixgymError(
                f"Port {port} of {host!r} is in use: choose another with --port."
            ) from error
        reason = os.strerror(error.errno) if error.errno else str(error)
        raise MixgymError(
            f"Cannot listen at port {port} of {host!r} ({reason}): "
            "choose others with --host and --port."
        ) from error
    with taken:
        yield taken


def address(host: str, taken: socket.socket) -> str:
    """Where a browser on this machine finds the page."""
    shown = "127.0.0.1" if host in WILDCARDS else host
    return f"http://{f'[{shown}]' if ':' in shown else shown}:{taken.getsockname()[1]}/"


def is_private(host: str) -> bool:
    """Whether nobody but this machine's own users can come here."""
    return host in LOOPBACK
