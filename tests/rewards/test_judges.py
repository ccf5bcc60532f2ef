"""Judges: nothing for the same mix, more for a worse one, and no price for level."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mixgym.rewards.judges import (
    embed,
    feature_distance,
    frechet_distance,
    judge,
    level_distance,
    matched,
    spectrogram_distance,
)

RATE = 24_000


def music(seed: int = 0, seconds: float = 3.0) -> np.ndarray:
    """Decaying notes and noise, (2, frames)."""
    rng = np.random.default_rng(seed)
    frames = int(seconds * RATE)
    t = np.arange(frames) / RATE
    out = np.zeros((2, frames))
    for _ in range(12):
        start, hz, pan = rng.uniform(0, seconds), rng.uniform(100, 4000), rng.uniform(0.2, 0.8)
        note = np.sin(2 * np.pi * hz * t) * np.exp(-4 * (t - start)) * (t >= start)
        out += np.array([[pan], [1 - pan]]) * note
    out += 0.02 * rng.standard_normal((2, frames))
    return (0.2 * out).astype(np.float32)


def test_the_same_mix_at_another_level_is_the_same():
    audio = music()
    for other in (audio, audio * np.float32(0.1)):
        assert all(
            value == pytest.approx(0.0, abs=1e-3) for value in judge(audio, other, RATE).values()
        )


def test_matched_is_at_minus_23():
    from mixgym.console.meters import measure

    assert measure(matched(music(), RATE), RATE).integrated_lufs == pytest.approx(-23.0, abs=0.01)
    silence = np.zeros((2, RATE), dtype=np.float32)
    assert np.array_equal(matched(silence, RATE), silence)


def test_what_is_spoiled_is_further_away_and_its_feature_says_how():
    audio = music()
    mono = np.broadcast_to(audio.mean(axis=0), audio.shape).astype(np.float32)
    tipped = audio * np.array([[1.0], [0.3]], dtype=np.float32)
    crushed = np.tanh(20 * audio)
    dull = np.apply_along_axis(lambda x: np.convolve(x, np.ones(12) / 12, "same"), 1, audio)
    for spoiled, feature in (
        (mono, "width"), (tipped, "imbalance"), (crushed, "crest_db"), (dull, "bark_db"),
    ):  # fmt: skip
        spoiled = np.asarray(spoiled, dtype=np.float32)
        found = judge(spoiled, audio, RATE)
        assert found["spectrogram"] > 0.01
        assert found[feature] > 0.05
    slightly = audio + np.float32(0.001) * music(9)
    assert spectrogram_distance(slightly, audio, RATE) < spectrogram_distance(music(9), audio, RATE)


def test_silence_and_lengths_are_no_trouble():
    audio, silence = music(), np.zeros((2, RATE), dtype=np.float32)
    for value in judge(silence, audio, RATE).values():
        assert np.isfinite(value)
    assert feature_distance(audio[:, : 2 * RATE], audio, RATE)["bark_db"] < 3.0
    assert np.isfinite(embed(audio[:, :100], RATE)).all()


def test_frechet_distance():
    songs = [embed(music(seed), RATE) for seed in range(8)]
    assert songs[0].shape == (3, 40)
    near = [embed(music(seed) + np.float32(1e-3) * music(seed + 99), RATE) for seed in range(8)]
    noise = np.random.default_rng(0).standard_normal((8, 2, 3 * RATE)).astype(np.float32)
    far = [embed(0.1 * x, RATE) for x in noise]
    assert frechet_distance(songs, songs) == pytest.approx(0.0, abs=1e-6)
    assert 0 < frechet_distance(near, songs) < frechet_distance(far, songs)
    assert frechet_distance(far, songs) == pytest.approx(frechet_distance(songs, far), rel=1e-6)


def test_frechet_distance_of_known_gaussians():
    rng = np.random.default_rng(2)
    a = rng.standard_normal((200_000, 2))
    b = 2 * rng.standard_normal((200_000, 2)) + np.array([3.0, 0.0])
    assert frechet_distance([a], [b]) == pytest.approx(9 + 2 * (1 - 2) ** 2, rel=0.02)


@given(st.lists(st.floats(-24, 12), min_size=1, max_size=9), st.floats(-20, 20))
def test_level_distance_ignores_the_overall_level(faders, offset):
    levels = np.array(faders)
    assert level_distance(levels, levels + offset) == pytest.approx(0.0, abs=1e-9)
    assert level_distance(np.append(levels, -np.inf), np.append(levels, 3.0)) == 0.0


def test_level_distance_by_hand():
    assert level_distance(np.array([0.0, 0.0, 6.0]), np.zeros(3)) == pytest.approx(2.0)
    assert level_distance(np.array([np.nan]), np.zeros(1)) == 0.0
