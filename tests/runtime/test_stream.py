"""The stream sounds as the offline render does, whatever the blocks, and never clicks."""

import tracemalloc
from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from mixgym.console.meters import TruePeakMeter
from mixgym.console.mix import Budget, Mix
from mixgym.console.parameters import BUSES, MASTER, STRIP
from mixgym.console.render import render
from mixgym.console.rules import mixer_by_rule
from mixgym.errors import MixgymError
from mixgym.runtime.stream.engine import Stream, check_block
from mixgym.runtime.stream.levels import Levels, measured_levels
from mixgym.songs import Song
from mixgym.songs.generate import generate_song

RATE = 48_000
ALL_ON = ("high_pass_on", "eq_on", "compressor_on")
MASTER_ON = ("bus_compressor_on", "master_eq_on", "multiband_on", "saturation_on", "image_on")
SAME_DB = 20 * np.log10(10 ** (0.1 / 20) - 1)  # a residual that moves no level by 0.1 dB


@cache
def generated(rate: int = RATE) -> Song:
    return generate_song(3, 5.0, rate, stems=6)


def drawn(song: Song, seed: int) -> Mix:
    """Everything on, everything drawn, one compressor driven by another stem."""
    rng = np.random.default_rng(seed)
    mix = Mix.neutral(song)
    strips, master = STRIP.sample(rng, (len(mix.stems),)), MASTER.sample(rng)
    strips[:, [STRIP.index(name) for name in ALL_ON]] = 1
    master[[MASTER.index(name) for name in MASTER_ON]] = 1
    side_chains = (mix.stems[-1], *mix.side_chains[1:])
    return replace(
        mix, strips=strips, buses=BUSES.sample(rng), master=master, side_chains=side_chains
    )


def started(song: Song, mix: Mix, levels: Levels) -> Stream:
    return Stream(mix, levels, [stem.channels for stem in song.stems], song.sample_rate)


def stems_of(song: Song, frames: int) -> np.ndarray:
    audio = np.zeros((len(song.stems), 2, frames), dtype=np.float32)
    for i, stem in enumerate(song.stems):
        audio[i, : stem.channels] = stem.read(0, frames)
    return audio


def played(stream: Stream, audio: np.ndarray, block: int = 256) -> np.ndarray:
    out = np.zeros((2, block), dtype=np.float32)
    blocks = []
    for start in range(0, audio.shape[2], block):
        stream.process(np.ascontiguousarray(audio[:, :, start : start + block]), out)
        blocks.append(out.copy())
    return np.concatenate(blocks, axis=1)


def levels_for(stems: int) -> Levels:
    return Levels((-23.0,) * stems, 0.0, 9.0)


# The sound


def settings(song: Song, name: str) -> Mix:
    if name == "neutral":
        return Mix.neutral(song)
    if name == "roles":
        return mixer_by_rule("roles")(song, Budget())
    return drawn(song, int(name))


