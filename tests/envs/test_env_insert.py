"""A plug-in of one's own in every strip."""

import gymnasium as gym
import numpy as np
import pedalboard
import pytest

from mixgym.console.hear import hear
from mixgym.console.insert import Insert
from mixgym.console.mix import Mix
from mixgym.rewards.listeners import SimulatedSong

GAIN = Insert(pedalboard.Gain, {"gain_db": (-12.0, 12.0)})


def test_insert_stands_in_its_strip(songs):
    song = songs[0]
    mix = Mix.neutral(song)
    plain, _ = hear(song, mix)
    gains = np.array([[-6.0], [0.0], [3.0]])
    readings, _ = hear(song, mix, insert=GAIN.bound(gains))
    np.testing.assert_allclose(readings.stem_lufs[0] - plain.stem_lufs[0], gains[:, 0], atol=0.05)


def test_insert_that_looks_ahead_keeps_the_length(songs):
    song = songs[0]
    mix = Mix.neutral(song)
    late = Insert(lambda: pedalboard.PitchShift(0), {"semitones": (-1, 1)})
    _, audio = hear(song, mix, insert=late.bound(None))
    assert audio.shape == (2, song.frames)
    assert np.isfinite(audio).all()


@pytest.mark.slow
def test_environment_with_an_insert(short):
    env = gym.make(
        "mixgym/Mixing-v0", **short, insert=GAIN, fidelity="render", control="absolute",
        strip_parameters=["fader_db"], bus_parameters=[], master_parameters=[], episode_steps=2,
    )  # fmt: skip
    assert env.action_space.shape == (6, 2)
    assert env.unwrapped.parameter_names[0] == ("fader_db", "gain_db")
    observation, info = env.reset(options={"song": 0})
    np.testing.assert_allclose(observation["settings"][0], [1 / 3, 1 / 12], atol=1e-6)
    action = observation["settings"].copy()
    *_, same = env.step(action)
    assert same["score"] == pytest.approx(info["score"], abs=1e-3)
    action[0, 1] = -1.0
    *_, changed = env.step(action)
    assert changed["terms"]["audibility"] != pytest.approx(same["terms"]["audibility"], abs=1e-3)


def test_simulation_refuses_inserts(short):
    env = gym.make("mixgym/Mixing-v0", **short)
    env.reset()
    listener = env.unwrapped.episodes.listener(0)
    assert isinstance(listener, SimulatedSong)
    to = env.unwrapped.episodes.physical(0)
    with pytest.raises(ValueError, match="use fidelity='render'"):
        listener.read(to.strips, to.buses, to.master, np.zeros((1, 3, 1)))
