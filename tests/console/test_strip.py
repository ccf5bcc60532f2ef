"""One strip: levels, bypass, and what drives its compressor."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from mixgym.console.control import QUANTUM
from mixgym.console.meters import LoudnessMeter
from mixgym.console.parameters import NOMINAL_LUFS, STRIP
from mixgym.console.strip import Strip

RATE = 48_000


def noise(channels: int, seed: int = 0) -> NDArray[np.float32]:
    rng = np.random.default_rng(seed)
    return rng.normal(0, 0.05, (channels, 12 * QUANTUM)).astype(np.float32)


def lufs(audio: NDArray[np.float32]) -> float:
    meter = LoudnessMeter(RATE, len(audio))
    meter.push(audio)
    return meter.integrated_lufs


def through(
    audio: NDArray[np.float32], key: NDArray[np.float32] | None = None, **values: float
) -> NDArray[np.float32]:
    strip = Strip(STRIP.settings(STRIP.vector(values)), lufs(audio), len(audio), RATE)
    return strip.process(audio.copy(), key)


@pytest.mark.parametrize("channels", [1, 2])
@settings(max_examples=15, deadline=None)
@given(fader_db=st.floats(-24, 12))
def test_the_fader_sets_the_loudness(channels: int, fader_db: float) -> None:
    out = through(noise(channels), fader_db=fader_db)
    assert out.shape == (2, 12 * QUANTUM)
    assert lufs(out) == pytest.approx(NOMINAL_LUFS + fader_db, abs=0.01)


@settings(max_examples=15, deadline=None)
@given(pan=st.floats(-1, 1))
def test_a_panned_mono_stem_stays_as_loud(pan: float) -> None:
    assert lufs(through(noise(1), pan=pan)) == pytest.approx(NOMINAL_LUFS, abs=0.01)


def test_the_level_of_the_recording_does_not_matter() -> None:
    quiet = noise(2) * np.float32(0.01)
    active = {"compressor_on": 1, "compressor_ratio": 4, "compressor_threshold_db": -10}
    np.testing.assert_allclose(through(quiet, **active), through(noise(2), **active), atol=2e-5)


def test_processors_that_are_off_do_nothing_whatever_they_are_set_to() -> None:
    off = through(
        noise(2),
        high_pass_hz=400,
        low_shelf_db=9,
        bell_1_db=9,
        compressor_ratio=6,
        compressor_threshold_db=-20,
    )
    np.testing.assert_array_equal(off, through(noise(2)))


@pytest.mark.parametrize(
    "values",
    [
        {"high_pass_on": 1, "high_pass_hz": 20},
        {"eq_on": 1},
        {"compressor_on": 1, "compressor_ratio": 1},
    ],
)
def test_processors_at_neutral_do_nothing(values: dict[str, float]) -> None:
    np.testing.assert_array_equal(through(noise(2), **values), through(noise(2)))


def test_compression_keeps_steady_sound_at_its_loudness() -> None:
    wave = 0.1 * np.sin(2 * np.pi * 997 / RATE * np.arange(12 * QUANTUM))
    out = through(
        wave[np.newaxis].astype(np.float32),
        compressor_on=1,
        compressor_ratio=6,
        compressor_threshold_db=-15,
        compressor_attack_ms=20,
    )
    assert lufs(out[:, 2 * QUANTUM :]) == pytest.approx(NOMINAL_LUFS, abs=0.1)


def test_a_side_chain_ducks() -> None:
    key = np.zeros((1, 12 * QUANTUM), dtype=np.float32)
    key[:, 6 * QUANTUM :] = noise(1)[:, 6 * QUANTUM :] * np.float32(3)
    squeeze = {"compressor_on": 1.0, "compressor_ratio": 6.0, "compressor_threshold_db": -20.0}
    out = through(noise(1), key, **squeeze)
    before, after = out[:, : 6 * QUANTUM], out[:, 7 * QUANTUM :]
    assert lufs(after) < lufs(before) - 10


def test_the_detectors_high_pass_lets_bass_through_uncompressed() -> None:
    wave = 0.1 * np.sin(2 * np.pi * 60 / RATE * np.arange(12 * QUANTUM))
    bass = wave[np.newaxis].astype(np.float32)
    squeeze = {"compressor_on": 1.0, "compressor_ratio": 6.0, "compressor_threshold_db": -15.0}
    deaf = through(bass, side_chain_high_pass_hz=400, **squeeze)
    hearing = through(bass, **squeeze)
    assert lufs(deaf[:, QUANTUM:]) > lufs(hearing[:, QUANTUM:]) + 8


def test_block_length_does_not_matter() -> None:
    values = {
        "high_pass_on": 1,
        "high_pass_hz": 90,
        "eq_on": 1,
        "bell_1_db": 4,
        "compressor_on": 1,
        "side_chain_high_pass_hz": 100,
        "pan": 0.3,
        "width": 0.5,
    }
    audio = noise(2)
    strip = Strip(STRIP.settings(STRIP.vector(values)), lufs(audio), 2, RATE)
    parts = [
        strip.process(np.ascontiguousarray(audio[:, start : start + QUANTUM]))
        for start in range(0, audio.shape[1], QUANTUM)
    ]
    np.testing.assert_array_equal(np.concatenate(parts, axis=1), through(audio, **values))
