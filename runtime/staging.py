"""Files that appear whole, all of them, or not at all."""

from __future__ import annotations

import errno
import os
import shutil
import tempfile
from collections.abc import Iterable
from pathlib import Path
from types import TracebackType

from ..errors import MixgymError


def refuse_existing(paths: Iterable[Path | None], overwrite: bool) -> None:
    """Refuse outputs that would replace something, or that cannot be written.

    Raises:
        MixgymError: an output exists (unless `overwrite`), its folder does not, or may not be
            written.
    """
    seen: set[Path] = set()
    for path in paths:
        if path is None:
            continue
        if path.resolve() in seen:
            raise MixgymError(f"{path} is asked for twice; give each output a name of its own.")
        seen.add(path.resolve())
        folder = path.parent
        if not folder.is_dir():
            raise MixgymError(
                f"The folder {folder} for {path.name} does not exist; create it first."
            )
        if not os.access(folder, os.W_OK):
            raise MixgymError(f"The folder {folder} cannot be written; choose another output.")
        if path.exists() and not overwrite:
            raise MixgymError(f"{path} exists; choose another name or add --overwrite.")
        if path.is_dir() and any(path.iterdir()) and not (path / MARKER).exists():
            raise MixgymError(f"{path} is a folder with other things in it; choose another.")


MARKER = ".mixgym-stems"  # in folders that were written by `Staged.folder`, and may be replaced


class Staged:
    """Collects outputs under temporary names beside their places.

    Leaving the `with` block normally moves every one into place; leaving it by an exception,
    Ctrl-C included, removes them.
    """

    def __init__(self) -> None:
        self._pending: list[tuple[Path, Path]] = []

    def file(self, path: Path) -> Path:
        """Where to write what will become `path`."""
        handle, name = tempfile.mkstemp(
            dir=path.parent, prefix=f".{path.stem}.", suffix=path.suffix
        )
        os.close(handle)
        return self._keep(Path(name), path)

    def folder(self, path: Path) -> Path:
        """Where to write what will become the folder `path`."""
        made = Path(tempfile.mkdtemp(dir=path.parent, prefix=f".{path.name}."))
        (made / MARKER).touch()
        return self._keep(made, path)

    def _keep(self, temporary: Path, path: Path) -> Path:
        self._pending.append((temporary, path))
        return temporary

    def __enter__(self) -> Staged:
        """Itself."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Move everything into place, or remove it."""
        try:
            if kind is None:
                for temporary, path in self._pending:
                    _place(temporary, path)
        finally:
            for temporary, _ in self._pending:
                _remove(temporary)
        if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
            where = self._pending[0][1].parent if self._pending else Path()
            raise MixgymError(f"The disk of {where} is full; nothing was written.") from error


def _place(temporary: Path, path: Path) -> None:
    if temporary.is_dir():
        if path.exists():
            shutil.rmtree(path)
        temporary.chmod(0o777 & ~_umask())
    else:
        temporary.chmod(0o666 & ~_umask())
    temporary.replace(path)


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
