"""Batches of songs to follow gradients on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ..console.space import Values
from ..envs.episodes import Episodes
from ..rewards.listeners import SimulatedSong
from .pictures import observe
from .thinned import Shares, Thinned
from .twin.songs import Songs, join_songs

WHOLE = Shares()
DRAWN = 2  # sets what a batch's styles are drawn from apart from what orders songs
PER_PASS = 8  # songs computed together: fewer cost more calls, more of them more padding


class Shown(NamedTuple):
    """Songs as a policy is shown them, under one style.

    Attributes:
        style: the number of the episodes that they are played in, from place 0 on; where episodes
            are there several times, the first.
        numbers: of the songs, (songs,).
        observations: of their neutral mixes, (songs, ...), with `stems` rows for stems.
        stems: of the song that has most.
        neutral: strips (stems, len(STRIP)), buses and master of the neutral mix.
        scores: of the neutral mixes, (songs,).
    """

    style: int
    numbers: NDArray[np.int64]
    observations: dict[str, Tensor]
    stems: int
    neutral: tuple[Values, Values, Values]
    scores: NDArray[np.float64]


class Part(NamedTuple):
    """Songs of like numbers of stems, which are computed together under one style.

    Attributes:
        style: the number of the episodes that they are played in.
        observations: of their neutral mixes, (songs, ...), with `songs.stems` rows for stems.
        songs: their analyses.
        neutral: strips (stems, len(STRIP)), buses and master of the neutral mix.
        scores: of the neutral mixes, (songs,).
    """

    style: int
    observations: dict[str, Tensor]
    songs: Songs
    neutral: tuple[Values, Values, Values]
    scores: NDArray[np.float64]


class Batches:
    """Batches by number: what is in one depends on the seed and on its number alone.

    All songs come once, in random order, before any comes again. Analyses are held by the
    repertoire, which bounds their memory; what a `Part` adds is gone with it.

    Args:
        styles: `PER_PASS` episodes of the same songs for each style, begun anew for each part; one
            that is to be drawn more often is there several times.
        size: songs in a batch.
        seed: of what is drawn.
        device: of tensors.
        pictured: whether observations hold pictures.
        shares: of songs of which something is missing.
    """

    def __init__(
        self,
        styles: Sequence[Episodes],
        size: int,
        seed: int,
        device: torch.device,
        *,
        pictured: bool = False,
        shares: Shares = WHOLE,
    ) -> None:
        self._pictured, self._shares = pictured, shares
        self._thinned = Thinned(styles[0].repertoire, seed)
        for episodes in styles:
            episodes.repertoire = self._thinned
        self._styles, self._size, self._seed, self._device = styles, size, seed, device
        self._stems = np.array([source.stems for source in styles[0].repertoire.sources])

    def get(self, number: int) -> list[Part]:
        """A batch, those of few stems first.

        Raises:
            MixgymError: a song cannot be read.
        """
        return [self._part(style, songs) for style, songs in self.drawn(number)]

    def drawn(self, number: int) -> list[tuple[int, NDArray[np.int64]]]:
        """Numbers of styles and songs that a batch consists of, those of few stems first."""
        songs = self.songs(number)
        songs = songs[np.argsort(self._stems[songs], kind="stable")]
        rng = np.random.default_rng((self._seed, number, DRAWN))
        songs = self._thinned.numbers(songs, self._shares, rng)
        return [
            (int(rng.integers(len(self._styles))), songs[first : first + PER_PASS])
            for first in range(0, self._size, PER_PASS)
        ]

    def songs(self, number: int) -> NDArray[np.int64]:
        """Numbers of a batch's songs, (songs,)."""
        return songs_of(number, self._size, len(self._stems), self._seed)

    def shown(self, style: int, numbers: NDArray[np.int64]) -> Shown:
        """At most `PER_PASS` songs under a style, whose episodes begin anew.

        Raises:
            MixgymError: a song cannot be read.
        """
        episodes, count = self._styles[style], len(numbers)
        episodes.begin(np.arange(count), numbers.tolist(), [None] * count)
        episodes.forget(numbers[numbers >= len(self._thinned)].tolist())  # there are many, met once
        stems = max(len(episodes.listener(place).roles) for place in range(count))
        shown = observe(episodes, self._pictured, count)
        seen = {name: torch.from_numpy(row[:count]) for name, row in shown.items()}
        if episodes.task.stems:
            settings = seen["settings"]
            seen |= {
                "stems": seen["stems"][:, :stems],
                "mask": seen["mask"][:, :stems],
                **({"pictures": seen["pictures"][:, :stems]} if self._pictured else {}),
                "settings": torch.cat((settings[:, :stems], settings[:, episodes.stems :]), dim=1),
            }
        neutral = episodes.physical(0)
        return Shown(
            self._styles.index(episodes),
            numbers,
            seen,
            stems,
            (neutral.strips[0, :stems], neutral.buses[0], neutral.master[0]),
            episodes.scores()[0][:count],
        )

    def _part(self, style: int, numbers: NDArray[np.int64]) -> Part:
        shown, analyses = self.shown(style, numbers), []
        for place in range(len(numbers)):
            listener = self._styles[style].listener(place)
            assert isinstance(listener, SimulatedSong)
            analyses.append(Songs.of(listener.analysis, listener.roles))
        return Part(
            shown.style,
            {name: values.to(self._device) for name, values in shown.observations.items()},
            join_songs(analyses).to(self._device),
            shown.neutral,
            shown.scores,
        )


def songs_of(number: int, size: int, songs: int, seed: int) -> NDArray[np.int64]:
    """Numbers of a batch's songs, (size,): all come once before any comes again.

    Args:
        number: of the batch.
        size: of each.
        songs: how many there are.
        seed: of their orders.
    """
    first = number * size
    rounds = range(first // songs, (first + size - 1) // songs + 1)
    orders = [np.random.default_rng((seed, i)).permutation(songs) for i in rounds]
    start = first % songs
    return np.concatenate(orders)[start : start + size]
