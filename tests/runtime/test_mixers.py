"""Mixers by name, the policy that comes along among them."""

import os
import subprocess
import sys

import numpy as np
import pytest

from mixgym.console.mix import Budget
from mixgym.console.parameters import MASTER, STRIP
from mixgym.console.rules import equal_loudness
from mixgym.console.styles import STYLES
from mixgym.errors import MixgymError
from mixgym.rewards import Evaluator, load_reward
from mixgym.runtime.mixers import (
    MIXERS,
    POLICIES,
    automation_by_policy,
    chain_named,
    mixer_named,
)
from mixgym.songs import Song
from mixgym.songs.generate import generate_song

RATE = 32_000


@pytest.fixture(autouse=True)
def _cache(tmp_path, monkeypatch):
    monkeypatch.setenv("MIXGYM_CACHE", str(tmp_path / "cache"))


@pytest.fixture(scope="module")
def song():
    """Longer than the policy's windows."""
    return generate_song(5, 24.0, RATE, 7)


def score(song, mix, style="balanced"):
    return float(Evaluator(song, load_reward(style)).evaluate_mixes([mix]).score[0])


@pytest.mark.parametrize("style", STYLES)
def test_the_policy_scores_above_equal_loudness_in_every_style(song, style):
    mix = mixer_named("policy", style)(song, Budget())
    neutral = equal_loudness(song)
    target = load_reward(style).option("loudness", "target_lufs")
    assert score(song, mix, style) > score(song, neutral.with_master(target_lufs=target), style)
    assert "policy" in mix.made_by


def test_the_policy_is_the_default_and_mixes_the_same_again(song):
    first, again = mixer_named()(song, Budget()), mixer_named("policy", threads=1)(song, Budget())
    np.testing.assert_array_equal(first.strips, again.strips)
    np.testing.assert_array_equal(first.master, again.master)


def test_the_order_of_stems_changes_the_order_of_strips_alone(song):
    turned = Song(song.title, list(reversed(song.stems)), song.sample_rate)
    straight, back = mixer_named()(song, Budget()), mixer_named()(turned, Budget())
    np.testing.assert_allclose(back.strips[::-1], straight.strips, rtol=1e-2, atol=0.05)


@pytest.mark.parametrize("stems", [1, 2, 33])
def test_any_number_of_stems(song, stems):
    rng = np.random.default_rng(stems)
    audio = {}
    for number in range(stems):
        stem = song.stems[number % len(song.stems)]
        first = int(rng.integers(8 * RATE))
        audio[f"{number} {stem.name}"] = stem.read(first, 6 * RATE)
    many = Song.from_arrays(audio, RATE)
    mix = mixer_named()(many, Budget())
    assert mix.strips.shape == (stems, len(STRIP))
    assert score(many, mix) >= score(many, equal_loudness(many)) - 1e-3
    assert score(many, mix) >= score(many, mixer_named("roles")(many, Budget())) - 1e-3


def test_stems_that_play_seldom_are_mixed_where_they_play():
    with generate_song(2, 60.0, RATE, 5) as whole:
        audio = {stem.name: stem.read(0, stem.frames).copy() for stem in whole.stems}
    first, second = list(audio)[:2]
    audio[first][:, : 50 * RATE] = 0.0
    audio[second][:] = 0.0
    mix = mixer_named()(Song.from_arrays(audio, RATE), Budget())
    assert np.isfinite(mix.strips).all()
    faders = mix.strips[:, STRIP.index("fader_db")]
    assert np.abs(faders).max() <= 24.0


@pytest.mark.parametrize("seconds", [0.05, 0.9, 1.0, 1.7, 11.3])
def test_songs_of_any_length(song, seconds):
    short = song.excerpt(5.0, seconds)
    assert np.isfinite(mixer_named()(short, Budget()).strips).all()


def test_a_search_goes_on_from_the_mix(song):
    excerpt = song.excerpt(4.0, 10.0)
    plain = mixer_named()(excerpt, Budget())
    searched = mixer_named(search_s=1.5)(excerpt, Budget())
    assert score(excerpt, searched) >= score(excerpt, plain) - 1e-3
    assert not np.array_equal(searched.strips, plain.strips)


