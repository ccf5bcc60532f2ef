"""The page in one piece, and the policy under which nothing but its own script and style runs."""

from __future__ import annotations

import base64
from functools import cache
from hashlib import sha256
from importlib import resources

SCRIPTS = ("player.js", "knobs.js", "page.js")


@cache
def page() -> tuple[str, str]:
    """The page as HTML, and its Content-Security-Policy."""
    style = _text("page.css")
    script = '"use strict";\n' + "\n".join(_text(name) for name in SCRIPTS)
    html = _text("page.html").replace("{{ style }}", style).replace("{{ script }}", script)
    policy = (
        f"default-src 'none'; style-src '{_hash(style)}'; script-src '{_hash(script)}'; "
        "connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; "
        "frame-ancestors 'none'"
    )
    return html, policy


def _text(name: str) -> str:
    return (resources.files(__package__) / name).read_text(encoding="utf-8")


def _hash(text: str) -> str:
    return "sha256-" + base64.b64encode(sha256(text.encode()).digest()).decode("ascii")
