"""What is played in an arena, from a YAML file or the command line."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from ...errors import MixgymError
from ...rewards.plain_yaml import plain_yaml

MIXERS = (
    "plain_sum", "equal_loudness", "roles",
    "random", "ga", "cma_es", "sep_cma", "nsga2", "map_elites",
)  # fmt: skip
BUDGETS = (0, 1, 10, 100, 1000, 10_000)
MOST_BYTES = 100_000
Split = Literal["train", "validation", "test", "all"]
_Budget = Annotated[int, Field(ge=0, le=10_000_000)]


class Settings(BaseModel):
    """What is played.

    Attributes:
        songs: folders of songs, and training sets of `mixgym songs build`.
        split: which songs of them; by song and artist, see `songs/training/splits.json`.
        mixers: names, see `entrants`.
        budgets: evaluations that a mixer may spend on an excerpt.
        seeds: runs of each mixer that draws, from seed 0 on.
        excerpts: of each song, at most.
        seconds: of an excerpt.
        style: of the reward, or its YAML file.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    songs: tuple[Path, ...] = Field(default=(), min_length=1, validate_default=True)
    split: Split = "all"
    mixers: tuple[str, ...] = Field(default=MIXERS, min_length=1, max_length=1000)
    budgets: tuple[_Budget, ...] = Field(default=BUDGETS, min_length=1, max_length=100)
    seeds: int = Field(default=5, ge=1, le=10_000)
    excerpts: int = Field(default=2, ge=1, le=100)
    seconds: float = Field(default=10.0, ge=4.0, le=60.0)
    style: str = "balanced"

    @field_validator("mixers", "budgets")
    @classmethod
    def _each_once(cls, values: tuple[Any, ...]) -> tuple[Any, ...]:
        return tuple(dict.fromkeys(values))

    @field_validator("budgets")
    @classmethod
    def _ascending(cls, values: tuple[int, ...]) -> tuple[int, ...]:
        return tuple(sorted(values))


def make_settings(path: Path | None = None, **given: Any) -> Settings:
    """Settings from a YAML file, a given value before the file's.

    Paths in the file are relative to its folder, and may begin with an environment variable.

    Args:
        path: the file; None takes the defaults.
        given: fields of `Settings`; None leaves the file's.

    Raises:
        MixgymError: no such file, an unknown key or a value out of range.
    """
    values = {} if path is None else _read(path)
    values |= {key: value for key, value in given.items() if value is not None}
    if not values.get("songs"):
        raise MixgymError("No songs to play on: name a folder of songs by --songs.")
    try:
        return Settings.model_validate(values)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"]))
        where = f"{path}: " if path else ""
        raise MixgymError(
            f"{where}{place} is {first['input']!r}: {first['msg'].lower()}; correct it."
        ) from error


def _read(path: Path) -> dict[str, Any]:
    try:
        if path.stat().st_size > MOST_BYTES:
            raise MixgymError(f"{path} is larger than an arena's settings can be; check the name.")
        values = plain_yaml(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise MixgymError(f"The arena {path} cannot be read ({error.strerror}).") from error
    except ValueError as error:
        raise MixgymError(f"{path} is not YAML: {error}.") from error
    if not isinstance(values, dict):
        raise MixgymError(f"{path} holds no settings; write lines such as `seeds: 5`.")
    if "songs" in values:
        songs = values["songs"]
        values["songs"] = [_place(path, s) for s in (songs if isinstance(songs, list) else [songs])]
    style = values.get("style")
    if isinstance(style, str) and style.endswith((".yaml", ".yml")):
        values["style"] = str(_place(path, style))
    return values


def _place(path: Path, name: Any) -> Path:
    full = os.path.expandvars(str(name))
    if full.startswith("$"):
        variable = full.split("/")[0]
        raise MixgymError(f"{path}: {variable} is not set; set it, or give --songs.")
    return path.parent / full
