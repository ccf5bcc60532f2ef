"""What a policy's file takes, gives and says of itself, whatever runs it.

All tensors are float32. A mixing policy takes the features of the neutral mix, see
`mixgym.rewards.features`, and gives whole tables of `mixgym.console.parameters` in physical units:

    stems    (batch, stems, features)   `STEM`, then `STEM_IN_MIX`
    mask     (batch, stems)             above 0.5 where a stem sounds
    mix      (batch, features)          `MIX`
    strips   (batch, stems, columns)    `STRIP`; neutral where no stem sounds
    buses    (batch, columns)           `BUSES`
    master   (batch, columns)           `MASTER`

A mastering policy takes `track (batch, features)`, `TRACK`, and `mix`, and gives `master`. What a
policy does not set stands at rest.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal, NamedTuple

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from ...console.parameters import BUSES, MASTER, STRIP, tables_digest
from ...console.space import Space
from ...errors import MixgymError
from ...rewards import features

FORMAT = 1
FORMAT_KEY, POLICY_KEY = "mixgym_format", "mixgym_policy"  # of a file's metadata
MOST_STEMS = 256
BATCH, STEMS = "batch", "stems"  # names of the free axes

Axis = int | str
Names = Annotated[tuple[str, ...], Field(max_length=1000)]
Text = Annotated[str, Field(max_length=1000)]


class Task(NamedTuple):
    """Shapes of what policies of one kind take and give."""

    inputs: Mapping[str, tuple[Axis, ...]]
    outputs: Mapping[str, tuple[Axis, ...]]


_STEM = features.size(features.STEM) + features.size(features.STEM_IN_MIX)
_MIX = features.size(features.MIX)
TASKS: Mapping[str, Task] = {
    "mixing": Task(
        {
            "stems": (BATCH, STEMS, _STEM),
            "mask": (BATCH, STEMS),
            "mix": (BATCH, _MIX),
        },
        {
            "strips": (BATCH, STEMS, len(STRIP)),
            "buses": (BATCH, len(BUSES)),
            "master": (BATCH, len(MASTER)),
        },
    ),
    "mastering": Task(
        {"track": (BATCH, features.size(features.TRACK)), "mix": (BATCH, _MIX)},
        {"master": (BATCH, len(MASTER))},
    ),
}


class Described(BaseModel):
    """What a policy's file says of itself.

    Attributes:
        task: a name in `TASKS`.
        mixgym: the version that wrote it.
        tables: digest of the tables that it sets, see `tables_digest`.
        features: the `FEATURE_VERSION` of what it is shown.
        sizes: the last axis of each input.
        strip, buses, master: parameters that it sets.
        styles: whose rewards it learned.
        songs: digest of its training set's manifest, if it has one.
        steps: that it learned for.
        licence: of its weights, an SPDX expression.
        scores: what it gains over equally loud stems on songs that it did not learn from, by style.
        precision: of its weights.
        stems: rows for stems, where their number is not free.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    task: Literal["mixing", "mastering"] = "mixing"
    mixgym: Text
    tables: Text
    features: int
    sizes: Annotated[dict[str, int], Field(max_length=10)]
    strip: Names
    buses: Names
    master: Names
    styles: Names
    songs: Text | None = None
    steps: int = Field(default=0, ge=0)
    licence: Text
    scores: Annotated[dict[str, float], Field(max_length=1000)] = Field(default_factory=dict)
    precision: Text = "fp32"
    stems: int | None = Field(default=None, ge=1, le=MOST_STEMS)

    @property
    def space(self) -> Space:
        """The parameters that it sets."""
        return Space(self.strip, self.buses, self.master)


def metadata(described: Described) -> dict[str, str]:
    """What a file holds beside its weights."""
    return {FORMAT_KEY: str(FORMAT), POLICY_KEY: described.model_dump_json()}


def read_metadata(path: Path, held: Mapping[str, str]) -> Described:
    """What a file says of itself, if it can be used here.

    Args:
        path: of the file.
        held: its metadata.

    Raises:
        MixgymError: it is no policy, or one of another format, other features or other parameters.
    """
    if FORMAT_KEY not in held or POLICY_KEY not in held:
        raise MixgymError(f"{path} says of itself no policy; write it by `mixgym export`.")
    if held[FORMAT_KEY] != str(FORMAT):
        raise MixgymError(
            f"{path} is of another format ({held[FORMAT_KEY][:20]!r}) than this mixgym reads "
            f"({FORMAT}); export it again."
        )
    try:
        described = Described.model_validate_json(held[POLICY_KEY])
    except (ValidationError, ValueError) as error:
        raise MixgymError(f"{path} describes itself wrongly; export it again.") from error
    if described.features != features.FEATURE_VERSION:
        raise MixgymError(
            f"{path} was trained on features of version {described.features}, and these are of "
            f"version {features.FEATURE_VERSION}; train and export it again."
        )
    if described.tables != tables_digest():
        raise MixgymError(
            f"{path} is for another table of parameters; train and export it again with this "
            "mixgym."
        )
    if described.sizes != sizes(described.task):
        raise MixgymError(f"{path} takes features of other sizes; train and export it again.")
    try:
        Space(described.strip, described.buses, described.master)
    except MixgymError as error:
        raise MixgymError(f"{path} sets what is no parameter: {error}") from error
    return described


def lengths(axes: tuple[Axis, ...], batch: int, stems: int) -> tuple[int, ...]:
    """The shape of a tensor for so many songs of so many stems."""
    free = {BATCH: batch, STEMS: stems}
    return tuple(free[axis] if isinstance(axis, str) else axis for axis in axes)


def sizes(task: str) -> dict[str, int]:
    """Lengths of the last axis of what has features in it."""
    return {
        name: shape[-1] for name, shape in TASKS[task].inputs.items() if isinstance(shape[-1], int)
    }
