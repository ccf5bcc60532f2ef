"""The parameter table: encoding, sampling, and what its defaults do."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from mixgym.console.mix import Mix
from mixgym.console.parameters import BUSES, MASTER, SEND_OFF_DB, STRIP
from mixgym.console.render import render
from mixgym.console.table import ParameterTable
from mixgym.songs import Song

TABLES = pytest.mark.parametrize("table", [STRIP, BUSES, MASTER], ids=lambda table: table.name)


def physical(table: ParameterTable, unit: np.ndarray) -> np.ndarray:
    """Physical values that lie at `unit` (0..1) of each range; switches snap."""
    values = table.low + unit * (table.high - table.low)
    switch = np.array([p.scale == "switch" for p in table])
    return np.where(switch, np.round(unit), values)


@TABLES
@given(data=st.data())
def test_decode_undoes_encode_for_any_batch(table: ParameterTable, data: st.DataObject) -> None:
    leading = data.draw(hnp.array_shapes(min_dims=0, max_dims=3, max_side=3, min_side=0))
    unit = data.draw(hnp.arrays(np.float64, (*leading, len(table)), elements=st.floats(0, 1)))
    values = physical(table, unit)
    encoded = table.encode(values)
    assert encoded.shape == values.shape
    assert (np.abs(encoded) <= 1).all()
    np.testing.assert_allclose(table.decode(encoded), values, rtol=1e-9, atol=1e-12)


@TABLES
@given(data=st.data())
def test_encode_undoes_decode(table: ParameterTable, data: st.DataObject) -> None:
    encoded = data.draw(hnp.arrays(np.float64, (len(table),), elements=st.floats(-1, 1)))
    switch = np.array([p.scale == "switch" for p in table])
    expected = np.where(switch, np.where(encoded > 0, 1.0, -1.0), encoded)
    np.testing.assert_allclose(table.encode(table.decode(encoded)), expected, atol=1e-9)


@TABLES
def test_the_ends_of_the_encoded_range_are_the_ends_of_the_physical_range(
    table: ParameterTable,
) -> None:
    np.testing.assert_array_equal(table.decode(np.full(len(table), -1.0)), table.low)
    np.testing.assert_array_equal(table.decode(np.full(len(table), 1.0)), table.high)
    np.testing.assert_array_equal(table.decode(np.full(len(table), -7.0)), table.low)
    np.testing.assert_array_equal(table.decode(np.full(len(table), 7.0)), table.high)


def test_the_middle_of_a_frequency_range_is_its_geometric_mean() -> None:
    middle = STRIP.decode(np.zeros(len(STRIP)))
    assert middle[STRIP.index("high_pass_hz")] == pytest.approx(np.sqrt(20 * 400))
    assert middle[STRIP.index("fader_db")] == pytest.approx(-6)


@TABLES
def test_vectors_of_another_length_are_refused(table: ParameterTable) -> None:
    for shape in ((len(table) + 1,), (len(table), 2), (0,), ()):
        with pytest.raises(ValueError, match=f"{table.name} vectors hold {len(table)} parameters"):
            table.encode(np.zeros(shape))
        with pytest.raises(ValueError, match=f"{table.name} vectors hold {len(table)} parameters"):
            table.decode(np.zeros(shape))


@TABLES
def test_samples_are_in_range_and_repeat_with_the_seed(table: ParameterTable) -> None:
    draws = table.sample(np.random.default_rng(5), (200, 2))
    assert draws.shape == (200, 2, len(table))
    assert (draws >= table.low).all()
    assert (draws <= table.high).all()
    np.testing.assert_array_equal(draws, table.sample(np.random.default_rng(5), (200, 2)))
    assert (draws != table.sample(np.random.default_rng(6), (200, 2))).any()


def test_a_switch_is_sampled_on_as_often_as_its_prior_says() -> None:
    draws = STRIP.sample(np.random.default_rng(0), (4000,))
    share = draws[:, STRIP.index("eq_on")].mean()
    assert share == pytest.approx(STRIP["eq_on"].prior[0], abs=0.03)  # type: ignore[index]


@TABLES
def test_the_table_is_consistent(table: ParameterTable) -> None:
    assert len(set(table.names)) == len(table)
    for p in table:
        assert p.low <= p.default <= p.high
        assert p.about
        assert p.scale != "log" or p.low > 0
        assert p.neutral is None or p.low <= p.neutral <= p.high
        assert p.prior is None or p.low <= p.prior[0] <= p.high
        assert table[p.name] is p
        assert p.name in table


@TABLES
def test_vector_replaces_only_what_is_named(table: ParameterTable) -> None:
    first = table.names[0]
    settings = table.settings(table.vector({first: table[first].high}))
    assert settings == {**table.settings(table.defaults), first: table[first].high}
    with pytest.raises(KeyError):
        table.vector({"no such thing": 1.0})


def test_everything_that_does_something_is_off_by_default() -> None:
    for table in (STRIP, MASTER):
        for p in table:
            if p.scale == "switch" and p.component != "delivery":
                assert p.default == 0
    assert STRIP["reverb_send_db"].default == STRIP["delay_send_db"].default == SEND_OFF_DB


def test_all_defaults_render_the_plain_sum_of_equally_loud_stems(song: Song) -> None:
    mix = Mix.neutral(song).with_master(loudness_on=0, limiter_on=0)
    with render(song, mix) as rendering:
        audio = rendering.array()
    assert audio.shape == (2, song.frames)
    total = np.zeros((2, song.frames))
    for stem in song.stems:
        total += stem_at(stem, -23.0)
    gain = 10 ** ((-23.0 - loudness(total, song.sample_rate)) / 20)
    np.testing.assert_allclose(audio, gain * total, atol=2e-6)


def stem_at(stem, lufs: float) -> np.ndarray:  # type: ignore[no-untyped-def]
    """A whole stem at a loudness, in the middle of the stereo field."""
    raw = stem.read(0, stem.frames).astype(np.float64)
    centred = raw if stem.channels == 2 else np.repeat(raw, 2, axis=0) * np.sqrt(0.5)
    return centred * 10 ** ((lufs - loudness(raw, stem.sample_rate)) / 20)


def loudness(audio: np.ndarray, sample_rate: int) -> float:
    from mixgym.console.meters import LoudnessMeter

    meter = LoudnessMeter(sample_rate, len(audio))
    meter.push(audio.astype(np.float32))
    return meter.integrated_lufs
