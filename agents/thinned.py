"""Songs of which only a few stems play: what a policy is to mix that gets two stems and no more."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from ..console.analysis import Analysis
from ..envs.repertoire import Repertoire
from ..rewards.listeners import Listener, SimulatedSong

VARIANTS = 8  # of each song
MOST_STEMS = 4  # that play in one


class Thinned(Repertoire):
    """A repertoire, and behind it variants of its songs in which all but a few stems are silent.

    Number `song + count * variant` is a variant of a song, `count` that of songs; variant 0 is the
    song itself.

    Args:
        songs: simulated.
        seed: of which stems play.
    """

    def __init__(self, songs: Repertoire, seed: int) -> None:
        super().__init__(songs.sources, songs.seconds, songs.sample_rate)
        self._seed = seed

    def numbers(
        self, songs: NDArray[np.int64], share: float, rng: np.random.Generator
    ) -> NDArray[np.int64]:
        """Songs with so many of them, on average, thinned."""
        variants = 1 + rng.integers(VARIANTS, size=len(songs))
        return np.where(rng.random(len(songs)) < share, songs + len(self) * variants, songs)

    def listener(self, number: int) -> Listener:
        """See `Repertoire.listener`."""
        whole = super().listener(number % len(self))
        if number < len(self):
            return whole
        assert isinstance(whole, SimulatedSong)
        sounding = np.flatnonzero(whole.present)
        rng = np.random.default_rng((self._seed, number))
        count = int(rng.integers(1, MOST_STEMS + 1))
        kept = np.zeros(len(whole.roles), dtype=bool)
        kept[rng.permutation(sounding)[:count]] = True
        return SimulatedSong(silenced(whole.analysis, ~kept), whole.roles)


def silenced(analysis: Analysis, stems: NDArray[np.bool_]) -> Analysis:
    """The analysis of a song in which some stems, (stems,), are silent.

    Instants at which peaks are read stay those of all stems together.
    """
    play = (~stems).astype(np.float32)
    apart = play[analysis.pairs].prod(axis=1)
    return replace(
        analysis,
        fine=analysis.fine * play[:, None, None, None],
        slots=analysis.slots * play[:, None, None, None],
        samples=analysis.samples * play[:, None, None, None, None],
        crosses=analysis.crosses * apart[:, None, None, None],
        loudness_lufs=np.where(stems, -np.inf, analysis.loudness_lufs),
    )
