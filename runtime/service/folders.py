"""A temporary folder for each job; none stays behind, not even when the process is killed.

The service's folder holds a marker file that is locked for as long as the process lives. A later
start removes the folders whose markers nobody holds.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import stat
import tempfile
from pathlib import Path
from typing import IO

PREFIX = "mixgym-serve-"
MARKER = ".mixgym-serve"


class ServiceFolder:
    """The folder of a running service.

    Attributes:
        path: of the folder, readable by its owner alone.
    """

    def __init__(self) -> None:
        remove_stale()
        self.path = Path(tempfile.mkdtemp(prefix=PREFIX))
        self._held = _hold(self.path)

    def make(self, name: str) -> Path:
        """A new, empty folder of that name inside."""
        made = self.path / name
        made.mkdir(mode=0o700)
        return made

    def close(self) -> None:
        """Remove it."""
        self._held.close()
        shutil.rmtree(self.path, ignore_errors=True)


def remove_stale() -> None:
    """Remove the folders of services that were killed, of this user and no other."""
    for folder in Path(tempfile.gettempdir()).glob(f"{PREFIX}*"):
        if _is_ours(folder) and not _is_held(folder / MARKER):
            shutil.rmtree(folder, ignore_errors=True)


def _hold(folder: Path) -> IO[bytes]:
    """Make the marker, locked before it has its name, so that no other start finds it free."""
    unnamed = folder / f"{MARKER}-new"
    file = unnamed.open("wb")
    _lock(file)
    if os.name == "posix":
        unnamed.rename(folder / MARKER)
    else:  # an open file cannot be renamed there
        file.close()
        file = (folder / MARKER).open("wb")
    return file


def _is_ours(folder: Path) -> bool:
    try:
        here, marker = folder.lstat(), (folder / MARKER).lstat()
    except OSError:
        return False
    ours = os.name != "posix" or here.st_uid == os.getuid()
    return ours and stat.S_ISDIR(here.st_mode) and stat.S_ISREG(marker.st_mode)


def _is_held(marker: Path) -> bool:
    try:
        if os.name != "posix":
            marker.unlink()  # fails while a process has it open
            return False
        with marker.open("rb+") as file:
            _lock(file)
            return False
    except OSError:
        return True


def _lock(file: IO[bytes]) -> None:
    with contextlib.suppress(ImportError):
        import fcntl

        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
