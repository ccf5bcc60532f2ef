"""Excerpts of songs that are made from a seed."""

from collections.abc import Iterator

from ..generate import generate_song
from .excerpts import Take
from .stems import survey, takes

_MORE_S = 14.0  # so that there is something to choose from


def takes_of_seed(seed: int, seconds: float, sample_rate: int) -> Iterator[Take]:
    """Yield the busiest window of the song that a seed makes."""
    with generate_song(seed, seconds + _MORE_S, sample_rate) as song:
        yield from takes(song, survey(song).activity, seconds, 1)
