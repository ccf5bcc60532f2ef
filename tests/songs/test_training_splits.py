"""Which split a song belongs to: by artist, the same everywhere, public sets as committed."""

import os
import random
from collections import Counter, defaultdict
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mixgym.songs.training.sources import midi_sources, stem_sources
from mixgym.songs.training.splits import SPLITS, identify, known_artist, name_key

needs_data = pytest.mark.skipif("MIXGYM_DATA" not in os.environ, reason="needs MIXGYM_DATA")


def respelled(name, seed):
    """The same name in another hand: case, spaces, hyphens, punctuation."""
    rng = random.Random(seed)
    hyphenated = "".join(rng.choice([" ", "-", "_", " - "]) if c == " " else c for c in name)
    mixed = "".join(c.upper() if rng.random() < 0.5 else c.lower() for c in hyphenated)
    return rng.choice(["", " ", "\t"]) + mixed + rng.choice(["", ".", "!"])


@given(seed=st.integers(0, 10_000))
@pytest.mark.parametrize(
    "artist", ["Greippi", "Achim Settelmeier", "Isaías Arrué R.", "Nobody Yet"]
)
def test_spelling_of_an_artist_does_not_matter(artist, seed):
    assert identify("x", respelled(artist, seed)).split == identify("x", artist).split


@given(seed=st.integers(0, 10_000))
@pytest.mark.parametrize("song", ["Oglsdl-Dr8v2", "Crunk-Demo", "d_map12", "A Song of My Own"])
def test_spelling_of_a_song_without_artist_does_not_matter(song, seed):
    assert identify(respelled(song, seed)).split == identify(song).split


def test_accents_do_not_matter():
    assert name_key("Isaías  Arrué-R.") == name_key("ISAIAS ARRUE R")


def test_names_of_punctuation_stay_apart():
    assert name_key("!!!") != name_key("???")


def test_shares():
    counts = Counter(identify("x", f"artist {i}").split for i in range(20_000))
    assert [counts[split] / 20_000 for split in SPLITS] == pytest.approx([0.8, 0.1, 0.1], abs=0.01)


@given(artist=st.text(min_size=1), songs=st.lists(st.text(), min_size=2, max_size=5))
def test_songs_of_an_artist_stay_together(artist, songs):
    if known_artist(artist):
        assert len({identify(song, artist).split for song in songs}) == 1


def test_the_artist_decides_where_one_is_known():
    assert identify("Greippi-KremKaakkuja").split == "test"
    assert identify("Greippi-KremKaakkuja", "Achim Settelmeier").split == "train"


def test_what_the_table_knows_is_filled_in():
    found = identify("d_e1m1")
    assert found.song == "Steel and Brass"
    assert "J.Astartes" in found.artist
    assert found.licence == "BSD-3-Clause"
    assert identify("potassium").artist == "Software-Entwicklungskit"


def test_what_the_song_says_stands():
    assert identify("x", "Greippi", "mine").licence == "mine"


@pytest.mark.parametrize("nobody", ["", "Unknown", "unknown artist", "Various Artists"])
def test_nobody_is_no_artist(nobody):
    assert identify("Greippi-KremKaakkuja", nobody) == identify("Greippi-KremKaakkuja")


def test_no_song_of_the_musdb_test_is_for_training():
    for artist in ("Zeno", "BKS", "Triviul", "Signe Jakobsen", "The Easton Ellises (Baumi)"):
        assert identify("whatever", artist).split == "test"


def by_split(sources):
    songs = defaultdict(set)
    for source in sources:
        songs[source.identity.split].add((source.identity.artist, source.identity.song))
    return songs


@needs_data
def test_public_songs_are_balanced():
    sources, skipped = stem_sources([Path(os.environ["MIXGYM_DATA"]) / "songs"])
    songs = by_split(sources)
    assert not skipped
    assert len(songs["test"]) >= 3
    assert len(songs["validation"]) >= 3
    assert len(songs["train"]) >= 0.6 * len(sources)
    assert all(source.identity.artist and source.identity.licence for source in sources)


@needs_data
def test_public_midi_is_balanced():
    sources, _ = midi_sources([Path(os.environ["MIXGYM_DATA"]) / "midi" / "freedoom"])
    shares = {split: len(songs) / len(sources) for split, songs in by_split(sources).items()}
    assert shares["train"] == pytest.approx(0.8, abs=0.05)
    assert shares["validation"] == pytest.approx(0.1, abs=0.05)
    assert shares["test"] == pytest.approx(0.1, abs=0.05)
    known = [source for source in sources if source.identity.artist]
    assert len(known) >= len(sources) - 2
