"""The compressor against its closed forms: static curve, attack and release, make-up, linking."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from mixgym.console.compressor import (
    DETECTOR_MS,
    LOUDNESS_OFFSET_DB,
    Compressor,
    CompressorSettings,
    make_up_db,
    static_gain_db,
)
from mixgym.console.control import control_hop

RATE = 48_000
HOP = control_hop(RATE)
CONTROL_MS = 1000 * HOP / RATE


def squares(level_db: float, frames: int, hz: float = 3000.0) -> NDArray[np.float32]:
    """A stereo square wave of this level on the threshold's scale: its power never moves."""
    amplitude = 10 ** ((level_db - LOUDNESS_OFFSET_DB) / 20) / math.sqrt(2)
    wave = np.where((np.arange(frames) * hz / RATE) % 1 < 0.5, amplitude, -amplitude)
    return np.tile(wave, (2, 1)).astype(np.float32)


def sine(level_db: float, frames: int, hz: float = 1500.0) -> NDArray[np.float32]:
    amplitude = 10 ** ((level_db - LOUDNESS_OFFSET_DB) / 20)
    return np.tile(amplitude * np.sin(2 * np.pi * hz / RATE * np.arange(frames)), (2, 1)).astype(
        np.float32
    )


def noise(seed: int, frames: int, channels: int = 2) -> NDArray[np.float32]:
    return (0.2 * np.random.default_rng(seed).standard_normal((channels, frames))).astype(
        np.float32
    )


def textbook_gain_db(level_db: float, s: CompressorSettings) -> float:
    """Output less input level of Giannoulis et al. 2012, eq. (4), as printed there."""
    over = level_db - s.threshold_db
    if 2 * over < -s.knee_db:
        return 0.0
    if 2 * abs(over) <= s.knee_db and s.knee_db > 0:
        return (1 / s.ratio - 1) * (over + s.knee_db / 2) ** 2 / (2 * s.knee_db)
    return s.threshold_db + over / s.ratio - level_db


SETTINGS = st.builds(
    CompressorSettings,
    threshold_db=st.floats(-40, -10),
    ratio=st.floats(1, 20),
    knee_db=st.floats(0, 12),
)


@given(settings=SETTINGS, level_db=st.floats(-80, 10))
def test_static_curve_is_the_textbook_one(settings: CompressorSettings, level_db: float) -> None:
    expected = textbook_gain_db(level_db, settings)
    assert float(static_gain_db(level_db, settings)) == pytest.approx(expected, abs=1e-6)


