"""Stem, Song, Excerpt, and the choice of an excerpt."""

import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mixgym.errors import MixgymError
from mixgym.songs import Song, most_active_excerpt

RATE = 8000


def noise(seed, channels, frames):
    return np.random.default_rng(seed).uniform(-1, 1, (channels, frames)).astype(np.float32)


@pytest.fixture
def song():
    arrays = {"Kick": noise(0, 1, 900), "Pad": noise(1, 2, 1000), "x": noise(2, 1, 10)[0]}
    return Song.from_arrays(arrays, RATE, title="t", roles={"x": "fx"}, tempo_bpm=90)


def test_song_of_arrays(song):
    assert [stem.role for stem in song.stems] == ["kick", "pad", "fx"]
    assert [stem.channels for stem in song.stems] == [1, 2, 1]
    assert [stem.frames for stem in song.stems] == [900, 1000, 10]
    assert (song.frames, song.duration_s, song.tempo_bpm) == (1000, 1000 / RATE, 90)
    assert all(stem.path is None and stem.sample_rate == RATE for stem in song.stems)


@given(start=st.integers(-2000, 3000), frames=st.integers(0, 3000))
def test_read_is_a_slice_padded_with_zeros(start, frames):
    data = noise(3, 2, 1000)
    stem = Song.from_arrays({"a": data}, RATE).stems[0]
    padded = np.pad(data, ((0, 0), (2000, 6000)))
    got = stem.read(start, frames)
    assert got.dtype == np.float32 and got.flags.c_contiguous
    np.testing.assert_array_equal(got, padded[:, 2000 + start : 2000 + start + frames])


def test_what_is_read_is_the_callers_to_change(song):
    song.stems[0].read(0, 900)[:] = 0
    assert np.any(song.stems[0].read(0, 900))


@given(st.integers(0, 999), st.integers(1, 1200), st.integers(-50, 1100), st.integers(0, 1300))
def test_excerpt_is_a_slice(start, length, at, count):
    data = {"a": noise(4, 2, 1000), "b": noise(5, 1, 300)}
    excerpt = Song.from_arrays(data, RATE).excerpt(start / RATE, length / RATE)
    end = min(start + length, 1000)
    assert excerpt.frames == end - start
    assert excerpt.start_s == start / RATE
    for stem in excerpt.stems:
        window = data[stem.name][:, start:end]
        padded = np.pad(window, ((0, 0), (50, 3000)))
        assert stem.frames == window.shape[1]
        np.testing.assert_array_equal(stem.read(at, count), padded[:, 50 + at : 50 + at + count])


def test_excerpt_of_an_excerpt(song):
    inner = song.excerpt(200 / RATE, 500 / RATE).excerpt(100 / RATE, 50 / RATE)
    np.testing.assert_array_equal(inner.stems[1].read(0, 50), song.stems[1].read(300, 50))
    assert inner.parent.parent is song


def test_closing_an_excerpt_leaves_its_parent_open(song):
    song.excerpt(0, 0.01).close()
    assert song.stems[0].read(0, 5).shape == (1, 5)


def test_reading_after_close_is_an_error(song):
    excerpt = song.excerpt(0, 0.01)
    with song:
        pass
    with pytest.raises(ValueError, match="closed"):
        song.stems[0].read(0, 1)
    with pytest.raises(ValueError, match="closed"):
        excerpt.stems[0].read(0, 1)


@pytest.mark.parametrize(
    ("start_s", "duration_s"), [(-1, 1), (0.125, 1), (0, 0), (0, -1), (float("nan"), 1)]
)
def test_excerpt_outside_the_song(song, start_s, duration_s):
    with pytest.raises(MixgymError, match="excerpt"):
        song.excerpt(start_s, duration_s)


@pytest.mark.parametrize(
    ("array", "words"),
    [
        (np.zeros((3, 10)), "shape"),
        (np.zeros((10, 2)), "shape"),
        (np.zeros((1, 2, 3)), "shape"),
        (np.zeros(0), "at least one frame"),
        (np.zeros(10, np.int16), "int16"),
        (np.array([0.0, np.nan]), "NaN"),
        (np.array([0.0, 1e300]), "infinite"),
    ],
)
def test_arrays_that_are_no_stems(array, words):
    with pytest.raises(MixgymError, match=words):
        Song.from_arrays({"a": array}, RATE)


def test_songs_that_are_none():
    one = {"a": np.zeros(10)}
    with pytest.raises(MixgymError, match="no stems"):
        Song.from_arrays({}, RATE)
    with pytest.raises(MixgymError, match="300 stems"):
        Song.from_arrays({str(i): np.zeros(1) for i in range(300)}, RATE)
    with pytest.raises(MixgymError, match="7999 Hz"):
        Song.from_arrays(one, 7999)
    with pytest.raises(MixgymError, match="192001 Hz"):
        Song.from_arrays(one, 192_001)
    with pytest.raises(MixgymError, match="banana"):
        Song.from_arrays(one, RATE, roles={"a": "banana"})


def activity_song(active_s, total_s=20):
    """Stems of noise that play during the given seconds only."""
    arrays = {}
    for number, spans in enumerate(active_s):
        data = np.zeros((1, total_s * RATE), np.float32)
        for start, end, gain in spans:
            data[:, start * RATE : end * RATE] = gain * noise(number, 1, (end - start) * RATE)
        arrays[f"s{number}"] = data
    return Song.from_arrays(arrays, RATE)


def test_the_window_where_most_stems_play():
    song = activity_song([[(0, 20, 0.9)], [(8, 13, 0.01)], [(6, 13, 0.1)]])
    assert most_active_excerpt(song, 5.0).start_s == 8.0


def test_louder_is_more_active():
    song = activity_song([[(0, 10, 0.05), (10, 20, 0.5)]])
    assert most_active_excerpt(song, 5.0).start_s >= 10.0


def test_the_earliest_of_equals_and_the_same_every_time():
    song = activity_song([[]])
    assert most_active_excerpt(song, 5.0).start_s == 0.0
    song = activity_song([[(3, 8, 0.5)], [(12, 17, 0.5)]])
    starts = {most_active_excerpt(song, 4.0).start_s for _ in range(3)}
    assert len(starts) == 1


def test_a_quiet_stem_counts_like_a_loud_one():
    song = activity_song([[(0, 6, 0.9)], [(10, 16, 0.003)], [(10, 16, 0.002)]])
    assert most_active_excerpt(song, 5.0).start_s in (10.0, 11.0)


@pytest.mark.parametrize("duration_s", [20.0, 25.0])
def test_a_short_song_is_returned_whole(duration_s):
    excerpt = most_active_excerpt(activity_song([[(3, 8, 0.5)]]), duration_s)
    assert (excerpt.start_s, excerpt.duration_s) == (0.0, 20.0)


def test_windows_of_broken_seconds_stay_inside():
    excerpt = most_active_excerpt(activity_song([[(15, 20, 0.5)]]), 4.5)
    assert (excerpt.start_s, excerpt.duration_s) == (15.0, 4.5)


def test_no_duration_is_an_error():
    with pytest.raises(MixgymError, match="excerpt"):
        most_active_excerpt(activity_song([[]]), 0.0)


def test_importing_songs_loads_no_audio_library():
    code = (
        "import sys, mixgym.songs; heavy = 'numba scipy soundfile av soxr pydantic'.split(); "
        "print([name for name in heavy if name in sys.modules])"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "[]"
