"""All that decides how PPO goes on, taken between two rollouts."""

from __future__ import annotations

import random
from collections.abc import Mapping
from typing import Any, TypedDict

import numpy as np
import torch
from stable_baselines3 import PPO

from .rollouts import TriedVecEnv


class State(TypedDict):
    """PPO between two rollouts.

    Attributes:
        steps, updates: taken so far.
        policy, optimizer: their state.
        generators: states of the global generators.
        envs: the environments, pickled: settings, songs and generators of every episode.
        observations, starts: what the next rollout begins with.
    """

    steps: int
    updates: int
    policy: dict[str, Any]
    optimizer: dict[str, Any]
    generators: dict[str, Any]
    envs: bytes
    observations: Any
    starts: Any


def state(model: PPO) -> State:
    """Of a model between two rollouts."""
    return State(
        steps=model.num_timesteps,
        updates=model._n_updates,
        policy=model.policy.state_dict(),
        optimizer=model.policy.optimizer.state_dict(),
        generators=generators(),
        envs=_adapter(model).state(),
        observations=model._last_obs,
        starts=model._last_episode_starts,
    )


def generators() -> dict[str, Any]:
    """States of the global generators."""
    return {
        "torch": torch.get_rng_state(),
        "cuda": torch.cuda.get_rng_state_all(),
        "numpy": np.random.get_state(),  # noqa: NPY002 (what Stable-Baselines3 draws from)
        "python": random.getstate(),
    }


def set_generators(states: Mapping[str, Any]) -> None:
    """Bring the global generators to where they were."""
    torch.set_rng_state(states["torch"])
    torch.cuda.set_rng_state_all(states["cuda"])
    np.random.set_state(states["numpy"])  # noqa: NPY002
    random.setstate(states["python"])


def restore(model: PPO, saved: State) -> None:
    """Bring a model that was made from the same settings to where it was."""
    model.policy.load_state_dict(saved["policy"])
    model.policy.optimizer.load_state_dict(saved["optimizer"])
    model.num_timesteps, model._n_updates = saved["steps"], saved["updates"]
    model._last_obs, model._last_episode_starts = saved["observations"], saved["starts"]
    _adapter(model).restore(saved["envs"])
    set_generators(saved["generators"])


def _adapter(model: PPO) -> TriedVecEnv:
    assert isinstance(model.env, TriedVecEnv)
    return model.env
