"""The twin of `simulate` and of rewards: equal to them, and with gradients that are theirs."""

import inspect
import os
from collections.abc import Iterator
from dataclasses import fields, replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from mixgym.agents.twin import gates as twin_gates
from mixgym.agents.twin import terms as twin_terms
from mixgym.agents.twin.genomes import decode
from mixgym.agents.twin.lag import lag
from mixgym.agents.twin.reward import Twin
from mixgym.agents.twin.simulate import simulate
from mixgym.agents.twin.slots import over_bands, over_slots, over_stems
from mixgym.agents.twin.songs import Songs, join_songs
from mixgym.console.analysis import SLOTS
from mixgym.console.mix_readings import MixReadings
from mixgym.console.parameters import BUSES, MASTER, SEND_OFF_DB, STRIP
from mixgym.console.simulate import Simulator
from mixgym.console.space import Space
from mixgym.console.table import ParameterTable
from mixgym.errors import MixgymError
from mixgym.rewards import Evaluator, Reward, gates, load_reward, terms
from mixgym.songs import most_active_excerpt, read_song
from mixgym.songs.generate import generate_song

TABLES = (STRIP, BUSES, MASTER)
TOLERANCE = {"width": 1e-4, "correlation": 1e-3, "balance": 1e-3}  # others: decibels, or LU
WITHIN_DB = 0.01
Settings = tuple[np.ndarray, np.ndarray, np.ndarray]


@pytest.fixture(autouse=True)
def _one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@cache
def evaluator(stems: int, seed: int = 3, duration_s: float = 4.0) -> Evaluator:
    song = generate_song(seed, max(4.0, duration_s), stems=stems)
    return Evaluator(most_active_excerpt(song, duration_s), threads=1)


def songs_of(it: Evaluator, dtype: torch.dtype = torch.float32) -> Songs:
    return Songs.of(it.analysis, it.roles, dtype)


def uniform(seed: int, mixes: int, stems: int) -> Settings:
    """Anything, ends of ranges among it."""
    rng = np.random.default_rng(seed)
    shapes = ((mixes, stems, len(STRIP)), (mixes, len(BUSES)), (mixes, len(MASTER)))
    strips, buses, master = (
        table.decode(rng.uniform(-1.1, 1.1, shape))
        for table, shape in zip(TABLES, shapes, strict=True)
    )
    return strips, buses, master


def everything_on(seed: int, mixes: int, stems: int) -> Settings:
    """As mixes tend to be, every processor in use, and nothing at the end of its range."""
    rng = np.random.default_rng(seed)
    strips, buses, master = (
        table.sample(rng, shape)
        for table, shape in zip(TABLES, ((mixes, stems), (mixes,), (mixes,)), strict=True)
    )
    for table, values in ((STRIP, strips), (MASTER, master)):
        for i, parameter in enumerate(table):
            if parameter.scale == "switch":
                values[..., i] = 1.0
    for values, table, name, value in (
        (strips, STRIP, "high_pass_hz", 60.0),
        (strips, STRIP, "side_chain_high_pass_hz", 90.0),
        (strips, STRIP, "compressor_ratio", 2.5),
        (strips, STRIP, "reverb_send_db", -18.0),
        (strips, STRIP, "delay_send_db", -20.0),
        (master, MASTER, "mono_below_hz", 100.0),
        (master, MASTER, "bus_compressor_threshold_db", -9.0),
        (master, MASTER, "target_lufs", -9.0),
        (master, MASTER, "ceiling_dbtp", -2.0),
        (master, MASTER, "limiter_look_ahead_ms", 2.0),
        *((master, MASTER, f"{band}_threshold_db", -22.0) for band in ("low", "mid", "high")),
        *((master, MASTER, f"{band}_ratio", 2.5) for band in ("low", "mid", "high")),
    ):
        values[..., table.index(name)] = value
    return strips, buses, master


def tensors(values: Settings, gradient: bool = False) -> tuple[torch.Tensor, ...]:
    """Of one song."""
    return tuple(torch.from_numpy(v)[None].requires_grad_(gradient) for v in values)


