"""The minimum-requirement signals of EBU Tech 3341 (2023) table 1 and Tech 3342 (2023) table 1.

Every case that the documents define by formula is generated and held to their own tolerances.
Left out: 3341-7 and -8, which are 3342-5 and -6, are recordings that cannot be generated.
"""

from collections.abc import Sequence

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.signal import firwin

from mixgym.console.meters import LoudnessMeter, TruePeakMeter

RATES = pytest.mark.parametrize("sample_rate", [44_100, 48_000])
SILENCE = -np.inf


def tones(sample_rate: int, parts: Sequence[tuple[float, float]]) -> NDArray[np.float32]:
    """A stereo sine of 1 kHz in phase: one (peak level in dBFS, duration in s) after the other."""
    edges = np.rint(np.cumsum([0.0] + [duration for _, duration in parts]) * sample_rate)
    amplitudes = [10.0 ** (level / 20.0) for level, _ in parts]
    gain = np.repeat(amplitudes, np.diff(edges).astype(int))
    sine = gain * np.sin(2.0 * np.pi * 1000.0 / sample_rate * np.arange(gain.size))
    return np.stack((sine, sine)).astype(np.float32)


def loudness_of(audio: NDArray[np.float32], sample_rate: int) -> LoudnessMeter:
    meter = LoudnessMeter(sample_rate)
    meter.push(audio)
    return meter


@RATES
@pytest.mark.parametrize("level", [-23.0, -33.0])
def test_3341_cases_1_and_2_steady_tone(level: float, sample_rate: int) -> None:
    meter = loudness_of(tones(sample_rate, [(level, 20.0)]), sample_rate)
    assert meter.integrated_lufs == pytest.approx(level, abs=0.1)
    assert meter.max_momentary_lufs == pytest.approx(level, abs=0.1)
    assert meter.max_short_term_lufs == pytest.approx(level, abs=0.1)
    assert meter.momentary_lufs[100:] == pytest.approx(level, abs=0.1)
    assert meter.short_term_lufs == pytest.approx(level, abs=0.1)


@RATES
@pytest.mark.parametrize(
    "parts",
    [
        pytest.param([(-36, 10), (-23, 60), (-36, 10)], id="case-3"),
        pytest.param([(-72, 10), (-36, 10), (-23, 60), (-36, 10), (-72, 10)], id="case-4"),
        pytest.param([(-26, 20), (-20, 20.1), (-26, 20)], id="case-5"),
    ],
)
def test_3341_cases_3_to_5_gating(parts: list[tuple[float, float]], sample_rate: int) -> None:
    meter = loudness_of(tones(sample_rate, parts), sample_rate)
    assert meter.integrated_lufs == pytest.approx(-23.0, abs=0.1)


@RATES
def test_3341_case_9_short_term_window(sample_rate: int) -> None:
    meter = loudness_of(tones(sample_rate, [(-20, 1.34), (-30, 1.66)] * 5), sample_rate)
    assert meter.short_term_lufs == pytest.approx(-23.0, abs=0.1)


@RATES
def test_3341_case_6_five_channels(sample_rate: int) -> None:
    levels = np.array([-28.0, -28.0, -24.0, -30.0, -30.0])  # L, R, C, Ls, Rs
    sine = tones(sample_rate, [(0.0, 20.0)])[0]
    audio = (10.0 ** (levels[:, np.newaxis] / 20.0) * sine).astype(np.float32)
    meter = LoudnessMeter(sample_rate, channels=5)
    for start in range(0, audio.shape[1], 10_007):
        meter.push(audio[:, start : start + 10_007])
    assert meter.integrated_lufs == pytest.approx(-23.0, abs=0.1)
    assert np.isnan(meter.mono_fold_loss_db)


@RATES
@pytest.mark.parametrize("i", range(20))
def test_3341_case_10_maximum_short_term_of_a_file(i: int, sample_rate: int) -> None:
    parts = [(SILENCE, i * 0.15), (-23, 3), (SILENCE, 1)]
    meter = loudness_of(tones(sample_rate, parts), sample_rate)
    assert meter.max_short_term_lufs == pytest.approx(-23.0, abs=0.1)


@RATES
def test_3341_case_11_maximum_short_term_live(sample_rate: int) -> None:
    meter = LoudnessMeter(sample_rate)
    for i in range(20):
        parts = [(SILENCE, i * 0.15), (-38 + i, 3), (SILENCE, 3 - i * 0.15)]
        meter.push(tones(sample_rate, parts))
        assert meter.max_short_term_lufs == pytest.approx(-38.0 + i, abs=0.1)


