"""The policy as Stable-Baselines3 plays it, and as a mixer."""

import numpy as np
import pytest
import torch
from stable_baselines3 import PPO

from mixgym.agents.environments import network_sizes
from mixgym.agents.load import TrainedPolicy, load_policy
from mixgym.agents.policy import TrackSetPolicy
from mixgym.agents.rollouts import TriedRolloutBuffer, TriedVecEnv
from mixgym.agents.settings import Policy
from mixgym.agents.weights import About, save_weights, table_digest
from mixgym.envs import MixingLevelsVectorEnv, MixingVectorEnv
from mixgym.errors import MixgymError
from mixgym.rewards import Evaluator, load_reward
from mixgym.songs import read_song

RATE, SECONDS = 24_000, 4.0


def make(songs, count=4, made=MixingVectorEnv, **options):
    chosen = {"control": "absolute", "episode_steps": 1, **options}
    return made(count, songs=songs, seconds=SECONDS, sample_rate=RATE, **chosen)


def stirred(envs, seed=0, tries=1):
    """A policy that does something."""
    envs.reset(seed=0)
    torch.manual_seed(seed)
    policy = TrackSetPolicy(
        envs.single_observation_space,
        envs.single_action_space,
        lambda left: 1e-3,
        sizes=network_sizes(envs.episodes, Policy(width=16, blocks=1)),
        absolute=envs.episodes.options.control == "absolute",
        tries=tries,
    )
    for weights in policy.network.parameters():
        torch.nn.init.normal_(weights, std=0.1)
    return policy


def about(envs):
    space, options = envs.episodes.space, envs.episodes.options
    return About(
        strip=space.strip,
        buses=space.buses,
        master=space.master,
        table=table_digest(space),
        sizes=network_sizes(envs.episodes, Policy(width=16, blocks=1)),
        control=options.control,
        step_size=options.step_size,
        episode_steps=options.episode_steps,
        styles=(str(options.reward),),
        steps=0,
    )


def saved(policy, envs, path):
    arrays = {name: values.numpy() for name, values in policy.state_dict().items()}
    save_weights(path, arrays, about(envs))
    return path


@pytest.mark.parametrize("made", [MixingVectorEnv, MixingLevelsVectorEnv])
def test_the_first_mix_is_the_neutral_one(songs, made):
    envs = make(songs[0], made=made)
    observations, _ = envs.reset(seed=0)
    sizes = network_sizes(envs.episodes, Policy())
    policy = TrackSetPolicy(
        envs.single_observation_space, envs.single_action_space, lambda left: 1e-3,
        sizes=sizes, absolute=True,
    )  # fmt: skip
    rewards = envs.step(policy.predict(observations, deterministic=True)[0])[1]
    np.testing.assert_allclose(rewards, 0.0, atol=1e-6)


def test_weights_take_less_than_a_megabyte(songs):
    envs = make(songs[0])
    policy = PPO(
        TrackSetPolicy,
        TriedVecEnv(envs, 1),
        policy_kwargs={"sizes": network_sizes(envs.episodes, Policy()), "absolute": True},
        n_steps=4,
        batch_size=8,
    ).policy
    assert 4 * sum(weights.numel() for weights in policy.parameters()) < 1_000_000


def test_absent_stems_have_the_action_zero(songs):
    envs = make(songs[0], max_stems=7)
    observations, _ = envs.reset(seed=0)
    drawn = stirred(envs).predict(observations)[0]
    assert not drawn[:, 4:7].any()
    assert drawn[:, :4].all()


def test_what_is_predicted_is_the_mean_whatever_the_rows_for_stems(songs):
    few, many = make(songs[0]), make(songs[0], max_stems=9)
    policy, wide = stirred(few), stirred(many)
    wide.load_state_dict(policy.state_dict())
    means = policy.predict(few.reset(seed=0)[0], deterministic=True)[0]
    wider = wide.predict(many.reset(seed=0)[0], deterministic=True)[0]
    np.testing.assert_allclose(wider[:, [0, 1, 2, 3, 9]], means, atol=1e-5)


def test_looking_once_at_tries_is_looking_at_each(songs):
    envs = make(songs[0], count=6)
    observations = TriedVecEnv(envs, 3)
    observations.seed(0)
    seen = {name: torch.from_numpy(values) for name, values in observations.reset().items()}
    actions = torch.randn(6, *envs.single_action_space.shape)
    each = stirred(envs).evaluate_actions(seen, actions)
    once = stirred(envs, tries=3).evaluate_actions(seen, actions)
    for one, other in zip(each, once, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-3)


