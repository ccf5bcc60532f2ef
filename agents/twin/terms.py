"""Terms of a reward, the twin of `rewards.terms`: what they mean is said there.

Keyword arguments are those of the terms there, and take their defaults from there.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

from ...console.targets import target_spectrum_db
from ...rewards.facts import BACKING, LEADS, SILENT_LUFS
from ...rewards.reference import Reference
from ...rewards.terms import BASS_HZ, EAR_HZ, LEAST_WEIGHT, LEAST_WIDTH, SIDES_HZ
from .facts import TwinFacts
from .values import decibels, power, root

FARTHEST = 1e6  # outside of a window; infinity has no gradient
Term = Callable[..., Tensor]


def within(value: Tensor, low: float, high: float, falloff: float) -> Tensor:
    """1 from `low` to `high`; 1/2 at `falloff` outside, and on with the square of the distance."""
    outside = torch.maximum(low - value, value - high).clamp(0.0, FARTHEST)
    return 1.0 / (1.0 + torch.square(outside / falloff))


def loudness(
    facts: TwinFacts, *, target_lufs: float, tolerance_lu: float, falloff_lu: float
) -> Tensor:
    """Nearness to the delivery loudness."""
    error = facts.readings.integrated_lufs - target_lufs
    return within(error, -tolerance_lu, tolerance_lu, falloff_lu)


def spectrum(
    facts: TwinFacts,
    *,
    tilt_db_per_octave: float,
    reference_curve: Reference | None,
    tolerance_db: float,
    falloff_db: float,
) -> Tensor:
    """Tonal balance: the shape of the long-term spectrum against a target curve."""
    hz = facts.centres_hz
    target = target_spectrum_db(hz, tilt_db_per_octave)
    if reference_curve is not None:
        target = reference_curve.levels_at_db(hz) + tilt_db_per_octave * np.log2(hz / 1000)
    off_db = _off_shape_db(facts, facts.constant(target), tolerance_db)
    return within(off_db, 0.0, 0.0, falloff_db)


def _off_shape_db(facts: TwinFacts, target_db: Tensor, tolerance_db: float) -> Tensor:
    """How far the spectrum's shape is from a target, beyond the tolerance, (mixes,)."""
    heard = facts.bands(EAR_HZ[0] * 0.95, EAR_HZ[1] * 1.05)
    error = facts.levels_db[:, heard] - target_db[heard]
    ordered, bands = error.sort(dim=1).values, error.shape[1]
    error = error - (ordered[:, [(bands - 1) // 2]] + ordered[:, [bands // 2]]) / 2
    excess = (error.abs() - tolerance_db).clamp_min(0.0)
    return root(torch.square(excess).mean(dim=1))


def dynamics(
    facts: TwinFacts,
    *,
    plr_low_db: float,
    plr_high_db: float,
    range_low_lu: float,
    range_high_lu: float,
    bus_plr_low_db: float,
    bus_plr_high_db: float,
    reduction_high_db: float,
    falloff_db: float,
) -> Tensor:
    """Peak to loudness ratio of master and mix bus, loudness range, and the limiter's work."""
    readings = facts.readings
    parts = (
        within(readings.plr_db, plr_low_db, plr_high_db, falloff_db),
        within(readings.bus_plr_db, bus_plr_low_db, bus_plr_high_db, falloff_db),
        within(readings.loudness_range_lu, range_low_lu, range_high_lu, 2 * falloff_db),
        within(readings.mean_reduction_db, 0.0, reduction_high_db, falloff_db / 2),
    )
    return torch.stack(parts).mean(dim=0)


def masking(facts: TwinFacts) -> Tensor:
    """How much of the stems stands clear of the others, the mean over stems."""
    return facts.over_stems(facts.clear_share) / facts.stems


def audibility(
    facts: TwinFacts,
    *,
    tolerance_lu: float,
    falloff_lu: float,
    lead_db: float,
    backing_db: float,
    lead_margin_lu: float,
    lead_falloff_lu: float,
) -> Tensor:
    """Every stem about as loud as its role asks for, and leads above the rest."""
    present, leads = facts.present, facts.constant(LEADS)[facts.roles]
    expected = (
        facts.expected_lu + facts.constant(lead_db * LEADS + backing_db * BACKING)[facts.roles]
    )
    weight = power(expected / 4.0)
    total = facts.over_stems(weight).clamp_min(LEAST_WEIGHT)
    error = facts.stem_lu - expected
    error = error - (facts.over_stems(error * weight) / total)[:, None]
    excess = (error.abs() - tolerance_lu).clamp_min(0.0)
    rms = root(facts.over_stems(torch.square(excess) * weight) / total)
    score = within(rms, 0.0, 0.0, falloff_lu)
    lead, others = present & leads, present & ~leads
    margin = _loudest(facts, lead) - _loudest(facts, others)
    above = within(margin, lead_margin_lu, math.inf, lead_falloff_lu)
    both = lead.any(dim=1) & others.any(dim=1)
    return torch.where(both, (2 * score + above) / 3, score)


def _loudest(facts: TwinFacts, among: Tensor) -> Tensor:
    return torch.where(among, facts.stem_lu, SILENT_LUFS).amax(dim=1)


def stereo(
    facts: TwinFacts,
    *,
    balance_db: float,
    bass_width: float,
    width_low: float,
    width_high: float,
    fold_loss_db: float,
) -> Tensor:
    """Sides that weigh the same, a centred low end, a middle and top that are wide."""
    low_db, high_db = (10 * math.log10(max(LEAST_WIDTH, w)) for w in (width_low, width_high))
    parts = (
        within(facts.side_db, -balance_db, balance_db, 2.0),
        within(facts.mean_width(0.0, BASS_HZ, facts.power), 0.0, bass_width, 0.15),
        within(_sides_db(facts), low_db, high_db, 8.0),
        within(facts.readings.mono_fold_loss_db, -math.inf, fold_loss_db, 1.5),
    )
    return torch.stack(parts).mean(dim=0)


def _sides_db(facts: TwinFacts) -> Tensor:
    """Width of the middle and top in decibels, (mixes,)."""
    width = facts.mean_width(SIDES_HZ, math.inf, facts.amplitude)
    return decibels(width.clamp_min(LEAST_WIDTH))


def reference(
    facts: TwinFacts,
    *,
    track: Reference,
    tolerance_db: float,
    spectrum_falloff_db: float,
    dynamics_falloff_db: float,
    width_falloff_db: float,
) -> Tensor:
    """Nearness to a reference track, or to the median of several."""
    hz, readings = facts.centres_hz, facts.readings
    levels_db = track.levels_at_db(hz)
    sides = facts.bands(SIDES_HZ, math.inf)
    width = np.average(track.width_at(hz)[sides], weights=10 ** (levels_db[sides] / 20))
    wanted_db = 10 * math.log10(max(LEAST_WIDTH, width))
    off_db = _off_shape_db(facts, facts.constant(levels_db), tolerance_db)
    off_range = readings.loudness_range_lu - track.loudness_range_lu
    parts = (
        within(off_db, 0.0, 0.0, spectrum_falloff_db),
        within(readings.plr_db - track.plr_db, 0.0, 0.0, dynamics_falloff_db),
        within(off_range, 0.0, 0.0, dynamics_falloff_db),
        within(_sides_db(facts) - wanted_db, 0.0, 0.0, width_falloff_db),
    )
    return torch.stack(parts).mean(dim=0)


def restraint(facts: TwinFacts, *, free: float) -> Tensor:
    """What is done without: 1 up to a free effort, 0 where very much is done."""
    return 1.0 - (facts.effort - free).clamp_min(0.0) / max(1e-9, 1.0 - free)


TERMS: dict[str, Term] = {
    "loudness": loudness,
    "spectrum": spectrum,
    "dynamics": dynamics,
    "masking": masking,
    "audibility": audibility,
    "stereo": stereo,
    "reference": reference,
    "restraint": restraint,
}
