"""Rendering: the same for any blocks and threads, complete, and small."""

import tracemalloc
from collections.abc import Mapping

import numpy as np
import pytest
from numpy.typing import NDArray

from mixgym.console.meters import LoudnessMeter
from mixgym.console.mix import Mix
from mixgym.console.mixbus import BusBlock, MixBus
from mixgym.console.parameters import MASTER
from mixgym.console.render import master, render
from mixgym.errors import MixgymError
from mixgym.songs import Song
from mixgym.songs.generate import generate_song
from mixgym.songs.spool import SpoolReader


def rendered(song: Song, mix: Mix, **how: int) -> NDArray[np.float32]:
    with render(song, mix, **how) as rendering:  # type: ignore[arg-type]
        return rendering.array()


@pytest.fixture(scope="module")
def busy_master(song: Song, busy_mix: Mix) -> NDArray[np.float32]:
    return rendered(song, busy_mix)


@pytest.mark.parametrize(
    ("block_frames", "threads"), [(1000, 1), (8192, 3), (50_000, 2), (500_000, 1)]
)
def test_blocks_and_threads_do_not_change_a_bit(
    song: Song,
    busy_mix: Mix,
    busy_master: NDArray[np.float32],
    block_frames: int,
    threads: int,
) -> None:
    other = rendered(song, busy_mix, block_frames=block_frames, threads=threads)
    np.testing.assert_array_equal(other, busy_master)


def test_reading_in_other_blocks_gives_the_same(song: Song, busy_mix: Mix) -> None:
    with render(song, busy_mix) as rendering:
        pieces = list(rendering.blocks(777))
        assert all(piece.shape[1] == 777 for piece in pieces[:-1])
        np.testing.assert_array_equal(np.concatenate(pieces, axis=1), rendering.array())


def bus_of(song: Song, mix: Mix, tail: bool = True) -> list[BusBlock]:
    return list(MixBus(song, mix, tail=tail).blocks())


def test_strips_and_returns_add_up_to_the_bus(song: Song, busy_mix: Mix) -> None:
    blocks = bus_of(song, busy_mix)
    assert [block.start for block in blocks] == sorted({block.start for block in blocks})
    for block in blocks:
        parts = [audio for audio in block.strips if audio is not None]
        parts += block.returns.values()
        assert set(block.returns) == {"reverb", "delay"}
        np.testing.assert_allclose(np.sum(parts, axis=0), block.total, atol=1e-6)
    heard: list[int] = []
    with render(song, busy_mix, on_bus=lambda block: heard.append(block.total.shape[1])):
        assert sum(heard) == sum(block.total.shape[1] for block in blocks)


def test_the_tail_rings_out_and_can_be_left_off(song: Song, busy_mix: Mix) -> None:
    with render(song, busy_mix) as long, render(song, busy_mix, tail=False) as short:
        assert short.frames == song.frames
        assert long.frames > song.frames + song.sample_rate // 2
        audio = long.array()
    end = audio[:, -100:]
    assert np.abs(end).max() < 1e-3 * np.abs(audio).max()
    dry = Mix.neutral(song)
    with render(song, dry) as nothing_rings:
        assert nothing_rings.frames == song.frames


def test_the_chains_latency_is_taken_out(song: Song) -> None:
    dry = Mix.neutral(song).with_master(loudness_on=0, limiter_on=0)
    late = dry.with_master(saturation_on=1, saturation_drive_db=0, saturation_mix=0.01)
    plain, saturated = rendered(song, dry), rendered(song, late)
    assert saturated.shape == plain.shape
    assert np.abs(saturated - plain).max() < 0.02 * np.abs(plain).max()


def shuffled(song: Song, order: list[int]) -> tuple[Song, list[str]]:
    names = [song.stems[i].name for i in order]
    by_name = {stem.name: stem for stem in song.stems}
    arrays = {name: by_name[name].read(0, song.frames) for name in names}
    roles = {name: by_name[name].role for name in names}
    return Song.from_arrays(arrays, song.sample_rate, roles=roles), names


