"""Simulated readings: laws that hold whatever the song."""

from dataclasses import fields
from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mixgym.console.analysis import analyse
from mixgym.console.mix_readings import MixReadings
from mixgym.console.parameters import BUSES, MASTER, STRIP
from mixgym.console.simulate import Simulator
from mixgym.songs import Song
from mixgym.songs.generate import generate_song

Settings = tuple[np.ndarray, np.ndarray, np.ndarray]


@cache
def generated() -> tuple[Song, Simulator]:
    song = generate_song(3, duration_s=4)
    return song, Simulator(analyse(song), threads=1)


def draw(seed: int, mixes: int, stems: int) -> Settings:
    rng = np.random.default_rng(seed)
    strips, buses = STRIP.sample(rng, (mixes, stems)), BUSES.sample(rng, (mixes,))
    return strips, buses, MASTER.sample(rng, (mixes,))


def stems_of(song: Song) -> int:
    return len(song.stems)


def with_strips(strips: np.ndarray, **values: float) -> np.ndarray:
    changed = strips.copy()
    for name, value in values.items():
        changed[..., STRIP.index(name)] = value
    return changed


DRY = {"reverb_send_db": -60.0, "delay_send_db": -60.0}


def assert_same(one: MixReadings, other: MixReadings) -> None:
    for field in fields(MixReadings):
        assert np.array_equal(getattr(one, field.name), getattr(other, field.name)), field.name


def joined(result: MixReadings) -> np.ndarray:
    return np.concatenate([np.ravel(getattr(result, f.name)) for f in fields(MixReadings)])


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 10_000))
def test_fader_moves_a_stem_by_its_decibels(seed: int) -> None:
    song, simulate = generated()
    strips, buses, _ = draw(seed, 1, stems_of(song))
    strips = with_strips(strips, fader_db=-6.0)
    louder = strips.copy()
    louder[0, 1, STRIP.index("fader_db")] += 20 * np.log10(2)
    before, after = simulate(strips, buses), simulate(louder, buses)
    gain_db = 10 * np.log10(after.stem_powers[0, 1] / before.stem_powers[0, 1])
    assert gain_db[before.stem_powers[0, 1] > 0] == pytest.approx(6.0206, abs=1e-3)
    # The absolute gate of -70 LUFS may let more blocks count.
    assert after.stem_lufs[0, 1] - before.stem_lufs[0, 1] == pytest.approx(6.0206, abs=0.5)
    others = np.arange(stems_of(song)) != 1
    assert np.array_equal(after.stem_lufs[0, others], before.stem_lufs[0, others])


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 10_000))
def test_order_of_stems_does_not_matter(seed: int) -> None:
    song, simulate = generated()
    strips, buses, masters = draw(seed, 2, stems_of(song))
    order = np.random.default_rng(seed).permutation(stems_of(song))
    shuffled = Song.from_arrays(
        {song.stems[i].name: song.stems[i].read(0, song.frames) for i in order}, song.sample_rate
    )
    one = simulate(strips, buses, masters)
    other = Simulator(analyse(shuffled))(strips[:, order], buses, masters)
    assert np.allclose(one.stem_lufs[:, order], other.stem_lufs, atol=1e-3)
    for name in ("integrated_lufs", "plr_db", "spectrum_db", "width", "loudness_range_lu"):
        assert np.allclose(getattr(one, name), getattr(other, name), atol=0.02), name


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 10_000))
def test_a_silent_stem_changes_nothing(seed: int) -> None:
    song, simulate = generated()
    strips, buses, masters = draw(seed, 2, stems_of(song))
    audio = {stem.name: stem.read(0, song.frames) for stem in song.stems}
    audio["silence"] = np.zeros((2, song.frames), dtype=np.float32)
    more = Simulator(analyse(Song.from_arrays(audio, song.sample_rate)))
    extra = np.concatenate([strips, STRIP.sample(np.random.default_rng(1), (2, 1))], axis=1)
    one, other = simulate(strips, buses, masters), more(extra, buses, masters)
    assert np.isneginf(other.stem_lufs[:, -1]).all()
    for name in ("integrated_lufs", "true_peak_dbtp", "spectrum_db", "width", "drive_db"):
        assert np.allclose(getattr(one, name), getattr(other, name), atol=1e-3), name


