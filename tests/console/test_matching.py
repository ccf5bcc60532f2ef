"""The matching equaliser: the gain it designs, the filter it makes, how it streams."""

from collections.abc import Callable

import numpy as np
import pytest
import soxr
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.signal import butter, fftconvolve, sosfilt

from mixgym.console.control import QUANTUM
from mixgym.console.matching import (
    MOST_BOOST_DB,
    MOST_CUT_DB,
    LinearPhase,
    linear_phase_taps,
    matching_gain_db,
)
from mixgym.console.meters import LoudnessMeter, SpectrumMeter
from mixgym.songs.generate import generate_song

RATE = 48_000
Samples = NDArray[np.float32]


def noise(seconds: float = 6.0, rate: int = RATE, seed: int = 0) -> Samples:
    rng = np.random.default_rng(seed)
    return (0.1 * rng.standard_normal((2, round(seconds * rate)))).astype(np.float32)


def heard(audio: Samples, rate: int = RATE) -> tuple[SpectrumMeter, float]:
    spectrum, loudness = SpectrumMeter(rate, 2), LoudnessMeter(rate, 2)
    spectrum.push(audio)
    loudness.push(audio)
    return spectrum, loudness.integrated_lufs


def shaped(audio: Samples, gain_db: Callable[[Samples], Samples], rate: int = RATE) -> Samples:
    """Audio through a magnitude given over hertz, without phase."""
    spectrum = np.fft.rfft(audio)
    hz = np.fft.rfftfreq(audio.shape[1], 1 / rate)
    spectrum *= 10 ** (gain_db(np.maximum(hz, 1.0)) / 20)
    return np.fft.irfft(spectrum, audio.shape[1]).astype(np.float32)


def tilted(db_per_octave: float) -> Callable[[Samples], Samples]:
    return lambda hz: np.clip(db_per_octave * np.log2(hz / 1000), -25, 25)


def filtered(audio: Samples, taps: Samples) -> Samples:
    return fftconvolve(audio, taps[np.newaxis], mode="same", axes=1).astype(np.float32)


@pytest.fixture(scope="module")
def song_bus() -> Samples:
    with generate_song(1, 8.0, RATE) as song:
        total = np.zeros((2, song.stems[0].frames), dtype=np.float32)
        for stem in song.stems:
            total += stem.read(0, stem.frames)
    return total / np.float32(np.abs(total).max())


class TestGain:
    def test_zero_for_a_track_after_itself(self) -> None:
        spectrum, lufs = heard(noise())
        assert matching_gain_db(spectrum, lufs, spectrum, lufs) == pytest.approx(0.0, abs=1e-3)

    @pytest.mark.parametrize("change_db", [-12.0, 9.0])
    def test_level_does_not_matter(self, change_db: float) -> None:
        audio = noise()
        louder = audio * np.float32(10 ** (change_db / 20))
        gain_db = matching_gain_db(*heard(audio), *heard(louder))
        assert gain_db == pytest.approx(0.0, abs=0.02)

    @pytest.mark.parametrize("slope", [-3.0, 2.0])
    def test_follows_a_tilt(self, slope: float) -> None:
        audio = noise(12.0)
        spectrum, lufs = heard(audio)
        gain_db = matching_gain_db(spectrum, lufs, *heard(shaped(audio, tilted(slope))))
        hz = spectrum.bins_hz
        middle = (hz > 100) & (hz < 8000)
        fit = np.polyfit(np.log2(hz[middle]), gain_db[middle], 1)
        assert fit[0] == pytest.approx(slope, abs=0.05)

    def test_stays_within_its_limits(self) -> None:
        audio = noise()
        steep = shaped(audio, lambda hz: np.where(hz < 1000, 0.0, -60.0))
        boosting = matching_gain_db(*heard(steep), *heard(audio))
        cutting = matching_gain_db(*heard(audio), *heard(steep))
        assert boosting.max() == pytest.approx(MOST_BOOST_DB)
        assert cutting.min() == pytest.approx(-MOST_CUT_DB)

    def test_bands_without_sound_take_their_neighbours_gain(self) -> None:
        low_pass = butter(20, 4000, "lowpass", fs=RATE, output="sos")
        track = sosfilt(low_pass, noise(), axis=1).astype(np.float32)
        spectrum, lufs = heard(track)
        gain_db = matching_gain_db(spectrum, lufs, *heard(noise(seed=1)))
        silent = gain_db[spectrum.bins_hz > 14_000]
        assert np.ptp(silent) < 1e-9

    def test_nothing_in_common_changes_nothing(self) -> None:
        time_s = np.arange(6 * RATE) / RATE
        low, high = (
            np.tile(0.3 * np.sin(2 * np.pi * hz * time_s), (2, 1)).astype(np.float32)
            for hz in (100, 9000)
        )
        window = np.hanning(len(time_s)).astype(np.float32)
        assert not matching_gain_db(*heard(low * window), *heard(high * window)).any()

    @pytest.mark.parametrize(("here", "there"), [(44_100, 48_000), (48_000, 22_050)])
    def test_rates_may_differ(self, here: int, there: int) -> None:
        audio = shaped(noise(), lambda hz: np.clip(-10 * np.log10(hz / 100), -30, 5))
        track, reference = (soxr.resample(audio.T, RATE, rate).T.copy() for rate in (here, there))
        spectrum, lufs = heard(track, here)
        gain_db = matching_gain_db(spectrum, lufs, *heard(reference, there))
        middle = (spectrum.bins_hz > 100) & (spectrum.bins_hz < 8000)
        assert np.ptp(gain_db[middle]) < 0.1

    @pytest.mark.parametrize("slope", [-4.0, 3.0])
    def test_third_octaves_land_on_a_coloured_reference(
        self, song_bus: Samples, slope: float
    ) -> None:
        def colour(hz: Samples) -> Samples:
            bell_db = 5 * np.exp(-(np.log2(hz / 600) ** 2) / 0.5)
            return np.clip(slope * np.log2(hz / 1000), -14, 14) + bell_db

        spectrum, lufs = heard(song_bus)
        reference, reference_lufs = heard(shaped(song_bus, colour))
        gain_db = matching_gain_db(spectrum, lufs, reference, reference_lufs)
        result, _ = heard(filtered(song_bus, linear_phase_taps(spectrum.bins_hz, gain_db, RATE)))
        off_db = (result.levels_db - lufs) - (reference.levels_db - reference_lufs)
        judged = (result.centres_hz > 39) & (result.centres_hz < 16_500)
        judged &= spectrum.levels_db > spectrum.levels_db.max() - 60
        assert judged.sum() > 20
        assert np.abs(off_db[judged]).max() < 0.3


