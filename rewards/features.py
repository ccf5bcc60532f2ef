"""Features: what a policy sees of a song and of a mix of it, scaled about [-1, 1].

Learned policies depend on every number here, on its place and its scale: whatever changes one of
them changes `FEATURE_VERSION`. No feature depends on the batch that it is computed in.
"""

from __future__ import annotations

import inspect
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..console.analysis import BANDS_PER_THIRD_OCTAVE, SLOTS, Analysis
from ..console.targets import target_spectrum_db
from ..songs.roles import ROLES
from .facts import Facts
from .gates import GATES
from .reward import Reward, Scores
from .terms import TERMS

Floats = NDArray[np.float32]

FEATURE_VERSION = 2
BOUND = 3.0  # features are clipped here
THIRDS = 31  # from 20 Hz to 20 kHz; those above half the sample rate read 0
REGIONS = 10  # octaves from 31.5 Hz: three thirds each, the last has four
PAIRS = 16  # pairs of thirds
ACTIVE_DB = 30.0  # below a stem's loudest frame
LEAST = 1e-12


class Feature(NamedTuple):
    """A run of numbers in a feature vector."""

    name: str
    size: int
    about: str


ASKED = (
    ("dynamics", "plr_low_db", 6.0),
    ("dynamics", "plr_high_db", 6.0),
    ("dynamics", "bus_plr_low_db", 6.0),
    ("dynamics", "bus_plr_high_db", 6.0),
    ("dynamics", "range_high_lu", 6.0),
    ("dynamics", "reduction_high_db", 3.0),
    ("audibility", "lead_db", 2.0),
    ("audibility", "backing_db", 2.0),
    ("audibility", "lead_margin_lu", 2.0),
    ("stereo", "width_low", 0.1),
    ("stereo", "width_high", 0.1),
    ("stereo", "fold_loss_db", 1.0),
)  # terms, options, units: what styles ask for beside loudness and tilt
_DEFAULTS = tuple(
    inspect.signature(TERMS[term]).parameters[option].default for term, option, _ in ASKED
)

TRACK = (
    Feature("spectrum", PAIRS, "level by pairs of thirds re their mean, 30 dB"),
    Feature("width", 3, "side over mid and side below 250 Hz, to 4 kHz, above"),
    Feature("sides", 1, "right less left over both, power"),
    Feature("stereo", 1, "-1 mono, 1 stereo"),
    Feature("crest", 1, "loudest 6 ms over the mean, 15 dB above 15 dB"),
    Feature("range", 1, "95th less 10th percentile of 100 ms levels while active, 15 dB above 15"),
    Feature("wander", 1, "standard deviation of these levels, 10 dB"),
    Feature("attack", 1, "mean rise between slots of 6 ms while active, 3 dB"),
    Feature("activity", 1, "share of frames within 30 dB of the loudest, -1 to 1"),
)
STEM = (Feature("role", len(ROLES), "1 at its role, else 0"), *TRACK)
STEM_IN_MIX = (
    Feature("level", 1, "loudness re the mean of all stems, 10 LU"),
    Feature("off_level", 1, "the same less what its role asks for, 10 LU"),
    Feature("covered", 1, "share that other stems cover, -1 to 1"),
    Feature("place", THIRDS, "its share of all stems' power by third, -1 to 1"),
)
MIX = (
    Feature("off_target", THIRDS, "level by thirds less the target curve, median 0, 12 dB"),
    Feature("width", REGIONS, "side over mid and side by octave, -1 to 1"),
    Feature("correlation", REGIONS, "of the sides by octave"),
    Feature("balance", REGIONS, "right less left over both by octave, power"),
    Feature("side", 1, "level of the right side less the left, 6 dB"),
    Feature("loudness", 1, "integrated less the target, 6 LU"),
    Feature("peak_to_loudness", 2, "of master and mix bus, 10 dB about 14 dB"),
    Feature("loudness_range", 1, "10 LU above 10 LU"),
    Feature("reduction", 1, "mean of the limiter's, 3 dB"),
    Feature("drive", 1, "gain ahead of the limiter, 10 dB about 10 dB"),
    Feature("mono_loss", 1, "lost when the sides are summed, 3 dB"),
    Feature("bus_loudness", 1, "mix bus re equally loud stems, 12 LU"),
    Feature("stems", 1, "log2 of how many sound, 3 above 3"),
    Feature("terms", len(TERMS), "of the reward, -1 to 1, 0 where it has no such term"),
    Feature("gates", len(GATES), "of the reward, 0 open to -1 shut"),
    Feature("weights", len(TERMS), "of the terms, summing to 1"),
    Feature("target_lufs", 1, "6 LU above -14"),
    Feature("tilt", 1, "of the target curve, dB per octave"),
    Feature("asked", len(ASKED), "options of terms less their defaults, see `ASKED`"),
)


