"""Inserts: a plug-in of one's own in every strip, behind the compressor. Rendered only."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

MakeInsert = Callable[[int], Any]  # makes the plug-in of the stem of that number


@dataclass(frozen=True)
class Insert:
    """A pedalboard plug-in and those of its parameters that can be set.

    Attributes:
        plugin: a class of pedalboard's or any other callable that makes a plug-in; or the path of
            a VST3 or Audio Unit. A plug-in has to take the channels that stems have.
        parameters: the plug-in's own names, each with its lowest and highest value.

    Raises:
        ValueError: no parameters, or a range that is none.
    """

    plugin: Callable[[], Any] | str
    parameters: Mapping[str, tuple[float, float]]

    def __post_init__(self) -> None:
        if not self.parameters:
            raise ValueError("an insert needs at least one parameter: name it with its range")
        for name, (low, high) in self.parameters.items():
            if not (np.isfinite(low) and np.isfinite(high) and low < high):
                raise ValueError(f"{name} has the range {low} to {high}: the first must be lower")

    def make(self) -> Any:
        """A new plug-in."""
        if callable(self.plugin):
            return self.plugin()
        import pedalboard

        return pedalboard.load_plugin(self.plugin)

    @cached_property
    def rest(self) -> NDArray[np.float64]:
        """The plug-in's own settings in [-1, 1], clipped, shape (parameters,).

        Raises:
            ValueError: the plug-in has no parameter of a name.
        """
        plugin = self.make()
        values = []
        for name, (low, high) in self.parameters.items():
            if not hasattr(plugin, name):
                raise ValueError(f"{type(plugin).__name__} has no parameter {name!r}")
            values.append(2 * (float(getattr(plugin, name)) - low) / (high - low) - 1)
        return np.clip(values, -1.0, 1.0)

    def decode(self, encoded: NDArray[np.float64]) -> NDArray[np.float64]:
        """[-1, 1], shape (..., parameters), to the plug-in's own values."""
        low, high = np.array(list(self.parameters.values())).T
        return np.asarray(low + (encoded + 1) / 2 * (high - low))

    def bound(self, values: NDArray[np.float64] | None) -> MakeInsert:
        """What makes each stem's plug-in with these values, (stems, parameters); None: its own."""

        def make(stem: int) -> Any:
            plugin = self.make()
            if values is not None:
                for name, value in zip(self.parameters, values[stem].tolist(), strict=True):
                    setattr(plugin, name, value)
            return plugin

        return make
