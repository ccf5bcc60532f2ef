"""A reward: terms with weights behind gates, read from a YAML file."""

from __future__ import annotations

import inspect
import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from ..console.mix_readings import MixReadings
from ..errors import MixgymError
from ..plain_yaml import plain_yaml
from .facts import Facts
from .gates import GATES
from .reference import Reference, load_reference
from .scene import Scene
from .terms import TERMS

Values = NDArray[np.float64]
Option = float | Reference
MOST_BYTES = 100_000
LARGEST_OPTION = 1000.0
PRESETS = resources.files(__package__) / "presets"


class _Part(BaseModel):
    """One term or gate of the file: any further key is one of its options."""

    model_config = ConfigDict(extra="allow")


class _Term(_Part):
    weight: float = Field(default=1.0, ge=0.0, le=1000.0, allow_inf_nan=False)


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid")

    about: str = ""
    terms: dict[str, _Term]
    gates: dict[str, _Part] = Field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Scores:
    """What a batch of mixes is worth.

    Attributes:
        score: from 0 to 1, shape (mixes,): weighted mean of the terms times all gates.
        terms, gates: by name, (mixes,) each.
        readings: what they were read from.
    """

    score: Values
    terms: Mapping[str, Values]
    gates: Mapping[str, Values]
    readings: MixReadings


class Reward:
    """Scores readings.

    Args:
        weights: by term, not negative, at least one above zero.
        options: keyword arguments by term or gate.
        gates: which are in force.
        about: for people.

    Raises:
        MixgymError: an unknown term, gate or option, or weights that cannot be used.
    """

    def __init__(
        self,
        weights: Mapping[str, float],
        options: Mapping[str, Mapping[str, Option]] | None = None,
        gates: tuple[str, ...] = tuple(GATES),
        about: str = "",
    ) -> None:
        options = options or {}
        for name in weights:
            _known(name, TERMS, "term")
        for name in gates:
            _known(name, GATES, "gate")
        for name, weight in weights.items():
            if not (math.isfinite(weight) and weight >= 0):
                raise MixgymError(
                    f"The weight of {name!r} is {weight:g}; give a number of at least 0."
                )
        if not weights or not sum(weights.values()) > 0:
            raise MixgymError("All weights are 0, so nothing would count; raise one of them.")
        self.about, self.weights = about, dict(weights)
        self._terms = {name: _bound(name, TERMS[name], options) for name in weights}
        self._gates = {name: _bound(name, GATES[name], options) for name in gates}

    @property
    def gates(self) -> tuple[str, ...]:
        """Names of the gates in force."""
        return tuple(self._gates)

    def option(self, name: str, option: str) -> Any:
        """What an option of a term or gate is set to; None where it is left at its default."""
        bound = self._terms.get(name) or self._gates.get(name)
        return None if bound is None else bound.keywords.get(option)

    def __call__(self, readings: MixReadings, scene: Scene) -> Scores:
        """Score a batch."""
        return self.score(Facts(readings, scene))

    def score(self, facts: Facts) -> Scores:
        """The same where facts are at hand that others need too."""
        with np.errstate(all="ignore"):
            rows = [f(facts) for f in (*self._terms.values(), *self._gates.values())]
        clean = _clean(np.stack(rows))
        terms = dict(zip(self._terms, clean, strict=False))
        gates = dict(zip(self._gates, clean[len(terms) :], strict=True))
        total = sum(self.weights.values())
        score = np.zeros(len(facts.scene.roles))
        for name, weight in self.weights.items():
            score += weight / total * terms[name]
        for gate in gates.values():
            score *= gate
        return Scores(score, terms, gates, facts.readings)


def load_reward(source: str | Path = "balanced") -> Reward:
    """A reward from a YAML file, or the one of that style that comes with mixgym.

    Files that options name are looked for beside the YAML file.

    Raises:
        MixgymError: no such style or file, or it does not hold what it should.
    """
    text, where = _read(source)
    return _parsed(text, where, Path(source).parent)