@pytest.mark.parametrize("side", [-1.0, 1.0])
def test_pan_to_one_side_leaves_the_other_silent(side: float) -> None:
    song, simulate = generated()
    strips, buses, _ = draw(0, 4, stems_of(song))
    result = simulate(with_strips(strips, pan=side, **DRY), buses)
    audible = result.spectrum_db > result.spectrum_db.max() - 60
    assert np.abs(result.width - 0.5)[audible].max() < 1e-3  # as much side as mid: one channel
    assert np.allclose(result.mono_fold_loss_db, 10 * np.log10(2), atol=1e-3)


def test_mono_stems_in_the_centre_are_mono() -> None:
    song, simulate = generated()
    strips, buses, _ = draw(1, 4, stems_of(song))
    result = simulate(with_strips(strips, pan=0.0, width=0.0, **DRY), buses)
    audible = result.spectrum_db > result.spectrum_db.max() - 60
    assert result.width[audible].max() < 1e-3
    assert np.abs(result.correlation - 1)[audible].max() < 1e-3
    assert np.abs(result.mono_fold_loss_db).max() < 0.01


SWITCHES = {
    "high_pass_on": ("high_pass",),
    "eq_on": ("eq",),
    "compressor_on": ("compressor",),
    "bus_compressor_on": ("bus_compressor",),
    "master_eq_on": ("master_eq",),
    "multiband_on": ("multiband",),
    "saturation_on": ("saturation",),
    "image_on": ("image",),
}


@pytest.mark.parametrize("switch", SWITCHES)
def test_bypassed_equals_absent(switch: str) -> None:
    """Off, nothing else that the processor is set to matters."""
    song, simulate = generated()
    strips, buses, masters = draw(2, 3, stems_of(song))
    table, values = (STRIP, strips) if switch in STRIP.names else (MASTER, masters)
    values[..., table.index(switch)] = 0.0
    before = simulate(strips, buses, masters)
    for i, parameter in enumerate(table):
        if parameter.processor in SWITCHES[switch] and parameter.name != switch:
            values[..., i] = parameter.high
    assert_same(before, simulate(strips, buses, masters))


def test_closed_sends_leave_the_buses_unheard() -> None:
    song, simulate = generated()
    strips, buses, _ = draw(3, 3, stems_of(song))
    strips = with_strips(strips, **DRY)
    others = BUSES.sample(np.random.default_rng(9), (3,))
    assert_same(simulate(strips, buses), simulate(strips, others))


@pytest.mark.parametrize("threads", [1, 2, 3])
@pytest.mark.parametrize("batch", [1, 2, 7])
def test_batch_and_threads_change_no_bit(threads: int, batch: int) -> None:
    song, simulate = generated()
    strips, buses, masters = draw(4, 7, stems_of(song))
    whole = simulate(strips, buses, masters)
    other = Simulator(simulate.analysis, threads=threads)
    for first in range(0, 7, batch):
        part = slice(first, first + batch)
        result = other(strips[part], buses[part], masters[part])
        for field in fields(MixReadings):
            if field.name != "seconds":
                expected = getattr(whole, field.name)[part]
                assert np.array_equal(getattr(result, field.name), expected), field.name


def test_nothing_is_allocated_in_the_loop() -> None:
    from numba.core.runtime import _nrt_python, rtsys

    song, simulate = generated()
    counts = []
    _nrt_python.memsys_enable_stats()
    try:
        for mixes in (1, 2, 9):
            arguments = draw(5, mixes, stems_of(song))
            simulate(*arguments)
            before = rtsys.get_allocation_stats().alloc
            simulate(*arguments)
            counts.append(rtsys.get_allocation_stats().alloc - before)
    finally:
        _nrt_python.memsys_disable_stats()
    assert counts[0] == counts[1] == counts[2]


def test_any_number_of_stems() -> None:
    rng = np.random.default_rng(6)
    audio = (0.1 * rng.standard_normal((33, 1, 24_000))).astype(np.float32)
    for stems in (1, 2, 5, 33):
        song = Song.from_arrays({f"{i}": audio[i] for i in range(stems)}, 24_000)
        result = Simulator(analyse(song))(*draw(stems, 2, stems))
        assert result.stem_lufs.shape == (2, stems)
        assert np.isfinite(joined(result)).all()