@RATES
def test_3341_case_12_momentary_window(sample_rate: int) -> None:
    meter = loudness_of(tones(sample_rate, [(-20, 0.18), (-30, 0.22)] * 25), sample_rate)
    assert meter.momentary_lufs[60:] == pytest.approx(-23.0, abs=0.1)  # constant after 1 s


@RATES
@pytest.mark.parametrize("i", range(20))
def test_3341_case_13_maximum_momentary_of_a_file(i: int, sample_rate: int) -> None:
    parts = [(SILENCE, i * 0.02), (-23, 0.4), (SILENCE, 1)]
    meter = loudness_of(tones(sample_rate, parts), sample_rate)
    assert meter.max_momentary_lufs == pytest.approx(-23.0, abs=0.1)


@RATES
def test_3341_case_14_maximum_momentary_live(sample_rate: int) -> None:
    meter = LoudnessMeter(sample_rate)
    for i in range(20):
        parts = [(SILENCE, i * 0.02), (-38 + i, 0.4), (SILENCE, 0.4 - i * 0.02)]
        meter.push(tones(sample_rate, parts))
        assert meter.max_momentary_lufs == pytest.approx(-38.0 + i, abs=0.1)


def faded(signal: NDArray[np.float64], sample_rate: int) -> NDArray[np.float64]:
    """`signal` with a linear fade-in and fade-out of 10 ms."""
    ramp = np.linspace(0.0, 1.0, round(0.01 * sample_rate))
    signal[: ramp.size] *= ramp
    signal[-ramp.size :] *= ramp[::-1]
    return signal


def true_peak_dbtp(mono: NDArray[np.float64], sample_rate: int) -> float:
    meter = TruePeakMeter(sample_rate)
    meter.push(np.stack((mono, mono)).astype(np.float32))
    meter.finish()
    return meter.true_peak_dbtp


@RATES
@pytest.mark.parametrize(
    ("divisor", "amplitude", "phase_deg", "expected_dbtp"),
    [
        pytest.param(4, 0.5, 0.0, -6.0, id="case-15"),
        pytest.param(4, 0.5, 45.0, -6.0, id="case-16"),
        pytest.param(6, 0.5, 60.0, -6.0, id="case-17"),
        pytest.param(8, 0.5, 67.5, -6.0, id="case-18"),
        pytest.param(4, 1.41, 45.0, 3.0, id="case-19"),
    ],
)
def test_3341_cases_15_to_19_true_peak_of_tones(
    divisor: int, amplitude: float, phase_deg: float, expected_dbtp: float, sample_rate: int
) -> None:
    phase = 2.0 * np.pi / divisor * np.arange(sample_rate) + np.radians(phase_deg)
    reading = true_peak_dbtp(faded(amplitude * np.sin(phase), sample_rate), sample_rate)
    assert expected_dbtp - 0.4 <= reading <= expected_dbtp + 0.2


@RATES
@pytest.mark.parametrize("offset", range(4), ids=lambda n: f"case-{20 + n}")
def test_3341_cases_20_to_23_true_peak_between_samples(offset: int, sample_rate: int) -> None:
    """One loud period of fs/4 inside a tone of fs/6, made at 4 fs and decimated at an offset."""
    before = 24 * 400  # whole periods of fs/6 at 4 fs, so that the phase is continuous
    quiet = 0.5 * np.sin(2.0 * np.pi / 24.0 * np.arange(before))
    loud = np.sin(2.0 * np.pi / 16.0 * np.arange(16))
    oversampled = faded(np.concatenate((quiet, loud, quiet)), 4 * sample_rate)
    lowpass = firwin(511, 0.25, window=("kaiser", 8.0))
    limited = np.convolve(oversampled, lowpass, mode="same")
    reading = true_peak_dbtp(limited[offset::4], sample_rate)
    assert -0.4 <= reading <= 0.2


@RATES
@pytest.mark.parametrize(
    ("levels", "expected_lu"),
    [
        pytest.param([-20, -30], 10.0, id="case-1"),
        pytest.param([-20, -15], 5.0, id="case-2"),
        pytest.param([-40, -20], 20.0, id="case-3"),
        pytest.param([-50, -35, -20, -35, -50], 15.0, id="case-4"),
    ],
)
def test_3342_loudness_range(levels: list[float], expected_lu: float, sample_rate: int) -> None:
    meter = loudness_of(tones(sample_rate, [(level, 20) for level in levels]), sample_rate)
    assert meter.loudness_range_lu == pytest.approx(expected_lu, abs=1.0)
