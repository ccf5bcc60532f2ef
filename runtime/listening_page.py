"""The page that asks a person which of two mixes is better, served to this machine alone."""

from __future__ import annotations

import hmac
import json
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib import resources
from threading import Event, Thread
from typing import Any

from .listening import Listening

HOST = "127.0.0.1"
MOST_BYTES = 1000  # of an answer
PAGE = resources.files(__package__) / "listening.html"
POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; "
    "media-src 'self'; connect-src 'self'"
)


class ListeningPage:
    """A page over a `Listening`.

    Attributes:
        url: where it is, with the token without which nothing is answered.
        done: set when the person is.
    """

    def __init__(self, url: str, done: Event) -> None:
        self.url, self.done = url, done


@contextmanager
def served(listening: Listening, port: int = 0) -> Iterator[ListeningPage]:
    """Serve the page inside of the block.

    Args:
        listening: what it is about.
        port: of this machine; any that is free if 0.

    Raises:
        OSError: the port is taken.
    """
    token, done = secrets.token_urlsafe(16), Event()
    server = ThreadingHTTPServer((HOST, port), _handler(listening, token, done))
    server.daemon_threads = True
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield ListeningPage(f"http://{HOST}:{server.server_port}/{token}/", done)
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def _handler(listening: Listening, token: str, done: Event) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        """GET the page, `pair` and the sounds; POST `answer` and `done`."""

        def do_GET(self) -> None:
            """Page, pair or sound."""
            name = self._name()
            pair = listening.pair
            if name == "":
                self._send(PAGE.read_bytes(), "text/html; charset=utf-8")
            elif name == "pair":
                self._send_pair()
            elif name == f"{pair.number}/a.wav":
                self._send(pair.sounds["a"], "audio/wav")
            elif name == f"{pair.number}/b.wav":
                self._send(pair.sounds["b"], "audio/wav")
            else:
                self._refuse(HTTPStatus.NOT_FOUND)

        def do_POST(self) -> None:
            """An answer, or the end."""
            name, body = self._name(), self._body()
            if name == "answer" and body is not None:
                number, answer = body.get("number"), body.get("answer")
                if type(number) is not int or answer not in ("a", "b", "same"):
                    self._refuse(HTTPStatus.BAD_REQUEST)
                    return
                listening.answer(number, answer)
                self._send_pair()
            elif name == "done" and body is not None:
                self._send(b"{}", "application/json")
                done.set()
            else:
                self._refuse(HTTPStatus.BAD_REQUEST if name else HTTPStatus.NOT_FOUND)

        def _name(self) -> str | None:
            """What is asked for; None without the token, or by a page of another host."""
            own_host = f"{HOST}:{self.connection.getsockname()[1]}"
            _, _, rest = self.path.partition("/")
            given, slash, name = rest.partition("/")
            known = hmac.compare_digest(given.encode(), token.encode())
            return name if slash and known and self.headers.get("Host") == own_host else None

        def _body(self) -> dict[str, Any] | None:
            length = self.headers.get("Content-Length", "")
            if not length.isascii() or not length.isdigit() or int(length) > MOST_BYTES:
                return None
            try:
                body = json.loads(self.rfile.read(int(length)))
            except (ValueError, RecursionError):
                return None
            return body if isinstance(body, dict) else None

        def _send_pair(self) -> None:
            pair = listening.pair
            state = {
                "number": pair.number,
                "asks": pair.asks,
                "answers": listening.answers,
                "settled": pair.settled,
            }
            self._send(json.dumps(state).encode(), "application/json")

        def _send(self, content: bytes, kind: str) -> None:
            self.send_response(HTTPStatus.OK)
            for header, value in (
                ("Content-Type", kind),
                ("Content-Length", str(len(content))),
                ("Cache-Control", "no-store"),
                ("Content-Security-Policy", POLICY),
                ("Referrer-Policy", "no-referrer"),
                ("X-Content-Type-Options", "nosniff"),
            ):
                self.send_header(header, value)
            with suppress(ConnectionError):  # the page went away
                self.end_headers()
                self.wfile.write(content)

        def _refuse(self, status: HTTPStatus) -> None:
            self.send_error(status)

        def log_message(self, format: str, *args: object) -> None:
            """Nothing: the terminal belongs to the command."""

    return Handler