@pytest.mark.parametrize("frames", [1, 100, 2_000, 9_600, 71_999])
def test_any_length(frames: int) -> None:
    rng = np.random.default_rng(7)
    audio = (0.1 * rng.standard_normal((2, frames))).astype(np.float32)
    song = Song.from_arrays({"short": audio}, 24_000)
    result = Simulator(analyse(song))(*draw(1, 2, 1))
    assert result.powers.shape[1] == -(-frames // 24_000)
    assert not np.isnan(joined(result)).any()


def test_silence() -> None:
    song = Song.from_arrays({"nothing": np.zeros((1, 48_000), dtype=np.float32)}, 24_000)
    result = Simulator(analyse(song))(*draw(0, 2, 1))
    assert np.isneginf(result.integrated_lufs).all()
    assert np.isneginf(result.stem_lufs).all()


@pytest.mark.parametrize(("sign", "gain_db"), [(1.0, 20 * np.log10(2)), (-1.0, -9.0)])
def test_stems_that_share_their_sound_add_as_amplitudes(sign: float, gain_db: float) -> None:
    rng = np.random.default_rng(8)
    spectrum = np.fft.rfft(rng.standard_normal((2, 72_000)), axis=1)
    spectrum[:, np.fft.rfftfreq(72_000, 1 / 24_000) > 3000] = 0
    sound = (0.1 * np.fft.irfft(spectrum, axis=1)).astype(np.float32)
    song = Song.from_arrays({"one": sound, "other": sign * sound}, 24_000)
    strips = np.tile(STRIP.defaults, (1, 2, 1))
    result = Simulator(analyse(song))(strips, BUSES.defaults[None])
    louder_db = result.bus_lufs[0] - result.stem_lufs[0, 0]
    if sign > 0:
        assert louder_db == pytest.approx(gain_db, abs=0.1)
    else:
        assert louder_db < gain_db


def test_wrong_shapes_are_refused() -> None:
    song, simulate = generated()
    stems = stems_of(song)
    strips, buses, masters = draw(0, 2, stems)
    with pytest.raises(ValueError, match="strips"):
        simulate(strips[:, 1:], buses)
    with pytest.raises(ValueError, match="buses"):
        simulate(strips, buses[:1])
    with pytest.raises(ValueError, match="master"):
        simulate(strips, buses, masters[:, 1:])
    with pytest.raises(ValueError, match="side_chains"):
        simulate(strips, buses, None, np.array([0]))
    with pytest.raises(ValueError, match="side_chains"):
        simulate(strips, buses, None, np.full(stems, stems))


def test_side_chain_acts() -> None:
    song, simulate = generated()
    strips, buses, _ = draw(8, 1, stems_of(song))
    strips = with_strips(strips, compressor_on=1, compressor_ratio=4, compressor_threshold_db=-15)
    keys = np.zeros(stems_of(song), dtype=np.int64)
    own, keyed = simulate(strips, buses), simulate(strips, buses, None, keys)
    changed = np.abs(own.stem_lufs - keyed.stem_lufs)[0]
    assert changed[0] < 0.5  # its key is itself, less its own equaliser
    assert changed[1:].max() > 0.3


def test_masking() -> None:
    song, simulate = generated()
    strips, buses, _ = draw(13, 3, stems_of(song))
    quiet = strips.copy()
    quiet[:, 0, STRIP.index("fader_db")] = -24
    loud = strips.copy()
    loud[:, 0, STRIP.index("fader_db")] = 12
    assert (simulate(quiet, buses).masked[:, 0] > simulate(loud, buses).masked[:, 0]).all()
    masked = simulate(strips, buses).masked
    assert ((masked >= 0) & (masked <= 1)).all()


def test_spectrum_over_time_adds_up_to_the_spectrum() -> None:
    song, simulate = generated()
    result = simulate(*draw(14, 3, stems_of(song)))
    mean = np.average(result.powers, axis=1, weights=result.seconds)
    assert np.allclose(10 * np.log10(mean + 1e-15), result.spectrum_db, atol=1e-3)
