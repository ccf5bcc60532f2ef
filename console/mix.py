"""A mix: every parameter's value for one song, in physical units."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from ..errors import MixgymError
from .moves import FaderMoves
from .parameters import BUSES, MASTER, SEND_OFF_DB, STRIP
from .table import Component, ParameterTable

if TYPE_CHECKING:
    from ..songs import Song

Strength = Literal["eq", "dynamics", "pan", "space", "master"]
STRENGTHS: tuple[Strength, ...] = ("eq", "dynamics", "pan", "space", "master")


@dataclass(frozen=True, slots=True)
class Mix:
    """Settings of the whole console for one song.

    Attributes:
        stems: names of the stems, in the song's order.
        roles: their roles, same length.
        strips: physical values, shape (stems, len(STRIP)).
        buses: physical values of reverb and delay, shape (len(BUSES),).
        master: physical values of mix bus and mastering chain, shape (len(MASTER),).
        side_chains: per stem the name of the stem that drives its compressor, or None.
        made_by: what set the parameters, for people to read.
        reasons: per stem (and "buses", "master") short sentences saying why.
        moves: what automation adds to the faders; `render` plays it, `simulate` does not hear it.
    """

    stems: tuple[str, ...]
    roles: tuple[str, ...]
    strips: NDArray[np.float64]
    buses: NDArray[np.float64]
    master: NDArray[np.float64]
    side_chains: tuple[str | None, ...]
    made_by: str = "neutral"
    reasons: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    moves: FaderMoves | None = None

    @classmethod
    def neutral(cls, song: Song) -> Mix:
        """Every stem equally loud, nothing else done; delivery at the defaults."""
        stems = song.stems
        return cls(
            stems=tuple(stem.name for stem in stems),
            roles=tuple(stem.role for stem in stems),
            strips=np.tile(STRIP.defaults, (len(stems), 1)),
            buses=BUSES.defaults.copy(),
            master=MASTER.defaults.copy(),
            side_chains=(None,) * len(stems),
        )

    def strip(self, stem: str) -> dict[str, float]:
        """One stem's settings by name.

        Raises:
            KeyError: the mix has no such stem.
        """
        if stem not in self.stems:
            raise KeyError(stem)
        return STRIP.settings(self.strips[self.stems.index(stem)])

    def with_master(self, **values: float) -> Mix:
        """This mix with some master parameters replaced.

        Raises:
            MixgymError: an unknown name or a value outside its range.
        """
        return replace(self, master=_replaced(MASTER, self.master, values))

    def with_buses(self, **values: float) -> Mix:
        """This mix with some reverb or delay parameters replaced.

        Raises:
            MixgymError: an unknown name or a value outside its range.
        """
        return replace(self, buses=_replaced(BUSES, self.buses, values))

    def with_strip(self, stem: str, **values: float) -> Mix:
        """This mix with some of one stem's parameters replaced.

        Raises:
            KeyError: the mix has no such stem.
            MixgymError: an unknown name or a value outside its range.
        """
        if stem not in self.stems:
            raise KeyError(stem)
        row = self.stems.index(stem)
        strips = self.strips.copy()
        strips[row] = _replaced(STRIP, strips[row], values)
        return replace(self, strips=strips)

    def scaled(self, amount: float = 1.0, strengths: Mapping[Strength, float] | None = None) -> Mix:
        """This mix moved towards neutral.

        Args:
            amount: 1 keeps the mix, 0 is neutral; gains, pans and widths scale in their own
                unit, ratios and cut-off frequencies by their logarithm, sends in amplitude.
                Target loudness and limiter stay.
            strengths: the same for one component, on top of `amount`.

        Raises:
            MixgymError: an amount outside [0, 1] or an unknown component.
        """
        given = strengths or {}
        for name in given:
            if name not in STRENGTHS:
                known = ", ".join(STRENGTHS)
                raise MixgymError(f"There is no component {name!r} to scale; choose from {known}.")
        for label, value in (("amount", amount), *given.items()):
            if not 0.0 <= value <= 1.0:
                raise MixgymError(f"{label} is {value:g}; give a number from 0 to 1.")
        factors: dict[Component, float] = {"level": amount, "delivery": 1.0}
        for name in STRENGTHS:
            factors[name] = amount * given.get(name, 1.0)
        return replace(
            self,
            strips=_scaled(STRIP, self.strips, factors),
            buses=_scaled(BUSES, self.buses, factors),
            master=_scaled(MASTER, self.master, factors),
            moves=self.moves.scaled(amount) if self.moves else None,
        )


@dataclass(frozen=True, slots=True)
class Budget:
    """What a mixer may spend on one song: evaluations of the reward, and seconds."""

    evaluations: int = 0
    seconds: float = float("inf")


class Mixer(Protocol):
    """Anything that sets parameters: a rule, a search, a learned policy."""

    def __call__(self, song: Song, budget: Budget) -> Mix:
        """A mix of the song, found within the budget."""
        ...


def check_values(table: ParameterTable, values: Mapping[str, float], where: str) -> None:
    """Refuse names that the table lacks, values outside their ranges and half-on switches.

    Raises:
        MixgymError: naming the parameter, the value and the range.
    """
    for name, value in values.items():
        if name not in table:
            near = _nearest(name, table.names)
            hint = f"; did you mean {near!r}?" if near else "."
            raise MixgymError(f"{where}: there is no parameter {name!r}{hint}")
        parameter = table[name]
        if not parameter.low <= value <= parameter.high:
            unit = f" {parameter.unit}" if parameter.unit not in ("", "on/off") else ""
            raise MixgymError(
                f"{where}: {name} is {value:g}, its range is "
                f"{parameter.low:g} to {parameter.high:g}{unit}."
            )
        if parameter.scale == "switch" and value not in (0, 1):
            raise MixgymError(f"{where}: {name} is {value:g}; 1 switches it on, 0 off.")


def _nearest(name: str, names: Iterable[str]) -> str | None:
    from difflib import get_close_matches

    found = get_close_matches(name, list(names), n=1)
    return found[0] if found else None


def _replaced(
    table: ParameterTable, vector: NDArray[np.float64], values: Mapping[str, float]
) -> NDArray[np.float64]:
    check_values(table, values, table.name)
    result = vector.copy()
    for name, value in values.items():
        result[table.index(name)] = value
    return result


def _scaled(
    table: ParameterTable, vector: NDArray[np.float64], factors: Mapping[Component, float]
) -> NDArray[np.float64]:
    result = vector.copy()
    for i, p in enumerate(table):
        factor = factors[p.component]
        if p.neutral is None or factor == 1.0:
            continue
        value = vector[..., i]
        if p.scale == "switch":
            result[..., i] = value if factor > 0 else 0.0
        elif p.neutral == SEND_OFF_DB:
            closed = value <= SEND_OFF_DB
            scaled = value + 20 * np.log10(factor) if factor > 0 else SEND_OFF_DB
            result[..., i] = np.where(closed, SEND_OFF_DB, np.maximum(scaled, SEND_OFF_DB))
        elif p.scale == "log":
            result[..., i] = p.neutral * (value / p.neutral) ** factor
        else:
            result[..., i] = p.neutral + factor * (value - p.neutral)
    return result
