"""The folder of a run: rows that survive a kill, and the Parquet file made of them.

    run.json            settings, excerpts, fingerprints of policies and agents
    parts/*.jsonl       rows of one chunk each, renamed into place when complete
    scores.parquet      all rows

A row is known by mixer, song, excerpt, seed and budget; whatever is done twice counts once.
"""

from __future__ import annotations

import errno
import hashlib
import json
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from ...errors import MixgymError
from .entrants import entrant
from .pieces import Piece
from .play import Chunk, Row
from .settings import Settings

MOST_BYTES = 10**9  # of one file that is read
NO_SPACE = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
MAY_GROW = frozenset({"mixers", "budgets", "seeds"})
Key = tuple[str, str, int, int, int]


class Run(BaseModel):
    """What a folder holds: `run.json`.

    Attributes:
        settings: of the command that last used it.
        pieces: drawn by the first.
        policies: SHA-256 of each policy's or agent's file, by its path.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    format: Literal["mixgym-arena"] = "mixgym-arena"
    version: Literal[1] = 1
    settings: Settings
    pieces: tuple[Piece, ...]
    policies: dict[str, str]


class _Row(BaseModel):
    """A row, as it is checked when it is read back."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False, strict=True)

    mixer: str
    song: str
    artist: str | None
    split: str
    excerpt: int
    start_s: float
    seed: int
    budget: int
    evaluations: int
    seconds: float = Field(ge=0)
    score: float = Field(ge=0, le=1)
    terms: dict[str, float]
    gates: dict[str, float]
    judges: dict[str, float]
    workers: int
    cpu: str
    cores: int
    commit: str | None


def key_of(row: Row) -> Key:
    """What a row is known by."""
    return row["mixer"], row["song"], row["excerpt"], row["seed"], row["budget"]


class Store:
    """The folder of one run.

    Args:
        folder: made when something is written.

    Raises:
        MixgymError: it holds other things.
    """

    def __init__(self, folder: Path) -> None:
        self.folder, self._parts = folder, folder / "parts"
        self._run = folder / "run.json"
        if folder.exists() and not folder.is_dir():
            raise MixgymError(f"{folder} is a file; name a folder for the run.")
        names = [path.name for path in folder.iterdir()] if folder.is_dir() else []
        if self._run.name not in names and any(not name.startswith(".") for name in names):
            raise MixgymError(f"{folder} is a folder with other things in it; choose another.")

    @property
    def parquet(self) -> Path:
        """Where all rows go in the end."""
        return self.folder / "scores.parquet"

    def pieces(self, settings: Settings) -> tuple[Piece, ...] | None:
        """What an earlier command of the same run drew; None if there was none.

        Raises:
            MixgymError: the folder is of a run with other settings, or damaged.
        """
        if not self._run.exists():
            return None
        try:
            run = Run.model_validate_json(_read(self._run))
        except ValidationError as error:
            raise MixgymError(
                f"{self._run} is damaged or no run's; remove it and begin in a new folder."
            ) from error
        for name in Settings.model_fields.keys() - MAY_GROW:
            before, now = getattr(run.settings, name), getattr(settings, name)
            if before != now:
                raise MixgymError(
                    f"{self.folder} was begun with {name} {_shown(before)}, not {_shown(now)}; "
                    "give the same, or another folder by --out."
                )
        for path, digest in _files(settings).items():
            if run.policies.get(path, digest) != digest:
                raise MixgymError(
                    f"{path} is another policy or agent than the one {self.folder} was begun with; "
                    "choose another folder by --out."
                )
        return run.pieces

    def begin(self, settings: Settings, pieces: Sequence[Piece]) -> None:
        """Write down what is played, and clear away what a kill left half-written.

        Raises:
            MixgymError: the disk is full.
        """
        run = Run(settings=settings, pieces=tuple(pieces), policies=_files(settings))
        self._write(self._run, run.model_dump_json(indent=1) + "\n")
        for abandoned in self.folder.rglob(".*.partial"):
            abandoned.unlink()

    def add(self, chunk: Chunk, rows: Sequence[Row]) -> None:
        """Keep the rows of a chunk, all or none of them.

        Raises:
            MixgymError: the disk is full.
        """
        names = [chunk.piece.song, chunk.piece.excerpt, *map(list, chunk.tasks)]
        name = hashlib.sha256(json.dumps(names).encode()).hexdigest()[:24]
        lines = [json.dumps(row, allow_nan=False) + "\n" for row in rows]
        self._write(self._parts / f"{name}.jsonl", "".join(lines))

    def rows(self) -> dict[Key, Row]:
        """All rows, in the order of their keys.

        Raises:
            MixgymError: a part is damaged.
        """
        rows: dict[Key, Row] = {}
        for part in sorted(self._parts.glob("*.jsonl")):
            try:
                found = [_Row.model_validate_json(line) for line in _read(part).splitlines()]
            except ValidationError as error:
                raise MixgymError(
                    f"{part} is damaged; remove it, and the same command plays again what it held."
                ) from error
            rows |= {key_of(row): row for row in (one.model_dump() for one in found)}
        return dict(sorted(rows.items()))

    def write_parquet(self, rows: Sequence[Row], settings: Settings) -> None:
        """Write all rows as one file: a column each, `term_*`, `gate_*` and `judge_*` among them.

        Raises:
            MixgymError: the disk is full.
        """
        from .parquet import write_rows

        with _room(self.folder):
            write_rows(self.parquet, rows, {"settings": settings.model_dump_json()})

    def _write(self, path: Path, text: str) -> None:
        with _room(self.folder):
            path.parent.mkdir(parents=True, exist_ok=True)
            partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
            try:
                with partial.open("w", encoding="utf-8") as file:
                    file.write(text)
                    file.flush()
                    os.fsync(file.fileno())
                partial.replace(path)
            finally:
                partial.unlink(missing_ok=True)


def _files(settings: Settings) -> dict[str, str]:
    paths = {path for name in settings.mixers for path in entrant(name).files}
    return {str(path): hashlib.sha256(path.read_bytes()).hexdigest() for path in paths}


def _read(path: Path) -> str:
    try:
        if path.stat().st_size > MOST_BYTES:
            raise MixgymError(f"{path} is larger than it can be; choose another folder by --out.")
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise MixgymError(f"{path} cannot be read ({error}).") from error


def _shown(value: Any) -> str:
    return ", ".join(map(str, value)) if isinstance(value, tuple) else str(value)


@contextmanager
def _room(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno in NO_SPACE:
            raise MixgymError(
                f"The disk of {folder} is full; make room there, and the same command goes on."
            ) from error
        raise MixgymError(
            f"{folder} cannot be written ({error.strerror}); choose another folder by --out."
        ) from error