def assert_equal_readings(true: MixReadings, twin: object) -> None:
    for field in fields(MixReadings):
        one, other = getattr(true, field.name), getattr(twin, field.name).detach().numpy()
        assert one.shape == other.shape, field.name
        if field.name in ("powers", "stem_powers"):
            one, other = (10 * np.log10(x + 1e-12) for x in (one, other))
        within = TOLERANCE.get(field.name, WITHIN_DB)
        np.testing.assert_allclose(other, one, rtol=0, atol=within, err_msg=field.name)


def assert_equal(it: Evaluator, values: Settings) -> None:
    true = it.evaluate(*values)
    twin = Twin(it.reward)(songs_of(it), *tensors(values))
    assert_equal_readings(true.readings, twin.readings)
    np.testing.assert_allclose(twin.score[0].numpy(), true.score, rtol=0, atol=1e-3)
    for name, values_ in {**true.terms, **true.gates}.items():
        found = {**twin.terms, **twin.gates}[name][0].numpy()
        np.testing.assert_allclose(found, values_, rtol=0, atol=1e-3, err_msg=name)


@given(seed=st.integers(0, 2**32 - 1), stems=st.integers(1, 8), song=st.integers(3, 4))
@settings(max_examples=20, deadline=None)
def test_whatever_is_set_the_twin_reads_what_the_simulator_reads(seed, stems, song) -> None:
    assert_equal(evaluator(stems, song), uniform(seed, 3, stems))


def test_songs_of_these_tests_have_mono_and_stereo_stems() -> None:
    assert set(evaluator(8).analysis.channels) == {1, 2}


@pytest.mark.parametrize("duration_s", [0.25, 2.0, 12.5])
def test_of_any_length(duration_s: float) -> None:
    assert_equal(evaluator(4, 5, duration_s), uniform(1, 4, 4))


def test_a_target_that_cannot_be_reached() -> None:
    strips, buses, master = uniform(2, 6, 4)
    for name, value in (
        ("loudness_on", 1.0),
        ("limiter_on", 1.0),
        ("target_lufs", -6.0),
        ("ceiling_dbtp", -9.0),
    ):
        master[:, MASTER.index(name)] = value
    assert_equal(evaluator(4), (strips, buses, master))


def test_side_chains() -> None:
    it, values, keys = evaluator(4), everything_on(1, 3, 4), np.array([2, 1, 1, 0])
    twin = simulate(songs_of(it), *tensors(values), torch.from_numpy(keys))
    assert_equal_readings(Simulator(it.analysis, threads=1)(*values, keys), twin)


@pytest.mark.skipif("MIXGYM_DATA" not in os.environ, reason="no shared data")
def test_recorded_songs() -> None:
    folders = sorted((Path(os.environ["MIXGYM_DATA"]) / "songs").iterdir())
    for folder in [f for f in folders if f.is_dir()][:2]:
        it = Evaluator(most_active_excerpt(read_song(folder), 10.0), threads=1)
        assert_equal(it, uniform(0, 8, len(it.roles)))


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
def test_every_parameter_moves_both_alike(table: ParameterTable) -> None:
    it = evaluator(3)
    base = everything_on(4, 1, 3)
    moved = tuple(np.repeat(values, len(table) + 1, axis=0) for values in base)
    k = TABLES.index(table)
    for i, parameter in enumerate(table):
        row = moved[k][i + 1, 0] if table is STRIP else moved[k][i + 1]  # of the first stem
        encoded = table.encode(row)
        inwards = -0.3 if encoded[i] > 0 else 0.3
        encoded[i] = -1.0 if parameter.scale == "switch" else encoded[i] + inwards
        row[:] = table.decode(encoded)
    true = it.evaluate(*moved)
    twin = Twin(it.reward)(songs_of(it), *tensors(moved))
    assert_equal_readings(true.readings, twin.readings)
    np.testing.assert_allclose(twin.score[0].numpy(), true.score, rtol=0, atol=1e-3)
    for i, parameter in enumerate(table):
        levels = 10 * np.log10(true.readings.powers + 1e-12)
        heard = np.abs(levels[i + 1] - levels[0]).max()
        assert max(heard, abs(true.score[i + 1] - true.score[0])) > 1e-5, parameter.name


