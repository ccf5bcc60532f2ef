"""Native vector environments do what single ones do, to the last bit."""

import copy
import pickle

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.utils.env_checker import data_equivalence
from gymnasium.vector import AutoresetMode

IDS = ("mixgym/Mixing-v0", "mixgym/MixingLevels-v0", "mixgym/Mastering-v0")
COUNT = 5


def pair(name, **options):
    """The native vector environment, and Gymnasium's of singles."""
    native = gym.make_vec(name, COUNT, **options)
    singles = gym.make_vec(
        name, COUNT, vectorization_mode="sync",
        vector_kwargs={"autoreset_mode": AutoresetMode.SAME_STEP}, **options,
    )  # fmt: skip
    return native, singles


def assert_same(first, second):
    assert data_equivalence(first, second, exact=True)


@pytest.mark.parametrize("control", ["delta", "absolute"])
@pytest.mark.parametrize("name", IDS)
def test_same_as_singles(name, control, short):
    native, singles = pair(name, **short, control=control, episode_steps=3)
    assert_same(native.reset(seed=7), singles.reset(seed=7))
    native.action_space.seed(1)
    songs = set()
    for _ in range(7):
        actions = native.action_space.sample()
        ours = native.step(actions)
        assert_same(ours, singles.step(actions))
        songs |= set(ours[4]["song"])
    assert len(songs) == 3


def test_same_as_singles_with_shuffled_stems_and_more_rows(short):
    native, singles = pair(
        "mixgym/Mixing-v0", **short, shuffle_stems=True, max_stems=8, episode_steps=2
    )
    assert_same(native.reset(seed=3), singles.reset(seed=3))
    for _ in range(4):
        actions = native.action_space.sample()
        assert_same(native.step(actions), singles.step(actions))


@pytest.mark.slow
def test_same_as_singles_when_rendered(short):
    native, singles = pair("mixgym/MixingLevels-v0", **short, fidelity="render", episode_steps=1)
    assert_same(native.reset(seed=0), singles.reset(seed=0))
    actions = native.action_space.sample()
    assert_same(native.step(actions), singles.step(actions))


def test_threads_change_nothing(short):
    results = []
    for threads in (1, 2, 3, 8):
        envs = gym.make_vec("mixgym/Mixing-v0", 9, **short, threads=threads)
        envs.reset(seed=0)
        envs.action_space.seed(0)
        results.append(envs.step(envs.action_space.sample()))
    for other in results[1:]:
        assert_same(results[0], other)


def test_metadata_names_the_mode():
    envs = gym.make_vec("mixgym/Mixing-v0", 2)
    assert envs.metadata["autoreset_mode"] is AutoresetMode.SAME_STEP
    assert envs.spec.id == "mixgym/Mixing-v0"
    assert type(envs.unwrapped).__name__ == "MixingVectorEnv"


def test_last_observation_and_info_are_kept(short):
    envs = gym.make_vec("mixgym/Mixing-v0", 3, **short, episode_steps=1)
    envs.reset(seed=0)
    observations, rewards, over, _, infos = envs.step(envs.action_space.sample())
    assert over.all()
    assert (observations["mix"][:, -1] == 1.0).all()
    for i in range(3):
        assert infos["final_obs"][i]["mix"][-1] == -1.0
        assert envs.single_observation_space.contains(infos["final_obs"][i])
    assert (infos["final_info"]["evaluations"] == 1).all()
    assert (infos["evaluations"] == 0).all()
    gains = infos["final_info"]["score"] - infos["score"]
    same = infos["final_info"]["song"] == infos["song"]
    np.testing.assert_allclose(gains[same], rewards[same], atol=1e-12)


def test_nothing_returned_is_used_again(short):
    envs = gym.make_vec("mixgym/Mixing-v0", 3, **short, episode_steps=2)
    kept = [envs.reset(seed=0)]
    copies = [copy.deepcopy(kept[0])]
    for _ in range(4):
        kept.append(envs.step(envs.action_space.sample()))
        copies.append(copy.deepcopy(kept[-1]))
    for returned, copied in zip(kept, copies, strict=True):
        assert_same(returned, copied)


def test_some_may_be_reset(short):
    envs = gym.make_vec("mixgym/Mixing-v0", 3, **short, episode_steps=4)
    envs.reset(seed=0)
    envs.step(envs.action_space.sample())
    mask = np.array([False, True, False])
    observations, infos = envs.reset(options={"reset_mask": mask})
    np.testing.assert_array_equal(observations["mix"][:, -1], [0.5, 1.0, 0.5])
    np.testing.assert_array_equal(infos["_score"], mask)
    over = [envs.step(envs.action_space.sample())[2].tolist() for _ in range(4)]
    assert over == [[False] * 3, [False] * 3, [True, False, True], [False, True, False]]


def test_vector_environments_are_pickled(short):
    envs = gym.make_vec("mixgym/Mixing-v0", 3, **short)
    envs.reset(seed=0)
    envs.step(envs.action_space.sample())
    twin = pickle.loads(pickle.dumps(envs))
    actions = envs.action_space.sample()
    assert_same(envs.step(actions), twin.step(actions))


def test_lists_of_seeds(short):
    envs = gym.make_vec("mixgym/MixingLevels-v0", 3, **short)
    assert_same(envs.reset(seed=4), envs.reset(seed=[4, 5, 6]))
    with pytest.raises(ValueError, match="2 numbers for 3"):
        envs.reset(seed=[1, 2])


def test_every_console_is_rendered(short):
    envs = gym.make_vec("mixgym/Mixing-v0", 2, **short, render_mode="rgb_array")
    envs.reset(seed=0)
    assert [picture.ndim for picture in envs.render()] == [3, 3]


def test_asynchronous_singles_work(short):
    envs = gym.make_vec("mixgym/MixingLevels-v0", 2, vectorization_mode="async", **short)
    try:
        envs.reset(seed=0)
        assert envs.step(envs.action_space.sample())[1].shape == (2,)
    finally:
        envs.close()
