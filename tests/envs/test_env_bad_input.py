"""Mistakes are named, with their cure."""

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.error import ResetNeeded

from mixgym.console.insert import Insert
from mixgym.envs import MixingEnv, MixingVectorEnv
from mixgym.errors import MixgymError


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"control": "relative"}, "control is 'relative'; choose from delta, absolute"),
        ({"fidelity": "fast"}, "fidelity is 'fast'; choose from simulate, render"),
        ({"episode_steps": 0}, "episode_steps is 0; give a whole number of at least 1"),
        ({"episode_steps": 2.5}, "episode_steps is 2.5"),
        ({"max_stems": 0}, "max_stems is 0"),
        ({"threads": 0}, "threads is 0"),
        ({"step_size": 0.0}, "step_size is 0.0"),
        ({"step_size": float("nan")}, "step_size is nan"),
        ({"seconds": -1.0}, "seconds is -1.0"),
        ({"seconds": "long"}, "seconds is 'long'; choose from 1 to 600"),
        ({"sample_rate": 1}, "sample_rate is 1; choose from 8000 to 192000"),
        ({"render_mode": "human"}, "render_mode is 'human'; choose from ansi"),
        ({"strip_parameters": ["loudness"]}, "'loudness'"),
        ({"bus_parameters": ["fader_db"]}, "'fader_db'"),
        ({"strip_parameters": "fader_db"}, "give a list of names"),
        ({"strip_parameters": [], "bus_parameters": [], "master_parameters": []}, "No parameter"),
    ],
)
def test_options(options, words, short):
    for make in (MixingEnv, MixingVectorEnv):
        with pytest.raises(ValueError, match="(?s)" + words):
            make(**{**short, **options})


def test_names_that_there_are_not():
    with pytest.raises(TypeError, match="no argument 'song'; choose from songs, split"):
        MixingEnv(song="x")
    with pytest.raises(ValueError, match="mixgym/MixingLevels-v0 takes no strip_parameters"):
        gym.make("mixgym/MixingLevels-v0", strip_parameters=["width"])
    with pytest.raises(ValueError, match="mixgym/Mastering-v0 takes no bus_parameters"):
        gym.make("mixgym/Mastering-v0", bus_parameters=["reverb_size"])
    with pytest.raises(ValueError, match="num_envs is 0"):
        MixingVectorEnv(0)


def test_rewards_that_there_are_not(tmp_path):
    with pytest.raises(MixgymError, match="no reward 'loudest'; choose from"):
        gym.make("mixgym/Mixing-v0", reward="loudest")
    path = tmp_path / "mine.yaml"
    path.write_text("terms:\n  warmth: {weight: 1}\n")
    with pytest.raises(MixgymError, match="no term 'warmth'"):
        gym.make("mixgym/Mixing-v0", reward=path)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_actions_that_are_no_numbers(bad, short):
    env = MixingEnv(**short)
    env.reset()
    action = np.zeros(env.action_space.shape, np.float32)
    action[2, 1] = bad
    with pytest.raises(ValueError, match=rf"the action holds {bad} at \(2, 1\): give finite"):
        env.step(action)
    envs = MixingVectorEnv(2, **short)
    envs.reset()
    with pytest.raises(ValueError, match="finite"):
        envs.step(np.stack([np.zeros_like(action), action]))


def test_actions_of_another_shape(short):
    env = MixingEnv(**short)
    env.reset()
    with pytest.raises(ValueError, match=r"the action has the shape \(3,\), not \(7, 20\)"):
        env.step(np.zeros(3))
    with pytest.raises(ValueError, match=r"not \(2, 7, 20\)"):
        envs = MixingVectorEnv(2, **short)
        envs.reset()
        envs.step(np.zeros((7, 20)))


def test_steps_outside_of_an_episode(short):
    env = MixingEnv(**short, episode_steps=1)
    action = np.zeros(env.action_space.shape)
    for call in (lambda: env.step(action), env.render):
        with pytest.raises(ResetNeeded, match="call reset"):
            call()
    env.reset()
    env.step(action)
    with pytest.raises(ResetNeeded, match="call reset"):
        env.step(action)
    envs = MixingVectorEnv(2, **short)
    with pytest.raises(ResetNeeded):
        envs.step(np.zeros(envs.action_space.shape))


def test_songs_to_reset_with(short):
    env = MixingEnv(**short)
    with pytest.raises(ValueError, match="no song 'Yesterday'; choose from demo-0, demo-1"):
        env.reset(options={"song": "Yesterday"})
    with pytest.raises(ValueError, match="no song 3; choose from 0 to 2"):
        env.reset(options={"song": 3})
    with pytest.raises(ValueError, match="reset_mask"):
        MixingVectorEnv(2, **short).reset(options={"reset_mask": [True]})


def test_inserts_have_to_be_rendered(short):
    import pedalboard

    insert = Insert(pedalboard.Gain, {"gain_db": (-6, 6)})
    with pytest.raises(ValueError, match="cannot be simulated: pass fidelity='render'"):
        MixingEnv(**short, insert=insert)
    wrong = Insert(pedalboard.Gain, {"treble": (-6, 6)})
    with pytest.raises(ValueError, match="Gain has no parameter 'treble'"):
        MixingEnv(**short, insert=wrong, fidelity="render")
    with pytest.raises(ValueError, match="at least one parameter"):
        Insert(pedalboard.Gain, {})
    with pytest.raises(ValueError, match="gain_db has the range 6 to -6"):
        Insert(pedalboard.Gain, {"gain_db": (6, -6)})
