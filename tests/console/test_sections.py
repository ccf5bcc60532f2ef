"""Sections: borders where other stems begin to play."""

from itertools import pairwise

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from mixgym.console.levels import StemLevel
from mixgym.console.sections import SHORTEST_S, find_sections

SILENCE = -np.inf


def level(*parts):
    """A stem that plays at some loudness for some seconds, again and again."""
    return StemLevel(-23.0, np.concatenate([np.full(seconds, lufs) for lufs, seconds in parts]))


def test_borders_are_where_stems_come_in():
    levels = [
        level((-20.0, 90)),
        level((SILENCE, 30), (-18.0, 60)),
        level((SILENCE, 60), (-25.0, 30)),
    ]
    assert find_sections(levels) == [(0, 30), (30, 60), (60, 90)]


def test_one_where_the_same_play_throughout():
    rng = np.random.default_rng(0)
    levels = [StemLevel(-20.0, -20 + rng.normal(0, 3, 180)) for _ in range(8)]
    assert find_sections(levels) == [(0, 180)]


def test_short_songs_and_silence():
    assert find_sections([level((-20.0, 5))]) == [(0, 5)]
    assert find_sections([level((SILENCE, 60))]) == []
    assert find_sections([]) == []


def test_a_pause_is_no_border_for_one_stem_of_many():
    levels = [level((-20.0, 60)) for _ in range(7)]
    assert find_sections([*levels, level((-20.0, 30), (SILENCE, 3), (-20.0, 27))]) == [(0, 60)]


def test_hours_are_cut_too():
    levels = [level((-20.0, 4000), (SILENCE, 4000)), level((-20.0, 8000))]
    (first, second) = find_sections(levels)
    assert first[0] == 0 and first[1] == second[0] and second[1] == 8000
    assert abs(first[1] - 4000) <= 10


@settings(max_examples=50)
@given(seconds=st.integers(1, 120), stems=st.integers(1, 5), seed=st.integers(0, 99))
def test_sections_cover_the_song(seconds, stems, seed):
    rng = np.random.default_rng(seed)
    drawn = rng.choice([SILENCE, -40.0, -20.0], size=(stems, -(-seconds // 7)))
    levels = [StemLevel(-20.0, np.repeat(row, 7)[:seconds]) for row in drawn]
    sections = find_sections(levels)
    if not np.isfinite(drawn[:, : -(-seconds // 7)]).any():
        assert sections == []
        return
    assert sections[0][0] == 0 and sections[-1][1] == seconds
    assert all(a[1] == b[0] for a, b in pairwise(sections))
    assert all(end - start >= min(SHORTEST_S, seconds) for start, end in sections)
