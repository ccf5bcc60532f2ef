"""Third-octave levels, correlation and width."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from mixgym.console.meters import SpectrumMeter


def read(audio: NDArray[np.float32], sample_rate: int) -> SpectrumMeter:
    meter = SpectrumMeter(sample_rate, audio.shape[0])
    meter.push(audio)
    return meter


def white(seed: int, frames: int, channels: int = 2) -> NDArray[np.float32]:
    rng = np.random.default_rng(seed)
    return (0.1 * rng.standard_normal((channels, frames))).astype(np.float32)


def test_centres_are_base_ten_third_octaves_below_nyquist() -> None:
    full = SpectrumMeter(48_000).centres_hz
    assert full.shape == (31,)
    assert full[[0, 17, 30]] == pytest.approx([19.953, 1000.0, 19_953.0], rel=1e-4)
    assert np.diff(np.log10(full)) == pytest.approx(0.1)
    assert SpectrumMeter(8_000).centres_hz[-1] == pytest.approx(3_981.07, rel=1e-5)


@pytest.mark.parametrize("sample_rate", [16_000, 44_100, 96_000])
def test_white_noise_rises_one_decibel_per_band(sample_rate: int) -> None:
    """Flat density: each band holds its share of the width; noise averages out over 120 s."""
    meter = read(white(0, 120 * sample_rate), sample_rate)
    edges = meter.centres_hz * 10.0 ** np.array([[-0.05], [0.05]])
    bandwidth = np.diff(np.minimum(edges, sample_rate / 2), axis=0)[0]
    expected = 10 * np.log10(0.1**2 * bandwidth / (sample_rate / 2))
    assert meter.levels_db == pytest.approx(expected, abs=0.5)


@pytest.mark.parametrize("sample_rate", [44_100, 48_000])
def test_a_sine_at_a_centre_reads_its_mean_square_in_that_band(sample_rate: int) -> None:
    """Faded over half a second: a sine that starts at once is not one line."""
    time = np.arange(5 * sample_rate) / sample_rate
    fade = np.sin(np.pi / 2 * np.minimum(1.0, 2.0 * np.minimum(time, time[::-1]))) ** 2
    for band, centre in enumerate(SpectrumMeter(sample_rate).centres_hz):
        sine = 0.5 * fade * np.sin(2 * np.pi * centre * time)
        levels = read(sine.astype(np.float32)[np.newaxis], sample_rate).levels_db
        assert levels[band] == pytest.approx(10 * np.log10(np.mean(sine**2)), abs=0.3)
        far = np.delete(levels, slice(max(0, band - 1), band + 2))
        assert far.max() < -60.0


@settings(deadline=None, max_examples=20)
@given(frames=st.integers(1, 20_000), position=st.floats(0.0, 1.0))
def test_every_sample_counts_equally(frames: int, position: float) -> None:
    """A click has its energy spread evenly over frequency, wherever in the file it stands."""
    audio = np.zeros((1, frames), np.float32)
    audio[0, min(frames - 1, int(position * frames))] = 1.0
    meter = read(audio, 8_000)
    edges = meter.centres_hz * 10.0 ** np.array([[-0.05], [0.05]])
    bandwidth = np.diff(np.minimum(edges, 4_000.0), axis=0)[0]
    expected = 10 * np.log10(bandwidth / 4_000.0 / frames)
    # A click away from the frame's middle is split in two frames of unequal weight: still exact.
    assert meter.levels_db == pytest.approx(expected, abs=0.01)


@settings(deadline=None, max_examples=20)
@given(cuts=st.lists(st.integers(0, 30_000), max_size=10), channels=st.sampled_from([1, 2]))
def test_any_block_size_gives_the_same_bits(cuts: list[int], channels: int) -> None:
    audio = white(1, 30_000, channels)
    whole, parts = read(audio, 8_000), SpectrumMeter(8_000, channels)
    for block in np.split(audio, sorted(cuts), axis=1):
        parts.push(block)
        parts.levels_db  # noqa: B018  reading midway must not disturb what follows
    assert np.array_equal(parts.levels_db, whole.levels_db)
    assert np.array_equal(parts.correlation, whole.correlation)
    assert np.array_equal(parts.width, whole.width)


@pytest.mark.parametrize(
    ("right_gain", "correlation", "width"),
    [(1.0, 1.0, 0.0), (-1.0, -1.0, 1.0), (0.5, 1.0, 0.1), (-0.5, -1.0, 0.9)],
)
def test_correlation_and_width_of_scaled_channels(
    right_gain: float, correlation: float, width: float
) -> None:
    left = white(2, 48_000, 1)
    meter = read(np.concatenate((left, left * np.float32(right_gain))), 48_000)
    assert meter.correlation == pytest.approx(correlation, abs=1e-5)
    assert meter.width == pytest.approx(width, abs=1e-5)


def test_stereo_differs_by_band() -> None:
    """The same low tone in both channels, a high tone in anti-phase."""
    time = np.arange(96_000) / 48_000
    low, high = np.sin(2 * np.pi * 100.0 * time), np.sin(2 * np.pi * 5011.87 * time)
    meter = read(np.stack((low + high, low - high)).astype(np.float32), 48_000)
    bass, treble = (int(np.abs(meter.centres_hz - f).argmin()) for f in (100.0, 5011.87))
    assert meter.correlation[[bass, treble]] == pytest.approx([1.0, -1.0], abs=1e-3)
    assert meter.width[[bass, treble]] == pytest.approx([0.0, 1.0], abs=1e-3)


def test_mono_and_dual_mono_read_alike() -> None:
    mono = white(3, 24_000, 1)
    single, dual = read(mono, 48_000), read(np.repeat(mono, 2, axis=0), 48_000)
    assert single.levels_db == pytest.approx(dual.levels_db, abs=1e-6)
    assert single.correlation == pytest.approx(1.0)


@pytest.mark.parametrize("frames", [0, 10, 100_000])
def test_silence_has_no_level_and_no_ratio(frames: int) -> None:
    meter = read(np.zeros((2, frames), np.float32), 48_000)
    assert (meter.levels_db == -np.inf).all()
    assert np.isnan(meter.correlation).all()
    assert np.isnan(meter.width).all()
