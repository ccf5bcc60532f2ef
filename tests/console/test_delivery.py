"""Delivery: on target wherever the ceiling allows it, and honest where it does not."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from mixgym.console.delivery import Drive, Programme, plan_drive
from mixgym.console.meters import LoudnessMeter
from mixgym.console.mix import Mix
from mixgym.console.parameters import MASTER
from mixgym.console.render import Rendering, render
from mixgym.songs import Song
from mixgym.songs.generate import generate_song

SEEDS = (0, 3, 8)
SONGS = {seed: generate_song(seed, duration_s=10) for seed in SEEDS}


def lufs(audio: NDArray[np.float32], rate: int) -> float:
    meter = LoudnessMeter(rate, 2)
    meter.push(audio)
    return meter.integrated_lufs


def mastered(song: Song, **master: float) -> Rendering:
    return render(song, Mix.neutral(song).with_master(**master))


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("target_lufs", [-23, -18, -16, -14, -12, -11, -10, -9, -8])
def test_loudness_is_on_target_or_said_not_to_be(seed: int, target_lufs: float) -> None:
    song = SONGS[seed]
    with mastered(song, target_lufs=target_lufs) as rendering:
        measured = lufs(rendering.array(), song.sample_rate)
        delivered = rendering.delivered
    assert delivered.loudness_lufs == pytest.approx(measured, abs=0.01)
    assert delivered.target_lufs == target_lufs
    assert delivered.on_target == (abs(measured - target_lufs) <= 0.1)
    assert delivered.true_peak_dbtp <= -0.99
    if target_lufs <= -12:
        assert abs(measured - target_lufs) <= 0.1
    if not delivered.on_target:
        assert measured < target_lufs
        assert delivered.true_peak_dbtp == pytest.approx(-1, abs=0.1)


def test_what_cannot_be_reached_is_approached() -> None:
    """No other drive of the same limiter gets the programme noticeably louder."""
    song = SONGS[0]
    with mastered(song, target_lufs=-6) as most, mastered(song, target_lufs=-11) as less:
        assert not most.delivered.on_target
        assert most.delivered.loudness_lufs > less.delivered.loudness_lufs + 1


def test_without_a_limiter_the_target_is_met_exactly_and_peaks_are_told() -> None:
    with mastered(SONGS[0], target_lufs=-8, limiter_on=0) as rendering:
        assert rendering.delivered.loudness_lufs == pytest.approx(-8, abs=1e-6)
        assert lufs(rendering.array(), rendering.sample_rate) == pytest.approx(-8, abs=0.01)
        assert rendering.delivered.true_peak_dbtp > 0
        assert rendering.delivered.max_reduction_db == 0


def test_without_a_target_only_the_ceiling_holds() -> None:
    with mastered(SONGS[0], loudness_on=0) as rendering:
        assert rendering.delivered.target_lufs is None
        assert rendering.delivered.on_target
        assert rendering.delivered.drive_db == 0
        assert rendering.delivered.loudness_lufs == pytest.approx(-23, abs=0.01)


def test_stems_that_cancel_are_silence_and_not_on_target() -> None:
    noise = np.random.default_rng(0).normal(0, 0.1, 16_000)
    song = Song.from_arrays({"a": noise, "b": -noise}, 8000)
    with mastered(song) as rendering:
        assert not rendering.array().any()
        assert rendering.delivered.loudness_lufs == -math.inf
        assert not rendering.delivered.on_target


@pytest.mark.parametrize("duration_s", [0.02, 0.1, 0.35, 0.5])
def test_songs_shorter_than_a_gating_block_are_delivered_too(duration_s: float) -> None:
    frames = round(duration_s * 48_000)
    noise = np.random.default_rng(0).normal(0, 0.1, frames)
    song = Song.from_arrays({"a": noise}, 48_000)
    with mastered(song, target_lufs=-28) as rendering:
        assert rendering.frames == frames
        assert rendering.delivered.on_target
        assert lufs(rendering.array(), 48_000) == pytest.approx(-28, abs=0.1)


def programme(seed: int) -> Programme:
    rng = np.random.default_rng(seed)
    peaks = np.repeat(rng.exponential(0.1, 300), 50).astype(np.float32) + np.float32(0.01)
    energies = 480 * np.square(np.interp(np.arange(1000), np.arange(15_000) / 15, peaks)) / 20
    return Programme(peaks, energies, 48_000)


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 1000), target_lufs=st.floats(-30, -6), ceiling_dbtp=st.floats(-9, 0))
def test_a_plan_never_exceeds_its_ceiling(
    seed: int, target_lufs: float, ceiling_dbtp: float
) -> None:
    made = programme(seed)
    settings_ = MASTER.settings(
        MASTER.vector({"target_lufs": target_lufs, "ceiling_dbtp": ceiling_dbtp})
    )
    drive = plan_drive(made, settings_)
    gains = np.maximum(drive.gains[:-1], drive.gains[1:])
    assert (gains * made.peaks).max() <= 10 ** (ceiling_dbtp / 20) * 1.0001
    assert drive.limited == bool(drive.reduction_db.max() > 1e-4)
    assert drive.drive_db >= target_lufs - made.loudness_lufs - 1e-9


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 1000))
@example(seed=377)  # a target at the very edge of what can be reached
def test_a_higher_target_is_never_driven_less(seed: int) -> None:
    made = programme(seed)
    drives = [
        plan_drive(made, MASTER.settings(MASTER.vector({"target_lufs": target}))).drive_db
        for target in (-24, -18, -14, -10, -8)
    ]
    assert all(low <= high + 0.02 for low, high in itertools.pairwise(drives))


def test_a_lowered_drive_counts_as_limiting() -> None:
    drive = Drive(6.0, np.full(3, 10 ** (6 / 20), np.float32), False)
    assert drive.lowered(0.0) is drive
    lowered = drive.lowered(0.5)
    assert lowered.limited
    np.testing.assert_allclose(lowered.reduction_db, 0.5, atol=1e-5)
