"""What an ablation is, from its YAML file."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from ...settings_file import checked, read_mapping

BASE = "base"  # key of a stage that names another file than the ablation's
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9 ,.+-]{0,59}")
Stage = dict[str, Any]
Stages = Annotated[tuple[Stage, ...], Field(min_length=1, max_length=10)]


class Ablation(BaseModel):
    """What is compared.

    Attributes:
        base: a training run's YAML file, relative to this one's folder.
        common: what every run changes of its file.
        variants: by name the stages of a run, each what it changes besides; a stage begins with
            the last weights of the one before. The first variant is what others are held against.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    base: Path
    common: Stage = Field(default_factory=dict)
    variants: dict[str, Stages] = Field(min_length=1, max_length=50)

    @field_validator("variants", mode="before")
    @classmethod
    def _one_stage_needs_no_list(cls, variants: Any) -> Any:
        if not isinstance(variants, dict):
            return variants
        return {
            name: (stages,) if isinstance(stages, dict) else stages
            for name, stages in variants.items()
        }

    @model_validator(mode="after")
    def _named(self) -> Self:
        folders = [folder_name(name) for name in self.variants]
        for name in self.variants:
            if not NAME.fullmatch(name) or folders.count(folder_name(name)) > 1:
                raise ValueError(f"{name!r} is no name of a variant, or one of another's folder")
        return self


def folder_name(variant: str) -> str:
    """Of a variant's runs."""
    return re.sub("[ ,]+", "-", variant).lower()


def read_ablation(path: Path) -> Ablation:
    """The ablation of a YAML file.

    Raises:
        MixgymError: no such file, an unknown key or a value that cannot be.
    """
    values = read_mapping(path, "base: ../train/mixing.yaml")
    if isinstance(values.get(BASE), str):
        values[BASE] = str(path.parent / values[BASE])
    variants = values.get("variants")
    if isinstance(variants, dict):
        for stages in variants.values():
            for stage in stages if isinstance(stages, list) else [stages]:
                if isinstance(stage, dict) and isinstance(stage.get(BASE), str):
                    stage[BASE] = str(path.parent / stage[BASE])
    return checked(Ablation, values, path)
