"""What tests of the runtime share."""

import importlib.util
from contextlib import contextmanager
from pathlib import Path
from threading import Thread

import pytest


def _load(name):
    spec = importlib.util.spec_from_file_location(name, Path(__file__).with_name(f"{name}.py"))
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def eel2():
    """The interpreter of Reaper effects."""
    return _load("eel2")


@pytest.fixture(scope="session")
def chromium():
    """The driver of a browser; skips where there is none."""
    driver = _load("chromium")
    if driver.program() is None:
        pytest.skip("no Chromium on this machine")
    return driver


@pytest.fixture(scope="session")
def serving():
    """Run the service inside of a block: `with serving(limits) as (url, jobs)`."""
    pytest.importorskip("fastapi")
    pytest.importorskip("uvicorn")
    from mixgym.runtime.service.jobs import Jobs
    from mixgym.runtime.service.limits import Limits
    from mixgym.runtime.service.server import Service, address, listening

    @contextmanager
    def run(limits=None, host="127.0.0.1"):
        with listening(host, 0) as taken, Jobs(limits or Limits(free_bytes=0)) as jobs:
            service = Service(jobs, host)
            thread = Thread(target=service.run, kwargs={"sockets": [taken]})
            thread.start()
            try:
                yield address(host, taken).rstrip("/"), jobs
            finally:
                service.should_exit = True
                thread.join(30)
                assert not thread.is_alive()

    return run
