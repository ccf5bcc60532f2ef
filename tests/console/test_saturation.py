"""Saturation: unity for small signals, the latency it reports, harmonics and no aliasing."""

import numpy as np
import pytest
from numpy.typing import NDArray

from mixgym.console.saturation import NOMINAL_GAIN_DB, Saturation

RATE = 44_100
FRAMES = 1 << 16


def sine(bin_number: int, amplitude: float) -> NDArray[np.float32]:
    wave = amplitude * np.sin(2 * np.pi * bin_number / FRAMES * np.arange(2 * FRAMES))
    return np.tile(wave, (2, 1)).astype(np.float32)


def lines(audio: NDArray[np.float32]) -> NDArray[np.float64]:
    """Amplitudes of the settled second half at the bins of its transform."""
    return np.abs(np.fft.rfft(audio[0, FRAMES:].astype(np.float64))) * 2 / FRAMES


@pytest.mark.parametrize("mix", [0.1, 0.5])
@pytest.mark.parametrize("hz", [50, 1000, 10_000, 17_000])
def test_small_signals_pass_at_unity(mix: float, hz: float) -> None:
    number = round(hz / RATE * FRAMES)
    out = lines(Saturation(4, mix).process(sine(number, 1e-3)))
    assert 20 * np.log10(out[number] / 1e-3) == pytest.approx(0, abs=0.05)


def test_the_latency_is_the_one_reported() -> None:
    impulse = np.zeros((2, 512), dtype=np.float32)
    impulse[:, 100] = 1e-3
    saturation = Saturation(2, 0.5)
    out = saturation.process(impulse)
    assert int(np.abs(out[0]).argmax()) == 100 + saturation.latency
    np.testing.assert_allclose(
        out[0, 100 : 101 + 2 * saturation.latency],
        out[0, 100 : 101 + 2 * saturation.latency][::-1],
        atol=1e-9,
    )


def test_a_mix_of_nothing_is_a_delay() -> None:
    audio = np.random.default_rng(0).standard_normal((2, 4096)).astype(np.float32)
    saturation = Saturation(4, 0.0)
    out = saturation.process(audio)
    np.testing.assert_array_equal(out[:, saturation.latency :], audio[:, : -saturation.latency])


def test_the_third_harmonic_is_that_of_tanh() -> None:
    number, amplitude, mix, drive_db = 1500, 0.3, 0.5, 3.0
    out = lines(Saturation(drive_db, mix).process(sine(number, amplitude)))
    gain = 10 ** ((drive_db + NOMINAL_GAIN_DB) / 20)
    phase = np.arange(4096) / 4096 * 2 * np.pi
    curve = np.tanh(gain * amplitude * np.sin(phase)) / gain
    third = mix * 2 * abs(np.mean(curve * np.sin(3 * phase)))
    assert 20 * np.log10(third / amplitude) > -50
    assert out[3 * number] == pytest.approx(third, rel=0.01)
    assert out[2 * number] < 1e-6


@pytest.mark.parametrize("hz", [3000, 6100, 9700, 12_300])
def test_aliases_stay_60_db_below_the_signal(hz: float) -> None:
    """A loud tone at the highest drive; the least of its harmonics that fold is the fifth."""
    number = round(hz / RATE * FRAMES)
    out = lines(Saturation(4, 0.5).process(sine(number, 0.2)))
    harmonics = np.zeros(len(out), dtype=bool)
    harmonics[number::number] = True
    audible = np.arange(len(out)) < 20_000 / RATE * FRAMES
    assert 20 * np.log10(out[~harmonics & audible].max() / out[number]) < -60


def test_saturation_never_gets_louder() -> None:
    for amplitude in (0.05, 0.2, 0.8):
        out = lines(Saturation(4, 0.5).process(sine(1500, amplitude)))
        assert out[1500] < amplitude


def test_block_length_does_not_matter() -> None:
    audio = np.random.default_rng(0).standard_normal((2, 8192)).astype(np.float32)
    whole = Saturation(2, 0.4).process(audio)
    saturation = Saturation(2, 0.4)
    parts = [saturation.process(audio[:, start : start + 1024]) for start in range(0, 8192, 1024)]
    np.testing.assert_array_equal(np.concatenate(parts, axis=1), whole)