@pytest.mark.parametrize(
    ("name", "rate"),
    [("neutral", RATE), ("roles", RATE), *((str(seed), RATE) for seed in range(4)), ("4", 44_100)],
)
def test_it_sounds_as_the_offline_render(name: str, rate: int) -> None:
    song = generated(rate)
    mix = settings(song, name)
    with render(song, mix, tail=False) as rendering:
        expected, levels = rendering.array(), measured_levels(song, rendering)
    stream = started(song, mix, levels)
    frames = -(-(song.frames + stream.latency) // 1024) * 1024
    heard = played(stream, stems_of(song, frames))[:, stream.latency :][:, : song.frames]
    window = rate // 10
    whole = song.frames // window * window
    power = np.square(expected[:, :whole]).reshape(2, -1, window).mean(axis=(0, 2))
    residual = np.square(heard - expected)[:, :whole].reshape(2, -1, window).mean(axis=(0, 2))
    loud = power > power.max() * 1e-5
    assert (10 * np.log10(residual[loud] / power[loud])).max() < SAME_DB


def test_rates_with_other_hops() -> None:
    for rate in (8_000, 96_000):
        song = generate_song(4, 4.0, rate, stems=4)
        mix = mixer_by_rule("roles")(song, Budget())
        with render(song, mix, tail=False) as rendering:
            expected, levels = rendering.array(), measured_levels(song, rendering)
        stream = started(song, mix, levels)
        frames = -(-(song.frames + stream.latency) // 1024) * 1024
        heard = played(stream, stems_of(song, frames), 512)[:, stream.latency :][:, : song.frames]
        error = np.sqrt(np.square(heard - expected).mean() / np.square(expected).mean())
        assert 20 * np.log10(error) < SAME_DB


@pytest.mark.parametrize("block", [64, 128, 512, 1024])
def test_the_length_of_blocks_does_not_matter(block: int) -> None:
    song = generated()
    mix, other = drawn(song, 5), drawn(song, 6)
    audio, levels = stems_of(song, 48 * 1024), levels_for(len(song.stems))

    def run(frames: int) -> np.ndarray:
        stream = started(song, mix, levels)
        before = played(stream, audio[:, :, : 24 * 1024], frames)
        stream.set(other, levels)
        return np.concatenate([before, played(stream, audio[:, :, 24 * 1024 :], frames)], axis=1)

    assert np.array_equal(run(block), run(256))


def test_the_ceiling_holds() -> None:
    song = generated()
    mix = Mix.neutral(song).with_master(ceiling_dbtp=-2.0)
    levels = Levels(tuple([-23.0] * len(song.stems)), 0.0, 24.0)
    heard = played(started(song, mix, levels), stems_of(song, 96 * 1024))
    meter = TruePeakMeter(RATE)
    meter.push(heard)
    meter.finish()
    assert -2.5 < meter.true_peak_dbtp < -1.95


def test_the_latency_is_below_20_ms_with_blocks_of_256() -> None:
    song = generated()
    mix = Mix.neutral(song).with_master(limiter_look_ahead_ms=5.0)
    stream = started(song, mix, levels_for(len(song.stems)))
    assert (stream.latency + 2 * 256) / RATE < 0.020
    audio = np.zeros((len(song.stems), 2, 4096), dtype=np.float32)
    audio[0, 0, 0] = 0.5
    heard = np.abs(played(stream, audio)).max(axis=0)
    assert int(heard.argmax()) == stream.latency


# Changes


def tone(frames: int) -> np.ndarray:
    wave = 0.1 * np.sin(2 * np.pi * 220 / RATE * np.arange(frames))
    return np.broadcast_to(wave, (2, 2, frames)).astype(np.float32)


def two_tones() -> Mix:
    arrays = {name: np.zeros((2, 1), dtype=np.float32) + 0.1 for name in ("a", "b")}
    return Mix.neutral(Song.from_arrays(arrays, RATE))


STRIP_OFF = {"high_pass_on": 0, "eq_on": 0, "compressor_on": 0}
CHANGES = {
    "fader": ({"fader_db": -24}, {"fader_db": 12}, {}, {}),
    "pan": ({"pan": -1}, {"pan": 1}, {}, {}),
    "high-pass": ({}, {"high_pass_on": 1, "high_pass_hz": 400}, {}, {}),
    "equaliser": (
        {"eq_on": 1, "low_shelf_db": -9, "bell_1_hz": 1500, "bell_1_db": 9, "bell_1_q": 3},
        {"eq_on": 1, "low_shelf_db": 9, "bell_1_hz": 200, "bell_1_db": -9, "bell_1_q": 0.5},
        {},
        {},
    ),
    "compressor": (
        {},
        {"compressor_on": 1, "compressor_threshold_db": -20, "compressor_ratio": 6},
        {},
        {},
    ),
    "delay": (
        {"delay_send_db": 0},
        {"delay_send_db": 0},
        {"delay_time_ms": 100, "delay_feedback": 0},
        {"delay_time_ms": 333, "delay_feedback": 0.8},
    ),
    "reverb": (
        {"reverb_send_db": 0},
        {"reverb_send_db": -60},
        {"reverb_size": 0, "reverb_pre_delay_ms": 0},
        {"reverb_size": 1, "reverb_pre_delay_ms": 100},
    ),
}


def roughness(audio: np.ndarray) -> float:
    """The largest second difference: a step of 1 gives 1, a tone of 220 Hz a thousandth."""
    return float(np.abs(np.diff(audio, 2, axis=1)).max())


@pytest.mark.parametrize("name", CHANGES)
def test_jumping_parameters_do_not_click(name: str) -> None:
    strips, after, buses, buses_after = CHANGES[name]
    mix = two_tones().with_strip("a", **strips).with_buses(**buses)
    other = two_tones().with_strip("a", **after).with_buses(**buses_after)
    assert_no_click(mix, other)


@pytest.mark.parametrize("name", ["master_eq", "multiband", "saturation", "image", "limiter"])
def test_jumping_master_parameters_do_not_click(name: str) -> None:
    rng = np.random.default_rng(7)
    drawn_values = MASTER.settings(MASTER.sample(rng)) | {f"{name}_on": 1.0}
    chosen = {p.name for p in MASTER if p.processor == name} - {"limiter_look_ahead_ms"}
    values = {key: drawn_values[key] for key in chosen}
    assert_no_click(two_tones().with_master(**{f"{name}_on": 0}), two_tones().with_master(**values))


def assert_no_click(mix: Mix, other: Mix) -> None:
    half, levels = 96 * 1024, levels_for(2)
    audio = tone(2 * half)
    stream = Stream(mix, levels, (2, 2), RATE)
    first = played(stream, audio[:, :, :half])
    stream.set(other, levels)
    second = played(stream, audio[:, :, half:])
    settled = max(roughness(first[:, half // 2 :]), roughness(second[:, half // 2 :]))
    moving = roughness(np.concatenate([first[:, -1024:], second[:, : half // 2]], axis=1))
    assert moving < 3 * settled


def test_a_cut_would_be_found() -> None:
    quiet, loud = (two_tones().with_strip("a", fader_db=db) for db in (-24, 12))
    audio, levels = tone(48 * 1024), levels_for(2)
    cut = [played(Stream(mix, levels, (2, 2), RATE), audio)[:, 24_000:] for mix in (quiet, loud)]
    settled = max(roughness(part) for part in cut)
    assert roughness(np.concatenate([cut[0][:, :12_345], cut[1][:, 12_345:]], axis=1)) > 3 * settled


def test_after_a_change_it_sounds_as_if_it_had_never_been_otherwise() -> None:
    song = generated()
    mix, other = drawn(song, 8), mixer_by_rule("roles")(song, Budget())
    levels = levels_for(len(song.stems))
    other = other.with_master(limiter_look_ahead_ms=float(mix.master[-2]))
    audio = np.tile(stems_of(song, 96 * 1024), (1, 1, 3))
    stream = started(song, mix, levels)
    played(stream, audio[:, :, : 1024 * 10])
    stream.set(other, levels)
    changed = played(stream, audio[:, :, 1024 * 10 :])[:, -48_000:]
    steady = played(started(song, other, levels), audio)[:, -48_000:]
    error = np.square(changed - steady).mean() / np.square(steady).mean()
    assert 10 * np.log10(error) < SAME_DB


# The audio path


def test_nothing_is_allocated() -> None:
    from numba.core.runtime import _nrt_python, rtsys

    song = generated()
    levels = levels_for(len(song.stems))
    stream = started(song, drawn(song, 9), levels)
    block, out = stems_of(song, 256), np.zeros((2, 256), dtype=np.float32)
    stream.process(block, out)
    stream.set(drawn(song, 10), levels)
    _nrt_python.memsys_enable_stats()
    try:
        before = rtsys.get_allocation_stats().alloc
        for _ in range(100):
            stream.process(block, out)
        assert rtsys.get_allocation_stats().alloc == before
    finally:
        _nrt_python.memsys_disable_stats()
    tracemalloc.start()
    try:
        stream.process(block, out)
        held, _ = tracemalloc.get_traced_memory()
        tracemalloc.reset_peak()
        for _ in range(100):
            stream.process(block, out)
        after, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert after - held < 256
    assert peak - held < 1024


def test_silence_ends_in_zeros() -> None:
    song = generated()
    stream = started(song, drawn(song, 11), levels_for(len(song.stems)))
    played(stream, stems_of(song, 24 * 1024))
    silence = np.zeros((len(song.stems), 2, 60 * RATE // 1024 * 1024), dtype=np.float32)
    assert np.abs(played(stream, silence, 1024)[:, -RATE:]).max() < 1e-9


def test_what_was_heard_can_be_looked_back_on() -> None:
    song = generated()
    stream = Stream(
        Mix.neutral(song),
        levels_for(len(song.stems)),
        [stem.channels for stem in song.stems],
        RATE,
        history_s=1.0,
    )
    audio = stems_of(song, 144 * 1024)
    played(stream, audio)
    assert stream.heard == 144 * 1024
    back = stream.recall(stream.heard - RATE, RATE)
    assert back is not None
    assert np.array_equal(back[:-4], audio[:, :, -RATE:].reshape(-1, RATE))
    assert np.abs(back[-4:]).max() > 0
    assert stream.recall(0, RATE) is None
    assert stream.recall(stream.heard - 10, 11) is None


# Mistakes


@pytest.mark.parametrize(("block", "rate"), [(0, RATE), (100, RATE), (2048, RATE), (64, 96_000)])
def test_blocks_that_cannot_be_streamed(block: int, rate: int) -> None:
    with pytest.raises(MixgymError, match=f"block of {block} .* multiple of"):
        check_block(block, rate)


def test_settings_of_other_stems() -> None:
    song = generated()
    stream = started(song, Mix.neutral(song), levels_for(len(song.stems)))
    with pytest.raises(MixgymError, match="a, b"):
        stream.set(two_tones(), levels_for(2))
    with pytest.raises(MixgymError, match="2 levels"):
        stream.set(Mix.neutral(song), levels_for(2))


@pytest.mark.parametrize(
    ("inputs", "out"),
    [
        (np.zeros((2, 2, 64)), np.zeros((2, 64), dtype=np.float32)),
        (np.zeros((2, 2, 64), dtype=np.float32), np.zeros((2, 128), dtype=np.float32)),
        (np.zeros((3, 2, 64), dtype=np.float32), np.zeros((2, 64), dtype=np.float32)),
        (np.zeros((2, 2, 65), dtype=np.float32), np.zeros((2, 65), dtype=np.float32)),
        (np.zeros((2, 2, 128), dtype=np.float32)[:, :, ::2], np.zeros((2, 64), dtype=np.float32)),
    ],
)
def test_arrays_of_another_kind_are_refused(inputs: np.ndarray, out: np.ndarray) -> None:
    stream = Stream(two_tones(), levels_for(2), (2, 2), RATE)
    with pytest.raises(ValueError, match="float32"):
        stream.process(inputs, out)
    assert stream.heard == 0
