"""A policy that masters on a whole track: it hears several excerpts, its settings are joined."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ...console.levels import StemLevel, stem_levels
from ...console.mix import Mix
from ...errors import MixgymError
from ...rewards import Evaluator, load_reward
from .sounding import sounding

if TYPE_CHECKING:
    from ...songs import Song
    from .mixer import PolicyMixer

WINDOW_S, WINDOWS = 10, 4
GATE_LU = 20.0


def master_whole(policy: PolicyMixer, track: Song, style: str = "balanced") -> Mix:
    """Settings of the mastering chain for a whole track.

    The policy hears up to four windows of ten seconds, those whose loudness is nearest to the whole
    track's, which thresholds refer to. Its settings are the mean over them, on the scales on which
    parameters are searched. Where that scores no better on them in `simulate` than delivery alone,
    the chain stays at rest.

    Args:
        policy: for mastering.
        track: a finished track, its only stem.
        style: of the reward that the policy is shown.

    Raises:
        MixgymError: no such style, the track is silent, or it cannot be read.
    """
    (level,) = stem_levels(track, threads=policy.threads)
    if level.silent:
        raise MixgymError(f"{track.title!r} is silent; there is nothing to master.")
    windows = (
        track.excerpt(start_s, min(WINDOW_S, track.duration_s - start_s))
        for start_s in typical_windows(level, WINDOW_S, WINDOWS)
    )
    reward, space = load_reward(style), policy.described.space
    heard = sounding(windows, policy.threads)
    if not heard:  # what is loud enough is short, and lies across the end of a window
        return policy.mix(track, reward)
    mixes = [policy.mix(excerpt, reward, analysis) for _, excerpt, analysis in heard]
    genomes = [space.encode(m.strips[None], m.buses[None], m.master[None])[0] for m in mixes]
    first, mean = mixes[0], np.mean(genomes, axis=0)
    around = (first.strips, first.buses, first.master)
    joined, rest = (
        replace(first, master=space.decode(genome[None], 1, around)[2][0])
        for genome in (mean, space.rest(1))
    )
    scores = np.zeros(2)
    for _, excerpt, _ in heard:
        scores += Evaluator(excerpt, reward).evaluate_mixes([joined, rest]).score
    return joined if scores[0] > scores[1] else rest


def typical_windows(level: StemLevel, window_s: int, count: int) -> list[int]:
    """Where windows start whose loudness is nearest to the whole's, in seconds.

    After the first, none is taken that is more than 20 LU away, which is the gate of the loudness
    range (EBU Tech 3342): fades and pauses are not what the track is like.

    Args:
        level: of the track.
        window_s: length of a window.
        count: how many at most; they do not overlap.
    """
    powers = 10 ** (level.seconds_lufs / 10)
    if len(powers) <= window_s:
        return [0]
    total = np.concatenate(([0.0], np.cumsum(powers)))
    means = np.maximum(total[window_s:] - total[:-window_s], 1e-12) / window_s
    off_lu: NDArray[np.float64] = np.abs(10 * np.log10(means) - level.loudness_lufs)
    starts: list[int] = []
    while len(starts) < count and np.isfinite(off_lu).any():
        best = int(np.argmin(np.round(off_lu, 6)))
        if starts and off_lu[best] > GATE_LU:
            break
        starts.append(best)
        off_lu[max(best - window_s + 1, 0) : best + window_s] = np.inf
    return starts