@settings(max_examples=40, deadline=None)
@given(settings=SETTINGS, level_db=st.floats(-50, 0))
def test_steady_sine_settles_on_the_static_curve(
    settings: CompressorSettings, level_db: float
) -> None:
    audio = sine(level_db, RATE)
    before = audio[0, -4800:].copy()
    quick = CompressorSettings(settings.threshold_db, settings.ratio, settings.knee_db, 5, 50)
    Compressor(quick, RATE).process(audio[:, : RATE // HOP * HOP])
    gain_db = 20 * np.log10(np.std(audio[0, -4800:]) / np.std(before))
    assert gain_db == pytest.approx(textbook_gain_db(level_db, quick), abs=0.1)


def gain_db_after_step(
    before_db: float, after_db: float, s: CompressorSettings
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Times in ms after a step of level, and the gain in dB at the end of each control slot."""
    lead = RATE // HOP * HOP * 2
    frames = RATE // HOP * HOP * (2 if s.release_ms < 300 else 5)
    audio = np.concatenate([squares(before_db, lead), squares(after_db, frames)], axis=1)
    raw = audio[0].copy()
    Compressor(s, RATE).process(audio)
    ends = np.arange(lead + HOP - 1, lead + frames, HOP)
    times_ms = (ends - lead + 1) * 1000 / RATE
    return times_ms, 20 * np.log10(audio[0, ends].astype(np.float64) / raw[ends])


def detected_db(
    before_db: float, after_db: float, times_ms: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Closed form of the mean-square detector's level after a step."""
    before, after = 10 ** (before_db / 10), 10 ** (after_db / 10)
    return 10 * np.log10(after + (before - after) * np.exp(-times_ms / DETECTOR_MS))


def time_to(share: float, times_ms: NDArray[np.float64], gain_db: NDArray[np.float64]) -> float:
    """When `share` of the way from the first to the last value has been covered."""
    progress = (gain_db - gain_db[0]) / (gain_db[-1] - gain_db[0])
    return float(np.interp(share, progress, times_ms))


SHARE = 1 - math.exp(-1)


def mean_lag_ms(before_db: float, after_db: float, s: CompressorSettings) -> float:
    """How late the detector brings the static curve's target, on average over the step."""
    times = np.linspace(0, 200, 200_001)
    target = static_gain_db(detected_db(before_db, after_db, times), s)
    progress = (target - target[0]) / (target[-1] - target[0])
    return float(np.trapezoid(1 - progress, times))


@pytest.mark.parametrize("attack_ms", [5, 10, 20, 50, 100])
def test_attack_covers_63_percent_in_the_named_time(attack_ms: float) -> None:
    s = CompressorSettings(-30, 4, 0, attack_ms, 200)
    times, gain = gain_db_after_step(-40, -20, s)
    lag = mean_lag_ms(-40, -20, s)
    assert lag < DETECTOR_MS
    measured = time_to(SHARE, np.append(0, times), np.append(0, gain))
    assert 0.85 * attack_ms <= measured <= 1.15 * attack_ms + CONTROL_MS + lag
    assert gain[-1] == pytest.approx(-7.5, abs=0.05)


@pytest.mark.parametrize("release_ms", [50, 100, 200, 400, 800])
def test_release_covers_63_percent_in_the_named_time(release_ms: float) -> None:
    s = CompressorSettings(-30, 4, 0, 10, release_ms)
    times, gain = gain_db_after_step(-20, -40, s)
    lag = mean_lag_ms(-20, -40, s)
    assert lag < 10 / (10 / math.log(10)) * DETECTOR_MS  # ten decibels fall at 4.3 dB per constant
    measured = time_to(SHARE, np.append(0, times), np.append(-7.5, gain))
    assert 0.85 * release_ms <= measured <= 1.15 * release_ms + CONTROL_MS + lag
    assert gain[-1] > -0.1


@pytest.mark.parametrize(("attack_ms", "release_ms"), [(5, 50), (20, 150), (100, 800)])
@pytest.mark.parametrize(("before_db", "after_db"), [(-40, -20), (-20, -40)])
def test_the_gain_follows_the_closed_form_at_every_moment(
    attack_ms: float, release_ms: float, before_db: float, after_db: float
) -> None:
    """An exponential towards the static gain of the detector's own exponential."""
    s = CompressorSettings(-30, 4, 6, attack_ms, release_ms)
    times, gain = gain_db_after_step(before_db, after_db, s)
    constant_ms = attack_ms if after_db > before_db else release_ms
    fine = np.linspace(0, times[-1], 200_001)
    target = static_gain_db(detected_db(before_db, after_db, fine), s)
    step = fine[1]
    start = float(static_gain_db(before_db, s))
    weights = np.exp(fine / constant_ms - times[-1] / constant_ms)
    integral = np.cumsum(target * weights) * step / constant_ms
    expected = (start * weights[0] + integral) / weights
    # The recursion lets the level at a slot's end act on the whole slot: early by one at most.
    on_time = np.interp(times, fine, expected)
    early = np.interp(times + CONTROL_MS, fine, expected)
    assert (gain >= np.minimum(on_time, early) - 0.02).all()
    assert (gain <= np.maximum(on_time, early) + 0.02).all()


def test_both_channels_get_the_same_gain() -> None:
    loud, quiet = noise(0, 100 * HOP, 1), 0.05 * noise(1, 100 * HOP, 1)
    audio = np.concatenate([loud, quiet])
    raw = audio.copy()
    Compressor(CompressorSettings(-40, 4), RATE).process(audio)
    gains = audio.astype(np.float64) / raw
    np.testing.assert_allclose(gains[0], gains[1], rtol=1e-5)
    assert gains.min() < 0.5


def test_mono_and_the_same_power_in_stereo_are_compressed_alike() -> None:
    mono = noise(0, 100 * HOP, 1)
    stereo = np.repeat(mono, 2, axis=0) * np.float32(math.sqrt(0.5))
    for audio in (mono, stereo):
        Compressor(CompressorSettings(-30, 3), RATE).process(audio)
    np.testing.assert_allclose(stereo[0] * math.sqrt(2), mono[0], rtol=1e-5, atol=1e-7)


def test_a_ratio_of_one_changes_nothing() -> None:
    audio = noise(0, 50 * HOP)
    raw = audio.copy()
    Compressor(CompressorSettings(-60, 1), RATE).process(audio)
    np.testing.assert_array_equal(audio, raw)


def test_below_the_knee_nothing_changes() -> None:
    audio = sine(-34, 50 * HOP)
    raw = audio.copy()
    Compressor(CompressorSettings(-30, 10, 6), RATE).process(audio)
    np.testing.assert_array_equal(audio, raw)


def test_the_side_chain_drives_the_gain() -> None:
    s = CompressorSettings(-30, 4, 0, 5, 50)
    audio, raw = noise(0, 200 * HOP), noise(0, 200 * HOP)
    key = np.zeros((1, 200 * HOP), dtype=np.float32)
    key[:, 100 * HOP :] = squares(-20, 100 * HOP)[:1] * np.float32(math.sqrt(2))
    Compressor(s, RATE).process(audio, key)
    np.testing.assert_array_equal(audio[:, : 100 * HOP], raw[:, : 100 * HOP])
    late = slice(180 * HOP, None)
    gain_db = 20 * np.log10(np.std(audio[:, late]) / np.std(raw[:, late]))
    assert gain_db == pytest.approx(-7.5, abs=0.1)


@given(settings=SETTINGS, loudness_db=st.floats(-60, 0))
def test_make_up_gives_back_what_the_static_curve_takes(
    settings: CompressorSettings, loudness_db: float
) -> None:
    expected = -textbook_gain_db(loudness_db, settings)
    assert make_up_db(loudness_db, settings) == pytest.approx(expected, abs=1e-6)


def test_with_make_up_a_steady_signal_keeps_its_level() -> None:
    s = CompressorSettings(-28, 4, 6, 5, 50)
    audio = sine(-20, 500 * HOP)
    raw = audio[:, -4800:].copy()
    Compressor(s, RATE, make_up_db(-20, s)).process(audio)
    assert 20 * np.log10(np.std(audio[:, -4800:]) / np.std(raw)) == pytest.approx(0, abs=0.1)


@pytest.mark.parametrize("slots", [1, 7, 128])
def test_block_length_does_not_matter(slots: int) -> None:
    s = CompressorSettings(-30, 4)
    whole, parts = noise(0, 896 * HOP), noise(0, 896 * HOP)
    Compressor(s, RATE).process(whole)
    compressor = Compressor(s, RATE)
    for start in range(0, parts.shape[1], slots * HOP):
        block = np.ascontiguousarray(parts[:, start : start + slots * HOP])
        compressor.process(block)
        parts[:, start : start + slots * HOP] = block
    np.testing.assert_array_equal(parts, whole)


@pytest.mark.parametrize("rate", [8000, 44_100, 48_000, 96_000, 192_000])
def test_the_control_period_is_about_the_same_at_any_rate(rate: int) -> None:
    hop = control_hop(rate)
    assert 0.9e-3 < hop / rate < 1.5e-3
    assert hop & (hop - 1) == 0


def test_silence_and_full_scale_stay_finite() -> None:
    for audio in (np.zeros((2, 10 * HOP), np.float32), np.ones((2, 10 * HOP), np.float32)):
        Compressor(CompressorSettings(-60, 20, 0, 1, 20), RATE).process(audio)
        assert np.isfinite(audio).all()