@pytest.mark.parametrize(
    "options", [{}, {"control": "delta", "episode_steps": 3}], ids=["one look", "three moves"]
)
@pytest.mark.parametrize("made", [MixingVectorEnv, MixingLevelsVectorEnv])
def test_a_loaded_policy_makes_the_mix_that_it_made_in_the_environment(
    songs, tmp_path, made, options
):
    envs = make(songs[1], count=1, made=made, max_stems=8, **options)
    policy = stirred(envs)
    path = saved(policy, envs, tmp_path / "policy.npz")
    observations, _ = envs.reset(options={"song": "song-20"})
    for _ in range(envs.episodes.options.episode_steps):
        observations, _, over, _, infos = envs.step(policy.act(observations))
    assert over.all()
    with read_song(songs[1] / "song-20", sample_rate=RATE) as song:
        reward = load_reward()
        mix = load_policy(path)(song, reward)
        score = Evaluator(song, reward).evaluate_mixes([mix]).score[0]
    assert mix.made_by == "policy policy.npz"
    assert score == pytest.approx(infos["final_info"]["score"][0], abs=1e-6)


def test_files_that_hold_no_policy_are_refused(songs, tmp_path):
    envs = make(songs[0])
    policy = stirred(envs)
    good = saved(policy, envs, tmp_path / "good.npz")
    cut = tmp_path / "cut.npz"
    cut.write_bytes(good.read_bytes()[:-100])
    other = tmp_path / "other.npz"
    np.savez(other, weights=np.zeros(3))
    arrays = {name: values.numpy() for name, values in policy.state_dict().items()}
    files = {
        tmp_path / "none.npz": "cannot be read",
        cut: "holds no policy",
        other: "holds no policy",
        tmp_path / "features.npz": "features of version",
        tmp_path / "table.npz": "parameter ranges",
        tmp_path / "sizes.npz": "do not fit",
    }
    told = about(envs)
    changes = {
        "features": {"features": 0},
        "table": {"table": "0"},
        "sizes": {"sizes": told.sizes.model_copy(update={"width": 20})},
    }
    for name, change in changes.items():
        save_weights(tmp_path / f"{name}.npz", arrays, told.model_copy(update=change))
    for path, words in files.items():
        with pytest.raises(MixgymError, match=words):
            TrainedPolicy(path)


def test_neighbours_play_the_same_songs_and_are_held_against_one_another(songs):
    envs = TriedVecEnv(make(songs[0], count=8, shuffle_stems=True), 4)
    envs.seed(3)
    observations = envs.reset()
    buffer = TriedRolloutBuffer(2, envs.observation_space, envs.action_space, n_envs=8, tries=4)
    rng = np.random.default_rng(0)
    for _ in range(2):
        for values in observations.values():
            by_song = values.reshape(2, 4, *values.shape[1:])
            np.testing.assert_array_equal(by_song, by_song[:, :1].repeat(4, axis=1))
        actions = rng.uniform(-0.5, 0.5, (8, *envs.action_space.shape)).astype(np.float32)
        following, rewards, over, _ = envs.step(actions)
        buffer.add(observations, actions, rewards, np.ones(8), torch.zeros(8), torch.zeros(8))
        observations = following
    rewards = buffer.rewards.copy()
    buffer.compute_returns_and_advantage(torch.zeros(8), over)
    others = (rewards.reshape(2, 2, 4).sum(axis=2, keepdims=True) - rewards.reshape(2, 2, 4)) / 3
    np.testing.assert_allclose(
        buffer.advantages.reshape(2, 2, 4), rewards.reshape(2, 2, 4) - others, atol=1e-6
    )
    np.random.seed(0)  # noqa: NPY002 (what the buffer draws from)
    batches = list(buffer.get(8))
    assert len(batches) == 2
    for batch in batches:
        stems = batch.observations["stems"].reshape(2, 4, -1)
        assert (stems == stems[:, :1]).all()
    told = torch.cat([batch.advantages for batch in batches])
    np.testing.assert_allclose(np.sort(told), np.sort(buffer.advantages.ravel()))
