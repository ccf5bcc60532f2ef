"""Variants of PPO's exploration and reward; runs that begin with weights of fewer parameters."""

import json

import numpy as np
import pytest
import torch

from mixgym.agents.gaussian import MaskedGaussian
from mixgym.agents.rollouts import TriedVecEnv
from mixgym.agents.settings import read_settings
from mixgym.agents.train import train
from mixgym.envs.vector import MixingLevelsVectorEnv


def test_antithetic_tries_mirror_one_another():
    mean = torch.randn(6, 3, 2)
    cells = torch.rand(6, 3, 2) > 0.3
    distribution = MaskedGaussian(mean, torch.full((3, 2), -1.0), cells)
    torch.manual_seed(1)
    drawn = distribution.sample(antithetic=True)
    off = torch.where(cells, drawn - mean, 0.0)
    both = cells[::2] & cells[1::2]
    torch.testing.assert_close(off[::2][both], -off[1::2][both])
    assert (drawn[~cells] == 0).all()
    torch.manual_seed(1)
    many = MaskedGaussian(torch.zeros(20_000, 1), torch.tensor(-1.0), torch.ones(20_000, 1) > 0)
    assert float(many.sample(antithetic=True).std()) == pytest.approx(np.exp(-1.0), rel=0.03)


@pytest.mark.parametrize("shaped", [True, False])
def test_what_a_step_is_rewarded_by(songs, shaped):
    options = {"songs": str(songs[0]), "seconds": 4, "sample_rate": 24_000, "episode_steps": 3}
    envs = TriedVecEnv(MixingLevelsVectorEnv(2, **options), 2, shaped=shaped)
    envs.seed(0)
    envs.reset()
    first = envs.envs.episodes.scores()[0]
    rng = np.random.default_rng(0)
    rewards = []
    for _ in range(3):
        action = rng.uniform(-1, 1, envs.envs.action_space.shape).astype(np.float32)
        _, reward, over, infos = envs.step(action)
        rewards.append(reward)
    assert over.all()
    scores = np.array([info["score"] for info in infos])
    gains = [info["gain"] for info in infos]
    np.testing.assert_allclose(gains, scores - first, atol=1e-6)
    if shaped:
        np.testing.assert_allclose(np.sum(rewards, axis=0), gains, atol=1e-6)
    else:
        np.testing.assert_allclose(rewards, [[0, 0], [0, 0], scores], atol=1e-6)


def test_progress_tells_gains_whatever_is_rewarded(config, tmp_path):
    gains = []
    for shaped in (True, False):
        settings = read_settings(config({"environment": {"shaped": shaped}, "total_steps": 64}))
        train(settings, tmp_path / str(shaped))
        lines = (tmp_path / str(shaped) / "progress.csv").read_text().splitlines()
        gains.append(float(lines[1].split(",")[3]))
    assert gains[0] == gains[1]


def test_antithetic_tries_go_in_pairs(config, mixgym, tmp_path, check_sentence):
    odd = {"environment": {"tries": 1}, "policy": {"antithetic": True}}
    ran = mixgym("train", config(odd), "--out", tmp_path / "run")
    assert ran.status == 2
    check_sentence(ran.err, ["antithetic", "even"])
    even = config({"policy": {"antithetic": True}, "total_steps": 64})
    assert mixgym("train", even, "--out", tmp_path / "run", "--quiet").status == 0


def test_weights_of_fewer_parameters_give_the_same_mixes(
    config, mixgym, tmp_path, weights_of, check_sentence
):
    levels = {"total_steps": 128, "ppo": {"learning_rate": 0.01}}
    train(read_settings(config(levels)), tmp_path / "levels")
    start = tmp_path / "levels" / "last.npz"
    wide = {"environment": {"id": "mixgym/Mixing-v0"}, "total_steps": 64}
    path = config(wide)
    ran = mixgym("train", path, "--from", start, "--out", tmp_path / "all", "--quiet")
    assert ran.status == 0, ran.err

    def gains(run, place):
        return json.loads((run / "evaluations.jsonl").read_text().splitlines()[place])["gains"]

    before, after = gains(tmp_path / "levels", -1), gains(tmp_path / "all", 0)
    assert after == pytest.approx(before, abs=1e-5)
    assert any(abs(gain) > 1e-4 for gain in after.values())
    ran = mixgym("train", config(), "--from", tmp_path / "all/last.npz", "--out", tmp_path / "no")
    assert ran.status == 2
    check_sentence(ran.err, ["strip parameter width"])
