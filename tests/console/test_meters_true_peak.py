"""True peak against independent resamplers, and the properties a limiter relies on."""

import math

import numpy as np
import pytest
import soxr
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.signal import resample, resample_poly

from mixgym.console.meters import TruePeakMeter
from mixgym.console.meters.true_peak import interpolator
from mixgym.errors import MixgymError


def pink(seed: int, frames: int) -> NDArray[np.float32]:
    """Stereo noise as music has it: 3 dB per octave, nothing above 20 kHz at 48 kHz, faded."""
    rng = np.random.default_rng(seed)
    spectrum = np.fft.rfft(rng.standard_normal((2, frames)))
    spectrum[:, 1:] /= np.sqrt(np.arange(1, spectrum.shape[1]))
    spectrum[:, 0] = 0.0
    spectrum[:, int(20 / 48 * frames) :] = 0.0
    n = np.arange(frames)
    fade = np.sin(np.pi / 2 * np.minimum(1.0, np.minimum(n, n[::-1]) / (frames / 16))) ** 2
    noise = np.fft.irfft(spectrum, frames) * fade
    return (0.5 * noise / np.abs(noise).max()).astype(np.float32)


def white(seed: int, frames: int, channels: int = 2) -> NDArray[np.float32]:
    rng = np.random.default_rng(seed)
    return (0.2 * rng.standard_normal((channels, frames))).astype(np.float32)


def read(audio: NDArray[np.float32], sample_rate: int = 48_000, hop: int = 0) -> TruePeakMeter:
    meter = TruePeakMeter(sample_rate, audio.shape[0], hop)
    meter.push(audio)
    meter.finish()
    return meter


def test_interpolator_is_flat_to_0_45_of_the_sample_rate() -> None:
    taps = interpolator().astype(np.float64)
    times = np.arange(1 - taps.shape[1] // 2, taps.shape[1] // 2 + 1)
    phases = np.arange(1, 8)[:, np.newaxis] / 8
    for frequency in np.linspace(0.0, 0.45, 46):
        response = (taps * np.exp(2j * np.pi * frequency * (times - phases))).sum(axis=1)
        assert np.abs(20 * np.log10(np.abs(response))).max() < 0.02
        assert np.abs(np.angle(response)).max() < 0.003


@pytest.mark.parametrize("seed", range(5))
def test_agrees_with_other_resamplers_on_pink_noise(seed: int) -> None:
    audio = pink(seed, 48_000)
    reading = read(audio).true_peak_dbtp
    x = audio.astype(np.float64)
    for oversampled in (
        resample_poly(x, 8, 1, axis=1),
        resample(x, 8 * 48_000, axis=1),
        soxr.resample(x.T, 48_000, 8 * 48_000, quality="VHQ").T,
    ):
        assert reading == pytest.approx(20 * np.log10(np.abs(oversampled).max()), abs=0.05)


@settings(deadline=None, max_examples=25)
@given(
    frequency=st.floats(0.01, 0.45),
    phase=st.floats(0.0, 2.0 * math.pi),
    amplitude=st.floats(0.01, 2.0),
)
def test_a_tone_reads_its_amplitude(frequency: float, phase: float, amplitude: float) -> None:
    n = np.arange(4_000)
    fade = np.minimum(1.0, np.minimum(n, n[::-1]) / 500)
    tone = amplitude * fade * np.sin(2 * np.pi * frequency * n + phase)
    reading = read(tone.astype(np.float32)[np.newaxis]).true_peak_dbtp - 20 * np.log10(amplitude)
    # A crest lies within a sixteenth of a sample of a point that is looked at.
    assert 20 * np.log10(np.cos(np.pi * frequency / 8)) - 0.02 <= reading <= 0.02


@settings(deadline=None, max_examples=40)
@given(
    frames=st.integers(1, 3_000),
    cuts=st.lists(st.integers(0, 3_000), max_size=8),
    channels=st.sampled_from([1, 2]),
    hop=st.integers(1, 900),
)
def test_any_block_size_gives_the_same_bits(
    frames: int, cuts: list[int], channels: int, hop: int
) -> None:
    audio = white(frames, frames, channels)
    whole, parts = read(audio, hop=hop), TruePeakMeter(48_000, channels, hop)
    for block in np.split(audio, sorted(cuts), axis=1):
        parts.push(block)
    parts.finish()
    assert parts.true_peak == whole.true_peak
    assert parts.sample_peak == whole.sample_peak == np.abs(audio).max()
    assert np.array_equal(parts.hop_peaks, whole.hop_peaks)
    assert whole.hop_peaks.shape == (math.ceil(frames / hop),)
    assert whole.hop_peaks.max() == np.float32(whole.true_peak)


def test_a_long_push_equals_many_short_ones() -> None:
    audio = white(9, 150_000)
    whole, parts = read(audio, hop=441), TruePeakMeter(48_000, 2, 441)
    for start in range(0, 150_000, 1_000):
        parts.push(audio[:, start : start + 1_000])
    parts.finish()
    assert np.array_equal(parts.hop_peaks, whole.hop_peaks)


def test_hop_peaks_are_the_points_of_their_frames_in_either_channel() -> None:
    audio = pink(10, 4_096)
    points = np.abs(resample(audio.astype(np.float64), 8 * 4_096, axis=1)).max(axis=0)
    peaks = read(audio, hop=128).hop_peaks
    expected = points.reshape(32, 8 * 128).max(axis=1)
    assert peaks[2:-2] == pytest.approx(expected[2:-2], rel=0.01)


def test_true_peak_is_never_below_the_sample_peak() -> None:
    square = np.sign(np.sin(np.arange(5_000) / 17.3)).astype(np.float32)[np.newaxis]
    meter = read(square)
    assert meter.sample_peak_dbfs == 0.0
    assert meter.true_peak_dbtp > 0.5  # the band-limited square overshoots


@pytest.mark.parametrize("position", [0, 1, 19, 20, 99])
def test_a_lone_click_reads_its_height_wherever_it_stands(position: int) -> None:
    audio = np.zeros((2, 100), np.float32)
    audio[1, position] = -0.75
    meter = read(audio, hop=10)
    assert meter.true_peak == meter.sample_peak == 0.75
    assert int(meter.hop_peaks.argmax()) == position // 10


@pytest.mark.parametrize("frames", [0, 1, 500])
def test_silence_reads_minus_infinity(frames: int) -> None:
    meter = read(np.zeros((2, frames), np.float32), hop=100)
    assert meter.true_peak_dbtp == meter.sample_peak_dbfs == -math.inf
    assert not meter.hop_peaks.any()


def test_misuse_is_told_in_one_sentence() -> None:
    with pytest.raises(MixgymError, match="hop of -1"):
        TruePeakMeter(48_000, 2, -1)
    meter = read(np.zeros((2, 10), np.float32))
    meter.finish()
    with pytest.raises(MixgymError, match="finished"):
        meter.push(np.zeros((2, 10), np.float32))
