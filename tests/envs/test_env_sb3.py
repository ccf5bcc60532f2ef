"""The adapter to Stable-Baselines3."""

import gymnasium as gym
import numpy as np
import pytest

pytest.importorskip("stable_baselines3")

from mixgym.envs import SB3VecEnv


def test_steps_are_the_vector_environments(short):
    options = {**short, "episode_steps": 2}
    ours = SB3VecEnv(gym.make_vec("mixgym/Mixing-v0", 3, **options))
    theirs = gym.make_vec("mixgym/Mixing-v0", 3, **options)
    ours.seed(4)
    first, _ = theirs.reset(seed=4)
    for name, array in ours.reset().items():
        np.testing.assert_array_equal(array, first[name])
    for step in range(4):
        actions = theirs.action_space.sample()
        observations, rewards, dones, infos = ours.step(actions)
        expected = theirs.step(actions)
        for name, array in observations.items():
            np.testing.assert_array_equal(array, expected[0][name])
        np.testing.assert_allclose(rewards, expected[1], atol=1e-7)
        assert rewards.dtype == np.float32
        assert dones.all() == (step % 2 == 1)
        if not dones.any():
            assert infos == [{}, {}, {}]
            continue
        for i, info in enumerate(infos):
            last = expected[4]["final_obs"][i]
            for name, array in info["terminal_observation"].items():
                np.testing.assert_array_equal(array, last[name])
            assert info["score"] == expected[4]["final_info"]["score"][i]
            assert set(info["terms"]) == set(ours.envs.episodes.terms)
            assert info["TimeLimit.truncated"] is False


def test_song_can_be_chosen(short):
    envs = SB3VecEnv(gym.make_vec("mixgym/Mixing-v0", 2, **short, episode_steps=1))
    envs.set_options({"song": "demo-2"})
    assert (envs.reset()["mask"].sum(axis=1) == 2).all()
    assert envs.get_attr("render_mode") == [None, None]
    assert envs.env_is_wrapped(gym.Wrapper) == [False, False]
    envs.close()


@pytest.mark.slow
@pytest.mark.parametrize("name", ["mixgym/Mixing-v0", "mixgym/Mastering-v0"])
def test_ppo_learns_something(name, short):
    import torch
    from stable_baselines3 import PPO

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        envs = SB3VecEnv(gym.make_vec(name, 8, **short, episode_steps=2))
        model = PPO("MultiInputPolicy", envs, n_steps=8, batch_size=32, n_epochs=2, seed=0)
        model.learn(128)
        assert model.num_timesteps == 128
        action, _ = model.predict(envs.reset(), deterministic=True)
        assert action.shape == (8, *envs.action_space.shape)
    finally:
        torch.set_num_threads(threads)