def styles() -> tuple[str, ...]:
    """Styles whose rewards come with mixgym."""
    names = (entry.name for entry in PRESETS.iterdir())
    return tuple(sorted(name.removesuffix(".yaml") for name in names if name.endswith(".yaml")))


def _read(source: str | Path) -> tuple[str, str]:
    if isinstance(source, str) and source in styles():
        return (PRESETS / f"{source}.yaml").read_text(encoding="utf-8"), source
    path = Path(source)
    if path.suffix not in (".yaml", ".yml"):
        raise MixgymError(
            f"There is no reward {str(source)!r}; choose from {', '.join(styles())}, "
            "or name a .yaml file."
        )
    try:
        if path.stat().st_size > MOST_BYTES:
            raise MixgymError(f"{path} is larger than a reward file can be; check the name.")
        return path.read_text(encoding="utf-8"), str(path)
    except OSError as error:
        raise MixgymError(f"The reward {path} cannot be read ({error.strerror}).") from error
    except UnicodeDecodeError as error:
        raise MixgymError(f"{path} is not YAML: it is no UTF-8 text.") from error


def _parsed(text: str, where: str, folder: Path) -> Reward:
    try:
        file = _File.model_validate(plain_yaml(text))
    except ValueError as error:
        first = error.errors()[0] if isinstance(error, ValidationError) else None
        if first is None:
            raise MixgymError(f"{where} is not a reward's YAML: {error}.") from error
        place = ".".join(map(str, first["loc"])) or "the file"
        raise MixgymError(f"{where}: {place}: {first['msg'].lower()}; correct it.") from error
    parts = [*file.terms.items(), *file.gates.items()]
    options = {name: dict(part.model_extra or {}) for name, part in parts}
    try:
        for given in options.values():
            for name, value in given.items():
                if isinstance(value, str):
                    given[name] = load_reference(folder / value)
        return Reward(
            {name: term.weight for name, term in file.terms.items()},
            options,
            tuple(file.gates) or tuple(GATES),
            file.about,
        )
    except MixgymError as error:
        raise MixgymError(f"{where}: {error}") from error


def _known(name: str, table: Mapping[str, Any], kind: str) -> None:
    if name not in table:
        raise MixgymError(f"There is no {kind} {name!r}; choose from {', '.join(table)}.")


def _bound(name: str, function: Any, options: Mapping[str, Mapping[str, Option]]) -> Any:
    """The function with its options set."""
    given = dict(options.get(name, {}))
    known = {
        p.name: p.default
        for p in inspect.signature(function).parameters.values()
        if p.kind is p.KEYWORD_ONLY
    }
    for option, value in given.items():
        if option not in known:
            raise MixgymError(
                f"{name} has no option {option!r}; choose from {', '.join(known) or 'none'}."
            )
        if known[option] is None:
            if not isinstance(value, Reference):
                raise MixgymError(f"{name}: {option} is {value!r}; name a reference's .json file.")
        elif isinstance(value, bool) or not isinstance(value, int | float):
            raise MixgymError(f"{name}: {option} is {value!r}; give a number.")
        elif not abs(value) <= LARGEST_OPTION:
            raise MixgymError(
                f"{name}: {option} is {value:g}; give a number from -{LARGEST_OPTION:g} "
                f"to {LARGEST_OPTION:g}."
            )
        elif "falloff" in option and value <= 0:
            raise MixgymError(f"{name}: {option} is {value:g}; give a number above 0.")
    if name == "reference" and "track" not in given:
        raise MixgymError("reference needs the option track: the .json file of a reference.")
    return partial(function, **given)


def _clean(values: Values) -> Values:
    """Held within 0 and 1; what is not a number counts nothing."""
    return np.minimum(np.maximum(np.where(np.isfinite(values), values, 0.0), 0.0), 1.0)
