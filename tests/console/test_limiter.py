"""The limiter holds its ceiling behind any reconstruction filter, and is gentle about it."""

import math

import numpy as np
import pytest
import soxr
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.signal import resample_poly

from mixgym.console.limiter import LimiterSettings, apply_curve, limiter_curve, limiter_hop
from mixgym.console.meters import TruePeakMeter
from mixgym.console.mix import Mix
from mixgym.console.reconstruction import LongFilterPeak, ShortFilterPeak
from mixgym.console.render import Delivered, render
from mixgym.songs import Song
from mixgym.songs.generate import generate_song

CEILING_DBTP = -9.0


def signal(name: str, rate: int) -> NDArray[np.float32]:
    """A second of something hard to limit, full scale."""
    rng = np.random.default_rng(7)
    frames = rate
    n = np.arange(frames)
    quarter = np.pi / 2 * n
    made = {
        "white noise": lambda: rng.uniform(-1, 1, frames),
        "clipped noise": lambda: np.clip(rng.normal(0, 0.5, frames), -1, 1),
        "coin tosses": lambda: np.sign(rng.normal(size=frames)),
        "noise bursts": lambda: np.where(n % 9000 < 3000, rng.uniform(-1, 1, frames), 0.01),
        "square 997 Hz": lambda: np.sign(np.sin(2 * np.pi * 997 / rate * n)),
        "square 60 Hz": lambda: np.sign(np.sin(2 * np.pi * 60 / rate * n + 0.1)),
        "fs/4 at 0": lambda: np.sin(quarter),
        "fs/4 at 20": lambda: np.sin(quarter + np.radians(20)),
        "fs/4 at 45": lambda: np.sin(quarter + np.radians(45)),
        "fs/4 clipped": lambda: np.sign(np.sin(quarter + np.radians(45))),
        "worst pattern": lambda: np.resize([1, 1, 1, 1, -1, 1, -1, -1], frames),
        "clicks": lambda: (n % 1000 == 500).astype(float),
        "tone at 0.46": lambda: np.sin(2 * np.pi * 0.46 * n + 0.3),
        "nyquist bursts": lambda: np.where(n % 997 < 400, np.cos(np.pi * n), 0.0),
    }
    return made[name]().astype(np.float32)


SIGNALS = (
    "white noise",
    "clipped noise",
    "coin tosses",
    "noise bursts",
    "square 997 Hz",
    "square 60 Hz",
    "fs/4 at 0",
    "fs/4 at 20",
    "fs/4 at 45",
    "fs/4 clipped",
    "worst pattern",
    "clicks",
    "tone at 0.46",
    "nyquist bursts",
)


def peaks_dbtp(audio: NDArray[np.float32], rate: int) -> dict[str, float]:
    """True peak at 8x oversampling by three interpolators that share nothing."""
    exact = audio.astype(np.float64)
    meter = TruePeakMeter(rate, 2)
    meter.push(audio)
    meter.finish()
    highest = {
        "poly": np.abs(resample_poly(exact, 8, 1, axis=1)).max(),
        "soxr": np.abs(soxr.resample(exact.T, rate, 8 * rate, quality="VHQ")).max(),
        "meter": meter.true_peak,
    }
    return {name: 20 * math.log10(value) for name, value in highest.items()}


def mastered(song: Song, **master: float) -> tuple[NDArray[np.float32], Delivered]:
    with render(song, Mix.neutral(song).with_master(**master)) as rendering:
        return rendering.array(), rendering.delivered


@pytest.mark.parametrize("rate", [44_100, 48_000, 96_000])
@pytest.mark.parametrize("name", SIGNALS)
def test_adversarial_signals_stay_below_the_ceiling(name: str, rate: int) -> None:
    song = Song.from_arrays({"x": signal(name, rate)}, rate)
    audio, delivered = mastered(song, target_lufs=-6, ceiling_dbtp=CEILING_DBTP)
    readings = peaks_dbtp(audio, rate)
    assert max(readings.values()) <= CEILING_DBTP + 0.05, readings
    assert delivered.true_peak_dbtp == pytest.approx(readings["meter"], abs=0.001)


@pytest.mark.parametrize("rate", [44_100, 48_000, 96_000])
@pytest.mark.parametrize("target_lufs", [-14, -9, -6])
def test_music_stays_below_the_ceiling_and_reaches_it(target_lufs: float, rate: int) -> None:
    song = generate_song(4, duration_s=5, sample_rate=rate)
    audio, delivered = mastered(song, target_lufs=target_lufs)
    readings = peaks_dbtp(audio, rate)
    assert max(readings.values()) <= -1 + 0.05, readings
    if delivered.max_reduction_db > 0:
        assert min(readings.values()) >= -1 - 0.1, readings


