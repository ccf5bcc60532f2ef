"""Mixes of an excerpt on the whole song."""

import numpy as np
import pytest

from mixgym.console.carry import carry
from mixgym.console.mix import Mix
from mixgym.console.mixbus import MixBus
from mixgym.songs import Song

RATE = 24_000


def uneven_song() -> Song:
    """Two seconds of noise, the second much louder; one stem sounds in the second alone."""
    rng = np.random.default_rng(0)
    noise = (0.02 * rng.standard_normal((3, 1, 2 * RATE))).astype(np.float32)
    noise[:, :, RATE:] *= 3
    noise[2, :, :RATE] = 0
    return Song.from_arrays({"a": noise[0], "b": noise[1], "late": noise[2]}, RATE)


def bus(song: Song, mix: Mix) -> np.ndarray:
    blocks = MixBus(song, mix, tail=False).blocks()
    return np.concatenate([block.total for block in blocks], axis=1)


@pytest.mark.parametrize("ratio", [1.0, 3.0])
def test_the_song_sounds_as_the_excerpt_did(ratio: float) -> None:
    song = uneven_song()
    excerpt = song.excerpt(0.0, 1.0)
    mix = Mix.neutral(excerpt).with_strip(
        "a", fader_db=-6, compressor_on=1, compressor_ratio=ratio, compressor_threshold_db=-6
    )
    carried = carry(mix, excerpt, song, otherwise=Mix.neutral(song))
    expected, found = bus(excerpt, mix), bus(song, carried)[:, :RATE]
    assert np.abs(expected - found).max() < 1e-3 * np.abs(expected).max()


def test_stems_that_the_excerpt_lacks_follow_the_other_mix() -> None:
    song = uneven_song()
    excerpt = song.excerpt(0.0, 1.0)
    otherwise = Mix.neutral(song).with_strip("late", pan=0.5)
    mix = Mix.neutral(excerpt).with_strip("late", pan=-1)
    assert carry(mix, excerpt, song, otherwise=otherwise).strip("late")["pan"] == 0.5


def test_faders_stay_in_range() -> None:
    song = uneven_song()
    excerpt = song.excerpt(0.0, 1.0)
    mix = Mix.neutral(excerpt).with_strip("a", fader_db=12)
    assert carry(mix, excerpt, song, otherwise=Mix.neutral(song)).strip("a")["fader_db"] == 12
