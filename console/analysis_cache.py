"""Analyses kept on disk, under a hash of the audio that they were made from."""

from __future__ import annotations

import contextlib
import os
import sys
import tempfile
from collections.abc import Callable
from dataclasses import fields
from hashlib import blake2b
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..archives import ArchiveError, read_arrays
from ..errors import MixgymError
from .analysis import Analysis, analyse

if TYPE_CHECKING:
    from ..songs import Song

VERSION = 3  # of the analysis; files of another are not read
SUFFIX = ".npz"
MOST_BYTES = 2**32  # of one file
GIGABYTES = 2.0  # that the folder may take, unless told
BLOCK_FRAMES = 1 << 18


def cached_analysis(
    song: Song, *, threads: int = 2, folder: Path | None = None, most_bytes: int | None = None
) -> Analysis:
    """Analysis of a song, from disk where its audio was analysed before.

    Files are written under another name and then renamed, so several processes may share a
    folder; one that cannot be read is made anew, and one that cannot be written is done without.

    Args:
        song: or an excerpt of one.
        threads: how many stems are read at once.
        folder: where the files lie; `cache_folder()` if None.
        most_bytes: what they may take together, `most_cached_bytes()` if None; those unused for
            longest go first.

    Raises:
        MixgymError: a stem cannot be read.
    """
    name = content_hash(song, threads=threads)
    return named_analysis(name, lambda: song, threads=threads, folder=folder, most_bytes=most_bytes)


def named_analysis(
    name: str,
    open_song: Callable[[], Song],
    *,
    threads: int = 2,
    folder: Path | None = None,
    most_bytes: int | None = None,
) -> Analysis:
    """Analysis of audio that is known by a name, from disk where it is there.

    Args:
        name: a file name that only this audio has.
        open_song: called where there is no such analysis yet; the song stays open.
        threads, folder, most_bytes: as `cached_analysis`.

    Raises:
        MixgymError: a stem cannot be read.
    """
    path = (folder or cache_folder()) / f"{name}{SUFFIX}"
    found = _load(path)
    if found is not None:
        return found
    analysis = analyse(open_song(), threads=threads)
    with contextlib.suppress(OSError):
        _save(analysis, path)
        _trim(path.parent, most_cached_bytes() if most_bytes is None else most_bytes)
    return analysis


def cache_folder() -> Path:
    """`$MIXGYM_CACHE`, or mixgym's folder where the platform keeps caches; analyses lie within."""
    given = os.environ.get("MIXGYM_CACHE")
    if given:
        return Path(given) / "analyses"
    if sys.platform == "win32":
        base = Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local")
    elif sys.platform == "darwin":
        base = Path.home() / "Library" / "Caches"
    else:
        base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return base / "mixgym" / "analyses"


def most_cached_bytes() -> int:
    """`$MIXGYM_CACHE_GB`, 2 unless set, in bytes.

    Raises:
        MixgymError: it is no number above 0.
    """
    given = os.environ.get("MIXGYM_CACHE_GB")
    try:
        gigabytes = float(given) if given else GIGABYTES
    except ValueError:
        gigabytes = 0.0
    if not 0.0 < gigabytes < 1e6:
        raise MixgymError(f"MIXGYM_CACHE_GB is {given!r}; set it to gigabytes, such as 10.")
    return round(gigabytes * 1e9)


def content_hash(song: Song, *, threads: int = 2) -> str:
    """BLAKE2b of version, rate, and every stem's channels and samples; names do not count."""
    from concurrent.futures import ThreadPoolExecutor

    def digest(number: int) -> bytes:
        stem = song.stems[number]
        state = blake2b(bytes([stem.channels]), digest_size=20)
        for start in range(0, song.frames, BLOCK_FRAMES):
            state.update(stem.read(start, min(BLOCK_FRAMES, song.frames - start)).data)
        return state.digest()

    state = blake2b(f"{VERSION} {song.sample_rate} {song.frames}".encode(), digest_size=20)
    with ThreadPoolExecutor(threads) as pool:
        for part in pool.map(digest, range(len(song.stems))):
            state.update(part)
    return state.hexdigest()


def _load(path: Path) -> Analysis | None:
    try:
        held = read_arrays(path, MOST_BYTES)
        values: dict[str, Any] = {field.name: held[field.name] for field in fields(Analysis)}
    except (OSError, ArchiveError, KeyError):
        return None
    with contextlib.suppress(OSError):
        path.touch()  # it was used
    values.update({name: int(value) for name, value in values.items() if value.ndim == 0})
    return Analysis(**values)


def _save(analysis: Analysis, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, suffix=".partial")
    try:
        with os.fdopen(handle, "wb") as file:
            np.savez(
                file, **{field.name: getattr(analysis, field.name) for field in fields(Analysis)}
            )
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def _trim(folder: Path, most_bytes: int) -> None:
    """Remove the files that went unused for longest, and what a killed process left behind."""
    files = []
    for path in folder.iterdir():
        with contextlib.suppress(OSError):
            status = path.stat()
            files.append((status.st_mtime, status.st_size, path))
    newest = max((time for time, _, _ in files), default=0.0)
    total = sum(size for _, size, _ in files)
    for time, size, path in sorted(files):
        abandoned = path.suffix == ".partial" and time < newest - 3600
        if (total > most_bytes and path.suffix == SUFFIX) or abandoned:
            with contextlib.suppress(OSError):
                path.unlink(missing_ok=True)
                total -= size
