"""What is played in an arena, from a YAML file or the command line."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

from ...errors import MixgymError
from ...settings_file import checked, full_paths, read_mapping

MIXERS = (
    "plain_sum", "equal_loudness", "roles",
    "random", "ga", "cma_es", "sep_cma", "nsga2", "map_elites",
)  # fmt: skip
BUDGETS = (0, 1, 10, 100, 1000, 10_000)
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
    values = {} if path is None else read_mapping(path, "seeds: 5")
    if path is not None:
        full_paths(path, values)
    values |= {key: value for key, value in given.items() if value is not None}
    if not values.get("songs"):
        raise MixgymError("No songs to play on: name a folder of songs by --songs.")
    if not isinstance(values["songs"], list | tuple):
        values["songs"] = [values["songs"]]
    return checked(Settings, values, path)