class TestTaps:
    @pytest.mark.parametrize("rate", [8_000, 44_100, 48_000, 192_000])
    def test_odd_symmetric_and_unity_for_zero_gain(self, rate: int) -> None:
        hz = np.linspace(0, rate / 2, 1001)
        taps = linear_phase_taps(hz, np.zeros(1001), rate)
        assert len(taps) % 2 == 1
        expected = np.zeros(len(taps))
        expected[len(taps) // 2] = 1.0
        assert taps == pytest.approx(expected, abs=1e-6)

    def test_linear_phase_of_any_gain(self) -> None:
        hz = np.linspace(0, RATE / 2, 513)
        gain_db = np.random.default_rng(2).uniform(-18, 18, 513)
        taps = linear_phase_taps(hz, gain_db, RATE)
        assert taps == pytest.approx(taps[::-1], abs=1e-6)

    def test_magnitude_is_what_was_asked_for(self) -> None:
        hz = np.linspace(0, RATE / 2, 8193)
        gain_db = 6 * np.sin(np.log2(np.maximum(hz, 20)))
        taps = linear_phase_taps(hz, gain_db, RATE)
        reached = 20 * np.log10(np.abs(np.fft.rfft(taps, 16_384)))
        audible = (hz > 60) & (hz < 20_000)
        assert reached[audible] == pytest.approx(gain_db[audible], abs=0.1)


class TestStream:
    @given(quanta=st.lists(st.integers(1, 4), min_size=1, max_size=4), seed=st.integers(0, 99))
    @settings(max_examples=10, deadline=None)
    def test_equals_one_convolution_for_any_blocks(self, quanta: list[int], seed: int) -> None:
        rng = np.random.default_rng(seed)
        taps = linear_phase_taps(np.linspace(0, RATE / 2, 33), rng.uniform(-9, 9, 33), RATE)
        audio = noise(sum(quanta) * QUANTUM / RATE, seed=seed)
        stream, done, start = LinearPhase(taps), [], 0
        for count in quanta:
            done.append(stream.process(audio[:, start : start + count * QUANTUM].copy()))
            start += count * QUANTUM
        whole = fftconvolve(audio.astype(np.float64), taps[np.newaxis], axes=1)[:, :start]
        assert np.abs(np.concatenate(done, axis=1) - whole).max() < 1e-6

    @pytest.mark.parametrize("rate", [8_000, 44_100, 192_000])
    def test_latency_is_exact(self, rate: int) -> None:
        taps = linear_phase_taps(np.array([0.0, rate / 2]), np.zeros(2), rate)
        stream = LinearPhase(taps)
        quanta = 3 + stream.latency // QUANTUM
        audio = np.zeros((2, quanta * QUANTUM), dtype=np.float32)
        audio[0, 100], audio[1, 777] = 1.0, -0.5
        out = stream.process(audio.copy())
        assert out[0].argmax() == 100 + stream.latency
        late = np.roll(audio, stream.latency, axis=1)
        assert out == pytest.approx(late, abs=1e-6)
