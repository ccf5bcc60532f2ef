"""The crossover: flat sum, -6 dB at the crossovers, 24 dB per octave beyond them."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from mixgym.console.crossover import Crossover

FRAMES = 1 << 17


def responses_db(low_hz: float, high_hz: float, rate: int) -> tuple[NDArray[np.float64], ...]:
    """Frequencies in Hz, then magnitude in dB of low, mid, high and their sum."""
    impulse = np.zeros((2, FRAMES), dtype=np.float32)
    impulse[:, 0] = 1.0
    bands = [band[0].astype(np.float64) for band in Crossover(low_hz, high_hz, rate).split(impulse)]
    spectra = [np.abs(np.fft.rfft(band)) for band in (*bands, sum(bands))]
    decibels = (20 * np.log10(np.maximum(spectrum, 1e-12)) for spectrum in spectra)
    return np.fft.rfftfreq(FRAMES, 1 / rate), *decibels


@pytest.mark.parametrize("rate", [44_100, 48_000, 96_000])
@settings(max_examples=10, deadline=None)
@given(low_hz=st.floats(80, 300), high_hz=st.floats(2000, 8000))
def test_the_bands_sum_flat(rate: int, low_hz: float, high_hz: float) -> None:
    hz, *_, total = responses_db(low_hz, high_hz, rate)
    audible = (hz >= 20) & (hz <= 20_000)
    assert np.abs(total[audible]).max() < 0.01


@pytest.mark.parametrize("rate", [44_100, 96_000])
def test_neighbours_meet_at_minus_6_db(rate: int) -> None:
    hz, low, mid, high, _ = responses_db(150, 4000, rate)
    for crossover_hz, below, above in ((150, low, mid), (4000, mid, high)):
        assert np.interp(crossover_hz, hz, below) == pytest.approx(-6.02, abs=0.05)
        assert np.interp(crossover_hz, hz, above) == pytest.approx(-6.02, abs=0.05)


def test_slopes_are_24_db_per_octave() -> None:
    hz, low, mid, high, _ = responses_db(150, 4000, 96_000)
    for band, near_hz, far_hz in ((low, 600, 1200), (mid, 37.5, 18.75), (high, 1000, 500)):
        drop = np.interp(near_hz, hz, band) - np.interp(far_hz, hz, band)
        assert drop == pytest.approx(24, abs=0.8)


@pytest.mark.parametrize("rate", [8000, 192_000])
def test_any_rate_sums_flat(rate: int) -> None:
    hz, *_, total = responses_db(300, 8000, rate)
    assert np.abs(total[(hz > 20) & (hz < 0.45 * rate)]).max() < 0.01


def test_block_length_does_not_matter_and_channels_keep_apart() -> None:
    audio = np.random.default_rng(0).standard_normal((2, 4096)).astype(np.float32)
    whole = Crossover(150, 4000, 48_000).split(audio)
    crossover = Crossover(150, 4000, 48_000)
    parts = [crossover.split(audio[:, start : start + 512]) for start in range(0, 4096, 512)]
    swapped = Crossover(150, 4000, 48_000).split(np.ascontiguousarray(audio[::-1]))
    for band in range(3):
        np.testing.assert_array_equal(
            np.concatenate([part[band] for part in parts], axis=1), whole[band]
        )
        np.testing.assert_array_equal(swapped[band][::-1], whole[band])
