"""A policy on a whole song: it mixes several excerpts, and these mixes are joined."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from ...console.carry import carry
from ...console.levels import stem_levels
from ...console.mix import Budget, Mix
from ...console.rules import roles
from ...console.styles import STYLES
from ...console.tidy import tidied
from ...console.windows import choose_windows
from ...errors import MixgymError

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

    Args:
        policy: for mixing.
        song: of any length.
        style: of the reward that the policy is shown, and of the rules.

    Raises:
        MixgymError: no such style, nothing sounds, or a stem cannot be read.
    """
    levels = stem_levels(song, threads=policy.threads)
    windows = choose_windows(levels, WINDOW_S, WINDOWS)
    if not windows:
        raise MixgymError(f"{song.title!r} is silent; there is nothing to mix.")
    rules = roles(song, Budget(), lean=STYLES.get(style))
    space, stems = policy.described.space, len(song.stems)
    genomes = []
    for window in windows:
        excerpt = song.excerpt(window.start_s, min(WINDOW_S, song.duration_s - window.start_s))
        mix = carry(policy.mix(excerpt, style), excerpt, song, otherwise=rules)
        genomes.append(space.encode(mix.strips[None], mix.buses[None], mix.master[None])[0])
    plays = np.array([window.activity for window in windows])  # (windows, stems)
    heard = plays.sum(axis=0) > HEARD
    each = np.where(heard, plays, 1.0)
    every = plays.sum(axis=1)
    weights = np.concatenate(
        (
            np.repeat(each, len(space.strip), axis=1),
            np.tile(every[:, None], len(space.buses) + len(space.master)),
        ),
        axis=1,
    )
    joined = (np.array(genomes) * weights).sum(axis=0) / weights.sum(axis=0)
    around = (mix.strips, mix.buses, mix.master)
    strips, buses, master = (part[0] for part in space.decode(joined[None], stems, around))
    strips[~heard] = rules.strips[~heard]
    return tidied(replace(mix, strips=strips, buses=buses, master=master), heard)
