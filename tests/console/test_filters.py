"""Filters: what the settings say is what the response does."""

import numpy as np
import pedalboard
import pytest
from numpy.typing import NDArray

from mixgym.console.filters import equaliser, high_pass

RATE = 48_000
FRAMES = 1 << 16
FLAT = {
    "low_shelf_hz": 120.0,
    "low_shelf_db": 0.0,
    "bell_1_hz": 500.0,
    "bell_1_db": 0.0,
    "bell_1_q": 1.0,
    "bell_2_hz": 3000.0,
    "bell_2_db": 0.0,
    "bell_2_q": 1.0,
    "high_shelf_hz": 8000.0,
    "high_shelf_db": 0.0,
}


def response_db(chain: list[pedalboard.Plugin], hz: float, rate: int = RATE) -> float:
    """Gain of a chain at one frequency, from its impulse response."""
    impulse = np.zeros((1, FRAMES), dtype=np.float32)
    impulse[0, 0] = 1.0
    out: NDArray[np.float32] = pedalboard.Pedalboard(chain)(impulse, rate)
    wave = np.exp(-2j * np.pi * hz / rate * np.arange(FRAMES))
    return float(20 * np.log10(abs(out[0].astype(np.float64) @ wave)))


@pytest.mark.parametrize("cutoff_hz", [30, 100, 400])
def test_high_pass(cutoff_hz: float) -> None:
    assert response_db(high_pass(cutoff_hz, RATE), cutoff_hz) == pytest.approx(-6.02, abs=0.1)
    assert response_db(high_pass(cutoff_hz, RATE), 50 * cutoff_hz) == pytest.approx(0, abs=0.1)
    fall = response_db(high_pass(cutoff_hz, RATE), cutoff_hz / 4) - response_db(
        high_pass(cutoff_hz, RATE), cutoff_hz / 8
    )
    assert fall == pytest.approx(12, abs=0.6)


@pytest.mark.parametrize("gain_db", [-9, -3, 4, 9])
@pytest.mark.parametrize(
    ("band", "at_hz", "away_hz"),
    [
        ("low_shelf", 12, 3000),
        ("bell_1", 500, 20_000),
        ("bell_2", 3000, 60),
        ("high_shelf", 20_000, 300),
    ],
)
def test_a_band_has_its_gain_where_it_works_and_none_elsewhere(
    band: str, at_hz: float, away_hz: float, gain_db: float
) -> None:
    chain = equaliser({**FLAT, f"{band}_db": gain_db}, RATE)
    assert response_db(chain, at_hz) == pytest.approx(gain_db, abs=0.25)
    assert response_db(chain, away_hz) == pytest.approx(0, abs=0.25)


@pytest.mark.parametrize("band", ["low_shelf", "high_shelf"])
def test_a_shelf_is_at_half_its_gain_at_its_mid_point(band: str) -> None:
    chain = equaliser({**FLAT, f"{band}_db": 6.0}, RATE)
    assert response_db(chain, FLAT[f"{band}_hz"]) == pytest.approx(3, abs=0.1)


def test_a_higher_q_is_narrower() -> None:
    wide = equaliser({**FLAT, "bell_1_db": 6.0, "bell_1_q": 0.5}, RATE)
    narrow = equaliser({**FLAT, "bell_1_db": 6.0, "bell_1_q": 3.0}, RATE)
    assert response_db(wide, 1000) > 2
    assert response_db(narrow, 1000) < 0.5


def test_bands_that_do_nothing_or_lie_above_the_passband_are_left_out() -> None:
    assert equaliser(FLAT, RATE) == []
    assert equaliser({**FLAT, "high_shelf_db": 6.0}, 8000) == []
    assert len(equaliser({**FLAT, "bell_1_db": 6.0, "high_shelf_db": 6.0}, 8000)) == 1


def test_prefixed_names_are_the_masters() -> None:
    master = {f"master_{name}": value for name, value in FLAT.items()} | {"master_bell_2_db": 6.0}
    assert response_db(equaliser(master, RATE, "master_"), 3000) == pytest.approx(6, abs=0.1)


def test_a_high_pass_above_the_passband_stays_stable() -> None:
    assert np.isfinite(response_db(high_pass(400, 8000), 200, 8000))
    noise = np.random.default_rng(0).standard_normal((1, 8000)).astype(np.float32)
    out = pedalboard.Pedalboard(high_pass(5000, 8000))(noise, 8000)
    assert np.abs(out).max() < 10
