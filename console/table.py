"""What a parameter is, and tables of them with their maps to and from [-1, 1]."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

Scale = Literal["linear", "log", "switch"]
Component = Literal["level", "eq", "dynamics", "pan", "space", "master", "delivery"]


@dataclass(frozen=True, slots=True)
class Parameter:
    """One thing that can be set.

    `neutral` is the value at which the parameter does nothing; `None` marks one that only
    qualifies another (a centre frequency beside its gain) and that `amount` leaves alone.
    `prior` is the mean, in physical units, and the standard deviation, in encoded units
    (the range is 2 wide), of a Gaussian over the settings that mixes tend to use.
    """

    name: str
    unit: str
    low: float
    high: float
    default: float
    processor: str
    component: Component
    about: str
    scale: Scale = "linear"
    neutral: float | None = None
    prior: tuple[float, float] | None = None


class ParameterTable:
    """Parameters in order, and the maps between their physical values and [-1, 1]."""

    def __init__(self, name: str, parameters: tuple[Parameter, ...]) -> None:
        self.name = name
        self.parameters = parameters
        self._index = {p.name: i for i, p in enumerate(parameters)}

    def __len__(self) -> int:
        """How many parameters the table holds."""
        return len(self.parameters)

    def __iter__(self) -> Iterator[Parameter]:
        """Parameters in the table's order, which is the order of every vector."""
        return iter(self.parameters)

    def __contains__(self, name: object) -> bool:
        """Whether a parameter of this name is in the table."""
        return name in self._index

    def index(self, name: str) -> int:
        """Position of a parameter in a vector of this table.

        Raises:
            KeyError: no parameter has that name.
        """
        return self._index[name]

    def __getitem__(self, name: str) -> Parameter:
        """The parameter of that name."""
        return self.parameters[self._index[name]]

    @cached_property
    def names(self) -> tuple[str, ...]:
        """Parameter names in the table's order."""
        return tuple(p.name for p in self.parameters)

    @cached_property
    def low(self) -> NDArray[np.float64]:
        """Lowest physical values, shape (parameters,)."""
        return np.array([p.low for p in self.parameters])

    @cached_property
    def high(self) -> NDArray[np.float64]:
        """Highest physical values, shape (parameters,)."""
        return np.array([p.high for p in self.parameters])

    @cached_property
    def defaults(self) -> NDArray[np.float64]:
        """Default physical values, shape (parameters,); a strip of defaults is neutral."""
        return np.array([p.default for p in self.parameters])

    @cached_property
    def _is_log(self) -> NDArray[np.bool_]:
        return np.array([p.scale == "log" for p in self.parameters])

    @cached_property
    def _is_switch(self) -> NDArray[np.bool_]:
        return np.array([p.scale == "switch" for p in self.parameters])

    @cached_property
    def _warped_range(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        return self._warp(self.low), self._warp(self.high)

    def _warp(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.where(self._is_log, np.log(np.where(self._is_log, values, 1.0)), values)

    def encode(self, values: ArrayLike) -> NDArray[np.float64]:
        """Physical values, shape (..., parameters), to [-1, 1]; log parameters by their logarithm.

        Raises:
            ValueError: the last axis is not as long as the table.
        """
        physical = self._checked(values)
        low, high = self._warped_range
        unit = (self._warp(np.clip(physical, self.low, self.high)) - low) / (high - low)
        return np.asarray(np.where(self._is_switch, np.where(unit > 0.5, 1.0, -1.0), 2 * unit - 1))

    def decode(self, encoded: ArrayLike) -> NDArray[np.float64]:
        """[-1, 1], shape (..., parameters), to physical values; outside is clipped.

        A switch is on above 0; -1 and 1 give the ends of a range exactly. `decode(encode(v)) == v`
        to floating-point accuracy, for any batch.

        Raises:
            ValueError: the last axis is not as long as the table.
        """
        position = np.clip(self._checked(encoded), -1.0, 1.0)
        low, high = self._warped_range
        physical = low + (position + 1.0) / 2 * (high - low)
        physical[..., self._is_log] = np.exp(physical[..., self._is_log])
        physical[..., self._is_switch] = position[..., self._is_switch] > 0
        np.copyto(physical, self.low, where=position == -1.0)
        np.copyto(physical, self.high, where=position == 1.0)
        return np.asarray(np.clip(physical, self.low, self.high, out=physical))

    def _checked(self, array: ArrayLike) -> NDArray[np.float64]:
        result = np.asarray(array, dtype=np.float64)
        if result.shape[-1:] != (len(self),):
            raise ValueError(
                f"{self.name} vectors hold {len(self)} parameters in their last axis, "
                f"this array has the shape {result.shape}"
            )
        return result

    def sample(self, rng: np.random.Generator, shape: tuple[int, ...] = ()) -> NDArray[np.float64]:
        """Physical values drawn from the priors, shape (*shape, parameters).

        A switch is on with the probability that its prior's mean states.
        """
        draws = np.empty((*shape, len(self)))
        means = self.encode([p.prior[0] if p.prior else p.default for p in self.parameters])
        for i, p in enumerate(self.parameters):
            mean, spread = p.prior or (p.default, 0.25)
            if p.scale == "switch":
                draws[..., i] = np.where(rng.random(shape) < mean, 1.0, -1.0)
            else:
                draws[..., i] = rng.normal(means[i], spread, shape)
        return self.decode(draws)

    def vector(self, values: Mapping[str, float]) -> NDArray[np.float64]:
        """A vector of the defaults with some values replaced, shape (parameters,).

        Raises:
            KeyError: a name is not in the table.
        """
        result = self.defaults.copy()
        for name, value in values.items():
            result[self._index[name]] = value
        return result

    def settings(self, vector: NDArray[np.float64]) -> dict[str, float]:
        """Name to physical value for one vector, shape (parameters,)."""
        return dict(zip(self.names, vector.tolist(), strict=True))
