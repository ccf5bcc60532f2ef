"""Mixers by rule: levels, sides, sends and reasons by role."""

import math

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from mixgym.console.mix import Budget, check_values
from mixgym.console.mixbus import MixBus
from mixgym.console.parameters import BUSES, MASTER, STRIP
from mixgym.console.preset import dumps
from mixgym.console.rules import MIXERS, RULES, equal_loudness, mixer_by_rule, plain_sum, roles
from mixgym.console.styles import STYLES, style
from mixgym.errors import MixgymError
from mixgym.songs import ROLES, Song

RATE = 22_050
FRAMES = RATE


def noise(seed, level_db=-20.0, channels=1):
    rng = np.random.default_rng(seed)
    audio = rng.normal(0, 10 ** (level_db / 20), (channels, FRAMES))
    return audio.astype(np.float32)


def song_of(stem_roles, tempo_bpm=None, levels_db=(), channels=()):
    """A song of noise; a level of -inf is silence."""
    arrays, given_roles = {}, {}
    for i, role in enumerate(stem_roles):
        level_db = levels_db[i] if i < len(levels_db) else -20.0
        count = channels[i] if i < len(channels) else 1
        arrays[f"{role} {i}"] = noise(i, level_db, count)
        given_roles[f"{role} {i}"] = role
    return Song.from_arrays(arrays, RATE, roles=given_roles, tempo_bpm=tempo_bpm)


def check_ranges(mix):
    for row in mix.strips:
        check_values(STRIP, STRIP.settings(row), "strip")
    check_values(BUSES, BUSES.settings(mix.buses), "buses")
    check_values(MASTER, MASTER.settings(mix.master), "master")


def column(mix, name):
    return mix.strips[:, STRIP.index(name)]


def test_every_role_has_a_rule_with_a_reason():
    assert set(RULES) == set(ROLES)
    assert all(rule.why for rule in RULES.values())


@settings(deadline=None, max_examples=25)
@given(
    stem_roles=st.lists(st.sampled_from(ROLES), min_size=1, max_size=6),
    tempo_bpm=st.none() | st.floats(allow_nan=True, allow_infinity=True),
    levels_db=st.lists(st.sampled_from([-math.inf, -60.0, -20.0, -3.0]), max_size=6),
    channels=st.lists(st.sampled_from([1, 2]), max_size=6),
    lean=st.sampled_from(sorted(STYLES)),
)
def test_any_song_gives_settings_in_range(stem_roles, tempo_bpm, levels_db, channels, lean):
    song = song_of(stem_roles, tempo_bpm, levels_db, channels)
    for name in MIXERS:
        mix = mixer_by_rule(name, style(lean))(song, Budget())
        check_ranges(mix)
        assert mix.made_by == name
        assert mix.stems == tuple(stem.name for stem in song.stems)
        assert mix.roles == tuple(stem_roles)
        again = mixer_by_rule(name, style(lean))(
            song_of(stem_roles, tempo_bpm, levels_db, channels), Budget()
        )
        assert dumps(again) == dumps(mix)


def test_many_stems_of_one_role_stay_in_range():
    mix = roles(song_of(["hats"] * 64))
    check_ranges(mix)
    assert column(mix, "fader_db") == pytest.approx(-24)


def test_equal_loudness_is_neutral():
    mix = equal_loudness(song_of(["kick", "pad"], levels_db=(-3.0, -40.0)))
    np.testing.assert_array_equal(mix.strips, np.tile(STRIP.defaults, (2, 1)))


def sum_of_stems(song):
    """As a console sums: a mono stem in the centre gives each side 3 dB less."""
    total = np.zeros((2, song.frames))
    for stem in song.stems:
        audio = stem.read(0, song.frames)
        total += audio if stem.channels == 2 else audio * math.sqrt(0.5)
    return total


@settings(deadline=None, max_examples=10)
@given(
    # two channels are 3 dB louder than one, and a fader has a range of 36 dB
    levels_db=st.lists(st.floats(-40.9, -8), min_size=2, max_size=4),
    channels=st.lists(st.sampled_from([1, 2]), min_size=4, max_size=4),
)
@example(levels_db=[-8.0, -40.9], channels=[2, 1, 1, 1])
def test_plain_sum_is_the_sum_up_to_one_gain(levels_db, channels):
    song = song_of(["other"] * len(levels_db), levels_db=levels_db, channels=channels)
    bus = MixBus(song, plain_sum(song))
    total = np.concatenate([block.total for block in bus.blocks()], axis=1)
    truth = sum_of_stems(song)
    gain = (total * truth).sum() / (truth * truth).sum()
    assert np.abs(total - gain * truth).max() <= 1e-5 * np.abs(total).max()


def test_plain_sum_raises_what_lies_below_the_fader():
    song = song_of(["kick", "other", "other"], levels_db=(-6.0, -60.0, -math.inf))
    faders = column(plain_sum(song), "fader_db")
    assert faders[:2] == pytest.approx([12, -24])
    assert np.isfinite(faders).all()


