"""Who may ask at all: requests for this host, from its own page, of bounded size."""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import json
import socket
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

LOOPBACK = ("127.0.0.1", "localhost", "::1")
WILDCARDS = ("0.0.0.0", "::")
SAFE_METHODS = ("GET", "HEAD")
MOST_BYTES = 1_000_000  # of anything but an upload
DRAIN_BYTES, DRAIN_S = 64_000_000, 2.0  # of a request that is refused before it was read
HEADERS = {
    "Cache-Control": "no-store",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


class Guard:
    """Refuses requests before the application sees them, and adds headers to every answer.

    A page of another site may make a browser send requests here. It is told apart by the `Origin`
    that browsers add, and where its name was made to point to this machine (DNS rebinding), by the
    `Host` that was asked for.

    Args:
        app: what is guarded.
        host: that the service was told to listen at.
        policy: the Content-Security-Policy.
    """

    def __init__(self, app: ASGIApp, *, host: str, policy: str) -> None:
        self._app = app
        self._any_address = host in WILDCARDS
        self._names = {*LOOPBACK, host.lower()}
        if self._any_address:
            self._names.add(socket.gethostname().lower())
        self._headers = [
            (name.lower().encode(), value.encode())
            for name, value in {**HEADERS, "Content-Security-Policy": policy}.items()
        ]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, as ASGI wants it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        unread = scope["method"] not in SAFE_METHODS

        async def receive_noted() -> Message:
            nonlocal unread
            message = await receive()
            unread = message.get("more_body", False)
            return message

        async def send_guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message.get("headers", ()), *self._headers]
                if unread:
                    await _drain(receive)
            await send(message)

        refused = self._refusal(scope)
        if refused is None:
            await self._app(scope, receive_noted, send_guarded)
            return
        status, sentence = refused
        content = [(b"content-type", b"application/json"), (b"connection", b"close")]
        body = json.dumps({"error": sentence}).encode()
        await send_guarded({"type": "http.response.start", "status": status, "headers": content})
        await send_guarded({"type": "http.response.body", "body": body})

    def _refusal(self, scope: Scope) -> tuple[int, str] | None:
        given = {key.decode("latin-1"): text.decode("latin-1") for key, text in scope["headers"]}
        host = given.get("host", "")
        if not self._is_ours(_host_name(host)):
            return 403, "This service answers under its own address only."
        origin = given.get("origin")
        if scope["method"] in SAFE_METHODS:
            return None
        if origin not in (None, f"http://{host}", f"https://{host}"):
            return 403, "Only the service's own page may ask for that."
        if not scope["path"].endswith("/stems"):
            if "transfer-encoding" in given:
                return 411, "Say how long the request is."
            if int(given.get("content-length", "0")) > MOST_BYTES:
                return 413, f"A request may have {MOST_BYTES} bytes."
        return None

    def _is_ours(self, name: str | None) -> bool:
        if name is None:
            return False
        return name in self._names or (self._any_address and _is_address(name))


async def _drain(receive: Receive) -> None:
    """Read what else is sent, within bounds: who still sends may not see why it was refused."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(DRAIN_S):
            drained, more = 0, True
            while more and drained < DRAIN_BYTES:
                message = await receive()
                drained += len(message.get("body", b""))
                more = message.get("more_body", False)


def _host_name(header: str) -> str | None:
    """A `Host` header without the port, in small letters."""
    try:
        return urlsplit(f"//{header}").hostname
    except ValueError:
        return None


def _is_address(name: str) -> bool:
    """Whether this is an address and no name, which somebody could point elsewhere."""
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True
