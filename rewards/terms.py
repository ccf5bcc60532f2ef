"""Terms of a reward: pure functions of a batch of readings, each from 0 to 1.

Every term takes the facts of a batch of mixes and returns shape (mixes,). It is 1 over what
listeners accept and falls outside of it with the square of the distance at first, more slowly far
off, so that a mix that is far off still feels which way is better. Keyword arguments are what a
reward's YAML file may set.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from ..console.targets import target_spectrum_db
from .facts import BACKING, LEADS, SILENT_LUFS, Facts
from .reference import Reference

Values = NDArray[np.float64]
Term = Callable[..., Values]

EAR_HZ = (40.0, 16_000.0)  # bands whose balance counts
BASS_HZ, SIDES_HZ = 120.0, 200.0
LEAST_WIDTH, LEAST_WEIGHT = 1e-3, 1e-9


def within(
    value: NDArray[np.floating], low: float, high: float, falloff: float
) -> NDArray[np.float64]:
    """1 from `low` to `high`; 1/2 at `falloff` outside, and on with the square of the distance."""
    outside = np.maximum(0.0, np.maximum(low - value, value - high))
    return np.asarray(1.0 / (1.0 + np.square(outside / falloff)), dtype=np.float64)


def loudness(
    facts: Facts,
    *,
    target_lufs: float = -14.0,
    tolerance_lu: float = 0.5,
    falloff_lu: float = 2.0,
) -> Values:
    """Nearness to the delivery loudness (ITU-R BS.1770-5; targets: AES TD1008, EBU R 128)."""
    error = facts.readings.integrated_lufs - target_lufs
    return within(error, -tolerance_lu, tolerance_lu, falloff_lu)


def spectrum(
    facts: Facts,
    *,
    tilt_db_per_octave: float = 0.0,
    reference_curve: Reference | None = None,
    tolerance_db: float = 3.0,
    falloff_db: float = 8.0,
) -> Values:
    """Tonal balance: the shape of the long-term spectrum against a target curve.

    Third octaves from 40 Hz to 16 kHz, differences less their median; what exceeds the tolerance
    counts by its root mean square. The curve is that of popular recordings (Pestana et al., AES
    135, 2013), see `target_spectrum_db`, or one that was learned from tracks.
    """
    hz = facts.scene.centres_hz
    target = target_spectrum_db(hz, tilt_db_per_octave)
    if reference_curve is not None:
        target = reference_curve.levels_at_db(hz) + tilt_db_per_octave * np.log2(hz / 1000)
    return within(_off_shape_db(facts, target, tolerance_db), 0.0, 0.0, falloff_db)


def _off_shape_db(facts: Facts, target_db: Values, tolerance_db: float) -> Values:
    """How far the spectrum's shape is from a target, beyond the tolerance, (mixes,)."""
    heard = facts.bands(EAR_HZ[0] * 0.95, EAR_HZ[1] * 1.05)
    error = facts.levels_db[:, heard] - target_db[heard]
    ordered, bands = np.sort(error, axis=1), error.shape[1]
    error = error - (ordered[:, [(bands - 1) // 2]] + ordered[:, [bands // 2]]) / 2
    excess = np.maximum(0.0, np.abs(error) - tolerance_db)
    return np.asarray(np.sqrt(np.square(excess).mean(axis=1)))


def dynamics(
    facts: Facts,
    *,
    plr_low_db: float = 11.0,
    plr_high_db: float = 17.0,
    range_low_lu: float = 0.0,
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
    readings = facts.readings
    parts = (
        within(readings.plr_db, plr_low_db, plr_high_db, falloff_db),
        within(readings.bus_plr_db, bus_plr_low_db, bus_plr_high_db, falloff_db),
        within(readings.loudness_range_lu, range_low_lu, range_high_lu, 2 * falloff_db),
        within(readings.mean_reduction_db, 0.0, reduction_high_db, falloff_db / 2),
    )
    return np.asarray(np.mean(parts, axis=0))


def masking(facts: Facts) -> Values:
    """How much of the stems stands clear of the others, the mean over stems.

    The rest of the mix is spread over frequency as in the cochlea (Schroeder, Atal, Hall 1979, on
    the Bark scale) before it covers a stem: see `masked_share`. Its weight should stay modest:
    listeners preferred plain energy balance to masking models (Wichern et al. 2015).
    """
    return np.asarray(facts.over_stems(facts.clear_share) / facts.stems)


def audibility(
    facts: Facts,
    *,
    tolerance_lu: float = 0.5,
    falloff_lu: float = 6.0,
    lead_db: float = 0.0,
    backing_db: float = 0.0,
    lead_margin_lu: float = 0.0,
    lead_falloff_lu: float = 3.0,
) -> Values:
    """Every stem about as loud as its role asks for, and leads above the rest.

    Levels against the priors by role that `console.rules` states, n stems of one role sharing one
    place; what exceeds the tolerance counts by its root mean square over the stems, those that
    should stand in front the more. `lead_db` and `backing_db` move the priors of voices. Where
    there is a lead vocal, a third of the term is whether no other stem is louder. Balance by
    loudness: De Man, Reiss, "Analysis of Peer Reviews in Music Production", Journal on the Art of
    Record Production 10 (2015): level is what listeners comment on first.
    """
    present, roles = facts.scene.present, facts.scene.roles
    voices_db = lead_db * LEADS + backing_db * BACKING
    expected = facts.expected_lu + voices_db[roles]
    weight = 10 ** (expected / 40)
    total = np.maximum(facts.over_stems(weight), LEAST_WEIGHT)
    error = facts.stem_lu - expected
    error = error - (facts.over_stems(error * weight) / total)[:, None]
    excess = np.maximum(0.0, np.abs(error) - tolerance_lu)
    rms = np.sqrt(facts.over_stems(np.square(excess) * weight) / total)
    score = within(rms, 0.0, 0.0, falloff_lu)
    lead = present & LEADS[roles]
    others = present & ~LEADS[roles]
    loudest_lead = np.where(lead, facts.stem_lu, SILENT_LUFS).max(axis=1)
    loudest_other = np.where(others, facts.stem_lu, SILENT_LUFS).max(axis=1)
    leads = within(loudest_lead - loudest_other, lead_margin_lu, np.inf, lead_falloff_lu)
    both = lead.any(axis=1) & others.any(axis=1)
    return np.asarray(np.where(both, (2 * score + leads) / 3, score))


def stereo(
    facts: Facts,
    *,
    balance_db: float = 0.5,
    bass_width: float = 0.05,
    width_low: float = 0.06,
    width_high: float = 0.45,
    fold_loss_db: float = 2.0,
) -> Values:
    """Sides that weigh the same, a centred low end, a middle and top that are wide but not hollow.

    The mean of four windows: level difference of the sides, width below 120 Hz (weighted by
    power), width above 200 Hz (weighted by amplitude, compared in decibels), and loss in mono.
    Widths of released music: Pestana, Reiss, "Intelligent Audio Production Strategies Informed by
    Best Practices", AES 53 (2014).
    """
    width_db = _width_db(facts.mean_width(SIDES_HZ, np.inf, facts.amplitude))
    low_db, high_db = (10 * np.log10(max(LEAST_WIDTH, w)) for w in (width_low, width_high))
    parts = (
        within(facts.side_db, -balance_db, balance_db, 2.0),
        within(facts.mean_width(0.0, BASS_HZ, facts.power), 0.0, bass_width, 0.15),
        within(width_db, low_db, high_db, 8.0),
        within(facts.readings.mono_fold_loss_db, -np.inf, fold_loss_db, 1.5),
    )
    return np.asarray(np.mean(parts, axis=0))


def _width_db(width: NDArray[np.floating]) -> Values:
    return np.asarray(10 * np.log10(np.maximum(LEAST_WIDTH, width)), dtype=np.float64)


def reference(
    facts: Facts,
    *,
    track: Reference | None = None,
    tolerance_db: float = 2.0,
    spectrum_falloff_db: float = 6.0,
    dynamics_falloff_db: float = 3.0,
    width_falloff_db: float = 6.0,
) -> Values:
    """Nearness to a reference track, or to the median of several.

    The mean of four: shape of the spectrum, peak to loudness ratio, loudness range and width of
    the middle and top. What is compared is what matching engines compare (Ma, Reiss, Black,
    "Implementation of an Intelligent Equalization Tool Using Yule-Walker for Music Mixing and
    Mastering", AES 134, 2013); loudness itself has its own term.

    Raises:
        ValueError: there is no track.
    """
    if track is None:
        raise ValueError("reference needs a track")
    hz, readings = facts.scene.centres_hz, facts.readings
    off_db = _off_shape_db(facts, track.levels_at_db(hz), tolerance_db)
    sides = facts.bands(SIDES_HZ, np.inf)
    width_db = _width_db(facts.mean_width(SIDES_HZ, np.inf, facts.amplitude))
    amplitude = 10 ** (track.levels_at_db(hz)[sides] / 20)
    wanted_db = _width_db(np.average(track.width_at(hz)[None, sides], axis=1, weights=amplitude))
    parts = (
        within(off_db, 0.0, 0.0, spectrum_falloff_db),
        within(readings.plr_db - track.plr_db, 0.0, 0.0, dynamics_falloff_db),
        within(readings.loudness_range_lu - track.loudness_range_lu, 0.0, 0.0, dynamics_falloff_db),
        within(width_db - wanted_db, 0.0, 0.0, width_falloff_db),
    )
    return np.asarray(np.mean(parts, axis=0))


def restraint(facts: Facts, *, free: float = 0.0) -> Values:
    """What is done without: 1 up to a free effort, 0 where very much is done.

    Two thirds of the processors of a mixing console can be taken away for hardly any loss (Lee et
    al., "Searching for Music Mixing Graphs: A Pruning Approach", DAFx 2024).
    """
    return np.asarray(1.0 - np.maximum(0.0, facts.scene.effort - free) / max(1e-9, 1.0 - free))


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
