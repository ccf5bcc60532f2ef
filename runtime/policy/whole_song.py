"""A policy on a whole song: it mixes several excerpts, and these mixes are joined."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ...console.carry import carry
from ...console.levels import stem_levels
from ...console.mix import Budget, Mix
from ...console.parameters import MASTER
from ...console.rules import equal_loudness, roles
from ...console.space import Space
from ...console.styles import STYLES
from ...console.tidy import tidied
from ...console.windows import choose_windows
from ...rewards import Evaluator, load_reward
from .sounding import sounding

if TYPE_CHECKING:
    from ...songs import Song
    from .mixer import PolicyMixer

WINDOW_S, WINDOWS = 10, 4
HEARD = 0.02  # activity, summed over windows, below which a stem was not heard


def mix_whole(policy: PolicyMixer, song: Song, style: str = "balanced") -> Mix:
    """A mix of a whole song.

    The policy mixes each of up to four windows of ten seconds, chosen so that every stem is heard.
    Each stem's settings are the mean over windows, weighted by how much it plays in them, on the
    scales on which parameters are searched; shared settings are weighted by how much plays at all.
    Stems that play in none are mixed by their role. What nobody hears of it is left out.

    Songs unlike all that it learned from may be mixed better by rule: where the rules by role, or
    no mix at all, score higher on these windows in `simulate`, that is the mix. So it is by role
    where a song is silent, or shorter than a second.

    Args:
        policy: for mixing.
        song: of any length.
        style: of the reward that the policy is shown, and of the rules.

    Raises:
        MixgymError: no such style, or a stem cannot be read.
    """
    windows = choose_windows(stem_levels(song, threads=policy.threads), WINDOW_S, WINDOWS)
    rules = roles(song, Budget(), lean=STYLES.get(style))
    if not windows:
        return rules
    reward = load_reward(style)
    listened = sounding(
        (
            song.excerpt(window.start_s, min(WINDOW_S, song.duration_s - window.start_s))
            for window in windows
        ),
        policy.threads,
    )
    if not listened:
        return rules
    mixes = [
        carry(policy.mix(excerpt, reward, analysis), excerpt, song, otherwise=rules)
        for _, excerpt, analysis in listened
    ]
    plays = np.array([windows[place].activity for place, _, _ in listened])
    joined = _joined(mixes, plays, policy.described.space)
    heard = plays.sum(axis=0) > HEARD
    strips = np.where(heard[:, None], joined.strips, rules.strips)
    target_lufs = float(joined.master[MASTER.index("target_lufs")])
    candidates = [
        tidied(replace(joined, strips=strips), heard),
        rules,
        equal_loudness(song).with_master(target_lufs=target_lufs),
    ]
    scores = np.zeros(len(candidates))
    for _, excerpt, _ in listened:
        evaluator = Evaluator(excerpt, reward)
        neutral = Mix.neutral(excerpt)
        carried = [carry(mix, song, excerpt, otherwise=neutral) for mix in candidates]
        scores += evaluator.evaluate_mixes(carried).score
    return candidates[int(np.argmax(scores))]


def _joined(mixes: Sequence[Mix], plays: NDArray[np.float64], space: Space) -> Mix:
    """The mean of mixes of one song, `plays` (mixes, stems) what each knows of each stem."""
    genomes = np.array(
        [space.encode(mix.strips[None], mix.buses[None], mix.master[None])[0] for mix in mixes]
    )
    stems = plays.shape[1]
    own = np.where(plays.sum(axis=0) > 0.0, plays, 1.0)
    shared = np.tile(plays.sum(axis=1)[:, None], len(space.buses) + len(space.master))
    weights = np.concatenate((np.repeat(own, len(space.strip), axis=1), shared), axis=1)
    mean = (genomes * weights).sum(axis=0) / weights.sum(axis=0)
    first = mixes[0]
    strips, buses, master = space.decode(
        mean[None], stems, (first.strips, first.buses, first.master)
    )
    return replace(first, strips=strips[0], buses=buses[0], master=master[0])
