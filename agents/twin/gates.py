"""Gates of a reward, the twin of `rewards.gates`: what they mean is said there.

`finite` and `clipping` are steps, and have no gradient.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from ...console.parameters import NOMINAL_LUFS
from .facts import TwinFacts
from .values import decibels, power

Gate = Callable[..., Tensor]


def finite(facts: TwinFacts) -> Tensor:
    """0 where a reading is not a number."""
    readings = facts.readings
    single = (readings.plr_db, readings.mono_fold_loss_db, readings.loudness_range_lu)
    rows = (*(x[:, None] for x in single), facts.power, readings.width, facts.clear_share)
    return torch.cat([x.detach().isfinite() for x in rows], dim=1).all(dim=1).to(facts.power.dtype)


def silence(facts: TwinFacts, *, drop_db: float, falloff_db: float) -> Tensor:
    """Falls where the mix bus is far quieter than its stems at equal loudness would make it."""
    equal_lufs = NOMINAL_LUFS + decibels(facts.stems)
    return _ramp(equal_lufs - facts.readings.bus_lufs, drop_db, falloff_db)


def clipping(facts: TwinFacts, *, ceiling_dbtp: float) -> Tensor:
    """0 above the ceiling, with 0.1 dB for the meter."""
    under = facts.readings.true_peak_dbtp <= ceiling_dbtp + 0.1
    return under.to(facts.power.dtype)


def lost_stems(facts: TwinFacts, *, drop_lu: float, falloff_lu: float) -> Tensor:
    """The share of stems that can be heard."""
    missing = facts.expected_lu - facts.stem_lu
    total = decibels(facts.over_stems(power(facts.stem_lu)), 1e-9)
    wanted = decibels(facts.over_stems(power(facts.expected_lu)), 1e-9)
    heard = _ramp(missing + (total - wanted)[:, None], drop_lu, falloff_lu)
    return torch.square(facts.over_stems(heard) / facts.stems)


def one_sided(facts: TwinFacts, *, tilt_db: float, falloff_db: float) -> Tensor:
    """Falls where one side is much louder than the other."""
    return _ramp(facts.side_db.abs(), tilt_db, falloff_db)


def mono_collapse(facts: TwinFacts, *, loss_db: float, falloff_db: float) -> Tensor:
    """Falls where the mix loses much of itself in mono."""
    return _ramp(facts.readings.mono_fold_loss_db, loss_db, falloff_db)


def _ramp(value: Tensor, start: float, length: float) -> Tensor:
    """1 up to `start`, then in a straight line to 0."""
    return 1.0 - ((value - start) / length).clamp(0.0, 1.0)


GATES: dict[str, Gate] = {
    "finite": finite,
    "silence": silence,
    "clipping": clipping,
    "lost_stems": lost_stems,
    "one_sided": one_sided,
    "mono_collapse": mono_collapse,
}
