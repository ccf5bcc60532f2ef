"""A temporary folder for each job; none stays behind, not even when the process is killed."""

from __future__ import annotations

import tempfile
from pathlib import Path

from ...songs.spool import temporary_folder
from ..held_folder import HeldFolder, remove_stale

PREFIX = "mixgym-serve-"


class ServiceFolder:
    """The folder of a running service; those of services that were killed go when it is made.

    Attributes:
        path: of the folder, readable by its owner alone.

    Raises:
        MixgymError: the temporary folder cannot be written.
    """

    def __init__(self) -> None:
        place = Path(tempfile.gettempdir())
        remove_stale(place, PREFIX)
        with temporary_folder():
            self._folder = HeldFolder(place, PREFIX)
        self.path = self._folder.path

    def make(self, name: str) -> Path:
        """A new, empty folder of that name inside."""
        made = self.path / name
        made.mkdir(mode=0o700)
        return made

    def close(self) -> None:
        """Remove it."""
        self._folder.close()
