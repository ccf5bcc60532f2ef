"""A mix: replacing values, and moving it towards neutral."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mixgym.console.mix import STRENGTHS, Mix
from mixgym.console.parameters import BUSES, MASTER, SEND_OFF_DB, STRIP
from mixgym.console.render import render
from mixgym.errors import MixgymError
from mixgym.songs import Song

COMPONENTS = pytest.mark.parametrize("component", STRENGTHS)


def drawn(seed: int) -> Mix:
    """A random mix of three stems."""
    rng = np.random.default_rng(seed)
    return Mix(
        stems=("a", "b", "c"),
        roles=("kick", "bass", "other"),
        strips=STRIP.sample(rng, (3,)),
        buses=BUSES.sample(rng),
        master=MASTER.sample(rng),
        side_chains=(None, "a", None),
    )


def same(one: Mix, other: Mix) -> bool:
    return all(
        np.array_equal(getattr(one, part), getattr(other, part))
        for part in ("strips", "buses", "master")
    )


@given(seed=st.integers(0, 10_000))
def test_an_amount_of_one_changes_nothing(seed: int) -> None:
    mix = drawn(seed)
    assert same(mix.scaled(1.0), mix)
    assert same(mix.scaled(1.0, dict.fromkeys(STRENGTHS, 1.0)), mix)


@given(seed=st.integers(0, 10_000), amount=st.floats(0, 1))
def test_a_scaled_mix_stays_between_itself_and_neutral(seed: int, amount: float) -> None:
    mix = drawn(seed)
    for table, before, after in (
        (STRIP, mix.strips, mix.scaled(amount).strips),
        (MASTER, mix.master, mix.scaled(amount).master),
    ):
        for i, p in enumerate(table):
            neutral = p.neutral if p.neutral is not None else before[..., i]
            low, high = np.minimum(neutral, before[..., i]), np.maximum(neutral, before[..., i])
            assert (after[..., i] >= low - 1e-9).all()
            assert (after[..., i] <= high + 1e-9).all()


@given(seed=st.integers(0, 10_000))
def test_an_amount_of_zero_is_neutral_in_all_but_delivery(seed: int) -> None:
    mix = drawn(seed)
    scaled = mix.scaled(0.0)
    for table, before, after in (
        (STRIP, mix.strips, scaled.strips),
        (MASTER, mix.master, scaled.master),
    ):
        for i, p in enumerate(table):
            expected = before[..., i] if p.neutral is None else p.neutral
            np.testing.assert_array_equal(after[..., i], expected)


@COMPONENTS
def test_a_strength_touches_its_component_only(component: str) -> None:
    mix = drawn(1)
    scaled = mix.scaled(strengths={component: 0.5})  # type: ignore[dict-item]
    for table, before, after in (
        (STRIP, mix.strips, scaled.strips),
        (BUSES, mix.buses, scaled.buses),
        (MASTER, mix.master, scaled.master),
    ):
        for i, p in enumerate(table):
            if p.component != component:
                np.testing.assert_array_equal(after[..., i], before[..., i])


def test_half_a_mix() -> None:
    mix = drawn(2).with_strip(
        "a", fader_db=6, pan=-0.8, width=1.5, compressor_ratio=4, high_pass_hz=80, reverb_send_db=-6
    )
    half = mix.scaled(0.5).strip("a")
    assert half["fader_db"] == pytest.approx(3)
    assert half["pan"] == pytest.approx(-0.4)
    assert half["width"] == pytest.approx(1.25)
    assert half["compressor_ratio"] == pytest.approx(2)
    assert half["high_pass_hz"] == pytest.approx(40)
    assert half["reverb_send_db"] == pytest.approx(-12.0206, abs=1e-3)


def test_a_closed_send_stays_closed_and_none_is_scaled_below_closed() -> None:
    mix = drawn(3).with_strip("a", reverb_send_db=SEND_OFF_DB, delay_send_db=SEND_OFF_DB + 1)
    half = mix.scaled(0.5).strip("a")
    assert half["reverb_send_db"] == half["delay_send_db"] == SEND_OFF_DB


def test_zero_renders_like_the_neutral_mix(song: Song, busy_mix: Mix) -> None:
    with (
        render(song, busy_mix.scaled(0.0), tail=False) as scaled,
        render(song, Mix.neutral(song), tail=False) as neutral,
    ):
        np.testing.assert_array_equal(scaled.array(), neutral.array())


@pytest.mark.parametrize("amount", [-0.1, 1.1, float("nan"), float("inf")])
def test_amounts_outside_0_to_1_are_refused(amount: float) -> None:
    with pytest.raises(MixgymError, match="amount is"):
        drawn(0).scaled(amount)
    with pytest.raises(MixgymError, match="space is"):
        drawn(0).scaled(strengths={"space": amount})


def test_an_unknown_component_is_refused() -> None:
    with pytest.raises(MixgymError, match=r"no component 'treble'.*eq, dynamics"):
        drawn(0).scaled(strengths={"treble": 0.5})  # type: ignore[dict-item]


def test_replacing_values() -> None:
    mix = drawn(4)
    other = mix.with_strip("b", pan=0.5).with_buses(reverb_size=0.25).with_master(target_lufs=-9)
    assert other.strip("b")["pan"] == 0.5
    assert other.strip("a") == mix.strip("a")
    assert BUSES.settings(other.buses)["reverb_size"] == 0.25
    assert MASTER.settings(other.master)["target_lufs"] == -9
    assert same(mix, drawn(4))


def test_values_that_cannot_be_set_are_refused() -> None:
    mix = drawn(0)
    with pytest.raises(MixgymError, match="no parameter 'fader'; did you mean 'fader_db'"):
        mix.with_strip("a", fader=1)
    with pytest.raises(MixgymError, match=r"target_lufs is 3, its range is -30 to -6 LUFS"):
        mix.with_master(target_lufs=3)
    with pytest.raises(MixgymError, match="reverb_size is nan"):
        mix.with_buses(reverb_size=float("nan"))
    with pytest.raises(MixgymError, match=r"eq_on is 0\.5; 1 switches it on, 0 off"):
        mix.with_strip("a", eq_on=0.5)
    with pytest.raises(KeyError):
        mix.with_strip("nobody", pan=0)
    with pytest.raises(KeyError):
        mix.strip("nobody")  # noqa: B005
