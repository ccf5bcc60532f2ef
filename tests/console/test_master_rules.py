"""Mastering by rule, and the target spectra that it leans towards."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from mixgym.console.master_rules import LIMIT_DB, ZONES, master_by_rule
from mixgym.console.mix import check_values
from mixgym.console.parameters import MASTER
from mixgym.console.styles import STYLES, style
from mixgym.console.targets import target_spectrum_db

CENTRES_HZ = 1000 * 2.0 ** (np.arange(-17, 14) / 3)


def made(levels_db, lean="balanced"):
    vector, reasons = master_by_rule(CENTRES_HZ, np.asarray(levels_db), style(lean))
    return MASTER.settings(vector), reasons


def test_target_slopes():
    assert target_spectrum_db(np.array([1000.0]))[0] == 0
    low, high = target_spectrum_db(np.array([500.0, 2000.0]))
    assert (high - low) / 2 == pytest.approx(-1.5)
    low, high = target_spectrum_db(np.array([8000.0, 16_000.0]))
    assert high - low == pytest.approx(-3.0)
    low, high = target_spectrum_db(np.array([20.0, 40.0]))
    assert high - low == pytest.approx(9.0)
    steps = np.abs(np.diff(target_spectrum_db(np.geomspace(20, 20_000, 5000))))
    assert steps.max() < 0.05


def test_tilt_is_added_to_the_slope():
    plain = target_spectrum_db(CENTRES_HZ)
    tilted = target_spectrum_db(CENTRES_HZ, 0.5)
    np.testing.assert_allclose(tilted - plain, 0.5 * np.log2(CENTRES_HZ / 1000))


@pytest.mark.parametrize("level_db", [-80.0, 0.0])
def test_a_track_on_target_is_left_alone(level_db):
    settings_, reasons = made(target_spectrum_db(CENTRES_HZ) + level_db)
    assert not settings_["master_eq_on"]
    assert reasons == (STYLES["balanced"].about,)


@pytest.mark.parametrize("name", list(ZONES))
@pytest.mark.parametrize("off_db", [-12.0, -5.0, 5.0, 12.0])
def test_a_zone_that_is_off_is_taken_back_by_half(name, off_db):
    low_hz, high_hz = ZONES[name]
    zone = (low_hz <= CENTRES_HZ) & (high_hz >= CENTRES_HZ)
    settings_, reasons = made(target_spectrum_db(CENTRES_HZ) + off_db * zone)
    assert settings_["master_eq_on"]
    beyond_db = np.sign(off_db) * (abs(off_db) - 2)
    assert settings_[name] == pytest.approx(np.clip(-beyond_db / 2, -LIMIT_DB, LIMIT_DB), abs=0.06)
    assert all(settings_[other] == 0 for other in ZONES if other != name)
    assert len(reasons) == 2


def test_an_empty_top_does_not_move_the_rest():
    """A track that was low-passed, as old files are, has no level there to be held against."""
    levels = target_spectrum_db(CENTRES_HZ) - 100 * (CENTRES_HZ > 7000)
    settings_, _ = made(levels)
    assert settings_["master_low_shelf_db"] == 0
    assert settings_["master_bell_1_db"] == 0
    assert settings_["master_bell_2_db"] == 0


def test_silence_gets_the_style_alone():
    settings_, reasons = made(np.full(len(CENTRES_HZ), -np.inf), "warm")
    assert settings_["master_low_shelf_db"] == 1.5
    assert reasons == (STYLES["warm"].about,)


@settings(max_examples=200)
@given(
    levels_db=arrays(np.float64, len(CENTRES_HZ), elements=st.floats(-200, 20) | st.just(-np.inf)),
    lean=st.sampled_from(sorted(STYLES)),
)
def test_any_spectrum_gives_settings_in_range(levels_db, lean):
    settings_, reasons = made(levels_db, lean)
    check_values(MASTER, settings_, "master")
    assert reasons[0] == STYLES[lean].about
    for name in ZONES:
        lent = STYLES[lean].master.get(name, 0.0)
        assert abs(settings_[name] - lent) <= LIMIT_DB + 1e-9
