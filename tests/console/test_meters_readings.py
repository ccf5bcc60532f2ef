"""All meters at once."""

import json
import math
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from mixgym.console.meters import LevelMeter, Measurement, measure
from mixgym.errors import MixgymError


def sine(
    frequency_hz: float, amplitude: float, duration_s: float, rate: int = 48_000
) -> NDArray[np.float32]:
    wave = amplitude * np.sin(2 * np.pi * frequency_hz / rate * np.arange(round(rate * duration_s)))
    return np.stack((wave, wave)).astype(np.float32)


def test_a_sine_reads_what_theory_says() -> None:
    readings = measure(sine(1_000.0, 0.5, 5.0), 48_000)
    assert readings.duration_s == 5.0
    assert (readings.sample_rate, readings.channels) == (48_000, 2)
    assert readings.sample_peak_dbfs == pytest.approx(-6.02, abs=0.01)
    assert readings.true_peak_dbtp == pytest.approx(-6.02, abs=0.02)
    assert readings.rms_dbfs == pytest.approx(-9.03, abs=0.01)
    assert readings.crest_db == pytest.approx(3.01, abs=0.01)
    assert readings.integrated_lufs == pytest.approx(-6.02, abs=0.1)
    assert readings.plr_db == pytest.approx(0.0, abs=0.1)
    assert readings.psr_db == pytest.approx(0.0, abs=0.1)
    assert readings.loudness_range_lu == pytest.approx(0.0, abs=0.1)
    assert readings.dc_offset == pytest.approx(0.0, abs=1e-6)
    assert readings.correlation == pytest.approx(1.0)
    assert readings.mono_fold_loss_db == pytest.approx(0.0, abs=1e-6)
    assert readings.spectrum_hz[readings.spectrum_db.argmax()] == pytest.approx(1_000.0)
    assert readings.short_term_lufs.shape == (21,)


@pytest.mark.parametrize("rate", [44_100, 11_025])
def test_psr_is_that_of_the_densest_window(rate: int) -> None:
    """Four dense seconds between sparse ones: clicks of the same height over a quiet tone."""
    sparse = sine(1_000.0, 0.05, 6.0, rate)
    sparse[:, :: rate // 2] = 0.5
    readings = measure(np.concatenate((sparse, sine(1_000.0, 0.5, 4.0, rate), sparse), 1), rate)
    assert readings.psr_db == pytest.approx(0.0, abs=0.5)
    assert measure(sparse, rate).psr_db > 10.0


def test_psr_disregards_silence_and_needs_three_seconds() -> None:
    quiet = np.zeros((2, 48_000 * 8), np.float32)
    padded = np.concatenate((quiet, sine(1_000.0, 0.5, 6.0), quiet), axis=1)
    assert measure(padded, 48_000).psr_db == pytest.approx(0.0, abs=0.1)
    assert math.isnan(measure(sine(1_000.0, 0.5, 2.9), 48_000).psr_db)
    assert math.isnan(measure(quiet, 48_000).psr_db)


def test_anti_phase_is_lost_in_mono() -> None:
    audio = sine(500.0, 0.5, 1.0)
    audio[1] *= -1.0
    readings = measure(audio, 48_000)
    assert readings.correlation == pytest.approx(-1.0)
    assert readings.mono_fold_loss_db == math.inf
    assert readings.to_json()["mono_fold_loss_db"] is None


def test_offset_is_that_of_the_worse_channel() -> None:
    meter = LevelMeter(48_000)
    meter.push(np.array([[0.1, 0.1], [-0.3, -0.1]], np.float32))
    assert meter.dc_offset == pytest.approx(-0.2)
    assert meter.rms_dbfs == pytest.approx(10 * math.log10(0.03))


@settings(deadline=None, max_examples=15)
@given(cuts=st.lists(st.integers(0, 70_000), max_size=8), channels=st.sampled_from([1, 2]))
def test_any_block_size_gives_the_same_readings(cuts: list[int], channels: int) -> None:
    rng = np.random.default_rng(0)
    audio = (0.2 * rng.standard_normal((channels, 70_000))).astype(np.float32)
    measurement = Measurement(16_000, channels)
    for block in np.split(audio, sorted(cuts), axis=1):
        measurement.push(block)
    assert measurement.finish().to_json() == measure(audio, 16_000).to_json()


@pytest.mark.parametrize("frames", [0, 1, 5_000, 400_000])
@pytest.mark.parametrize("channels", [1, 2])
def test_silence_of_any_length_is_read_without_warning(frames: int, channels: int) -> None:
    readings = measure(np.zeros((channels, frames), np.float32), 48_000)
    assert readings.integrated_lufs == readings.true_peak_dbtp == readings.rms_dbfs == -math.inf
    assert math.isnan(readings.plr_db)
    assert math.isnan(readings.crest_db)
    assert readings.to_json()["integrated_lufs"] is None


@settings(deadline=None, max_examples=25)
@given(
    frames=st.integers(1, 2_000),
    rate=st.sampled_from([8_000, 44_100, 192_000]),
    channels=st.sampled_from([1, 2]),
    level_db=st.floats(-120.0, 20.0),
)
def test_short_sounds_never_crash_and_give_json(
    frames: int, rate: int, channels: int, level_db: float
) -> None:
    rng = np.random.default_rng(frames)
    audio = 10.0 ** (level_db / 20.0) * rng.standard_normal((channels, frames))
    readings = measure(audio.astype(np.float32), rate)
    assert json.loads(json.dumps(readings.to_json(), allow_nan=False)) == readings.to_json()
    assert readings.true_peak_dbtp >= readings.sample_peak_dbfs


def test_filters_come_to_rest_in_silence() -> None:
    """Left to decay into subnormal numbers they would be many times slower."""
    from mixgym.console.meters import LoudnessMeter

    meter = LoudnessMeter(48_000)
    meter.push(sine(100.0, 0.5, 0.1))
    assert np.any(meter._state)
    meter.push(np.zeros((2, 480_000), np.float32))
    assert not np.any(meter._state)


def test_importing_the_package_compiles_nothing() -> None:
    code = "import sys, mixgym.console.meters; sys.exit('numba' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_unusable_audio_is_told_in_one_sentence() -> None:
    with pytest.raises(MixgymError, match=r"\(48,\)"):
        measure(np.zeros(48, np.float32), 48_000)
    with pytest.raises(MixgymError, match="6 channels"):
        measure(np.zeros((6, 48), np.float32), 48_000)
    with pytest.raises(MixgymError, match="400000 Hz"):
        measure(np.zeros((2, 48), np.float32), 400_000)
