"""What `simulate` knows of a song, and its cache."""

import multiprocessing
from concurrent.futures import ProcessPoolExecutor
from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mixgym.console.analysis import SLOTS, Analysis, analyse, coarse_bands, fine_bands
from mixgym.console.analysis_cache import cache_folder, cached_analysis, content_hash
from mixgym.console.parameters import NOMINAL_LUFS
from mixgym.errors import MixgymError
from mixgym.songs import Song

RATE = 24_000


def noise_song(seed: int, rate: int = RATE, seconds: float = 2.0) -> Song:
    """A stereo and a mono stem, both noise that fades in."""
    rng = np.random.default_rng(seed)
    frames = round(rate * seconds)
    fade = np.linspace(0.05, 0.3, frames, dtype=np.float32)
    return Song.from_arrays(
        {
            "wide": (rng.standard_normal((2, frames)) * fade).astype(np.float32),
            "mono": (rng.standard_normal((1, frames)) * fade).astype(np.float32),
        },
        rate,
    )


def at_nominal(song: Song, number: int, analysis: Analysis) -> np.ndarray:
    gain = 10 ** ((NOMINAL_LUFS - analysis.loudness_lufs[number]) / 20)
    return song.stems[number].read(0, song.frames).astype(np.float64) * gain


@pytest.mark.parametrize("rate", [8000, 11_025, 22_050, 44_100, 48_000, 192_000])
def test_powers_add_up(rate: int) -> None:
    song = noise_song(1, rate, 1.25)
    analysis = analyse(song)
    for s in range(2):
        audio = at_nominal(song, s, analysis)
        power = np.square(audio).sum() / rate
        in_slots = analysis.slots[s].sum(dtype=np.float64) / (10 * SLOTS)
        assert in_slots == pytest.approx(power, rel=2e-3)
        spectrum = np.square(np.abs(np.fft.rfft(audio, axis=1))).sum(axis=0)
        hz = np.fft.rfftfreq(song.frames, 1 / rate)
        share = spectrum[hz < fine_bands(rate)[1][-1]].sum() / spectrum.sum()
        in_bands = analysis.fine[s, :2].sum(dtype=np.float64) / 10
        assert in_bands == pytest.approx(power * share, rel=0.02)


@settings(max_examples=20, deadline=None)
@given(st.floats(40, 9000))
def test_a_sine_stands_in_its_band(hz: float) -> None:
    time = np.arange(2 * RATE) / RATE
    sine = (0.1 * np.sin(2 * np.pi * hz * time)).astype(np.float32)[np.newaxis]
    analysis = analyse(Song.from_arrays({"sine": sine}, RATE))
    powers = analysis.fine[0, 0].sum(axis=1)
    _, edges = fine_bands(RATE)
    band = int(np.searchsorted(edges, hz)) - 1
    assert powers[max(0, band - 1) : band + 2].sum() > 0.98 * powers.sum()


def test_an_onset_stays_in_its_frame() -> None:
    audio = np.zeros((1, 2 * RATE), dtype=np.float32)
    audio[0, RATE:] = 0.2 * np.random.default_rng(0).standard_normal(RATE)
    analysis = analyse(Song.from_arrays({"late": audio}, RATE))
    over_time = analysis.fine[0, 0].sum(axis=0)
    assert over_time[:10].sum() < 1e-3 * over_time.sum()


def test_stereo_is_carried() -> None:
    rng = np.random.default_rng(2)
    left = rng.standard_normal(RATE).astype(np.float32) * 0.1
    songs = {
        "same": np.stack([left, left]),
        "opposite": np.stack([left, -left]),
        "left": np.stack([left, 0 * left]),
    }
    powers = analyse(Song.from_arrays(songs, RATE)).fine.sum(axis=(2, 3))
    assert powers[0, 2] == pytest.approx(powers[0, 0], rel=1e-4)
    assert powers[1, 2] == pytest.approx(-powers[1, 0], rel=1e-4)
    assert powers[2, 1] == powers[2, 2] == 0.0


def test_silence() -> None:
    song = Song.from_arrays(
        {"tone": noise_song(3).stems[1].read(0, RATE), "silence": np.zeros((2, RATE), np.float32)},
        RATE,
    )
    analysis = analyse(song)
    assert np.isneginf(analysis.loudness_lufs[1])
    for array in (analysis.fine, analysis.slots, analysis.samples):
        assert np.isfinite(array).all()
        assert not array[1].any()


def test_bands() -> None:
    for rate in (8000, 22_050, 44_100, 48_000, 192_000):
        centres, edges = fine_bands(rate)
        assert (np.diff(edges) > 0).all()
        assert ((edges[:-1] < centres) & (centres < edges[1:])).all()
        hz, first = coarse_bands(rate)
        assert (np.diff(first) > 0).all()
        assert len(hz) == len(first)
        assert first[-1] == len(centres)


