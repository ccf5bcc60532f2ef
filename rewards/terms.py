"""Terms of a reward: pure functions of a batch of readings, each from 0 to 1.

Every term takes the readings of a batch of mixes and its scene, returns shape (mixes,), and is 1
over a range that listeners accept rather than at a point. What is the case outside of it falls
with the square of the distance, so that a mix far off still feels which way is better. Keyword
arguments are what a reward's YAML file may set.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from ..console.masking import masked_share, spread_powers
from ..console.mix_readings import MixReadings
from ..console.rules import RULES
from ..console.targets import target_spectrum_db
from ..songs.roles import ROLES
from .scene import Scene

Values = NDArray[np.float64]
Term = Callable[..., Values]

EAR_HZ = (40.0, 16_000.0)  # bands whose balance counts
BASS_HZ = 120.0
LOUDEST_LU, SILENT_LUFS = 0.0, -70.0
PRIOR_DB = np.array([RULES[role].level_db for role in ROLES])
LEADS = np.array([role == "lead_vocal" for role in ROLES])


def within(
    value: NDArray[np.floating], low: float, high: float, falloff: float
) -> NDArray[np.float64]:
    """1 from `low` to `high`; 1/2 at `falloff` outside, and on with the square of the distance."""
    outside = np.maximum(0.0, np.maximum(low - value, value - high))
    return np.asarray(1.0 / (1.0 + np.square(outside / falloff)), dtype=np.float64)


def loudness(
    readings: MixReadings,
    scene: Scene,
    *,
    target_lufs: float = -14.0,
    tolerance_lu: float = 0.5,
    falloff_lu: float = 2.0,
) -> Values:
    """Nearness to the delivery loudness (ITU-R BS.1770-5; targets: AES TD1008, EBU R 128)."""
    error = readings.integrated_lufs - target_lufs
    return within(error, -tolerance_lu, tolerance_lu, falloff_lu)


def spectrum(
    readings: MixReadings,
    scene: Scene,
    *,
    tilt_db_per_octave: float = 0.0,
    tolerance_db: float = 3.0,
    falloff_db: float = 4.0,
) -> Values:
    """Tonal balance: the shape of the long-term spectrum against a target curve.

    Third octaves from 40 Hz to 16 kHz, levels less their mean; what exceeds the tolerance counts
    by its root mean square. The curve is that of popular recordings (Pestana et al., AES 135,
    2013): see `target_spectrum_db`.
    """
    target = target_spectrum_db(scene.centres_hz, tilt_db_per_octave)
    return _shape(readings.spectrum_db, target, scene, tolerance_db, falloff_db)


def _shape(
    levels_db: NDArray[np.floating],
    target_db: NDArray[np.float64],
    scene: Scene,
    tolerance_db: float,
    falloff_db: float,
) -> Values:
    heard = (scene.centres_hz > EAR_HZ[0] * 0.95) & (scene.centres_hz < EAR_HZ[1] * 1.05)
    error = (levels_db - target_db)[:, heard]
    error = error - np.median(error, axis=1, keepdims=True)
    excess = np.maximum(0.0, np.abs(error) - tolerance_db)
    return within(np.sqrt(np.square(excess).mean(axis=1)), 0.0, 0.0, falloff_db)


def dynamics(
    readings: MixReadings,
    scene: Scene,
    *,
    plr_low_db: float = 9.0,
    plr_high_db: float = 17.0,
    range_high_lu: float = 12.0,
    bus_plr_low_db: float = 11.0,
    bus_plr_high_db: float = 21.0,
    reduction_high_db: float = 1.0,
    falloff_db: float = 3.0,
) -> Values:
    """Peak to loudness ratio of master and mix bus, loudness range, and the limiter's work.

    The mean of four windows. PLR: AES TD1008 and Deruty and Tardieu, "About Dynamic Processing in
    Mainstream Music", JAES 62 (2014); loudness range: EBU Tech 3342.
    """
    parts = (
        within(readings.plr_db, plr_low_db, plr_high_db, falloff_db),
        within(readings.bus_plr_db, bus_plr_low_db, bus_plr_high_db, falloff_db),
        within(readings.loudness_range_lu, 0.0, range_high_lu, 2 * falloff_db),
        within(readings.mean_reduction_db, 0.0, reduction_high_db, falloff_db / 2),
    )
    return np.asarray(np.mean(parts, axis=0))


def masking(readings: MixReadings, scene: Scene) -> Values:
    """How much of the stems stands clear of the others, the mean over stems.

    The rest of the mix is spread over frequency as in the cochlea (Schroeder, Atal, Hall 1979, on
    the Bark scale) before it covers a stem: see `masking`. Its weight should stay modest:
    listeners preferred plain energy balance to masking models (Wichern et al. 2015).
    """
    spread = spread_powers(readings.stem_powers, scene.centres_hz)
    share = masked_share(readings.stem_powers, spread)
    stems = np.maximum(1, scene.present.sum(axis=1))
    return np.asarray(1.0 - (share * scene.present).sum(axis=1) / stems, dtype=np.float64)


def audibility(
    readings: MixReadings,
    scene: Scene,
    *,
    tolerance_lu: float = 3.0,
    falloff_lu: float = 4.0,
    lead_margin_lu: float = 0.0,
    lead_falloff_lu: float = 3.0,
) -> Values:
    """Every stem about as loud as its role asks for, and leads above the rest.

    Levels relative to the power of all stems, against the priors by role that `console.rules`
    states, n stems of one role sharing one place; the mean over stems. Where there is a lead
    vocal, a third of the term is whether no other stem is louder. Balance by loudness: De Man,
    Reiss, "Analysis of Peer Reviews in Music Production", Journal on the Art of Record
    Production 10 (2015): level is what listeners comment on first.
    """
    expected = expected_levels_lu(scene)
    found = relative_levels_lu(readings.stem_lufs, scene.present)
    fits = within(found - expected, -tolerance_lu, tolerance_lu, falloff_lu)
    stems = np.maximum(1, scene.present.sum(axis=1))
    score = (fits * scene.present).sum(axis=1) / stems
    lead = scene.present & LEADS[scene.roles]
    others = scene.present & ~LEADS[scene.roles]
    loudest_lead = np.where(lead, found, SILENT_LUFS).max(axis=1)
    loudest_other = np.where(others, found, SILENT_LUFS).max(axis=1)
    leads = within(loudest_lead - loudest_other, lead_margin_lu, np.inf, lead_falloff_lu)
    both = lead.any(axis=1) & others.any(axis=1)
    return np.asarray(np.where(both, (2 * score + leads) / 3, score))


def expected_levels_lu(scene: Scene) -> Values:
    """Loudness that each stem's role asks for, relative to the power of all, (mixes, stems)."""
    same = scene.roles[:, :, None] == scene.roles[:, None, :]
    sharing = np.maximum(1, (same & scene.present[:, None, :]).sum(axis=2))
    prior = PRIOR_DB[scene.roles] - 10 * np.log10(sharing)
    return relative_levels_lu(prior, scene.present)


