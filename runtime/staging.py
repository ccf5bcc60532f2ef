"""Files that appear whole, all of them, or not at all."""

from __future__ import annotations

import contextlib
import errno
import json
import os
import shutil
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from types import TracebackType

from ..errors import MixgymError
from ..songs.layouts import WRITTEN
from ..songs.spool import temporary_folder_full
from .held_folder import HeldFolder, stale

PREFIX = ".mixgym-"  # of the hidden folders beside outputs that are being written
NEW, OLD = "new", "old"  # in them: what is to be moved into place, and what is there until then
MARKER = WRITTEN  # in a folder that may be replaced: names of the files that it came with
LONGEST_MARKER = 10_000_000  # bytes
OF_NOBODY = frozenset({".DS_Store", "Thumbs.db", "desktop.ini"})  # what file managers leave
NO_SPACE = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


def refuse_existing(
    files: Iterable[Path | None],
    overwrite: bool,
    *,
    folder: Path | None = None,
    inputs: Iterable[Path | None] = (),
) -> None:
    """Refuse outputs that would replace something, or that cannot be written.

    Args:
        files: what is to be written; None is passed over.
        overwrite: whether files, and a folder of stems that mixgym wrote, may be replaced.
        folder: a folder that is to be written with its contents.
        inputs: what is read, and must never be replaced.

    Raises:
        MixgymError: an output exists (unless `overwrite`), is asked for twice or is an input; its
            folder does not exist or may not be written.
    """
    outputs = [path for path in (*files, folder) if path is not None]
    real_folder = _real(folder) if folder else None
    for i, path in enumerate(outputs):
        real = _real(path)
        if any(_same(path, other) for other in outputs[:i]):
            raise MixgymError(f"{path} is asked for twice; give each output a name of its own.")
        if real_folder in real.parents:
            raise MixgymError(f"{path} lies in the folder {folder}, which is written as a whole.")
        for source in inputs:
            if source is not None and (_same(path, source) or real in _real(source).parents):
                raise MixgymError(f"{path} is what this is made from; choose another output.")
        _refuse_place(path, overwrite, is_folder=path is folder)


def _refuse_place(path: Path, overwrite: bool, *, is_folder: bool) -> None:
    parent = path.parent
    linked = path.is_symlink() and path.is_dir()
    if is_folder and (linked or os.path.ismount(path) or path.name in ("", "..")):
        raise MixgymError(
            f"{path} is a link, a disk or the folder you are in, which cannot be replaced; name a "
            "folder that mixgym may make."
        )
    if not parent.is_dir():
        raise MixgymError(f"The folder {parent} for {path.name} does not exist; create it first.")
    if not os.access(parent, os.W_OK | os.X_OK):
        raise MixgymError(f"The folder {parent} cannot be written; choose another output.")
    _clear(parent)
    try:
        os.lstat(path)
    except FileNotFoundError:
        return
    except OSError as error:
        raise MixgymError(
            f"{path} cannot be written ({error.strerror}); choose another output."
        ) from error
    if is_folder:
        if not path.is_dir():
            raise MixgymError(f"{path} is a file; name a folder.")
        there = set(_files(path))
        if there and MARKER not in there:
            raise MixgymError(f"{path} is a folder with other things in it; choose another.")
        if there and not overwrite:
            raise MixgymError(f"{path} exists; choose another name or add --overwrite.")
        if others := there - _written(path):
            raise MixgymError(
                f"{path} holds {min(others)}, which mixgym did not write; move it elsewhere, or "
                "choose another folder."
            )
    elif path.is_dir():
        raise MixgymError(f"{path} is a folder; name a file in it.")
    elif not overwrite:
        raise MixgymError(f"{path} exists; choose another name or add --overwrite.")


def refuse_among_stems(audio: Path, given: Iterable[Path], stems: Iterable[Path | None]) -> None:
    """Refuse a mix among the stems of a folder, where the next mix would read it as one of them.

    Args:
        audio: the mix that is to be written.
        given: what the person named: folders or files.
        stems: the files that were found.

    Raises:
        MixgymError: `audio` would lie in a given folder, beside the stems found in one, or in a
            folder beside theirs.
    """
    folders = {_real(path) for path in given if path.is_dir()}
    beside = {_real(stem).parent for stem in stems if stem is not None}
    within = {parent for parent in beside if folders & {parent, *parent.parents}}
    grouped = {parent.parent for parent in within} & folders  # read with every folder in them
    place = _real(audio).parent
    if place in folders | within or place.parent in grouped:
        raise MixgymError(
            f"{audio} would lie among the stems, and the next mix would take it for one of them; "
            "write it to another folder."
        )


