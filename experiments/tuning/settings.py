"""What a study is, from its YAML file."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from ...errors import MixgymError
from ...settings_file import checked, full_paths, read_mapping
from ..arena.pieces import Piece
from ..arena.settings import Settings
from .dimensions import Dimension

FIRST_SEED = 1000  # an arena counts from 0
TRAIN = "train"  # the key by which a study is one of training


class Tuning(BaseModel):
    """What a study is, whatever it tunes.

    Attributes:
        space: what is tried of each hyperparameter.
        first_seed: of what trials are judged by.
        seeds: how many, from `first_seed` on.
        validation_seeds: seeds behind these, for the comparison with the defaults.
        sampler_seed: of the draws of hyperparameters.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    space: dict[str, Dimension] = Field(min_length=1, max_length=32)
    first_seed: int = Field(default=FIRST_SEED, ge=FIRST_SEED, le=2**31 - 10_000)
    seeds: int = Field(default=3, ge=1, le=1000)
    validation_seeds: int = Field(default=5, ge=2, le=1000)
    sampler_seed: int = Field(default=0, ge=0, le=2**31)

    @property
    def tuning_seeds(self) -> range:
        """Seeds that trials are judged by."""
        return range(self.first_seed, self.first_seed + self.seeds)

    @property
    def other_seeds(self) -> range:
        """Seeds that no trial is judged by."""
        return range(self.tuning_seeds.stop, self.tuning_seeds.stop + self.validation_seeds)

    def common_identity(self) -> dict[str, Any]:
        """What a value of any study depends on: the space, dimension by dimension, and seeds."""
        values: dict[str, Any] = {
            name: getattr(self, name) for name in ("first_seed", "seeds", "sampler_seed")
        }
        for name, dimension in self.space.items():
            values[f"space.{name}"] = dimension.model_dump(mode="json", by_alias=True)
        return values


class SearchTuning(Tuning):
    """A study of a searcher.

    Attributes:
        search: whose hyperparameters are tuned.
        songs: folders of songs, and training sets of `mixgym songs build`.
        split: which songs of them; those of the split `test` are kept from tuning.
        excerpts: of each song, at most.
        seconds: of an excerpt.
        style: of the reward, or its YAML file.
        evaluations: in `simulate`, that a search may spend on an excerpt.
    """

    search: str
    songs: tuple[Path, ...] = Field(min_length=1, max_length=1000)
    split: Literal["train", "validation"] = "train"
    excerpts: int = Field(default=1, ge=1, le=100)
    seconds: float = Field(default=10.0, ge=4.0, le=60.0)
    style: str = "balanced"
    evaluations: int = Field(default=1000, ge=40, le=1_000_000)

    @field_validator("split", mode="before")
    @classmethod
    def _kept_apart(cls, split: Any) -> Any:
        if split in ("test", "all"):
            raise ValueError(
                "mixers are compared on songs of the split test; tune on train or validation"
            )
        return split

    def of_songs(self, split: Literal["train", "validation"]) -> Settings:
        """What `find_pieces` is asked for."""
        return Settings(songs=self.songs, split=split, excerpts=self.excerpts, seconds=self.seconds)

    def identity(self, pieces: Sequence[Piece]) -> dict[str, Any]:
        """What a value of this study depends on, wherever the songs lie."""
        values: dict[str, Any] = {
            name: getattr(self, name) for name in ("search", "split", "seconds", "evaluations")
        }
        values |= self.common_identity()
        file = Path(self.style)
        if file.suffix in (".yaml", ".yml"):
            values["style"] = hashlib.sha256(file.read_bytes()).hexdigest()[:16]
        else:
            values["style"] = self.style
        values["songs"] = [f"{p.song}, {p.seconds:g} s from {p.start_s:.3f} s" for p in pieces]
        return values


class TrainTuning(Tuning):
    """A study of `mixgym train`.

    Attributes:
        train: a training run's YAML file, relative to this one's folder; hyperparameters are its
            keys, such as `ppo.learning_rate`.
        songs: what to learn from, for what the file says.
        changed: what every trial changes of the file.
        steps: of a run.
        every: steps between two validations, by which bad trials are stopped.
    """

    train: Path
    songs: Path | None = None
    changed: dict[str, Any] = Field(default_factory=dict)
    steps: int = Field(default=60_000, ge=1, le=10**9)
    every: int = Field(default=10_000, ge=1, le=10**9)
    seeds: int = Field(default=2, ge=1, le=1000)
    validation_seeds: int = Field(default=3, ge=2, le=1000)

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if self.steps % self.every:
            raise ValueError(f"steps {self.steps} is no multiple of every {self.every}")
        return self

    @property
    def validations(self) -> int:
        """Of a run, the one before it left out."""
        return self.steps // self.every


def read_tuning(path: Path) -> SearchTuning | TrainTuning:
    """The study of a YAML file.

    Paths in the file are relative to its folder, and may begin with an environment variable.

    Raises:
        MixgymError: no such file, nothing to tune, an unknown key or a value out of range.
    """
    values = read_mapping(path, "search: ga")
    full_paths(path, values)
    if TRAIN in values:
        if isinstance(values[TRAIN], str):
            values[TRAIN] = str((path.parent / os.path.expandvars(values[TRAIN])).resolve())
        return checked(TrainTuning, values, path)
    if "search" not in values:
        raise MixgymError(f"{path} names nothing to tune; write `search: ga` or `train: FILE`.")
    if "songs" in values and not isinstance(values["songs"], list):
        values["songs"] = [values["songs"]]
    return checked(SearchTuning, values, path)
