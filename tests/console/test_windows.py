"""Which seconds of a song are listened to."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from mixgym.console.levels import StemLevel, stem_levels
from mixgym.console.windows import activity, choose_windows
from mixgym.songs import Song

RATE = 8000


def level(*seconds_lufs):
    return StemLevel(-20.0, np.array(seconds_lufs, dtype=float))


def playing(seconds, where):
    lufs = np.full(seconds, -np.inf)
    lufs[where] = -20.0
    return level(*lufs)


def test_seconds_are_measured_in_stems_of_any_length():
    rng = np.random.default_rng(0)
    tone = (0.1 * rng.standard_normal(3 * RATE)).astype(np.float32)
    tone[RATE : 2 * RATE] = 0.0
    song = Song.from_arrays({"A": tone, "B": tone[:RATE]}, RATE)
    first, second = stem_levels(song)
    assert first.seconds_lufs.shape == (3,)
    assert first.seconds_lufs[0] == pytest.approx(first.seconds_lufs[2], abs=0.5)
    assert first.seconds_lufs[1] < first.seconds_lufs[0] - 30
    assert len(second.seconds_lufs) <= 3
    assert choose_windows((first, second), 1, 3)[0].start_s == 0


def test_activity_is_relative_to_the_stems_own_level():
    lufs = (-20, -20, -20, -35, -50, -80)
    np.testing.assert_allclose(activity(level(*lufs)), [1, 1, 1, 0.5, 0, 0], atol=1e-9)
    np.testing.assert_allclose(activity(level(-60, -60)), [1, 1])
    assert not activity(level(-np.inf, -90)).any()


def test_the_busiest_comes_first_then_what_was_not_heard():
    levels = [playing(60, slice(0, 30)), playing(60, slice(20, 40)), playing(60, slice(50, 60))]
    windows = choose_windows(levels, 10, 4)
    assert [window.start_s for window in windows[:2]] == [20, 50]
    np.testing.assert_allclose(windows[0].activity, [1, 1, 0], atol=1e-9)
    assert len(windows) == 2  # everything was heard


def test_short_and_silent_songs():
    assert choose_windows([playing(4, slice(1, 3))], 10, 4)[0].start_s == 0
    assert choose_windows([playing(40, slice(0, 0))], 10, 4) == []


@settings(max_examples=60)
@given(
    arrays(float, st.tuples(st.integers(1, 6), st.integers(1, 90)), elements=st.floats(-90, 0)),
    st.integers(1, 12),
    st.integers(1, 5),
)
def test_windows_lie_within_the_song_and_apart(lufs, window_s, count):
    windows = choose_windows([level(*row) for row in lufs], window_s, count)
    assert len(windows) <= count
    starts = sorted(window.start_s for window in windows)
    assert all(0 <= start <= max(lufs.shape[1] - window_s, 0) for start in starts)
    assert all(b - a >= window_s for a, b in pairwise(starts))
    for window in windows:
        assert window.activity.shape == (len(lufs),)
        assert (window.activity >= -1e-9).all() and (window.activity <= 1 + 1e-9).all()
