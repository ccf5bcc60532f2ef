"""What people write beside their stems: `song.json`, and the metadata of two data sets.

`song.json` may hold `title` (or `song`), `tempo_bpm` (or `bpm`) and `stems`, a list of objects with
`file`, `name` (or `lmms_track`) and `role`; every key is optional and others are ignored.
"""

import json
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from ..errors import MixgymError
from .roles import ROLES, guess_role

_MAX_BYTES = 4_000_000


class StemEntry(BaseModel):
    """One stem of a `song.json`; `file` may lack its ending."""

    model_config = ConfigDict(strict=True, extra="ignore", frozen=True)

    file: str | None = None
    name: str | None = None
    lmms_track: str | None = None
    role: str | None = None


class SongJson(BaseModel):
    """A `song.json`."""

    model_config = ConfigDict(strict=True, extra="ignore", frozen=True)

    title: str | None = None
    song: str | None = None
    tempo_bpm: float | None = Field(default=None, gt=0, le=1000, allow_inf_nan=False)
    bpm: float | None = Field(default=None, gt=0, le=1000, allow_inf_nan=False)
    stems: list[StemEntry] = Field(default_factory=list, max_length=10_000)

    def entry(self, path: Path) -> StemEntry:
        """Return what is said about a file, by its name with or without the ending."""
        for name in (path.name, path.stem):
            for entry in self.stems:
                if entry.file == name:
                    return entry
        return StemEntry()


def read_song_json(folder: Path) -> SongJson:
    """Read `folder/song.json`; an empty one where there is none.

    Raises:
        MixgymError: not JSON, too large, a value of the wrong type, or a role that is not known.
    """
    path = folder / "song.json"
    data = read_json(path) if path.exists() else {}
    try:
        song = SongJson.model_validate(data)
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(str(part) for part in first["loc"]) or "the whole file"
        raise MixgymError(f"{path}: {key}: {first['msg'].lower()}. Correct that value.") from error
    for index, entry in enumerate(song.stems):
        if entry.role is not None and known_role(entry.role) is None:
            raise MixgymError(
                f"{path}: stems.{index}.role: {entry.role!r} is not a role: "
                f"use one of {', '.join(ROLES)}."
            )
    return song


def known_role(text: str) -> str | None:
    """Return the role that a word for it means ("hihat" is `hats`), None if it means none."""
    if text in ROLES:
        return text
    role = guess_role(text)
    return None if role == "other" else role


def read_json(path: Path) -> Any:
    """Read a JSON file of at most 4 MB.

    Raises:
        MixgymError: not readable, too large, or not JSON.
    """
    return _decoded(path, json.loads)


def read_text(path: Path) -> str:
    """Read a text file of at most 4 MB.

    Raises:
        MixgymError: not readable, too large, or not UTF-8.
    """
    return str(_decoded(path, str))


def _decoded(path: Path, parse: Any) -> Any:
    try:
        if path.stat().st_size > _MAX_BYTES:
            raise MixgymError(f"{path} is larger than {_MAX_BYTES // 1_000_000} MB: shorten it.")
        return parse(path.read_bytes().decode("utf-8-sig"))
    except OSError as error:
        raise MixgymError(f"{path} cannot be read: {error.strerror}.") from error
    except (ValueError, RecursionError) as error:
        raise MixgymError(f"{path} cannot be understood: {error}. Correct or remove it.") from error


def medleydb_instruments(text: str) -> dict[str, str]:
    """Return file name to instrument for the stems of a MedleyDB `METADATA.yaml`.

    Only the shape that the data set uses is understood: under each `Snn:` the keys `filename` and
    `instrument` on lines of their own, two spaces deeper.
    """
    found: dict[str, str] = {}
    for block in re.split(r"(?m)^  S\d+:\s*$", text)[1:]:
        keys = dict(re.findall(r"(?m)^ {4}(filename|instrument):[ \t]*(\S.*?)\s*$", block))
        if len(keys) == 2:
            found[keys["filename"].strip("'\"")] = keys["instrument"].strip("'\"")
    return found


def moisesdb_tracks(data: Any) -> Iterable[tuple[str, str, str]]:
    """Yield (stem group, track id, track type) of a MoisesDB `data.json`.

    Entries of another shape are passed over.
    """
    stems = data.get("stems") if isinstance(data, dict) else None
    for stem in stems if isinstance(stems, list) else []:
        if not isinstance(stem, dict) or not isinstance(stem.get("tracks"), list):
            continue
        for track in stem["tracks"]:
            if isinstance(track, dict) and "id" in track:
                yield (
                    str(stem.get("stemName", "")),
                    str(track["id"]),
                    str(track.get("trackType", "")),
                )
