"""Batches of songs to follow gradients on."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ..console.space import Values
from ..envs.episodes import Episodes
from ..rewards.listeners import SimulatedSong
from .twin.songs import Songs, join_songs

PER_PASS = 8  # songs computed together: fewer cost more calls, more of them more padding


class Part(NamedTuple):
    """Songs of like numbers of stems, which are computed together.

    Attributes:
        observations: of their neutral mixes, (songs, ...), with `songs.stems` rows for stems.
        songs: their analyses.
        neutral: strips (stems, len(STRIP)), buses and master of the neutral mix.
        scores: of the neutral mixes, (songs,).
    """

    observations: dict[str, Tensor]
    songs: Songs
    neutral: tuple[Values, Values, Values]
    scores: NDArray[np.float64]


class Batches:
    """Batches by number: what is in one depends on the seed and on its number alone.

    All songs come once, in random order, before any comes again. Analyses are held by the
    repertoire, which bounds their memory; what a `Part` adds is gone with it.

    Args:
        episodes: as many as there are songs in a batch; begun anew for each.
        seed: of the order.
        device: of tensors.
    """

    def __init__(self, episodes: Episodes, seed: int, device: torch.device) -> None:
        self._episodes, self._seed, self._device = episodes, seed, device
        self._stems = np.array([source.stems for source in episodes.repertoire.sources])

    def get(self, number: int) -> list[Part]:
        """A batch, those of few stems first.

        Raises:
            MixgymError: a song cannot be read.
        """
        episodes = self._episodes
        songs = self._songs(number)
        songs = songs[np.argsort(self._stems[songs], kind="stable")]
        episodes.begin(np.arange(episodes.count), songs.tolist(), [None] * episodes.count)
        seen = {name: torch.from_numpy(values) for name, values in episodes.observe().items()}
        starts = range(0, episodes.count, PER_PASS)
        return [self._part(range(i, min(i + PER_PASS, episodes.count)), seen) for i in starts]

    def _songs(self, number: int) -> NDArray[np.int64]:
        """Numbers of a batch's songs, (songs,)."""
        songs, count = len(self._stems), self._episodes.count
        first = number * count
        rounds = range(first // songs, (first + count - 1) // songs + 1)
        orders = [np.random.default_rng((self._seed, i)).permutation(songs) for i in rounds]
        start = first % songs
        return np.concatenate(orders)[start : start + count]

    def _part(self, places: range, seen: dict[str, Tensor]) -> Part:
        episodes = self._episodes
        rows = slice(places.start, places.stop)
        analyses = []
        for place in places:
            listener = episodes.listener(place)
            assert isinstance(listener, SimulatedSong)
            analyses.append(Songs.of(listener.analysis, listener.roles))
        songs = join_songs(analyses)
        stems, settings = songs.stems, seen["settings"][rows]
        observations = {
            "stems": seen["stems"][rows, :stems],
            "mask": seen["mask"][rows, :stems],
            "mix": seen["mix"][rows],
            "settings": torch.cat((settings[:, :stems], settings[:, episodes.stems :]), dim=1),
        }
        neutral = episodes.physical(places.start)
        return Part(
            {name: values.to(self._device) for name, values in observations.items()},
            songs.to(self._device),
            (neutral.strips[0, :stems], neutral.buses[0], neutral.master[0]),
            episodes.scores()[0][rows],
        )
