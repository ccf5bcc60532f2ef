"""Weights of a policy in a file: NumPy's archive with a JSON text in it, no pickle."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from hashlib import blake2b
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from ..archives import ArchiveError, ArchiveTooLargeError, read_arrays
from ..console.parameters import BUSES, MASTER, STRIP
from ..console.space import Space
from ..errors import MixgymError
from ..rewards.features import FEATURE_VERSION, MIX, STEM, STEM_IN_MIX, TRACK, size
from .network import Sizes

FORMAT = "mixgym-policy-1"
ABOUT = "about"
MOST_BYTES = 200_000_000
Name = Annotated[str, Field(max_length=1000)]
Names = Annotated[tuple[Name, ...], Field(max_length=1000)]
Arrays = dict[str, NDArray[Any]]


class About(BaseModel):
    """What weights are of.

    Attributes:
        format: of the file.
        features: `FEATURE_VERSION` of what the policy was shown.
        strip, buses, master: parameters that it sets.
        table: digest of their ranges and scales.
        sizes: of its network.
        control, step_size, episode_steps: of the environment that it learned in.
        styles: whose rewards it learned.
        songs: digest of the training set's manifest; None where it learned from no such set.
        steps: that it learned for.
        gains: mean gain over equal loudness on validation songs in `simulate`, by style.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    format: str = FORMAT
    features: int = FEATURE_VERSION
    strip: Names
    buses: Names
    master: Names
    table: str
    sizes: Sizes
    control: Literal["absolute", "delta"]
    step_size: float = Field(gt=0, le=2)
    episode_steps: int = Field(ge=1, le=10_000)
    styles: Names
    songs: str | None = Field(default=None, max_length=200)
    steps: int = Field(ge=0)
    gains: Annotated[dict[str, float], Field(max_length=1000)] = Field(default_factory=dict)


def table_digest(space: Space) -> str:
    """Of the free parameters' names, ranges and scales."""
    ranges = [
        (p.name, p.low, p.high, p.scale, p.neutral)
        for table, names in ((STRIP, space.strip), (BUSES, space.buses), (MASTER, space.master))
        for p in (table[name] for name in names)
    ]
    return blake2b(json.dumps(ranges).encode(), digest_size=16).hexdigest()


def feature_sizes(strip: int) -> tuple[int, int]:
    """Features of a stem, or of a track where no strip has parameters, and of the mix."""
    stem = (*STEM, *STEM_IN_MIX) if strip else TRACK
    return size(stem), size(MIX) + 1  # and how far the episode is


def save_weights(path: Path, arrays: Mapping[str, NDArray[Any]], about: About) -> None:
    """Write weights; the file is whole at any time, the old one or the new.

    Raises:
        OSError: it cannot be written.
    """
    text = np.array(about.model_dump_json())
    partial = path.with_name(f".mixgym-{os.getpid()}-{path.name}")
    try:
        with partial.open("wb") as file:
            np.savez(file, **{ABOUT: text}, **arrays)  # type: ignore[arg-type]
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


def read_weights(path: Path) -> tuple[Arrays, About]:
    """Weights in single precision, whether a file holds them so or by half, and what they are of.

    Raises:
        MixgymError: no such file, none of these, or of other features or parameters.
    """
    try:
        arrays = {name: _single(array) for name, array in read_arrays(path, MOST_BYTES).items()}
        about = About.model_validate_json(str(arrays.pop(ABOUT)))
    except OSError as error:
        raise MixgymError(f"The policy {path} cannot be read ({error.strerror}).") from error
    except ArchiveTooLargeError as error:
        raise MixgymError(f"{path} is larger than a policy can be; check the name.") from error
    except (ArchiveError, ValidationError, KeyError) as error:
        told = "" if not isinstance(error, ValidationError) else " of this version"
        raise MixgymError(
            f"{path} holds no policy{told}; name a file that `mixgym train` wrote."
        ) from error
    if about.format != FORMAT:
        raise MixgymError(
            f"{path} is of another format ({about.format[:20]!r}) than this mixgym reads "
            f"({FORMAT!r}); train it again."
        )
    if about.features != FEATURE_VERSION:
        raise MixgymError(
            f"{path} was trained on features of version {about.features}, and these are of "
            f"version {FEATURE_VERSION}; train it again."
        )
    try:
        space = Space(about.strip, about.buses, about.master)
    except MixgymError as error:
        raise MixgymError(f"{path} sets what is no parameter: {error}") from error
    if about.table != table_digest(space):
        raise MixgymError(f"{path} was trained on other parameter ranges; train it again.")
    stem, mix = feature_sizes(len(space.strip))
    needed = (stem, mix, len(space.strip), len(space.buses) + len(space.master))
    if (about.sizes.stem, about.sizes.mix, about.sizes.strip, about.sizes.bus) != needed:
        raise MixgymError(f"{path} holds a network of other sizes than it needs; train it again.")
    if not all(a.dtype == np.float32 and np.isfinite(a).all() for a in arrays.values()):
        raise MixgymError(f"{path} holds what is no number; train it again.")
    return arrays, about


def _single(array: NDArray[Any]) -> NDArray[Any]:
    return array.astype(np.float32) if array.dtype == np.float16 else array
