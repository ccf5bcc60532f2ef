"""Squared magnitude responses of `simulate` against the impulse responses of what `render` runs."""

from collections.abc import Callable

import numpy as np
import pedalboard
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from mixgym.console import _responses as responses
from mixgym.console.crossover import Crossover
from mixgym.console.filters import SHELF_Q, high_pass

FRAMES = 1 << 16
RATES = (22_050, 44_100, 48_000, 96_000)


def measured_db(board: list[pedalboard.Plugin], rate: int) -> NDArray[np.float64]:
    impulse = np.zeros((1, FRAMES), dtype=np.float32)
    impulse[0, 0] = 1000.0
    out = pedalboard.Pedalboard(board)(impulse, rate) / 1000.0
    return 20 * np.log10(np.abs(np.fft.rfft(out[0].astype(np.float64))) + 1e-12)


def computed_db(fill: Callable[..., None]) -> NDArray[np.float64]:
    w = 2 * np.pi * np.arange(FRAMES // 2 + 1) / FRAMES
    out = np.ones(len(w))
    fill(np.cos(w), np.cos(2 * w), out)
    return 10 * np.log10(out + 1e-24)


def assert_alike(
    measured: NDArray[np.float64],
    computed: NDArray[np.float64],
    rate: int,
    within_db: float = 0.01,
) -> None:
    """Alike from 15 Hz to 0.45 of the rate, as far as float32 impulses can tell."""
    hz = np.fft.rfftfreq(FRAMES, 1 / rate)
    there = (hz > 15) & (hz < 0.45 * rate) & (measured > -50)
    assert there.sum() > 100
    assert np.abs(measured - computed)[there].max() < within_db


@settings(max_examples=15, deadline=None)
@given(st.floats(150, 6000), st.floats(-9, 9), st.floats(0.4, 3), st.sampled_from(RATES))
def test_bell(hz: float, gain_db: float, q: float, rate: int) -> None:
    """The plug-in's coefficients are single precision, which shows far below the rate."""
    board = [pedalboard.PeakFilter(hz, gain_db, q)]
    computed = computed_db(lambda *a: responses.bell(hz, gain_db, q, float(rate), *a))
    assert_alike(measured_db(board, rate), computed, rate, max(0.01, 3e-5 * rate / hz))


@settings(max_examples=15, deadline=None)
@given(st.floats(250, 8000), st.floats(-9, 9), st.booleans(), st.sampled_from(RATES))
def test_shelf(hz: float, gain_db: float, high: bool, rate: int) -> None:
    make = pedalboard.HighShelfFilter if high else pedalboard.LowShelfFilter
    computed = computed_db(lambda *a: responses.shelf(hz, gain_db, high, float(rate), *a))
    assert_alike(measured_db([make(hz, gain_db, SHELF_Q)], rate), computed, rate)


@settings(max_examples=15, deadline=None)
@given(st.floats(60, 250), st.floats(-9, 9), st.sampled_from(RATES))
def test_low_shelf(hz: float, gain_db: float, rate: int) -> None:
    """The plug-in's coefficients are single precision, which shows this far below the rate."""
    computed = computed_db(lambda *a: responses.shelf(hz, gain_db, False, float(rate), *a))
    board = [pedalboard.LowShelfFilter(hz, gain_db, SHELF_Q)]
    assert_alike(measured_db(board, rate), computed, rate, within_db=0.3 * rate / hz / 1000)


@settings(max_examples=15, deadline=None)
@given(st.floats(20, 1000), st.sampled_from(RATES))
def test_high_pass(hz: float, rate: int) -> None:
    computed = computed_db(lambda *a: responses.high_pass(hz, float(rate), *a))
    assert_alike(measured_db(high_pass(hz, rate), rate), computed, rate)


@settings(max_examples=15, deadline=None)
@given(st.floats(1000, 9000), st.sampled_from(RATES))
def test_low_pass(hz: float, rate: int) -> None:
    computed = computed_db(lambda *a: responses.low_pass(hz, float(rate), *a))
    assert_alike(measured_db([pedalboard.LowpassFilter(hz)], rate), computed, rate)


@pytest.mark.parametrize("rate", RATES)
def test_crossover(rate: int) -> None:
    low_hz, high_hz = 150.0, 4000.0
    impulse = np.zeros((2, FRAMES), dtype=np.float32)
    impulse[:, 0] = 1000.0
    bands = Crossover(low_hz, high_hz, rate).split(impulse)
    measured = [
        20 * np.log10(np.abs(np.fft.rfft(band[0].astype(np.float64))) / 1000.0 + 1e-12)
        for band in bands
    ]
    w = 2 * np.pi * np.arange(FRAMES // 2 + 1) / FRAMES
    low, up = np.empty(len(w)), np.empty(len(w))
    for hz, out in ((low_hz, low), (high_hz, up)):
        responses.low_pass_amplitude(hz, float(rate), np.cos(w), np.cos(2 * w), out)
    for found, amplitude in zip(measured, (low, (1 - low) * up, (1 - low) * (1 - up)), strict=True):
        assert_alike(found, 20 * np.log10(np.abs(amplitude) + 1e-12), rate)


def test_left_out_above_the_passband() -> None:
    rate = 8000.0
    for fill in (
        lambda *a: responses.bell(5000.0, 6.0, 1.0, rate, *a),
        lambda *a: responses.shelf(8000.0, 6.0, True, rate, *a),
        lambda *a: responses.bell(500.0, 0.0, 1.0, rate, *a),
    ):
        assert np.array_equal(computed_db(fill), np.zeros(FRAMES // 2 + 1))
