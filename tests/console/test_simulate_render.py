"""Simulated readings beside the render: what acts on one acts on both, and how near they are."""

from dataclasses import fields, replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mixgym.console._dynamics import CONSTANTS, GROUP, follow, set_compressor
from mixgym.console.analysis import SLOTS, analyse
from mixgym.console.compressor import Compressor, CompressorSettings
from mixgym.console.meters import LoudnessMeter, Measurement, measure
from mixgym.console.mix import Mix
from mixgym.console.mix_readings import MixReadings
from mixgym.console.mixbus import MixBus
from mixgym.console.parameters import BUSES, MASTER, STRIP
from mixgym.console.render import master
from mixgym.console.simulate import Simulator, master_track
from mixgym.console.table import Parameter, ParameterTable
from mixgym.songs import Excerpt, Song
from mixgym.songs.generate import generate_song


def busy(song: Song, busy_mix: Mix) -> Mix:
    """The busy mix of the other tests, limited hard, and every ratio above one."""
    values = {f"{band}_ratio": 3.0 for band in ("low", "mid", "high")}
    thresholds = {f"{band}_threshold_db": -20.0 for band in ("low", "mid", "high")}
    return busy_mix.with_master(
        target_lufs=-9, bus_compressor_ratio=3, bus_compressor_threshold_db=-2, **values,
        **thresholds,
    )  # fmt: skip


def moved(table: ParameterTable, values: np.ndarray, parameter: Parameter) -> np.ndarray:
    """The settings with one parameter well away from where it was."""
    changed = values.copy()
    i = table.index(parameter.name)
    where = table.encode(values)[..., i]
    target = np.where(where > 0, -0.6, 0.6)
    if parameter.scale == "switch":
        target = -where
    encoded = table.encode(changed)
    encoded[..., i] = target
    changed[..., i] = table.decode(encoded)[..., i]
    return changed


@pytest.fixture(scope="module")
def excerpt(song: Song) -> Excerpt:
    return song.excerpt(1.0, 2.0)


@pytest.fixture(scope="module")
def busy_simulator(excerpt: Excerpt) -> Simulator:
    return Simulator(analyse(excerpt), threads=1)


def apart(one: MixReadings, other: MixReadings) -> float:
    """The largest difference between readings."""
    pairs = [(getattr(one, field.name), getattr(other, field.name)) for field in fields(one)]
    return float(np.max([np.abs(reading - same).max() for reading, same in pairs]))


def bus_of(song: Song, mix: Mix) -> np.ndarray:
    blocks = MixBus(song, mix, tail=False).blocks()
    return np.concatenate([block.total.copy() for block in blocks], axis=1)


@pytest.mark.parametrize("parameter", [*STRIP, *BUSES], ids=lambda p: p.name)
def test_mixing_parameters_act_on_both(
    excerpt: Excerpt, busy_simulator: Simulator, busy_mix: Mix, parameter: Parameter
) -> None:
    """What only one of render and simulate listens to fails here."""
    if parameter.name in STRIP.names:
        changed = replace(busy_mix, strips=moved(STRIP, busy_mix.strips, parameter))
    else:
        changed = replace(busy_mix, buses=moved(BUSES, busy_mix.buses, parameter))
    before = busy_simulator(busy_mix.strips[None], busy_mix.buses[None])
    after = busy_simulator(changed.strips[None], changed.buses[None])
    assert apart(before, after) > 1e-5
    heard = bus_of(excerpt, busy_mix) - bus_of(excerpt, changed)
    assert np.abs(heard).max() > 1e-6


@pytest.mark.parametrize("parameter", list(MASTER), ids=lambda p: p.name)
def test_master_parameters_act_on_both(
    excerpt: Excerpt, busy_simulator: Simulator, busy_mix: Mix, parameter: Parameter
) -> None:
    mix = busy(excerpt, busy_mix)
    changed = replace(mix, master=moved(MASTER, mix.master, parameter))
    before = busy_simulator(mix.strips[None], mix.buses[None], mix.master[None])
    after = busy_simulator(mix.strips[None], mix.buses[None], changed.master[None])
    assert apart(before, after) > 1e-5
    track = Song.from_arrays({"bus": bus_of(excerpt, mix)}, excerpt.sample_rate).stems[0]
    heard = []
    for row in (mix.master, changed.master):
        with master(track, excerpt.sample_rate, MASTER.settings(row), -20.0) as rendering:
            heard.append(rendering.array())
    assert np.abs(heard[0] - heard[1]).max() > 1e-6


