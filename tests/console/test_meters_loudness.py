"""The loudness meter apart from the EBU's own signals, which test_meters_ebu.py holds."""

import math

import numpy as np
import pyloudnorm
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.signal import freqz, lfilter

from mixgym.console.meters import LoudnessMeter
from mixgym.console.meters.k_weighting import k_weighting
from mixgym.console.meters.loudness import gated_lufs
from mixgym.errors import MixgymError


def noise(
    seed: int, sample_rate: int, duration_s: float, channels: int = 2, pole: float = 0.9
) -> NDArray[np.float32]:
    """Low-passed noise whose level steps at random, up to 30 dB, every half a second."""
    rng = np.random.default_rng(seed)
    frames = round(sample_rate * duration_s)
    steps = np.repeat(10.0 ** (-rng.uniform(0, 1.5, 2 + int(2 * duration_s))), sample_rate // 2 + 1)
    white = rng.standard_normal((channels, frames)) * steps[:frames]
    return (0.3 * lfilter([1.0 - pole], [1.0, -pole], white)).astype(np.float32)


def read(audio: NDArray[np.float32], sample_rate: int) -> LoudnessMeter:
    meter = LoudnessMeter(sample_rate, audio.shape[0])
    meter.push(audio)
    return meter


def test_filters_equal_the_table_of_bs1770_at_48_khz() -> None:
    shelf, highpass = k_weighting(48_000)
    table_1 = [1.53512485958697, -2.69169618940638, 1.19839281085285]
    table_1 += [-1.69065929318241, 0.73248077421585]
    table_2 = [1.0, -2.0, 1.0, -1.99004745483398, 0.99007225036621]
    assert shelf == pytest.approx(table_1, abs=1e-6)
    assert highpass == pytest.approx(table_2, abs=1e-6)


@pytest.mark.parametrize(
    ("sample_rate", "tolerance_db"),
    [
        (8_000, 0.22),
        (11_025, 0.14),
        (22_050, 0.03),
        (44_100, 0.01),
        (96_000, 0.01),
        (192_000, 0.01),
    ],
)
def test_weighting_is_the_same_at_every_rate(sample_rate: int, tolerance_db: float) -> None:
    """As far as the bilinear transform lets it: the bounds are those that k_weighting states."""

    def response_db(rate: int) -> NDArray[np.float64]:
        hertz = np.array([25.0, 50.0, 100.0, 400.0, 1000.0, 2000.0, 3000.0])
        parts = [
            freqz(f[:3], [1.0, *f[3:]], worN=2 * np.pi * hertz / rate)[1] for f in k_weighting(rate)
        ]
        return 20.0 * np.log10(np.abs(parts[0] * parts[1]))

    assert response_db(sample_rate) == pytest.approx(response_db(48_000), abs=tolerance_db)


@pytest.mark.parametrize("sample_rate", [22_050, 32_000, 44_100, 48_000, 88_200, 192_000])
def test_997_hz_at_full_scale_in_one_channel_reads_minus_3(sample_rate: int) -> None:
    """The calibration that BS.1770 states."""
    n = np.arange(2 * sample_rate)
    sine = np.sin(2 * np.pi * 997.0 / sample_rate * n).astype(np.float32)[np.newaxis]
    assert read(sine, sample_rate).integrated_lufs == pytest.approx(-3.01, abs=0.03)


@settings(deadline=None, max_examples=40, derandomize=True)
@given(
    seed=st.integers(0, 2**32 - 1),
    sample_rate=st.sampled_from([44_100, 48_000]),
    tenths=st.integers(30, 120),
    channels=st.sampled_from([1, 2]),
    pole=st.floats(-0.9, 0.99),
    filter_class=st.sampled_from(["K-weighting", "DeMan"]),
)
def test_integrated_loudness_agrees_with_pyloudnorm(
    seed: int, sample_rate: int, tenths: int, channels: int, pole: float, filter_class: str
) -> None:
    """Over whole tenths of a second: pyloudnorm counts a last block that is not complete.

    Always the same examples: its filters differ by up to 0.04 dB, and a block that stands just at
    the gate may then count for one and not for the other.
    """
    audio = noise(seed, sample_rate, tenths / 10, channels, pole)
    reference = pyloudnorm.Meter(sample_rate, filter_class=filter_class)
    expected = reference.integrated_loudness(audio.T.astype(np.float64))
    assert read(audio, sample_rate).integrated_lufs == pytest.approx(expected, abs=0.05)


@settings(deadline=None, max_examples=30)
@given(
    sample_rate=st.sampled_from([8_000, 11_025, 22_051, 44_100]),
    cuts=st.lists(st.integers(0, 22_051), max_size=12),
    channels=st.sampled_from([1, 2]),
)
def test_any_block_size_gives_the_same_bits(
    sample_rate: int, cuts: list[int], channels: int
) -> None:
    audio = noise(1, sample_rate, 4.0, channels)
    whole, parts = read(audio, sample_rate), LoudnessMeter(sample_rate, channels)
    for block in np.split(audio, sorted(cuts), axis=1):
        parts.push(block)
    assert np.array_equal(parts.powers, whole.powers)
    assert parts.integrated_lufs == whole.integrated_lufs
    assert parts.loudness_range_lu == whole.loudness_range_lu
    assert parts.max_short_term_lufs == whole.max_short_term_lufs
    assert np.array_equal(parts.momentary_lufs, whole.momentary_lufs)
    assert parts.mono_fold_loss_db == pytest.approx(whole.mono_fold_loss_db, abs=0)


@pytest.mark.parametrize("sample_rate", [8_000, 11_025, 44_100, 44_056, 192_000])
def test_sub_blocks_do_not_drift(sample_rate: int) -> None:
    """Ten seconds hold exactly 1000 sub-blocks, 961 momentary and 71 short-term windows."""
    meter = read(np.full((1, 10 * sample_rate), 0.1, np.float32), sample_rate)
    assert meter.powers.shape == (1000,)
    assert meter.momentary_lufs.shape == (961,)
    assert meter.short_term_lufs.shape == (71,)
    meter.push(np.zeros((1, sample_rate // 100 - 1), np.float32))
    assert meter.powers.shape == (1000,)


def test_powers_are_energies() -> None:
    audio = noise(2, 48_000, 2.0)
    meter = read(audio, 48_000)
    (b1, a1), (b2, a2) = ((f[:3], [1.0, *f[3:]]) for f in k_weighting(48_000))
    weighted = lfilter(b2, a2, lfilter(b1, a1, audio.astype(np.float64)))
    expected = (weighted.reshape(2, -1, 480) ** 2).sum(axis=(0, 2))
    assert meter.powers == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("sample_rate", [11_025, 44_100, 48_000])
@pytest.mark.parametrize("channels", [1, 2])
def test_powers_hold_the_integrated_loudness(sample_rate: int, channels: int) -> None:
    meter = read(noise(9, sample_rate, 5.0, channels), sample_rate)
    assert gated_lufs(meter.powers, sample_rate) == pytest.approx(meter.integrated_lufs, abs=0.01)


def test_mono_reads_three_decibels_below_dual_mono() -> None:
    mono = noise(3, 48_000, 2.0, channels=1)
    gap = read(np.repeat(mono, 2, axis=0), 48_000).integrated_lufs
    gap -= read(mono, 48_000).integrated_lufs
    assert gap == pytest.approx(10 * math.log10(2), abs=1e-9)


@given(gain_db=st.floats(-10.0, 12.0))
@settings(deadline=None, max_examples=10)
def test_gain_moves_levels_and_not_the_range(gain_db: float) -> None:
    audio = noise(4, 16_000, 8.0)
    plain = read(audio, 16_000)
    louder = read((audio * 10.0 ** (gain_db / 20.0)).astype(np.float32), 16_000)
    for name in ("integrated_lufs", "max_momentary_lufs", "max_short_term_lufs"):
        assert getattr(louder, name) - getattr(plain, name) == pytest.approx(gain_db, abs=1e-3)
    assert louder.loudness_range_lu == pytest.approx(plain.loudness_range_lu, abs=1e-3)


@pytest.mark.parametrize("frames", [0, 1, 100, 48_000 * 4])
def test_silence_reads_minus_infinity(frames: int) -> None:
    meter = read(np.zeros((2, frames), np.float32), 48_000)
    assert meter.integrated_lufs == meter.max_momentary_lufs == -math.inf
    assert meter.max_short_term_lufs == -math.inf
    assert meter.loudness_range_lu == 0.0
    assert math.isnan(meter.mono_fold_loss_db)


@pytest.mark.parametrize("duration_s", [0.05, 0.2, 0.395])
def test_a_sound_shorter_than_a_window_reads_as_if_silence_followed(duration_s: float) -> None:
    audio = noise(5, 48_000, duration_s)
    silence = np.zeros((2, 48_000 * 4), np.float32)
    short, padded = read(audio, 48_000), read(np.concatenate((audio, silence), axis=1), 48_000)
    assert short.max_momentary_lufs == pytest.approx(padded.max_momentary_lufs, abs=0.1)
    assert short.max_short_term_lufs == pytest.approx(padded.max_short_term_lufs, abs=0.1)
    assert short.integrated_lufs == short.max_momentary_lufs


def test_silence_after_sound_is_silent_and_quick_to_fall() -> None:
    audio = np.concatenate((noise(6, 48_000, 1.0), np.zeros((2, 48_000 * 9), np.float32)), axis=1)
    meter = read(audio, 48_000)
    assert meter.powers[-1] == 0.0
    assert meter.momentary_lufs[-1] == -math.inf


@pytest.mark.parametrize(
    ("right_gain", "expected_db"), [(1.0, 0.0), (0.0, 3.0103), (-0.5, 10.0), (-1.0, math.inf)]
)
def test_mono_fold_loss_of_scaled_channels(right_gain: float, expected_db: float) -> None:
    left = noise(7, 48_000, 2.0, channels=1)
    meter = read(np.concatenate((left, left * np.float32(right_gain))), 48_000)
    assert meter.mono_fold_loss_db == pytest.approx(expected_db, abs=1e-4)


def test_mono_fold_loss_is_the_loudness_of_the_fold() -> None:
    audio = noise(8, 48_000, 3.0)
    audio[1] += 0.5 * audio[0]
    fold = np.repeat(audio.mean(axis=0, keepdims=True), 2, axis=0)
    loss = read(audio, 48_000).integrated_lufs - read(fold, 48_000).integrated_lufs
    assert read(audio, 48_000).mono_fold_loss_db == pytest.approx(loss, abs=0.05)
    assert read(audio[:1], 48_000).mono_fold_loss_db == pytest.approx(0.0, abs=1e-9)


def test_bad_input_is_told_in_one_sentence() -> None:
    with pytest.raises(MixgymError, match="7999 Hz"):
        LoudnessMeter(7_999)
    with pytest.raises(MixgymError, match="3 channels"):
        LoudnessMeter(48_000, 3)
    meter = LoudnessMeter(48_000)
    with pytest.raises(MixgymError, match=r"\(1, 10\)"):
        meter.push(np.zeros((1, 10), np.float32))
    for bad in (math.nan, math.inf, -math.inf):
        with pytest.raises(MixgymError, match="NaN or infinite"):
            meter.push(np.array([[0.0, bad], [0.0, 0.0]], np.float32))
