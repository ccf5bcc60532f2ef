"""Bad input to `mixgym serve` ends in one clear sentence and status 2 before anything is served."""

import socket
import sys
import tempfile

import pytest


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--port", "-1"], ["--port", "0"]),
        (["--port", "65536"], ["--port", "65535"]),
        (["--port", "http"], ["--port", "integer"]),
        (["--host", ""], ["''", "--host"]),
        (["--host", "no such host"], ["no such host", "--host"]),
        (["--host", "localhost:80"], ["localhost:80", "--host"]),
        (["--host", "192.0.2.1"], ["192.0.2.1", "--host", "--port"]),  # of documents, RFC 5737
        (["--max-songs", "0"], ["--max-songs"]),
        (["--max-stems", "257"], ["--max-stems", "256"]),
        (["--max-megabytes", "1.5"], ["--max-megabytes", "integer"]),
        (["--max-minutes", "nan"], ["--max-minutes", "600"]),
        (["--workers", "65"], ["--workers", "64"]),
        (["stems/"], ["stems/"]),
    ],
    ids=lambda value: " ".join(value),
)
def test_options(refused, options, words):
    anywhere = [] if "--port" in options else ["--port", 0]
    refused("serve", *anywhere, *options, words=words)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_a_port_in_use(refused, host):
    with socket.create_server((host, 0)) as taken:
        port = taken.getsockname()[1]
        refused(
            "serve", "--host", host, "--port", port,
            words=[f"Port {port} of {host!r} is in use", "--port"],
        )  # fmt: skip


def test_without_the_extra(refused, monkeypatch):
    for name in [name for name in sys.modules if name.startswith("mixgym.runtime.service")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "uvicorn", None)
    refused("serve", words=["pip install 'mixgym[serve]'"])


def test_no_temporary_folder(refused, monkeypatch, tmp_path):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "gone"))
    refused("serve", "--port", 0, words=[tmp_path / "gone", "TMPDIR"])