@settings(max_examples=25, deadline=None)
@given(
    st.floats(-20, 0), st.floats(1.2, 6), st.floats(0, 12), st.floats(2, 100), st.floats(20, 800),
    st.integers(0, 1000),
)  # fmt: skip
def test_compressor_follows_the_console_s(
    threshold_db: float,
    ratio: float,
    knee_db: float,
    attack_ms: float,
    release_ms: float,
    seed: int,
) -> None:
    """On power that changes every 25 ms, gains agree slot by slot."""
    rate, frames, hops = 40_960, 20, 4  # 6.25 ms are exactly four control hops
    rng = np.random.default_rng(seed)
    levels_db = np.repeat(rng.uniform(-25, 0, frames * SLOTS // 4), 4).reshape(frames, SLOTS)
    slots = (10 ** (levels_db / 10)).astype(np.float32)
    settings_ = CompressorSettings(threshold_db, ratio, knee_db, attack_ms, release_ms)
    console = Compressor(settings_, rate)
    gains = np.empty(frames * SLOTS * hops + 1, dtype=np.float32)
    console.follow(np.repeat(slots.ravel(), hops), gains)
    squares = np.square((gains[1:] + gains[:-1]) / 2).reshape(-1, hops).mean(axis=1)
    levels = np.zeros((GROUP, SLOTS, frames), dtype=np.float32)
    levels[2] = slots.T
    constants = np.zeros((GROUP, CONSTANTS), dtype=np.float32)
    for row in constants:
        set_compressor(threshold_db, ratio, knee_db, attack_ms, release_ms, 160.0, row)
    follow(levels, constants, 160.0)
    error_db = 10 * np.log10(levels[2].T.ravel() / squares)
    assert np.abs(error_db).mean() < 0.15
    assert abs(error_db.mean()) < 0.1


@pytest.mark.slow
def test_fidelity_at_the_mix_bus() -> None:
    """The bounds of the project's goals, on a song made for the test."""
    song = generate_song(5, duration_s=8)
    mixes = 10
    rng = np.random.default_rng(11)
    strips, buses = STRIP.sample(rng, (mixes, len(song.stems))), BUSES.sample(rng, (mixes,))
    simulated = Simulator(analyse(song))(strips, buses)
    neutral = Mix.neutral(song)
    errors: dict[str, list[float]] = {}

    def add(name: str, error: np.ndarray | float) -> None:
        errors.setdefault(name, []).extend(np.ravel(np.abs(error)).tolist())

    for i in range(mixes):
        measurement = Measurement(song.sample_rate)
        meters = [LoudnessMeter(song.sample_rate) for _ in song.stems]
        mix = replace(neutral, strips=strips[i], buses=buses[i])
        for block in MixBus(song, mix, tail=False).blocks():
            measurement.push(block.total)
            for meter, strip in zip(meters, block.strips, strict=True):
                assert strip is not None
                meter.push(np.ascontiguousarray(strip))
        read = measurement.finish()
        audible = read.spectrum_db > read.spectrum_db.max() - 50
        levels = np.array([meter.integrated_lufs for meter in meters])
        add("integrated_lufs", read.integrated_lufs - simulated.integrated_lufs[i])
        add("stem_lufs", levels - simulated.stem_lufs[i])
        add("spectrum_db", (read.spectrum_db - simulated.spectrum_db[i])[audible])
        add("loudness_range_lu", read.loudness_range_lu - simulated.loudness_range_lu[i])
        add("plr_db", read.plr_db - simulated.plr_db[i])
        add("width", (read.band_width - simulated.width[i])[audible])
        add("correlation", (read.band_correlation - simulated.correlation[i])[audible])
        add("fold", read.mono_fold_loss_db - simulated.mono_fold_loss_db[i])
        add("short_term", read.short_term_lufs - simulated.short_term_lufs[i])
    mean = {name: np.mean(values) for name, values in errors.items()}
    assert mean["integrated_lufs"] <= 0.2
    assert mean["short_term"] <= 0.2
    assert mean["stem_lufs"] <= 0.3
    assert mean["spectrum_db"] <= 0.5
    assert mean["loudness_range_lu"] <= 0.5
    assert mean["plr_db"] <= 1.0
    assert mean["width"] <= 0.05
    assert mean["correlation"] <= 0.05
    assert mean["fold"] <= 0.2


@pytest.mark.slow
def test_fidelity_of_mastering() -> None:
    song = generate_song(6, duration_s=8)
    bus = bus_of(song, Mix.neutral(song))
    track = Song.from_arrays({"track": bus}, song.sample_rate)
    settings_ = MASTER.sample(np.random.default_rng(12), (8,))
    simulated = master_track(Simulator(analyse(track)), settings_)
    lufs = measure(bus, song.sample_rate).integrated_lufs
    loudness, spectrum, plr, reduction = [], [], [], []
    for i, row in enumerate(settings_):
        with master(track.stems[0], song.sample_rate, MASTER.settings(row), lufs) as rendering:
            read = measure(rendering.array(), song.sample_rate)
            reduction.append(rendering.delivered.mean_reduction_db)
        audible = read.spectrum_db > read.spectrum_db.max() - 50
        loudness.append(read.integrated_lufs - simulated.integrated_lufs[i])
        spectrum.extend((read.spectrum_db - simulated.spectrum_db[i])[audible])
        plr.append(read.plr_db - simulated.plr_db[i])
    assert np.abs(loudness).mean() <= 0.2
    assert np.abs(spectrum).mean() <= 0.5
    assert np.abs(plr).mean() <= 1.0
    assert np.abs(np.array(reduction) - simulated.mean_reduction_db).mean() <= 0.5
