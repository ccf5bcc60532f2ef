"""Fader moves: what is played, what files hold of it, and what people read."""

import json
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mixgym.console.compare import compare
from mixgym.console.describe import changes
from mixgym.console.mix import Mix
from mixgym.console.mixbus import MixBus
from mixgym.console.moves import HOP, FaderMoves
from mixgym.console.preset import apply_preset, dumps, load_preset, preset_of
from mixgym.errors import MixgymError
from mixgym.songs import Song

RATE = 8000
MOVES = FaderMoves(
    np.array([1.0, 2.0, 2.5, 3.0]), np.array([[0.0, 6.0, 6.0, -3.0], np.zeros(4)]), 4.0
)


def made(seconds=4.0):
    rng = np.random.default_rng(0)
    arrays = {name: rng.normal(0, 0.1, round(seconds * RATE)) for name in ("Kick", "Vox")}
    return Song.from_arrays(arrays, RATE, roles={"Kick": "kick", "Vox": "lead_vocal"})


@pytest.fixture
def song():
    with made() as opened:
        yield opened


def strips_of(song, mix, block_frames=8192):
    """What each stem adds to the mix bus, (stems, 2, frames)."""
    blocks = [block.strips for block in MixBus(song, mix, tail=False).blocks(block_frames)]
    return np.concatenate(blocks, axis=2)


def moved(song, **strips):
    mix = Mix.neutral(song).with_strip("Kick", **strips)
    return replace(mix, moves=MOVES)


def test_a_fader_goes_along_lines_in_decibels(song):
    still = strips_of(song, Mix.neutral(song))
    moving = strips_of(song, moved(song))
    np.testing.assert_array_equal(moving[1], still[1])
    frames = np.arange(0, song.frames, HOP)
    gains_db = 20 * np.log10(moving[0][:, ::HOP] / still[0][:, ::HOP])
    expected = np.interp(frames / RATE, [1.0, 2.0, 2.5, 3.0], [0.0, 6.0, 6.0, -3.0])
    np.testing.assert_allclose(gains_db, np.tile(expected, (2, 1)), atol=1e-3)


def test_blocks_make_no_difference(song):
    mix = moved(song, fader_db=2, pan=0.3)
    whole = strips_of(song, mix, 32_768)
    np.testing.assert_array_equal(strips_of(song, mix, 8192), whole)


def test_a_constant_move_is_a_fader(song):
    constant = FaderMoves(np.array([0.0]), np.array([[3.0], [0.0]]), 4.0)
    sends = Mix.neutral(song).with_strip("Kick", reverb_send_db=-10)
    for moves, mix in (
        (strips_of(song, replace(sends, moves=constant)), sends.with_strip("Kick", fader_db=3)),
        (strips_of(song, replace(sends, moves=constant.scaled(0.5))), None),
    ):
        expected = strips_of(song, mix or sends.with_strip("Kick", fader_db=1.5))
        np.testing.assert_allclose(moves, expected, atol=1e-6)


@settings(max_examples=50)
@given(
    times=st.lists(st.integers(-20, 200), min_size=1, max_size=8, unique=True).map(sorted),
    data=st.data(),
)
def test_points_are_what_is_played(times, data):
    gains_db = data.draw(
        st.lists(st.floats(-24, 24), min_size=len(times), max_size=len(times)), label="gains"
    )
    moves = FaderMoves(np.array(times, dtype=float), np.array([gains_db]), 250.0)
    points = moves.points(0)
    if not any(gains_db):
        assert points == []
        return
    at_s, gains = map(np.array, zip(*points, strict=True))
    assert at_s[0] == 0.0 and (np.diff(at_s) > 0).all()
    probes = np.linspace(0, 250, 5000)
    heard_db = 20 * np.log10(np.interp(probes, at_s, gains))
    np.testing.assert_allclose(heard_db, np.interp(probes, times, gains_db), atol=0.01)


def test_presets_keep_them(song, tmp_path):
    mix = moved(song)
    (tmp_path / "p.json").write_text(dumps(mix))
    document = json.loads((tmp_path / "p.json").read_text())
    assert document["version"] == 2 and list(document["moves"]["gains_db"]) == ["Kick"]
    applied = apply_preset(load_preset(tmp_path / "p.json"), song).mix
    np.testing.assert_array_equal(applied.moves.times_s, MOVES.times_s)
    np.testing.assert_array_equal(applied.moves.gains_db, MOVES.gains_db)
    still = json.loads(dumps(Mix.neutral(song)))
    assert still["version"] == 1 and "moves" not in still


def test_another_song_does_not_get_them(song, tmp_path):
    (tmp_path / "p.json").write_text(dumps(moved(song)))
    with made(6.0) as other:
        assert apply_preset(load_preset(tmp_path / "p.json"), other).mix.moves is None


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"times_s": [1.0, 1.0, 2.5, 3.0]}, ["times_s", "rise"]),
        ({"times_s": [1.0]}, ["'Kick'", "4 gains for 1 times"]),
        ({"times_s": []}, ["times_s"]),
        ({"times_s": ["now"]}, ["times_s"]),
        ({"gains_db": {"Tuba": [0.0] * 4}}, ["'Tuba'"]),
        ({"gains_db": {"Kick": [0.0, 0.0, 0.0, 99.0]}}, ["Kick", "24"]),
        ({"duration_s": 1e99}, ["duration_s"]),
        ({"ramp_s": 2.0}, ["ramp_s"]),
    ],
)
def test_bad_moves_are_refused(song, tmp_path, change, words):
    document = json.loads(dumps(moved(song)))
    document["moves"] |= change
    (tmp_path / "p.json").write_text(json.dumps(document))
    with pytest.raises(MixgymError) as refusal:
        load_preset(tmp_path / "p.json")
    for word in ("p.json", "moves", *words):
        assert word in str(refusal.value)


def test_less_of_a_mix_moves_less(song):
    np.testing.assert_allclose(moved(song).scaled(0.5).moves.gains_db, MOVES.gains_db / 2)


def test_in_words(song):
    assert changes(moved(song))["Kick"] == ["fader moves by −3.0 dB to +6.0 dB"]
    assert changes(moved(song))["Vox"] == []
    still, moving = preset_of(Mix.neutral(song)), preset_of(moved(song))
    faster = preset_of(replace(moved(song), moves=replace(MOVES, times_s=MOVES.times_s / 2)))

    def words(before, after):
        return [change.words for d in compare(before, after).differences for change in d.changes]

    assert words(still, moving) == ["now moves by −3.0 dB to +6.0 dB"]
    assert words(moving, still) == ["no longer moves by −3.0 dB to +6.0 dB"]
    assert words(moving, faster) == ["now moves by −3.0 dB to +6.0 dB"]
    assert words(moving, moving) == []