def test_what_cannot_be_used_is_refused(tmp_path):
    with pytest.raises(MixgymError, match="rolls"):
        mixer_named("rolls")
    with pytest.raises(MixgymError, match="icy"):
        mixer_named("policy", "icy")
    with pytest.raises(MixgymError, match="none"):
        mixer_named("policy", policy=tmp_path / "none.onnx")
    silent = Song.from_arrays({"A": np.zeros(5 * RATE, np.float32)}, RATE)
    for name in MIXERS:
        assert np.isfinite(mixer_named(name)(silent, Budget()).strips).all()


@pytest.fixture(scope="module")
def dull_track():
    """A track without treble, of 30 s."""
    from scipy.signal import butter, sosfilt

    with generate_song(8, 30.0, RATE, 6) as song:
        total = sum(
            np.broadcast_to(stem.read(0, stem.frames), (2, stem.frames)) for stem in song.stems
        )
    dull = sosfilt(butter(1, 700, fs=RATE, output="sos"), total, axis=1)
    return Song.from_arrays({"Track": (dull / np.abs(dull).max()).astype(np.float32)}, RATE)


def test_the_policy_masters_a_dull_track_better_than_delivery_alone(dull_track):
    chain = chain_named()
    mix = chain(dull_track)
    rest = mix.with_master(**{name: MASTER[name].default for name in MASTER.names})
    assert score(dull_track, mix) > score(dull_track, rest) + 0.01
    np.testing.assert_array_equal(chain(dull_track).master, mix.master)


def test_the_rule_masters_where_it_is_named_or_the_policy_knows_no_such_style():
    assert chain_named("rules") is None
    assert chain_named("policy", "vocal_forward") is None
    with pytest.raises(MixgymError, match="rule"):
        chain_named("rulez")
    with pytest.raises(MixgymError, match="for mixing"):
        chain_named(policy=POLICIES / "mixing.onnx")


def test_a_silent_track_is_refused():
    silent = Song.from_arrays({"A": np.zeros(5 * RATE, np.float32)}, RATE)
    with pytest.raises(MixgymError, match="silent"):
        chain_named()(silent)


def noise(seconds, lufs, seed=0):
    """Noise at about such a loudness."""
    rng = np.random.default_rng(seed)
    return (10 ** (lufs / 20) * rng.standard_normal((1, seconds * RATE))).astype(np.float32)


def silence(seconds):
    return np.zeros((1, seconds * RATE), np.float32)


@pytest.mark.parametrize("before_s", [0, 7, 30])
@pytest.mark.parametrize("quiet", [silence, lambda s: noise(s, -75.0)], ids=["silence", "hum"])
def test_a_track_that_is_silent_for_longer_than_it_sounds(before_s, quiet):
    audio = np.concatenate((quiet(before_s), noise(12, -20.0), quiet(25)), axis=1)
    mix = chain_named()(Song.from_arrays({"track": audio}, RATE))
    assert mix.made_by.startswith("policy")


def test_a_song_of_which_a_part_is_below_the_gate_of_the_meter():
    bass = np.concatenate((noise(10, -20.0), silence(30)), axis=1)
    vox = np.concatenate((silence(12), noise(6, -50.0, 1), noise(22, -75.0, 1)), axis=1)
    song = Song.from_arrays({"Bass": bass, "Lead Vox": vox}, RATE)
    mix = mixer_named()(song, Budget())
    assert mix.strips.shape == (2, len(STRIP))
    moved, note = automation_by_policy()(song, mix)
    assert moved.strips.shape == mix.strips.shape and note.startswith("Automation")


def test_nothing_is_reported_to_anybody(tmp_path):
    """ONNX Runtime keeps the state of its telemetry in the temporary folder, where it is on."""
    code = "from mixgym.runtime.mixers import open_policy; open_policy(None, 1)"
    env = {name: value for name, value in os.environ.items() if name != "ORT_DISABLE_TELEMETRY"}
    subprocess.run([sys.executable, "-c", code], env={**env, "TMPDIR": str(tmp_path)}, check=True)
    assert not list(tmp_path.glob(".ses*"))
