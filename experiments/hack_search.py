"""A search for mixes that please the reward and no judge."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..console.hear import hear
from ..console.mix import Mix
from ..console.parameters import BUSES, MASTER, STRIP
from .subjects import Sitting, Subject

EVALUATIONS = 2000
POPULATION = 40
SIGMA = 0.3
MOVED = 8  # parameters that are named in the findings
ALLOWANCE = 0.02  # by which the reward may fall below that of equal loudness
LEAST = 1e-9

Vector = NDArray[np.float64]


def search(subject: Subject, seed: int, evaluations: int = EVALUATIONS) -> dict[str, Any]:
    """Look for hacks of the reward on one song.

    Two runs of SepCMA (Ros and Hansen, "A Simple Modification in CMA-ES Achieving Linear Time and
    Space Complexity", PPSN 2008) from the neutral mix over every parameter but delivery. `greedy`
    maximises the reward and nothing else. `adversary` maximises the distance to the person's mix
    (to equal loudness where there is none) among the mixes that the reward ranks no lower than
    equal loudness.

    Args:
        subject: the song.
        seed: of both runs.
        evaluations: of each.

    Returns:
        By run: `score`, `rendered`, `equal_loudness`, `rules` (rewards), `judges` and those of
        `equal_loudness_judges` and `rules_judges` (on renders, where there is a person's mix),
        `judges_fell` (names of those that are worse than equal loudness by a tenth), and `moved`
        (the parameters that were moved most, in shares of half their range).
    """
    sitting = subject.rules
    neutral = subject.equal
    base, good = sitting.scores([neutral, sitting.mix]).score.tolist()
    anchor = _spectrogram(subject)
    human = subject.human

    def judges_of(mix: Mix) -> dict[str, float]:
        if human is None:
            return {}
        readings, audio = hear(sitting.song, mix)
        return human.judges(audio, readings)

    at_equal, at_rules = judges_of(neutral), judges_of(sitting.mix)
    result = {}
    for number, kind in enumerate(("greedy", "adversary")):
        best = _run(sitting, neutral, anchor if number else None, base, [seed, number], evaluations)
        found = judges_of(best)
        result[kind] = {
            "score": float(sitting.scores([best]).score[0]),
            "rendered": sitting.rendered(best),
            "equal_loudness": base,
            "rules": good,
            "judges": found,
            "equal_loudness_judges": at_equal,
            "rules_judges": at_rules,
            "judges_fell": [k for k in found if found[k] > 1.1 * at_equal[k]],
            "moved": _moved(neutral, best),
        }
    return result


def _run(
    sitting: Sitting,
    neutral: Mix,
    anchor: Vector | None,
    base: float,
    seed: list[int],
    evaluations: int,
) -> Mix:
    from cmaes import SepCMA

    start = _encode(neutral)
    bounds = np.tile([-1.0, 1.0], (len(start), 1))
    search = SepCMA(
        mean=np.clip(start, -0.95, 0.95),
        sigma=SIGMA,
        bounds=bounds,
        population_size=POPULATION,
        seed=int(np.random.default_rng(seed).integers(2**31)),
    )
    best, best_value = neutral, -np.inf
    for _ in range(max(1, evaluations // POPULATION)):
        asked = [search.ask() for _ in range(POPULATION)]
        mixes = [_decode(neutral, vector) for vector in asked]
        scores = sitting.scores(mixes)
        values = scores.score
        if anchor is not None:
            shortfall = np.minimum(0.0, values - (base - ALLOWANCE))
            values = _distance(scores.readings.powers, anchor) + 100 * shortfall
        search.tell([(x, -float(v)) for x, v in zip(asked, values, strict=True)])
        if values.max() > best_value:
            best, best_value = mixes[int(values.argmax())], float(values.max())
    return best


def _spectrogram(subject: Subject) -> Vector:
    """Band powers per second of the person's mix, or of equal loudness, (seconds, bands)."""
    sitting = subject.rules
    equal = np.asarray(sitting.scores([subject.equal]).readings.powers[0], dtype=np.float64)
    if subject.human is None:
        return equal
    from ..console.analysis import analyse
    from ..console.simulate import Simulator, master_track
    from ..songs import Song

    track = Song.from_arrays({"mix": subject.human.audio}, sitting.song.sample_rate)
    read = master_track(Simulator(analyse(track)), MASTER.defaults[None]).powers[0]
    return np.asarray(read[: len(equal)], dtype=np.float64)


def _distance(powers: NDArray[np.float32], anchor: Vector) -> Vector:
    """Mean difference of log band powers in units of 10 dB, shape (mixes,)."""
    seconds = min(powers.shape[1], len(anchor))
    difference = np.log10(powers[:, :seconds] + LEAST) - np.log10(anchor[:seconds] + LEAST)
    return np.asarray(np.abs(difference).mean(axis=(1, 2)), dtype=np.float64)


def _free_master() -> list[int]:
    return [i for i, parameter in enumerate(MASTER) if parameter.component != "delivery"]


def _encode(mix: Mix) -> Vector:
    parts = (STRIP.encode(mix.strips).ravel(), BUSES.encode(mix.buses))
    return np.concatenate([*parts, MASTER.encode(mix.master)[_free_master()]])


def _decode(neutral: Mix, vector: Vector) -> Mix:
    strips, buses = len(neutral.stems) * len(STRIP), len(BUSES)
    master = MASTER.encode(neutral.master)
    master[_free_master()] = vector[strips + buses :]
    return replace(
        neutral,
        strips=STRIP.decode(vector[:strips].reshape(-1, len(STRIP))),
        buses=BUSES.decode(vector[strips : strips + buses]),
        master=MASTER.decode(master),
    )


def _moved(neutral: Mix, mix: Mix) -> dict[str, float]:
    """Mean distance from neutral of what does something by itself, the furthest first."""
    distances: dict[str, float] = {}
    for table, before, after in (
        (STRIP, neutral.strips, mix.strips),
        (BUSES, neutral.buses, mix.buses),
        (MASTER, neutral.master, mix.master),
    ):
        moved = np.abs(table.encode(after) - table.encode(before)).reshape(-1, len(table))
        distances |= {
            p.name: float(mean)
            for p, mean in zip(table, moved.mean(axis=0), strict=True)
            if p.neutral is not None and p.scale != "switch"
        }
    furthest = sorted(distances, key=lambda name: -distances[name])[:MOVED]
    return {name: round(distances[name], 3) for name in furthest}