def test_the_lead_stands_above_everything():
    names = [role for role in ROLES if role != "lead_vocal"]
    mix = roles(song_of(["lead_vocal", *names]))
    faders = column(mix, "fader_db")
    by_role = dict(zip(mix.roles, faders, strict=True))
    lead = by_role["lead_vocal"]
    assert by_role["drums"] == lead - 2
    assert all(by_role[name] <= lead - 3 for name in names if name != "drums")
    assert by_role["lead_vocal"] >= by_role["backing_vocal"] + 6
    assert by_role["kick"] > by_role["guitar"] > by_role["pad"] > by_role["hats"]


@pytest.mark.parametrize("count", [2, 4, 10])
def test_stems_of_one_role_share_its_place(count):
    alone = column(roles(song_of(["backing_vocal"])), "fader_db")[0]
    shared = column(roles(song_of(["backing_vocal"] * count)), "fader_db")
    assert shared == pytest.approx(alone - 10 * math.log10(count))


def test_silent_stems_are_left_alone_and_take_no_share():
    levels = (-20.0, -math.inf, -20.0)
    mix = roles(song_of(["guitar"] * 3, levels_db=levels))
    np.testing.assert_array_equal(mix.strips[1], STRIP.defaults)
    assert "silent" in mix.reasons[mix.stems[1]][0]
    two = roles(song_of(["guitar"] * 2))
    assert column(mix, "fader_db")[[0, 2]] == pytest.approx(column(two, "fader_db"))
    pans = column(mix, "pan")
    assert pans[0] == -pans[2] != 0


def test_mono_stems_alternate_sides_and_balance():
    pans = column(roles(song_of(["guitar"] * 4)), "pan")
    np.testing.assert_allclose(pans[1:], -pans[:-1])
    pans = column(roles(song_of(["guitar", "keys", "backing_vocal", "hats"])), "pan")
    assert (pans != 0).all()
    assert set(np.sign(pans)) == {-1, 1}


def test_low_end_lead_and_stereo_stems_stay_in_the_centre():
    mix = roles(song_of(["kick", "bass", "lead_vocal", "snare"]))
    assert (column(mix, "pan") == 0).all()
    mix = roles(song_of(["guitar", "backing_vocal"], channels=(2, 2)))
    assert (column(mix, "pan") == 0).all()


def test_low_ends_get_no_reverb_and_distance_gets_more():
    mix = roles(song_of(["kick", "bass", "lead_vocal", "strings"]))
    kick, bass, lead, strings = column(mix, "reverb_send_db")
    assert kick == bass == -60
    assert -60 < lead < strings < 0


@pytest.mark.parametrize(
    ("tempo_bpm", "time_ms"), [(120, 375), (60, 750), (40, 562.5), (None, 375), (-3, 375)]
)
def test_echo_is_a_dotted_eighth(tempo_bpm, time_ms):
    mix = roles(song_of(["synth"], tempo_bpm=tempo_bpm))
    assert mix.buses[BUSES.index("delay_time_ms")] == pytest.approx(time_ms)


def test_every_stem_and_the_master_have_reasons():
    mix = roles(song_of(ROLES))
    assert set(mix.reasons) == {*mix.stems, "master"}
    assert all(reason and all(reason) for reason in mix.reasons.values())


def unknown(frequency_hz, start=0, frames=FRAMES):
    audio = np.zeros(frames, np.float32)
    part = min(2000, frames - start)
    wave = 0.3 * np.sin(2 * np.pi * frequency_hz / RATE * np.arange(part)) * np.hanning(part)
    audio[start : start + part] = wave
    song = Song.from_arrays({"x": audio}, RATE, roles={"x": "other"})
    return roles(song).strip("x")


def test_high_pass_of_an_unknown_role_stays_below_its_energy():
    assert unknown(50)["high_pass_hz"] == 25
    for frequency_hz in (300, 1000):
        settings_ = unknown(frequency_hz)
        assert settings_["high_pass_on"]
        assert settings_["high_pass_hz"] <= frequency_hz / 2
    assert unknown(1000)["high_pass_hz"] > unknown(300)["high_pass_hz"]


@pytest.mark.parametrize("start", [0, 400_000, 500_001, 598_500])
def test_unknown_stem_that_plays_once(start):
    assert unknown(400, start, 600_000)["high_pass_hz"] == unknown(400)["high_pass_hz"]


def test_very_short_unknown_stem():
    assert 20 <= unknown(400, 0, 700)["high_pass_hz"] <= 400


@pytest.mark.parametrize("name", sorted(STYLES))
def test_styles_lean_on_the_balanced_mix(name):
    lean = style(name)
    song = song_of(["lead_vocal", "strings"])
    mix, plain = roles(song, lean=lean), roles(song)
    master = MASTER.settings(mix.master)
    assert all(master[key] == value for key, value in lean.master.items())
    assert column(mix, "fader_db")[0] - column(plain, "fader_db")[0] == pytest.approx(
        lean.levels_db.get("lead_vocal", 0)
    )
    difference = column(mix, "reverb_send_db") - column(plain, "reverb_send_db")
    assert difference == pytest.approx(lean.reverb_db)


def test_unknown_style_and_mixer():
    with pytest.raises(MixgymError, match=r"'wram'.*warm"):
        style("wram")
    with pytest.raises(KeyError):
        mixer_by_rule("rolls")
