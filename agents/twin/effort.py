"""How much a mix does, the twin of `rewards.effort`: what is counted is said there.

Where nothing is done, the cost has a kink; its gradient there is zero, but for a closed send, whose
gradient is that of opening it.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from ...console.parameters import MASTER, SEND_OFF_DB, STRIP
from ...rewards._effort import (
    ABOVE_DB,
    COMPRESSION_LIMIT_DB,
    EQ_LIMIT_DB,
    GAINS,
    HIGH_PASS_HZ,
    SATURATION_LIMIT_DB,
)
from .values import Settings, amplitude, cut, root

BANDS = ("low", "mid", "high")
LEAST = 1e-12


def effort(strips: Tensor, master: Tensor, present: Tensor) -> Tensor:
    """What tone, dynamics, space and image were changed by, (mixes,), from 0 to 1.

    Args:
        strips: physical values, (mixes, stems, len(STRIP)).
        master: (mixes, len(MASTER)).
        present: stems that sound, (mixes, stems).
    """
    counted = present.to(strips.dtype)[..., None]
    of_stems = (_of_strips(Settings(STRIP, strips)) * counted).sum(dim=1)
    costs = of_stems / counted.sum(dim=1).clamp_min(1.0) + _of_master(Settings(MASTER, master))
    return root(torch.square(costs).mean(dim=-1), LEAST).clamp_max(1.0)


def _of_strips(strips: Settings) -> Tensor:
    """Tone, dynamics, space and image, (mixes, stems, 4)."""
    low_hz, high_hz = HIGH_PASS_HZ
    share = torch.log(strips["high_pass_hz"] / low_hz) / math.log(high_hz / low_hz)
    tone = _where(strips, "high_pass_on", torch.square(share))
    tone = tone + _where(strips, "eq_on", _overall_db(strips, "") / EQ_LIMIT_DB)
    dynamics = _where(strips, "compressor_on", _compression(strips, "compressor"))
    levels = [strips[f"{name}_send_db"] for name in ("reverb", "delay")]
    space = sum(cut(amplitude(level), level <= SEND_OFF_DB) for level in levels)
    return torch.stack((tone, dynamics, torch.as_tensor(space), _off_one(strips["width"])), dim=-1)


def _of_master(master: Settings) -> Tensor:
    """The same of the master, (mixes, 4)."""
    tone = _where(master, "master_eq_on", _overall_db(master, "master_") / EQ_LIMIT_DB)
    drive = master["saturation_drive_db"] / SATURATION_LIMIT_DB
    bands = torch.stack([_compression(master, band) for band in BANDS])
    dynamics = (
        _where(master, "bus_compressor_on", _compression(master, "bus_compressor"))
        + _where(master, "multiband_on", bands.mean(dim=0))
        + _where(master, "saturation_on", master["saturation_mix"] * drive)
    )
    image = _where(master, "image_on", _off_one(master["master_width"]))
    return torch.stack((tone, dynamics, torch.zeros_like(tone), image), dim=-1)


def _where(settings: Settings, switch: str, cost: Tensor) -> Tensor:
    return torch.where(settings.on(switch), cost, 0.0)


def _off_one(width: Tensor) -> Tensor:
    return (width - 1.0).abs()


def _compression(settings: Settings, prefix: str) -> Tensor:
    above_db = ABOVE_DB - settings[f"{prefix}_threshold_db"]
    return above_db * (1.0 - 1.0 / settings[f"{prefix}_ratio"]) / COMPRESSION_LIMIT_DB


def _overall_db(settings: Settings, prefix: str) -> Tensor:
    """Fourth-power mean of the equaliser's gains."""
    gains = torch.stack([settings[f"{prefix}{name}"] for name in GAINS])
    return root(root((gains**4).mean(dim=0), LEAST**2), LEAST)