def gradients(it: Evaluator, values: Settings, dtype: torch.dtype) -> list[np.ndarray]:
    """Of the score, per range of each parameter; (stems, any), (any,), (any,)."""
    leaves = tensors(values, gradient=True)
    Twin(it.reward)(songs_of(it, dtype), *leaves).score.sum().backward()
    spans = [table.high - table.low for table in TABLES]
    return [leaf.grad[0, 0].numpy() * span for leaf, span in zip(leaves, spans, strict=True)]


def differences(it: Evaluator, values: Settings, step: float) -> list[np.ndarray]:
    """Central differences of the simulator's score, per range of each parameter."""
    result = []
    for k, table in enumerate(TABLES):
        places = list(np.ndindex(values[k].shape[1:]))
        probes = [np.repeat(v, 2 * len(places), axis=0) for v in values]
        for n, place in enumerate(places):
            span = (table.high - table.low)[place[-1]] * step
            for sign in (0, 1):
                probes[k][(2 * n + sign, *place)] += span if sign else -span
        score = it.evaluate(*probes).score.reshape(-1, 2)
        result.append(((score[:, 1] - score[:, 0]) / (2 * step)).reshape(values[k].shape[1:]))
    return result


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_gradients_are_those_of_the_simulators_score(seed: int) -> None:
    it, values = evaluator(3, 5), everything_on(seed, 1, 3)
    smooth = [
        np.broadcast_to([p.scale != "switch" for p in table], v.shape[1:])
        for table, v in zip(TABLES, values, strict=True)
    ]
    exact, single, seen = (
        np.concatenate([x[keep] for x, keep in zip(parts, smooth, strict=True)])
        for parts in (
            gradients(it, values, torch.float64),
            gradients(it, values, torch.float32),
            differences(it, values, 0.002),
        )
    )
    np.testing.assert_allclose(single, exact, atol=1e-4 * np.abs(exact).max())
    assert exact @ seen > 0.99 * np.linalg.norm(exact) * np.linalg.norm(seen)
    clear = np.abs(seen) > 0.02 * np.abs(seen).max()
    assert clear.sum() > 10
    assert (np.sign(exact[clear]) == np.sign(seen[clear])).mean() > 0.97


def test_gradients_where_a_value_does_nothing() -> None:
    """A gain of 0 dB, a ratio of 1, a send and a high-pass that are closed, a hard pan."""
    it, values = evaluator(3), everything_on(0, 1, 3)
    rest = {
        "low_shelf_db": 0.0,
        "bell_1_db": 0.0,
        "compressor_ratio": 1.0,
        "reverb_send_db": SEND_OFF_DB,
        "delay_send_db": SEND_OFF_DB,
        "high_pass_hz": STRIP["high_pass_hz"].low,
        "side_chain_high_pass_hz": STRIP["side_chain_high_pass_hz"].low,
        "pan": 1.0,
    }
    for name, value in rest.items():
        values[0][..., STRIP.index(name)] = value
    assert_equal(it, values)
    found = gradients(it, values, torch.float32)
    assert all(np.isfinite(part).all() for part in found)
    for name in set(rest) - {"side_chain_high_pass_hz"}:  # without a ratio no key is heard
        assert np.abs(found[0][:, STRIP.index(name)]).max() > 0.0, name


def test_silence_scores_nothing_and_has_finite_gradients() -> None:
    it, values = evaluator(3), everything_on(0, 2, 3)
    silent = songs_of(it)
    nothing = {
        name: torch.zeros_like(getattr(silent, name))
        for name in ("fine", "slots", "sums", "means", "samples", "inverse", "balance", "crosses")
    }
    leaves = tensors(values, gradient=True)
    scores = Twin(it.reward)(replace(silent, **nothing), *leaves)
    scores.score.sum().backward()
    assert (scores.score == 0).all()
    assert all(torch.isfinite(leaf.grad).all() for leaf in leaves)


