"""Mastering by rule: gentle glue, and an equaliser that leans towards a target spectrum."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .parameters import MASTER
from .rules import BALANCED_MASTER
from .styles import Style
from .targets import target_spectrum_db

TOLERANCE_DB = 2.0  # deviations within it are taste
SHARE = 0.5  # of a deviation beyond it that is taken back
LIMIT_DB = 3.0
JUDGED_HZ = (50.0, 14_000.0)
ZONES: dict[str, tuple[float, float]] = {
    "master_low_shelf_db": (40, 100),
    "master_bell_1_db": (200, 500),
    "master_bell_2_db": (1600, 4000),
    "master_high_shelf_db": (8000, 14_000),
}


def master_by_rule(
    centres_hz: NDArray[np.float64], levels_db: NDArray[np.float64], lean: Style
) -> tuple[NDArray[np.float64], tuple[str, ...]]:
    """Settings for a finished track, and why.

    Half of what each of four zones deviates from the style's target, beyond a tolerance, is
    taken back by the equaliser, within 3 dB; the style's own settings are added to that.

    Args:
        centres_hz, levels_db: third-octave levels of the track, shape (bands,).
        lean: the style.

    Returns:
        A master vector, shape (len(MASTER),), and sentences for the report.
    """
    target_db = target_spectrum_db(centres_hz)
    judged = (centres_hz >= JUDGED_HZ[0]) & (centres_hz <= JUDGED_HZ[1]) & np.isfinite(levels_db)
    if not judged.any():
        return MASTER.vector({**BALANCED_MASTER, **lean.master}), (lean.about,)
    deviation = levels_db - target_db
    deviation -= np.median(deviation[judged])
    values = {**BALANCED_MASTER, **lean.master}
    reasons = [lean.about]
    for name, (low_hz, high_hz) in ZONES.items():
        zone = judged & (centres_hz >= low_hz) & (centres_hz <= high_hz)
        if not zone.any():
            continue
        off_db = float(deviation[zone].mean())
        beyond_db = np.sign(off_db) * max(0.0, abs(off_db) - TOLERANCE_DB)
        correction = round(float(np.clip(-SHARE * beyond_db, -LIMIT_DB, LIMIT_DB)), 1)
        if correction:
            values["master_eq_on"] = 1.0
            values[name] = values.get(name, 0.0) + correction
            reasons.append(
                f"{low_hz:g} to {high_hz:g} Hz lies {off_db:+.1f} dB off a balanced master: "
                f"{correction:+.1f} dB"
            )
    return MASTER.vector(values), tuple(reasons)