class Staged:
    """Collects outputs in hidden folders beside their places.

    Leaving the `with` block normally moves every one into place; leaving it by an exception,
    Ctrl-C included, removes them and leaves what was there before. A process that is killed leaves
    each place as it was or whole, and a hidden folder that the next output there removes.

    Raises:
        MixgymError: a full disk, from leaving the block.
    """

    def __init__(self) -> None:
        self._folders: dict[Path, HeldFolder] = {}
        self._pending: list[tuple[Path, Path]] = []

    def file(self, path: Path) -> Path:
        """Where to write what will become `path`.

        Raises:
            MixgymError: nothing can be written beside it.
        """
        made = self._beside(path)
        made.touch(mode=0o600)
        return made

    def folder(self, path: Path) -> Path:
        """Where to write what will become the folder `path`.

        Raises:
            MixgymError: nothing can be written beside it.
        """
        made = self._beside(path)
        made.mkdir(mode=0o700)
        return made

    def _beside(self, path: Path) -> Path:
        parent = path.parent
        if parent not in self._folders:
            try:
                _clear(parent)
                self._folders[parent] = HeldFolder(parent, PREFIX)
                for name in (NEW, OLD):
                    (self._folders[parent].path / name).mkdir()
            except OSError as error:
                if error.errno in NO_SPACE:
                    raise _full(parent) from error
                raise MixgymError(
                    f"The folder {parent} cannot be written ({error.strerror}); choose another "
                    "output."
                ) from error
        made = self._folders[parent].path / NEW / path.name
        self._pending.append((made, path))
        return made

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
                self._place()
        finally:
            for folder in self._folders.values():
                with contextlib.suppress(OSError):
                    _put_back(folder.path)
                    folder.close()
        if isinstance(error, OSError) and error.errno in NO_SPACE:
            raise self._which_is_full() from error

    def _which_is_full(self) -> MixgymError:
        """A sentence about the fullest disk of those that are written; errors do not say which."""
        outputs = [path.parent for _, path in self._pending] or [Path()]
        temporary = Path(tempfile.gettempdir())
        disks = {_disk(place): place for place in (temporary, *outputs)}
        fullest = min(disks.values(), key=lambda place: shutil.disk_usage(place).free)
        return temporary_folder_full() if fullest is temporary else _full(fullest)

    def _place(self) -> None:
        """Move everything into place, or nothing."""
        placed: list[Path] = []
        try:
            for temporary, path in self._pending:
                if (temporary / MARKER).exists():
                    names = json.dumps(sorted(_files(temporary)))
                    (temporary / MARKER).write_text(names, encoding="utf-8")
                temporary.chmod((0o777 if temporary.is_dir() else 0o666) & ~_umask())
                if os.path.lexists(path):
                    _keep(path, temporary.parent.with_name(OLD) / path.name)
                placed.append(path)
                temporary.replace(path)
        except BaseException:
            for path in placed:
                _remove(path)
            raise


def _files(folder: Path) -> Iterator[str]:
    """Names of all that is in a folder, from there on; links are not followed."""
    for parent, folders, names in os.walk(folder):
        links = [name for name in folders if Path(parent, name).is_symlink()]
        for name in (*names, *links):
            if name not in OF_NOBODY:
                yield Path(parent, name).relative_to(folder).as_posix()


def _written(folder: Path) -> set[str]:
    """Names of what mixgym wrote in a folder."""
    with contextlib.suppress(OSError, ValueError, RecursionError):
        with (folder / MARKER).open("rb") as file:
            names = json.loads(file.read(LONGEST_MARKER))
        if isinstance(names, list):
            return {MARKER, *(name for name in names if isinstance(name, str))}
    return {MARKER}


def _clear(parent: Path) -> None:
    """Remove what killed processes left; what they had set aside and not replaced comes back."""
    for left in stale(parent, PREFIX):
        with contextlib.suppress(OSError):
            _put_back(left)
            shutil.rmtree(left, ignore_errors=True)


def _put_back(left: Path) -> None:
    """Move what was set aside to where it was, unless something else is there."""
    for old in (left / OLD).glob("*"):
        place = left.parent / old.name
        if not os.path.lexists(place):
            old.rename(place)


def _keep(path: Path, old: Path) -> None:
    """Give what is there a second name until it is replaced; a folder can only be moved."""
    try:
        os.link(path, old, follow_symlinks=False)
    except (OSError, NotImplementedError):
        path.rename(old)


def _disk(place: Path) -> int:
    return place.stat().st_dev


def _full(where: Path) -> MixgymError:
    return MixgymError(f"The disk of {where} is full; make room there or choose another output.")


def _real(path: Path) -> Path:
    """The path without links; a loop of links stays as it is."""
    return Path(os.path.realpath(path))


def _same(one: Path, other: Path) -> bool:
    """Whether two names mean one file, whatever the case of letters where that does not count."""
    try:
        return one.samefile(other)
    except OSError:
        return _real(one) == _real(other)


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