def test_several_songs_are_scored_as_each_alone() -> None:
    few, many = evaluator(2), evaluator(5, 4)
    twin = Twin(few.reward)
    strips, buses, master = (v.reshape(2, 3, *v.shape[1:]) for v in uniform(7, 6, 6))
    both = join_songs([songs_of(few), songs_of(many)], stems=6)
    joined = twin(both, *(torch.from_numpy(v) for v in (strips, buses, master)))
    for k, it in enumerate((few, many)):
        alone = it.evaluate(strips[k, :, : len(it.roles)], buses[k], master[k])
        np.testing.assert_allclose(joined.score[k].numpy(), alone.score, rtol=0, atol=1e-3)


def test_songs_that_do_not_fit_together_are_refused() -> None:
    with pytest.raises(MixgymError, match="same length"):
        join_songs([songs_of(evaluator(2)), songs_of(evaluator(2, 5, 2.0))])
    with pytest.raises(MixgymError, match="room for 1"):
        join_songs([songs_of(evaluator(2))], stems=1)
    values = tensors(uniform(0, 2, 3))
    with pytest.raises(ValueError, match="strips has the shape"):
        simulate(songs_of(evaluator(2)), *values)


def options(function: object) -> set[str]:
    parameters = inspect.signature(function).parameters.values()
    return {p.name for p in parameters if p.kind is p.KEYWORD_ONLY}


@pytest.mark.parametrize(
    ("true", "twins"), [(terms.TERMS, twin_terms.TERMS), (gates.GATES, twin_gates.GATES)]
)
def test_all_terms_and_gates_have_twins_with_their_options(true, twins) -> None:
    assert set(twins) == set(true)
    for name in true:
        assert options(twins[name]) == options(true[name]), name


@pytest.mark.parametrize("style", ["loud", "vocal_forward"])
def test_options_of_a_reward_count(style: str) -> None:
    it = evaluator(4)
    other = Evaluator(it.song, load_reward(style), threads=1)
    assert_equal(other, uniform(3, 4, 4))


def test_a_term_without_a_twin_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(twin_terms.TERMS, "masking")
    with pytest.raises(MixgymError, match="masking"):
        Twin(Reward({"masking": 1.0}))


@given(seed=st.integers(0, 2**32 - 1))
@settings(max_examples=20, deadline=None)
def test_genomes_mean_what_they_mean_to_searchers(seed: int) -> None:
    space = Space(master=MASTER.names, strip=STRIP.names)
    genomes = np.random.default_rng(seed).uniform(-1.2, 1.2, (3, space.genes(4)))
    true = space.decode(genomes, 4)
    for one, other in zip(decode(space, torch.from_numpy(genomes), 4), true, strict=True):
        np.testing.assert_allclose(one.numpy(), other, rtol=1e-12, atol=1e-12)


def test_genomes_leave_what_is_not_free_as_it_is() -> None:
    space = Space(strip=("fader_db",), buses=(), master=("target_lufs",))
    strips, buses, master = everything_on(0, 1, 2)
    around = (strips[0], buses[0], master[0])
    genomes = torch.zeros(1, 3, dtype=torch.float64, requires_grad=True)
    twin, true = decode(space, genomes, 2, around), space.decode(np.zeros((1, 3)), 2, around)
    for one, other in zip(twin, true, strict=True):
        np.testing.assert_allclose(one.detach().numpy(), other, rtol=1e-12)
    sum(values.sum() for values in twin).backward()
    np.testing.assert_allclose(genomes.grad.numpy(), [[18.0, 18.0, 12.0]])
    with pytest.raises(ValueError, match="genomes has the shape"):
        decode(space, genomes, 3)


def test_recursions_have_the_gradients_of_what_they_compute() -> None:
    torch.manual_seed(0)
    targets = torch.randn(3, 2, 40, dtype=torch.float64, requires_grad=True)
    moves = torch.rand(3, 1, 4, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lag, (targets, moves))
    weights = torch.rand(2, 3, 4, 5, 6, dtype=torch.float64, requires_grad=True)
    gains = torch.rand(2, 3, 4, 6, SLOTS, dtype=torch.float64, requires_grad=True)
    slots = torch.rand(2, 4, 5, 6, SLOTS, dtype=torch.float64)
    assert torch.autograd.gradcheck(over_bands, (weights, slots))
    assert torch.autograd.gradcheck(over_slots, (gains, slots))
    assert torch.autograd.gradcheck(over_stems, (weights, gains, slots))
