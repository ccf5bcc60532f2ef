"""Gates: factors from 0 to 1 that no good term can make up for."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from ..console.mix_readings import MixReadings
from ..console.parameters import NOMINAL_LUFS
from .scene import Scene
from .terms import expected_levels_lu, relative_levels_lu

Values = NDArray[np.float64]
Gate = Callable[..., Values]


def finite(readings: MixReadings, scene: Scene) -> Values:
    """0 where a reading is not a number."""
    fine = np.ones(len(readings.integrated_lufs), dtype=bool)
    for array in (readings.plr_db, readings.loudness_range_lu, readings.mono_fold_loss_db):
        fine &= np.isfinite(array)
    for array in (readings.powers, readings.width, readings.stem_powers):
        fine &= np.isfinite(array).all(axis=tuple(range(1, array.ndim)))
    return fine.astype(np.float64)


def silence(
    readings: MixReadings, scene: Scene, *, drop_db: float = 15.0, falloff_db: float = 6.0
) -> Values:
    """Falls where the mix bus is far quieter than its stems at equal loudness would make it.

    Delivery would bring any mix to its target, one whose stems are all turned down as well.
    """
    stems = np.maximum(1, scene.present.sum(axis=1))
    equal_lufs = NOMINAL_LUFS + 10 * np.log10(stems)
    return _ramp(equal_lufs - readings.bus_lufs, drop_db, falloff_db)


def clipping(readings: MixReadings, scene: Scene, *, ceiling_dbtp: float = 0.0) -> Values:
    """0 above the ceiling, with 0.1 dB for the meter."""
    return np.asarray(readings.true_peak_dbtp <= ceiling_dbtp + 0.1, dtype=np.float64)


def lost_stems(
    readings: MixReadings, scene: Scene, *, drop_lu: float = 15.0, falloff_lu: float = 9.0
) -> Values:
    """The square of the share of stems that can be heard.

    A stem is on its way out `drop_lu` below what its role asks for, and gone `falloff_lu` further.
    """
    missing = expected_levels_lu(scene) - relative_levels_lu(readings.stem_lufs, scene.present)
    heard = _ramp(missing, drop_lu, falloff_lu) * scene.present
    share = heard.sum(axis=1) / np.maximum(1, scene.present.sum(axis=1))
    return np.asarray(np.square(share))


def one_sided(
    readings: MixReadings, scene: Scene, *, tilt_db: float = 6.0, falloff_db: float = 9.0
) -> Values:
    """Falls where one side is much louder than the other."""
    power = readings.spectrum.astype(np.float64) + 1e-15
    tilt = (power * readings.balance).sum(axis=1) / power.sum(axis=1)
    side_db = 10 * np.log10((1 + tilt).clip(1e-6) / (1 - tilt).clip(1e-6))
    return _ramp(np.abs(side_db), tilt_db, falloff_db)


def mono_collapse(
    readings: MixReadings, scene: Scene, *, loss_db: float = 4.0, falloff_db: float = 4.0
) -> Values:
    """Falls where the mix loses much of itself in mono."""
    return _ramp(readings.mono_fold_loss_db, loss_db, falloff_db)


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