def test_the_order_of_the_stems_does_not_matter(song: Song, busy_mix: Mix) -> None:
    order = list(np.random.default_rng(0).permutation(len(song.stems)))
    other, names = shuffled(song, order)
    turned = Mix(
        stems=tuple(names),
        roles=tuple(stem.role for stem in other.stems),
        strips=busy_mix.strips[order],
        buses=busy_mix.buses,
        master=busy_mix.master,
        side_chains=(None,) * len(names),
    )
    straight, permuted = bus_of(song, busy_mix), bus_of(other, turned)
    for one, two in zip(straight, permuted, strict=True):
        np.testing.assert_allclose(two.total, one.total, atol=1e-6)
        for place, source in enumerate(order):
            np.testing.assert_allclose(two.strips[place], one.strips[source], atol=1e-6)


def test_6_db_more_on_every_fader_is_6_db_more_on_the_bus(song: Song) -> None:
    mix = Mix.neutral(song)
    louder = mix
    for stem in song.stems:
        louder = louder.with_strip(stem.name, fader_db=20 * np.log10(2))
    with render(song, mix) as one, render(song, louder) as two:
        assert two.bus_lufs - one.bus_lufs == pytest.approx(6.0206, abs=0.001)


def test_a_silent_stem_changes_nothing() -> None:
    noise = np.random.default_rng(0).normal(0, 0.1, (2, 16_000))
    with_silence = Song.from_arrays({"a": noise, "s": np.zeros(16_000)}, 8000)
    without = Song.from_arrays({"a": noise}, 8000)
    (one,) = bus_of(with_silence, Mix.neutral(with_silence))
    (two,) = bus_of(without, Mix.neutral(without))
    np.testing.assert_array_equal(one.total, two.total)
    assert one.strips[1] is None


def test_a_side_chain_is_heard_in_the_mix() -> None:
    rng = np.random.default_rng(0)
    beat = rng.normal(0, 0.2, 48_000) * (np.arange(48_000) % 24_000 < 6000)
    pad = rng.normal(0, 0.1, 48_000)
    song = Song.from_arrays({"beat": beat, "pad": pad}, 24_000)
    mix = Mix.neutral(song).with_strip(
        "pad",
        compressor_on=1,
        compressor_ratio=6,
        compressor_threshold_db=-10,
        compressor_attack_ms=5,
        compressor_release_ms=50,
    )
    ducked = Mix(
        mix.stems, mix.roles, mix.strips, mix.buses, mix.master, side_chains=(None, "beat")
    )
    pad_bus = np.concatenate([block.strips[1] for block in bus_of(song, ducked)], axis=1)
    during, between = pad_bus[0, 2000:6000].std(), pad_bus[0, 15_000:22_000].std()
    assert 20 * np.log10(during / between) < -6


@pytest.mark.parametrize("rate", [8000, 192_000])
def test_extreme_rates(rate: int, busy_mix: Mix) -> None:
    rng = np.random.default_rng(0)
    song = Song.from_arrays(
        {"a": rng.normal(0, 0.1, 2 * rate), "b": rng.normal(0, 0.1, (2, rate))}, rate
    )
    mix = Mix(
        stems=("a", "b"),
        roles=("other", "other"),
        strips=busy_mix.strips[:2],
        buses=busy_mix.buses,
        master=busy_mix.master,
        side_chains=(None, "a"),
    ).with_master(target_lufs=-18)
    with render(song, mix) as rendering:
        assert rendering.sample_rate == rate
        assert np.isfinite(rendering.array()).all()
        assert rendering.delivered.on_target
        assert rendering.delivered.true_peak_dbtp <= -1


