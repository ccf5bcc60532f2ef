"""SAC and the stock policy: that they run, go on where they ended, and what they cannot do."""

import numpy as np
import pytest
import torch

from mixgym.agents.environments import make_environment, network_sizes
from mixgym.agents.load import load_policy
from mixgym.agents.run_folder import RunFolder
from mixgym.agents.sac_policy import SetActor, SetCritic
from mixgym.agents.settings import SacSettings, read_settings
from mixgym.agents.train import train
from mixgym.errors import MixgymError
from mixgym.rewards import load_reward
from mixgym.songs import read_song


@pytest.fixture
def settings(short_run):
    """What a tiny run's YAML file holds."""
    return {
        **short_run,
        "algorithm": "sac",
        "environment": {**short_run["environment"], "count": 4},
        "sac": {"buffer_size": 100, "batch_size": 8, "train_freq": 2, "gradient_steps": 2},
        "validation": {**short_run["validation"], "every": 40},
        "total_steps": 160,
        "checkpoint_every": 40,
    }


@pytest.fixture
def stock(settings):
    """What makes the same a run of PPO with the stock policy."""
    del settings["sac"]
    return {
        "algorithm": "ppo",
        "ppo": {"n_steps": 4, "batch_size": 8, "n_epochs": 1},
        "environment": {"tries": 2, "arguments": {"max_stems": 6}},
        "policy": {"kind": "stock"},
    }


@pytest.mark.parametrize(
    "changed", [{}, {"control": "delta", "episode_steps": 3}], ids=["one look", "three moves"]
)
def test_sac_goes_on_to_the_same_weights(config, tmp_path, goes_on, changed):
    path = config({"environment": {"arguments": changed}})
    assert goes_on(read_settings(path), 7).steps > 0
    gains = [validated.gains for validated in RunFolder(tmp_path / "whole").validations()]
    assert list(gains[0].values()) == pytest.approx([0.0] * 3, abs=1e-6)
    assert gains[-1] != gains[0]


def test_sac_leaves_a_mixer(config, tmp_path, songs):
    train(read_settings(config({"total_steps": 40})), tmp_path / "run")
    mixer = load_policy(tmp_path / "run" / "last.npz")
    with read_song(sorted(songs[1].iterdir())[0]) as song:
        assert mixer(song, load_reward()).strips.shape[0] == 5


def test_absent_stems_and_unused_cells_change_nothing(config):
    settings = read_settings(config())
    assert isinstance(settings, SacSettings)
    episodes = make_environment(settings.environment).episodes
    episodes.begin(np.arange(4), [0, 1, 2, 3], [None] * 4)
    seen = {name: torch.from_numpy(values) for name, values in episodes.observe().items()}
    sizes = network_sizes(episodes, settings.policy)
    torch.manual_seed(0)
    critic = SetCritic(sizes)
    for network in critic.networks:
        torch.nn.init.normal_(network.value_head.weight)
    actions = torch.rand(4, *episodes.action_mask.shape) * 2 - 1
    values = critic(seen, actions.flatten(1))
    assert len(values) == 2 and values[0].shape == (4, 1)
    assert not torch.equal(values[0], values[1])
    more = {
        "stems": torch.nn.functional.pad(seen["stems"], (0, 0, 0, 2), value=7.0),
        "mask": torch.nn.functional.pad(seen["mask"], (0, 2)),
        "mix": seen["mix"],
        "settings": torch.cat(
            (seen["settings"][:, :4], torch.ones(4, 2, 20), seen["settings"][:, 4:]), dim=1
        ),
    }
    wider = torch.cat((actions[:, :4], torch.ones(4, 2, 20), actions[:, 4:]), dim=1)
    torch.testing.assert_close(critic(more, wider.flatten(1)), values)
    unused = actions.clone()
    unused[:, torch.from_numpy(~episodes.action_mask)] = 0.3
    torch.testing.assert_close(critic(seen, unused.flatten(1)), values)
    other = actions.clone()
    other[:, 0, 0] = -other[:, 0, 0]
    assert not torch.allclose(critic(seen, other.flatten(1))[0], values[0])


def test_an_actor_tells_probabilities_per_cell(config):
    settings = read_settings(config())
    envs = make_environment(settings.environment)
    actor = SetActor(
        envs.single_observation_space,
        envs.single_action_space,
        lambda left: 0.0,
        sizes=network_sizes(envs.episodes, settings.policy),
        absolute=True,
        initial_std=0.05,
    )
    envs.reset(seed=0)
    seen = {n: torch.from_numpy(v).repeat(50, *[1] * (v.ndim - 1))
            for n, v in envs.episodes.observe().items()}  # fmt: skip
    torch.manual_seed(0)
    actions, log_prob = actor.action_log_prob(seen)
    assert actions.abs().max() <= 1.0
    entropy = np.log(0.05) + 0.5 * np.log(2 * np.pi * np.e)
    assert float(log_prob.detach().mean()) == pytest.approx(-entropy, abs=0.01)


def test_the_stock_policy_goes_on_and_is_for_comparison_alone(
    config, stock, tmp_path, goes_on, refused
):
    path = config(stock)
    assert goes_on(read_settings(path), 7).steps > 0
    assert RunFolder(tmp_path / "whole").validations()[-1].steps == 160
    with pytest.raises(MixgymError, match="to compare with alone"):
        load_policy(tmp_path / "whole" / "last.npz")
    words = ["policy.kind stock", "start"]
    start = tmp_path / "whole" / "last.npz"
    refused("train", path, "--from", start, "--out", tmp_path / "no", words=words)


def test_the_stock_policy_has_room_for_so_many_stems(config, stock, tmp_path, refused):
    stock["environment"]["arguments"]["max_stems"] = 4
    refused("train", config(stock), "--out", tmp_path / "run", words=["4 stems", "max_stems"])


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"sac": {"tau": 3}}, ["sac.tau", "3"]),
        ({"ppo": {"n_steps": 3}}, ["ppo"]),
        ({"environment": {"id": "mixgym/Mastering-v0"}}, ["environment.id"]),
    ],
)
def test_settings_that_cannot_be_used_are_refused(config, refused, tmp_path, changed, words):
    refused("train", config(changed), "--out", tmp_path / "run", words=words)
