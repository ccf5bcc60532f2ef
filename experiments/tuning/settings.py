"""What a study is, from its YAML file."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

from ...settings_file import checked, full_paths, read_mapping
from ..arena.pieces import Piece
from ..arena.settings import Settings
from .dimensions import Dimension

FIRST_SEED = 1000  # an arena counts from 0
_ELSEWHERE = {
    "songs",
    "excerpts",
    "space",
    "style",
    "validation_seeds",
}  # not of a study's identity


class Tuning(BaseModel):
    """What a study is.

    Attributes:
        search: whose hyperparameters are tuned.
        space: what is tried of each of them.
        songs: folders of songs, and training sets of `mixgym songs build`.
        split: which songs of them; those of the split `test` are kept from tuning.
        excerpts: of each song, at most.
        seconds: of an excerpt.
        style: of the reward, or its YAML file.
        evaluations: in `simulate`, that a search may spend on an excerpt.
        first_seed: of the searches.
        seeds: searches of every excerpt, a seed each from `first_seed` on.
        validation_seeds: seeds behind these, for the comparison with the defaults.
        sampler_seed: of the draws of hyperparameters.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    search: str
    space: dict[str, Dimension] = Field(min_length=1, max_length=32)
    songs: tuple[Path, ...] = Field(min_length=1, max_length=1000)
    split: Literal["train", "validation"] = "train"
    excerpts: int = Field(default=1, ge=1, le=100)
    seconds: float = Field(default=10.0, ge=4.0, le=60.0)
    style: str = "balanced"
    evaluations: int = Field(default=1000, ge=40, le=1_000_000)
    first_seed: int = Field(default=FIRST_SEED, ge=FIRST_SEED, le=2**31)
    seeds: int = Field(default=3, ge=1, le=1000)
    validation_seeds: int = Field(default=5, ge=2, le=1000)
    sampler_seed: int = Field(default=0, ge=0, le=2**31)

    @field_validator("split", mode="before")
    @classmethod
    def _kept_apart(cls, split: Any) -> Any:
        if split in ("test", "all"):
            raise ValueError(
                "mixers are compared on songs of the split test; tune on train or validation"
            )
        return split

    @property
    def tuning_seeds(self) -> range:
        """Seeds of the searches that trials are judged by."""
        return range(self.first_seed, self.first_seed + self.seeds)

    @property
    def other_seeds(self) -> range:
        """Seeds that no trial is judged by."""
        return range(self.tuning_seeds.stop, self.tuning_seeds.stop + self.validation_seeds)

    def of_songs(self, split: Literal["train", "validation"]) -> Settings:
        """What `find_pieces` is asked for."""
        return Settings(songs=self.songs, split=split, excerpts=self.excerpts, seconds=self.seconds)

    def identity(self, pieces: Sequence[Piece]) -> dict[str, Any]:
        """What a value of this study depends on, wherever the songs lie."""
        values: dict[str, Any] = self.model_dump(mode="json", by_alias=True, exclude=_ELSEWHERE)
        file = Path(self.style)
        if file.suffix in (".yaml", ".yml"):
            values["style"] = hashlib.sha256(file.read_bytes()).hexdigest()[:16]
        else:
            values["style"] = self.style
        for name, dimension in self.space.items():
            values[f"space.{name}"] = dimension.model_dump(mode="json", by_alias=True)
        values["songs"] = [f"{p.song}, {p.seconds:g} s from {p.start_s:.3f} s" for p in pieces]
        return values


def read_tuning(path: Path) -> Tuning:
    """The study of a YAML file.

    Paths in the file are relative to its folder, and may begin with an environment variable.

    Raises:
        MixgymError: no such file, an unknown key or a value out of range.
    """
    values = read_mapping(path, "search: ga")
    full_paths(path, values)
    if "songs" in values and not isinstance(values["songs"], list):
        values["songs"] = [values["songs"]]
    return checked(Tuning, values, path)
