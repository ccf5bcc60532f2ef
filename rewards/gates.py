"""Gates: factors from 0 to 1 that no good term can make up for."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from ..console.parameters import NOMINAL_LUFS
from .facts import Facts

Values = NDArray[np.float64]
Gate = Callable[..., Values]


def finite(facts: Facts) -> Values:
    """0 where a reading is not a number."""
    readings = facts.readings
    fine = np.isfinite(readings.plr_db) & np.isfinite(readings.mono_fold_loss_db)
    fine &= np.isfinite(readings.loudness_range_lu) & np.isfinite(facts.power).all(axis=1)
    fine &= np.isfinite(readings.width).all(axis=1) & np.isfinite(facts.clear_share).all(axis=1)
    return fine.astype(np.float64)


def silence(facts: Facts, *, drop_db: float = 15.0, falloff_db: float = 6.0) -> Values:
    """Falls where the mix bus is far quieter than its stems at equal loudness would make it.

    Delivery would bring any mix to its target, one whose stems are all turned down as well.
    """
    equal_lufs = NOMINAL_LUFS + 10 * np.log10(facts.stems)
    return _ramp(equal_lufs - facts.readings.bus_lufs, drop_db, falloff_db)


def clipping(facts: Facts, *, ceiling_dbtp: float = 0.0) -> Values:
    """0 above the ceiling, with 0.1 dB for the meter."""
    return np.asarray(facts.readings.true_peak_dbtp <= ceiling_dbtp + 0.1, dtype=np.float64)


def lost_stems(facts: Facts, *, drop_lu: float = 15.0, falloff_lu: float = 9.0) -> Values:
    """The share of stems that can be heard.

    A stem is on its way out `drop_lu` below what its role asks for, and gone `falloff_lu` further.
    """
    missing = facts.expected_lu - facts.stem_lu
    total = 10 * np.log10(facts.over_stems(10 ** (facts.stem_lu / 10)) + 1e-9)
    wanted = 10 * np.log10(facts.over_stems(10 ** (facts.expected_lu / 10)) + 1e-9)
    heard = _ramp(missing + (total - wanted)[:, None], drop_lu, falloff_lu)
    return np.asarray(np.square(facts.over_stems(heard) / facts.stems))


def one_sided(facts: Facts, *, tilt_db: float = 6.0, falloff_db: float = 9.0) -> Values:
    """Falls where one side is much louder than the other."""
    return _ramp(np.abs(facts.side_db), tilt_db, falloff_db)


def mono_collapse(facts: Facts, *, loss_db: float = 4.0, falloff_db: float = 4.0) -> Values:
    """Falls where the mix loses much of itself in mono."""
    return _ramp(facts.readings.mono_fold_loss_db, loss_db, falloff_db)


def _ramp(value: NDArray[np.floating], start: float, length: float) -> Values:
    """1 up to `start`, then in a straight line to 0."""
    return np.asarray(1.0 - np.clip((value - start) / length, 0.0, 1.0), dtype=np.float64)


GATES: dict[str, Gate] = {
    "finite": finite,
    "silence": silence,
    "clipping": clipping,
    "lost_stems": lost_stems,
    "one_sided": one_sided,
    "mono_collapse": mono_collapse,
}
