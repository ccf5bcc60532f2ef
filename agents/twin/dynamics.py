"""Compressors on predicted powers, the twin of `console._dynamics`."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from ...console.compressor import DETECTOR_MS, LOUDNESS_OFFSET_DB
from .lag import even, lag, smoothing
from .values import Settings

FLOOR = 1e-12
LEAST_KNEE_DB = 1e-3


class Compressor:
    """What compressors are set to; all (...).

    Args:
        threshold_db: relative to the nominal loudness. ratio, knee_db, attack_ms, release_ms: as
            in the parameter tables.
    """

    def __init__(
        self,
        threshold_db: Tensor,
        ratio: Tensor,
        knee_db: Tensor,
        attack_ms: Tensor,
        release_ms: Tensor,
    ) -> None:
        self.threshold_db = threshold_db
        self.slope = 1.0 / ratio - 1.0
        self.knee_db = knee_db.clamp_min(LEAST_KNEE_DB)
        self.attack_ms, self.release_ms = attack_ms, release_ms

    @classmethod
    def of(cls, settings: Settings, prefix: str) -> Compressor:
        """The one whose parameters' names begin so."""
        names = ("threshold_db", "ratio", "knee_db", "attack_ms", "release_ms")
        return cls(*(settings[f"{prefix}{name}"] for name in names))

    def static_gain_db(self, level_db: Tensor | float) -> Tensor:
        """Gain for a constant level relative to the nominal loudness, of the same shape."""
        return _curve(level_db - self.threshold_db, self.slope, self.knee_db)

    def gains(self, detected: Tensor, nominal_lufs: float, slots_per_s: float) -> Tensor:
        """Power gains from the powers that detectors meet, both (..., frames, slots)."""
        flat = detected.flatten(-2) + FLOOR
        average = smoothing(torch.tensor(DETECTOR_MS, dtype=torch.float64), slots_per_s)
        heard = 10.0 * torch.log10(lag(flat, even(*average).to(flat.device)))
        offset = (self.threshold_db + (nominal_lufs - LOUDNESS_OFFSET_DB)).to(flat.dtype)
        slope, knee = (x.to(flat.dtype)[..., None] for x in (self.slope, self.knee_db))
        wanted_db = _curve(heard - offset[..., None], slope, knee)
        fall, rise = (smoothing(ms, slots_per_s) for ms in (self.attack_ms, self.release_ms))
        moved = lag(wanted_db, torch.stack((*fall, *rise), dim=-1))
        return torch.exp(moved * (math.log(10.0) / 10.0)).reshape(detected.shape)


def _curve(over_db: Tensor, slope: Tensor, knee_db: Tensor) -> Tensor:
    half = 0.5 * knee_db
    bent = torch.minimum((over_db + half).clamp_min(0.0), knee_db)
    return slope * (bent * bent / (2.0 * knee_db) + (over_db - half).clamp_min(0.0))
