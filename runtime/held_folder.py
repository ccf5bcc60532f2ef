"""Temporary folders that outlive no process for long, not even one that is killed.

Such a folder holds a marker file that is locked for as long as its process lives. Whoever needs the
next one in the same place removes those whose markers nobody holds.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import stat
import tempfile
from pathlib import Path
from typing import IO

MARKER = ".mixgym-held"


class HeldFolder:
    """A new folder, readable by its owner alone.

    Args:
        parent: where it is made.
        prefix: of its name.

    Attributes:
        path: of the folder.

    Raises:
        OSError: it cannot be made.
    """

    def __init__(self, parent: Path, prefix: str) -> None:
        self.path = Path(tempfile.mkdtemp(dir=parent, prefix=prefix))
        try:
            self._held = _hold(self.path)
        except BaseException:
            shutil.rmtree(self.path, ignore_errors=True)
            raise

    def close(self) -> None:
        """Remove it."""
        self._held.close()
        shutil.rmtree(self.path, ignore_errors=True)


def stale(parent: Path, prefix: str) -> list[Path]:
    """Folders of processes that were killed, of this user and no other."""
    return [
        folder
        for folder in parent.glob(f"{prefix}*")
        if _is_ours(folder) and not _is_held(folder / MARKER)
    ]


def remove_stale(parent: Path, prefix: str) -> None:
    """Remove the folders of processes that were killed."""
    for folder in stale(parent, prefix):
        shutil.rmtree(folder, ignore_errors=True)


def _hold(folder: Path) -> IO[bytes]:
    """Make the marker, locked before it has its name, so that nobody finds it free."""
    unnamed = folder / f"{MARKER}-new"
    file = unnamed.open("wb")
    with contextlib.suppress(OSError):  # a file system without locks: nobody can find it free
        _lock(file)
    if os.name == "posix":
        unnamed.rename(folder / MARKER)
    else:  # an open file cannot be renamed there
        file.close()
        unnamed.unlink()
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