def relative_levels_lu(levels_lufs: NDArray[np.floating], present: NDArray[np.bool_]) -> Values:
    """Levels less that of all stems' power, (mixes, stems); those not present far below."""
    levels = np.where(present, np.maximum(levels_lufs, SILENT_LUFS), SILENT_LUFS)
    total = (10 ** (levels / 10) * present).sum(axis=1, keepdims=True)
    return np.asarray(levels - 10 * np.log10(np.maximum(total, 1e-9)), dtype=np.float64)


def stereo(
    readings: MixReadings,
    scene: Scene,
    *,
    balance_db: float = 1.0,
    bass_width: float = 0.05,
    width_low: float = 0.03,
    width_high: float = 0.35,
    fold_loss_db: float = 1.5,
) -> Values:
    """Sides that weigh the same, a centred low end, a middle and top that are wide but not hollow.

    The mean of four windows: level difference of the sides, width below 120 Hz, width above
    200 Hz (both weighted by power), and loss in mono. Widths of released music: Pestana, Reiss,
    "Intelligent Audio Production Strategies Informed by Best Practices", AES 53 (2014).
    """
    power = readings.spectrum.astype(np.float64) + 1e-15
    low = scene.centres_hz < BASS_HZ
    high = scene.centres_hz > 200.0
    tilt = (power * readings.balance).sum(axis=1) / power.sum(axis=1)
    side_db = 10 * np.log10((1 + tilt).clip(1e-6) / (1 - tilt).clip(1e-6))
    parts = (
        within(side_db, -balance_db, balance_db, 2.0),
        within(_mean_width(readings, power, low), 0.0, bass_width, 0.1),
        within(_mean_width(readings, np.sqrt(power), high), width_low, width_high, 0.08),
        within(readings.mono_fold_loss_db, -np.inf, fold_loss_db, 1.5),
    )
    return np.asarray(np.mean(parts, axis=0))


def _mean_width(readings: MixReadings, weight: Values, bands: NDArray[np.bool_]) -> Values:
    weight = weight * bands
    return np.asarray((readings.width * weight).sum(axis=1) / weight.sum(axis=1))


def restraint(readings: MixReadings, scene: Scene, *, free: float = 0.1) -> Values:
    """What is done without: 1 up to a little effort, 0 with everything at its limit.

    Two thirds of the processors of a mixing console can be taken away for hardly any loss (Lee et
    al., "Searching for Music Mixing Graphs: A Pruning Approach", DAFx 2024).
    """
    return np.asarray(1.0 - np.maximum(0.0, scene.effort - free) / (1.0 - free))


TERMS: dict[str, Term] = {
    "loudness": loudness,
    "spectrum": spectrum,
    "dynamics": dynamics,
    "masking": masking,
    "audibility": audibility,
    "stereo": stereo,
    "restraint": restraint,
}
