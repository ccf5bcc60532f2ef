"""A headless Chromium, driven over the pipe of its DevTools protocol."""

import json
import os
import shutil
import subprocess
import time
from contextlib import contextmanager

NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")
FLAGS = (
    "--headless=new",
    "--no-sandbox",
    "--no-first-run",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-extensions",
    "--mute-audio",
    "--autoplay-policy=no-user-gesture-required",
    "--remote-debugging-pipe",
)


def program():
    """Where a Chromium is, None if there is none."""
    return next(filter(None, map(shutil.which, NAMES)), None)


class Page:
    """One page. `events` are all that the browser told, in order."""

    def __init__(self, commands, answers):
        self._commands, self._answers, self._number = commands, answers, 0
        self._session, self._rest = None, b""
        self.events = []

    def open(self, downloads, width=1200, height=900):
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self.call("Browser.setDownloadBehavior", behavior="allow", downloadPath=str(downloads))
        attached = self.call("Target.attachToTarget", targetId=target, flatten=True)
        self._session = attached["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network", "DOM"):
            self.call(f"{domain}.enable")
        self.resize(width, height)
        return self

    def resize(self, width, height, scale=1):
        self.call(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=scale,
            mobile=False,
        )

    def call(self, method, **parameters):
        self._number += 1
        message = {"id": self._number, "method": method, "params": parameters}
        if self._session:
            message["sessionId"] = self._session
        self._commands.write(json.dumps(message).encode() + b"\0")
        while True:
            answer = self._read()
            if answer.get("id") == self._number:
                assert "error" not in answer, answer
                return answer["result"]
            self.events.append(answer)

    def _read(self):
        while b"\0" not in self._rest:
            chunk = os.read(self._answers, 1 << 20)
            assert chunk, "the browser is gone"
            self._rest += chunk
        message, _, self._rest = self._rest.partition(b"\0")
        return json.loads(message)

    def run(self, script):
        """The value of an expression; a promise's when it is there."""
        answer = self.call(
            "Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True
        )
        assert "exceptionDetails" not in answer, answer["exceptionDetails"]
        return answer["result"].get("value")

    def wait(self, script, seconds=60):
        """Until an expression is true."""
        deadline = time.monotonic() + seconds
        while not (value := self.run(script)):
            assert time.monotonic() < deadline, (script, self.run("document.body.innerText"))
            time.sleep(0.05)
        return value

    def choose_files(self, selector, files):
        script = f"document.querySelector({json.dumps(selector)})"
        found = self.call("Runtime.evaluate", expression=script)["result"]
        self.call("DOM.setFileInputFiles", files=[*map(str, files)], objectId=found["objectId"])

    def press(self, key):
        for kind in ("keyDown", "keyUp"):
            self.call("Input.dispatchKeyEvent", type=kind, key=key, text=key[:1])

    def told(self, method):
        """Parameters of the events of a kind."""
        return [event["params"] for event in self.events if event.get("method") == method]


@contextmanager
def browser(folder):
    """A page inside of the block; `folder` is for its profile and downloads."""
    profile, downloads = folder / "profile", folder / "downloads"
    downloads.mkdir()
    commands, ours = os.pipe()
    answers, theirs = os.pipe()
    line = f'exec "$@" 3<&{commands} 4>&{theirs}'
    process = subprocess.Popen(
        ["bash", "-c", line, "chromium", program(), *FLAGS, f"--user-data-dir={profile}"],
        pass_fds=(commands, theirs),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    os.close(commands)
    os.close(theirs)
    try:
        with os.fdopen(ours, "wb", buffering=0) as sender:
            page = Page(sender, answers)
            yield page.open(downloads)
            page._session = None
            page.call("Browser.close")
        process.wait(20)
    finally:
        process.kill()
        process.wait()
        os.close(answers)
