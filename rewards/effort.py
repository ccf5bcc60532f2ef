"""How much a mix does, whatever it sounds like."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..console.parameters import MASTER, SEND_OFF_DB, STRIP
from ..console.table import Parameter, ParameterTable

FREE = ("level", "pan", "delivery")  # components that cost nothing


def effort(
    strips: NDArray[np.float64],
    master: NDArray[np.float64],
    present: NDArray[np.bool_],
) -> NDArray[np.float64]:
    """Mean distance from neutral of what equalises, compresses, sends and masters.

    Gains count in decibels over their limit, ratios and cut-offs by logarithm, sends in
    amplitude; a processor that is off costs nothing. Levels, panning and delivery are free. Strips
    weigh three quarters, the master one.

    Args:
        strips: physical values, shape (mixes, stems, len(STRIP)).
        master: (mixes, len(MASTER)).
        present: stems that sound, (mixes, stems).

    Returns:
        Shape (mixes,), in [0, 1].
    """
    per_stem = _distance(STRIP, strips)
    stems = np.maximum(1, present.sum(axis=1))
    return np.asarray(
        0.75 * (per_stem * present).sum(axis=1) / stems + 0.25 * _distance(MASTER, master)
    )


def _distance(table: ParameterTable, values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Mean over the table's costly parameters, (...,)."""
    costs = [
        _cost(parameter, values[..., i]) * _in_use(table, parameter, values)
        for i, parameter in enumerate(table)
        if parameter.neutral is not None
        and parameter.scale != "switch"
        and parameter.component not in FREE
    ]
    return np.asarray(np.mean(costs, axis=0))


def _in_use(
    table: ParameterTable, parameter: Parameter, values: NDArray[np.float64]
) -> NDArray[np.float64] | float:
    switch = f"{parameter.processor}_on"
    return values[..., table.index(switch)] if switch in table else 1.0


def _cost(parameter: Parameter, value: NDArray[np.float64]) -> NDArray[np.float64]:
    neutral = parameter.neutral
    assert neutral is not None
    if neutral == SEND_OFF_DB:
        return np.where(value <= SEND_OFF_DB, 0.0, 10 ** (value / 20))
    warp = np.log if parameter.scale == "log" else np.asarray
    furthest = max(
        abs(float(warp(parameter.low) - warp(neutral))),
        abs(float(warp(parameter.high) - warp(neutral))),
    )
    return np.abs(warp(value) - warp(neutral)) / furthest