def test_an_excerpt_renders_like_a_song_of_its_own(song: Song) -> None:
    excerpt = song.excerpt(1.0, 2.0)
    start = song.sample_rate
    cut = {stem.name: stem.read(start, 2 * start) for stem in song.stems}
    alone = Song.from_arrays(cut, song.sample_rate)
    np.testing.assert_array_equal(
        rendered(excerpt, Mix.neutral(excerpt)), rendered(alone, Mix.neutral(alone))
    )


def test_an_all_silent_song_is_refused() -> None:
    song = Song.from_arrays({"a": np.zeros(8000), "b": np.zeros((2, 8000))}, 8000, title="Hush")
    with pytest.raises(MixgymError, match="Every stem of 'Hush' is silent"):
        render(song, Mix.neutral(song))


def test_a_mix_of_other_stems_is_refused(song: Song) -> None:
    other = Song.from_arrays({"a": np.ones(8000) * 0.1}, 8000)
    with pytest.raises(MixgymError, match=r"The mix is for the stems a, not for .*preset"):
        render(song, Mix.neutral(other))


def test_progress_is_told_in_order(song: Song, busy_mix: Mix) -> None:
    told: list[tuple[str, float]] = []
    with render(song, busy_mix, progress=lambda what, share: told.append((what, share))):
        pass
    assert list(dict.fromkeys(what for what, _ in told))[:2] == ["Mixing", "Mastering"]
    for phase in ("Mixing", "Mastering"):
        shares = [share for what, share in told if what == phase]
        assert shares == sorted(shares)
        assert shares[-1] == pytest.approx(1)


def mastered(
    audio: NDArray[np.float32], rate: int, values: Mapping[str, float]
) -> NDArray[np.float32]:
    meter = LoudnessMeter(rate, 2)
    meter.push(audio)
    spool = SpoolReader(2)
    spool.append(np.ascontiguousarray(audio.T))
    settings = MASTER.settings(MASTER.vector(values))
    with master(spool, rate, settings, meter.integrated_lufs) as rendering:
        out = rendering.array()
    spool.close()
    return out


def test_a_neutral_master_is_a_gain() -> None:
    audio = np.random.default_rng(0).normal(0, 0.05, (2, 40_000)).astype(np.float32)
    out = mastered(audio, 16_000, {"target_lufs": -30})
    gains = out / audio
    np.testing.assert_allclose(gains, np.median(gains), rtol=1e-4)


def test_mono_bass_and_width() -> None:
    rate, n = 48_000, np.arange(96_000)
    low, high = (np.sin(2 * np.pi * hz / rate * n) for hz in (40, 4000))
    audio = (0.1 * np.stack([low + high, -low - high])).astype(np.float32)
    quiet = {"loudness_on": 0.0, "limiter_on": 0.0}
    plain = mastered(audio, rate, quiet)
    image = mastered(audio, rate, {**quiet, "image_on": 1, "mono_below_hz": 200})
    side = [np.abs(np.fft.rfft(x[0, 48_000:] - x[1, 48_000:])) for x in (plain, image)]
    assert 20 * np.log10(side[1][40] / side[0][40]) < -25
    assert 20 * np.log10(side[1][4000] / side[0][4000]) == pytest.approx(0, abs=0.1)
    mono = mastered(audio + np.float32(0.01), rate, {**quiet, "image_on": 1, "master_width": 0})
    np.testing.assert_allclose(mono[0], mono[1], atol=1e-6)


def peak_bytes(song: Song, mix: Mix) -> int:
    tracemalloc.start()
    with render(song, mix) as rendering:
        for _ in rendering.blocks():
            pass
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return peak


@pytest.mark.slow
def test_memory_does_not_grow_with_length() -> None:
    peaks = []
    for duration_s in (60, 240):
        song = generate_song(1, duration_s=duration_s, stems=4)
        mix = Mix.neutral(song)
        for stem in song.stems:
            mix = mix.with_strip(stem.name, compressor_on=1, reverb_send_db=-20)
        peaks.append(peak_bytes(song, mix.with_master(multiband_on=1)))
    assert peaks[1] - peaks[0] < 10_000_000