def size(features: tuple[Feature, ...]) -> int:
    """Length of a feature vector."""
    return sum(feature.size for feature in features)


def stem_features(analysis: Analysis, roles: NDArray[np.int64]) -> Floats:
    """What every stem is like, whatever the mix: `STEM`, shape (stems, features)."""
    one_hot = np.eye(len(ROLES), dtype=np.float32)[roles]
    return np.concatenate([one_hot, track_features(analysis)], axis=1)


def track_features(analysis: Analysis) -> Floats:
    """What every stem, or a finished track, sounds like: `TRACK`, shape (stems, features)."""
    left, right, cross = np.moveaxis(analysis.fine.astype(np.float64).sum(axis=3), 1, 0)
    stereo = (analysis.channels == 2)[:, None]
    both = left + right
    side = np.where(stereo, both - 2 * cross, 0.0)
    thirds = both[:, 1:].reshape(len(both), -1, BANDS_PER_THIRD_OCTAVE).sum(axis=2)
    thirds = np.pad(thirds, ((0, 0), (0, 2 * PAIRS - thirds.shape[1])))
    pairs_db = _db(thirds.reshape(len(both), PAIRS, 2).sum(axis=2))
    pairs_db = np.maximum(pairs_db, pairs_db.max(axis=1, keepdims=True) - 60.0)
    shape = (pairs_db - pairs_db.mean(axis=1, keepdims=True)) / 30.0
    borders = np.searchsorted(analysis.band_hz, (250.0, 4000.0))
    width = [
        part.sum(axis=1) / (2 * whole.sum(axis=1) + LEAST)
        for part, whole in zip(
            np.split(side, borders, axis=1), np.split(both, borders, axis=1), strict=True
        )
    ]
    tilt = np.where(stereo[:, 0], (right - left).sum(axis=1) / (both.sum(axis=1) + LEAST), 0.0)
    columns = [shape, np.stack(width, axis=1), tilt[:, None], np.where(stereo, 1.0, -1.0)]
    return _clipped(np.concatenate([*columns, _dynamics(analysis)], axis=1))


def _dynamics(analysis: Analysis) -> NDArray[np.float64]:
    """Crest, range, wander, attack, activity, (stems, 5)."""
    power = analysis.slots.astype(np.float64).sum(axis=1)  # (stems, slots, frames)
    rows = []
    for stem in power:
        frames_db = _db(stem.mean(axis=0))
        active = frames_db > frames_db.max() - ACTIVE_DB
        levels = frames_db[active]
        slots_db = _db(stem.T.reshape(-1))
        rises = np.maximum(0.0, np.diff(slots_db))[np.repeat(active, SLOTS)[1:]]
        low, high = np.percentile(levels, (10, 95))
        rows.append(
            (
                (slots_db.max() - _db(stem.mean())) / 15.0 - 1.0,
                (high - low) / 15.0 - 1.0,
                levels.std() / 10.0,
                rises.mean() / 3.0,
                2.0 * active.mean() - 1.0,
            )
        )
    return np.array(rows)


def stem_state(facts: Facts) -> Floats:
    """How every stem stands in the mix: `STEM_IN_MIX`, shape (mixes, stems, features)."""
    present = facts.scene.present
    level = facts.stem_lu - (facts.over_stems(facts.stem_lu) / facts.stems)[:, None]
    off = facts.stem_lu - facts.expected_lu
    off = off - (facts.over_stems(off) / facts.stems)[:, None]
    powers = _thirds(facts.readings.stem_powers)
    total = np.cumsum(powers, axis=1)[:, -1:]
    share = powers / (total + np.float32(LEAST))
    columns = (
        (level / 10.0)[..., None],
        (off / 10.0)[..., None],
        (1.0 - 2.0 * facts.clear_share)[..., None],
        2.0 * share - 1.0,
    )
    return _clipped(np.concatenate(columns, axis=2) * present[..., None])