@pytest.mark.parametrize("ceiling_dbtp", [-6, -1, 0])
def test_peaks_just_at_the_ceiling_need_no_limiting_but_are_checked(ceiling_dbtp: float) -> None:
    song = Song.from_arrays({"x": signal("white noise", 48_000)}, 48_000)
    _, free = mastered(song, target_lufs=-20, limiter_on=0)
    target_lufs = -20 + ceiling_dbtp - free.true_peak_dbtp - 0.01
    if not -30 <= target_lufs <= -6:
        target_lufs = -6
    audio, _ = mastered(song, target_lufs=target_lufs, ceiling_dbtp=ceiling_dbtp)
    assert max(peaks_dbtp(audio, 48_000).values()) <= ceiling_dbtp + 0.05


@settings(max_examples=40, deadline=None)
@given(
    seed=st.integers(0, 1000),
    drive_db=st.floats(0, 30),
    look_ahead_ms=st.floats(1, 5),
    release_ms=st.floats(30, 1000),
)
def test_no_slot_exceeds_the_ceiling(
    seed: int, drive_db: float, look_ahead_ms: float, release_ms: float
) -> None:
    peaks = np.random.default_rng(seed).exponential(0.3, 500).astype(np.float32)
    limiter = LimiterSettings(-1, look_ahead_ms, release_ms)
    gains = limiter_curve(peaks, drive_db, limiter, 48_000)
    assert gains.shape == (501,)
    assert (gains <= 10 ** (drive_db / 20) * 1.00001).all()
    worst = np.maximum(gains[:-1], gains[1:]) * peaks
    assert worst.max() <= 10 ** (-1 / 20) * 1.00001


def test_below_the_ceiling_the_gain_is_the_drive() -> None:
    peaks = np.full(100, 0.1, dtype=np.float32)
    gains = limiter_curve(peaks, 6.0, LimiterSettings(), 48_000)
    np.testing.assert_allclose(gains, 10 ** (6 / 20), rtol=1e-6)


def test_the_gain_falls_within_the_look_ahead_and_recovers_at_the_release() -> None:
    rate = 48_000
    slots_per_s = rate / limiter_hop(rate)
    peaks = np.full(3000, 0.5, dtype=np.float32)
    peaks[1000] = 2.0
    gains = 20 * np.log10(limiter_curve(peaks, 0.0, LimiterSettings(0, 3, 100), rate))
    look_ahead = math.ceil(0.003 * slots_per_s)
    np.testing.assert_allclose(gains[: 1000 - look_ahead], 0, atol=1e-5)
    np.testing.assert_allclose(gains[1000:1002], -6.02, atol=0.01)
    assert gains[1000 + round(0.1 * slots_per_s)] == pytest.approx(-6.02 / math.e, abs=0.2)
    assert gains[-1] > -0.1


def test_the_curve_is_applied_the_same_in_any_blocks() -> None:
    rate, hop = 48_000, limiter_hop(48_000)
    rng = np.random.default_rng(0)
    audio = rng.standard_normal((2, 100 * hop)).astype(np.float32)
    gains = rng.uniform(0.5, 1, 101).astype(np.float32)
    whole, parts = audio.copy(), audio.copy()
    apply_curve(whole, 0, gains, rate)
    for start in range(0, audio.shape[1], 77):
        block = np.ascontiguousarray(parts[:, start : start + 77])
        apply_curve(block, start, gains, rate)
        parts[:, start : start + 77] = block
    np.testing.assert_array_equal(parts, whole)
    lines = np.interp(np.arange(100 * hop), np.arange(101) * hop, gains)
    np.testing.assert_allclose(whole, audio * lines, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("block_frames", [999, 4096, 40_000])
def test_the_reconstructed_peak_is_the_same_in_any_blocks(block_frames: int) -> None:
    audio = np.tile(signal("white noise", 40_000), (2, 1))
    readings = peaks_dbtp(audio, 40_000)
    for meter, expected in ((ShortFilterPeak(), "poly"), (LongFilterPeak(), "soxr")):
        for start in range(0, audio.shape[1], block_frames):
            meter.push(audio[:, start : start + block_frames])
        meter.finish()
        assert 20 * math.log10(meter.peak) == pytest.approx(readings[expected], abs=0.01)