def assert_equal(one: Analysis, other: Analysis) -> None:
    for field in fields(Analysis):
        assert np.array_equal(getattr(one, field.name), getattr(other, field.name)), field.name


def test_threads_change_nothing() -> None:
    song = noise_song(4)
    assert_equal(analyse(song, threads=1), analyse(song, threads=3))


def test_cache(tmp_path: Path) -> None:
    song = noise_song(5)
    first = cached_analysis(song, folder=tmp_path)
    (file,) = tmp_path.iterdir()
    assert_equal(first, analyse(song))
    stamp = file.stat().st_mtime_ns
    assert_equal(cached_analysis(noise_song(5), folder=tmp_path), first)
    assert [path.name for path in tmp_path.iterdir()] == [file.name]
    assert file.stat().st_mtime_ns >= stamp
    cached_analysis(noise_song(6), folder=tmp_path)
    assert len(list(tmp_path.iterdir())) == 2


def test_content_decides() -> None:
    base = content_hash(noise_song(7))
    assert content_hash(noise_song(7)) == base
    assert content_hash(noise_song(8)) != base
    stems = {stem.name: stem.read(0, stem.frames) for stem in noise_song(7).stems}
    assert content_hash(Song.from_arrays(stems, 2 * RATE)) != base
    changed = stems["mono"].copy()
    changed[0, 1000] += 1e-4
    assert content_hash(Song.from_arrays({**stems, "mono": changed}, RATE)) != base


@pytest.mark.parametrize("damage", ["cut", "garbage", "empty", "pickle"])
def test_corrupt_entries_are_rebuilt(tmp_path: Path, damage: str) -> None:
    song = noise_song(9)
    first = cached_analysis(song, folder=tmp_path)
    (file,) = tmp_path.iterdir()
    whole = file.read_bytes()
    if damage == "pickle":
        with file.open("wb") as out:
            np.savez(out, fine=np.array([{"a": 1}], dtype=object))
    else:
        file.write_bytes(
            {"cut": whole[: len(whole) // 2], "garbage": b"x" * 1000, "empty": b""}[damage]
        )
    assert_equal(cached_analysis(song, folder=tmp_path), first)
    assert file.read_bytes() == whole


def test_the_least_used_goes_first(tmp_path: Path) -> None:
    import os

    names = []
    for seed in range(3):
        before = set(tmp_path.iterdir())
        cached_analysis(noise_song(seed), folder=tmp_path)
        (new,) = set(tmp_path.iterdir()) - before
        os.utime(new, (seed, seed))
        names.append(new)
    cached_analysis(noise_song(0), folder=tmp_path)  # used again
    size = names[0].stat().st_size
    cached_analysis(noise_song(3), folder=tmp_path, most_bytes=3 * size + size // 2)
    assert not names[1].exists()
    assert names[0].exists()
    assert names[2].exists()


def test_what_another_process_removes_counts_as_gone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for seed in range(4):
        cached_analysis(noise_song(seed), folder=tmp_path)
    size = next(tmp_path.iterdir()).stat().st_size
    unlink = Path.unlink

    def too_late(path: Path, missing_ok: bool = False) -> None:
        unlink(path, missing_ok=True)
        unlink(path, missing_ok)

    monkeypatch.setattr(Path, "unlink", too_late)
    cached_analysis(noise_song(4), folder=tmp_path, most_bytes=3 * size + size // 2)
    assert len(list(tmp_path.glob("*.npz"))) == 3


def test_folder_that_cannot_be_written_is_done_without(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("not a folder")
    song = noise_song(10)
    assert_equal(cached_analysis(song, folder=blocked / "analyses"), analyse(song))


def test_environment_names_the_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MIXGYM_CACHE", str(tmp_path))
    assert tmp_path in cache_folder().parents
    monkeypatch.delenv("MIXGYM_CACHE")
    assert "mixgym" in cache_folder().parts


def test_environment_bounds_the_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MIXGYM_CACHE_GB", "1e-6")
    for seed in range(2):
        cached_analysis(noise_song(seed), folder=tmp_path)
    assert len(list(tmp_path.iterdir())) <= 1
    for seed, wrong in enumerate(("many", "-1", "nan"), 2):
        monkeypatch.setenv("MIXGYM_CACHE_GB", wrong)
        with pytest.raises(MixgymError, match="MIXGYM_CACHE_GB"):
            cached_analysis(noise_song(seed), folder=tmp_path)


def analyse_apart(folder: Path) -> float:
    return float(cached_analysis(noise_song(11), folder=folder).fine.sum())


@pytest.mark.slow
def test_processes_share_a_folder(tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(2, mp_context=context) as pool:
        sums = list(pool.map(analyse_apart, [tmp_path] * 4))
    assert len(set(sums)) == 1
    assert [path.suffix for path in tmp_path.iterdir()] == [".npz"]