def mix_state(facts: Facts, scores: Scores, reward: Reward) -> Floats:
    """What the mix reads and how near it is to what is wanted: `MIX`, shape (mixes, features)."""
    readings, count = facts.readings, len(facts.power)
    tilt = _option(reward, "spectrum", "tilt_db_per_octave", 0.0)
    target_lufs = _option(reward, "loudness", "target_lufs", -14.0)
    error = facts.levels_db - target_curve_db(reward, facts.scene.centres_hz)
    ordered, bands = np.sort(error, axis=1), error.shape[1]
    error -= (ordered[:, [(bands - 1) // 2]] + ordered[:, [bands // 2]]) / 2  # the median
    off_target = np.zeros((count, THIRDS))
    off_target[:, :bands] = error / 12.0
    image = np.stack((readings.width, readings.correlation, readings.balance))
    image = _regions(image * facts.power) / (_regions(facts.power) + LEAST)
    total = sum(reward.weights.values())
    constants = [reward.weights.get(name, 0.0) / total for name in TERMS]
    constants += [(target_lufs + 14.0) / 6.0, tilt, *_asked(reward)]
    bus_lu = readings.bus_lufs - (-23.0 + 10 * np.log10(facts.stems))
    columns = (
        off_target,
        2.0 * image[0] - 1.0,
        image[1],
        image[2],
        _column(facts.side_db / 6.0),
        _column((readings.integrated_lufs - target_lufs) / 6.0),
        _column((readings.plr_db - 14.0) / 10.0),
        _column((readings.bus_plr_db - 14.0) / 10.0),
        _column((readings.loudness_range_lu - 10.0) / 10.0),
        _column(readings.mean_reduction_db / 3.0),
        _column((readings.drive_db - 10.0) / 10.0),
        _column(readings.mono_fold_loss_db / 3.0),
        _column(bus_lu / 12.0),
        _column(np.log2(facts.stems) / 3.0 - 1.0),
        *(_column(2.0 * scores.terms[n] - 1.0 if n in scores.terms else 0.0, count) for n in TERMS),
        *(_column(scores.gates[n] - 1.0 if n in scores.gates else 0.0, count) for n in GATES),
        np.broadcast_to(np.array(constants), (count, len(constants))),
    )
    return _clipped(np.concatenate(columns, axis=1))


def target_curve_db(reward: Reward, centres_hz: NDArray[np.float64]) -> NDArray[np.float64]:
    """Levels by third octave, up to a constant, that the reward holds spectra against, (bands,)."""
    tilt = _option(reward, "spectrum", "tilt_db_per_octave", 0.0)
    learned = reward.option("spectrum", "reference_curve")
    if learned is None:
        return target_spectrum_db(centres_hz, tilt)
    return np.asarray(learned.levels_at_db(centres_hz) + tilt * np.log2(centres_hz / 1000))


def target_loudness_lufs(reward: Reward) -> float | None:
    """What the reward wants a master to be delivered at, None where it does not care."""
    return (
        _option(reward, "loudness", "target_lufs", -14.0) if "loudness" in reward.weights else None
    )


def _option(reward: Reward, term: str, option: str, default: float) -> float:
    value = reward.option(term, option)
    return default if value is None else float(value)


def _asked(reward: Reward) -> list[float]:
    """`ASKED` of a reward; 0 for what it leaves at its default or does not weigh."""
    return [
        (_option(reward, term, option, default) - default) / unit
        for (term, option, unit), default in zip(ASKED, _DEFAULTS, strict=True)
    ]


def _thirds(values: NDArray[np.floating]) -> NDArray[np.floating]:
    """Those above half the sample rate added as zeros, (..., THIRDS)."""
    missing = THIRDS - values.shape[-1]
    return np.pad(values, [(0, 0)] * (values.ndim - 1) + [(0, missing)]) if missing else values


def _regions(values: NDArray[np.floating]) -> NDArray[np.floating]:
    """Sums over octaves of (..., thirds), (..., REGIONS)."""
    starts = np.arange(REGIONS) * 3
    return np.asarray(np.add.reduceat(_thirds(values), starts, axis=-1))


def _column(values: NDArray[np.floating] | float, count: int | None = None) -> NDArray[np.floating]:
    array = np.asarray(values)
    return array[:, None] if count is None or array.ndim else np.full((count, 1), array)


def _db(power: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(10 * np.log10(power + LEAST))


def _clipped(values: NDArray[np.floating]) -> Floats:
    clipped: Floats = np.clip(values, -BOUND, BOUND).astype(np.float32)
    clipped[np.isnan(clipped)] = 0.0
    return clipped
