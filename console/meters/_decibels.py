"""Decibels of powers and amplitudes; zero reads -inf without a warning."""

from typing import Any, overload

import numpy as np
from numpy.typing import NDArray


@overload
def power_db(power: float) -> float: ...
@overload
def power_db(power: NDArray[np.float64]) -> NDArray[np.float64]: ...
def power_db(power: Any) -> Any:
    """10 log10 of a power (number or array of any shape): 0 gives -inf, NaN stays NaN."""
    with np.errstate(divide="ignore"):
        decibels = 10.0 * np.log10(power)
    return decibels if isinstance(power, np.ndarray) else float(decibels)


def amplitude_db(amplitude: float) -> float:
    """20 log10 of an amplitude: 0 gives -inf."""
    with np.errstate(divide="ignore"):
        return float(20.0 * np.log10(amplitude))
