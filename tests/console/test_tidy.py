"""A mix without what nobody hears sounds the same."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mixgym.console.hear import hear
from mixgym.console.mix import Mix
from mixgym.console.parameters import BUSES, MASTER, STRIP
from mixgym.console.tidy import tidied
from mixgym.songs.generate import generate_song


@pytest.fixture(scope="module")
def song():
    return generate_song(3, 4.0, 24_000, 4)


def small(song, seed):
    """A mix of settings that do next to nothing, and of some that do much."""
    rng = np.random.default_rng(seed)
    mix = Mix.neutral(song)
    for stem in mix.stems:
        mix = mix.with_strip(
            stem, fader_db=rng.uniform(-20, 2), eq_on=1, compressor_on=1, high_pass_on=1,
            low_shelf_db=rng.uniform(-0.09, 0.09), bell_1_db=rng.choice([0.05, 4.0]),
            compressor_ratio=rng.choice([1.01, 3.0]), pan=rng.choice([0.01, -0.6]),
            high_pass_hz=rng.choice([20.5, 90.0]), reverb_send_db=rng.choice([-55.0, -12.0]),
        )  # fmt: skip
    return mix


@settings(max_examples=8, deadline=None)
@given(st.integers(0, 1000))
def test_it_sounds_the_same(song, seed):
    mix = small(song, seed)
    before, _ = hear(song, mix)
    after, _ = hear(song, tidied(mix))
    assert after.integrated_lufs[0] == pytest.approx(before.integrated_lufs[0], abs=0.1)
    powers = [10 * np.log10(r.powers[0].mean(axis=0) + 1e-9) for r in (before, after)]
    heard = powers[0] > powers[0].max() - 30.0
    assert np.abs(powers[1] - powers[0])[heard].max() < 0.3


def test_what_does_nothing_is_switched_off_and_faders_are_about_zero(song):
    tidy = tidied(small(song, 1))
    for stem in tidy.stems:
        strip = tidy.strip(stem)
        assert strip["compressor_on"] == (strip["compressor_ratio"] > 1.02)
        assert strip["pan"] in (0.0, -0.6)
        assert strip["reverb_send_db"] in (-60.0, -12.0)
        assert strip["low_shelf_db"] == 0.0
    faders = tidy.strips[:, STRIP.index("fader_db")]
    assert abs(faders.mean()) < 1e-9
    np.testing.assert_allclose(tidied(tidy).strips, tidy.strips, atol=1e-9)


@settings(max_examples=50)
@given(st.integers(0, 1000))
def test_settings_stay_within_their_ranges_and_apart_as_they_were(song, seed):
    rng = np.random.default_rng(seed)
    neutral = Mix.neutral(song)
    strips = STRIP.sample(rng, (len(neutral.stems),))
    mix = Mix(
        neutral.stems, neutral.roles, strips, BUSES.sample(rng, ()), MASTER.sample(rng, ()),
        neutral.side_chains,
    )  # fmt: skip
    counted = rng.random(len(strips)) < 0.7
    tidy = tidied(mix, counted)
    assert (tidy.strips >= STRIP.low).all() and (tidy.strips <= STRIP.high).all()
    moved = (tidy.strips - strips)[:, STRIP.index("fader_db")]
    if counted.any():
        np.testing.assert_allclose(moved[counted], moved[counted][0], atol=1e-9)


@pytest.mark.parametrize(("return_db", "kept"), [(6.0, True), (0.0, False)])
def test_a_send_is_as_loud_as_what_returns(song, return_db, kept):
    mix = Mix.neutral(song).with_strip("Kick", reverb_send_db=-45.0)
    tidy = tidied(mix.with_buses(reverb_return_db=return_db))
    assert tidy.strip("Kick")["reverb_send_db"] == (-45.0 if kept else -60.0)
