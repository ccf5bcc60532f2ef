"""Several tries at each song, each held against the others.

A reward is one number for some 250 settings at once, and songs differ in how much they can gain by
more than one action differs from the next. A value function has to learn that from features; the
mean of other tries at the same song knows it (leave-one-out baseline: Kool et al. 2019). What the
tries have in common need not be computed more than once either.
"""

from __future__ import annotations

import pickle
from collections.abc import Generator
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from stable_baselines3.common.buffers import DictRolloutBuffer
from stable_baselines3.common.type_aliases import DictRolloutBufferSamples

from ..envs.sb3 import SB3VecEnv
from ..envs.vector import Observations


class TriedVecEnv(SB3VecEnv):
    """Neighbours play the same songs in the same order.

    Args:
        envs: as `SB3VecEnv`, with episodes of one length.
        tries: how many neighbours.
        shaped: whether a reward is what a mix gained by a step; else the last step's is the score
            of the mix, and the others' are 0.
    """

    def __init__(self, envs: Any, tries: int, *, shaped: bool = True) -> None:
        super().__init__(envs)
        self.tries, self.shaped = tries, shaped
        self._gained = np.zeros(self.num_envs)

    def state(self) -> bytes:
        """All that decides how the episodes go on, pickled."""
        return pickle.dumps((self.envs, self._gained))

    def restore(self, state: bytes) -> None:
        """Go on from a state."""
        self.envs, self._gained = pickle.loads(state)

    def reset(self) -> Observations:
        """Begin all episodes."""
        self._gained[:] = 0.0
        return super().reset()

    def step_wait(self) -> tuple[Observations, NDArray[np.float32], NDArray[np.bool_], list[Any]]:
        """Carry the actions out; a last step's info tells by `gain` what its episode gained."""
        observations, rewards, over, infos = super().step_wait()
        self._gained += rewards
        for place in np.flatnonzero(over).tolist():
            infos[place]["gain"] = float(self._gained[place])
        self._gained[over] = 0.0
        if not self.shaped:
            rewards = np.array([info.get("score", 0.0) for info in infos], np.float32)
        return observations, rewards, over, infos

    def seed(self, seed: int | None = None) -> list[int | None]:
        """Seeds for the next reset, equal among neighbours."""
        start = int(np.random.default_rng().integers(2**31)) if seed is None else seed
        self._seeds = [start + i // self.tries for i in range(self.num_envs)]
        return self._seeds


class TriedRolloutBuffer(DictRolloutBuffer):  # type: ignore[misc]
    """Advantages less those of the other tries; minibatches that keep tries together.

    Args:
        tries: how many neighbours play the same songs; 1 is a plain buffer.
        *others, **options: as of Stable-Baselines3's own.
    """

    def __init__(self, *others: Any, tries: int = 1, **options: Any) -> None:
        self.tries = tries
        super().__init__(*others, **options)

    def compute_returns_and_advantage(
        self, last_values: torch.Tensor, dones: NDArray[np.bool_]
    ) -> None:
        """Generalised advantages, less the mean of the other tries'."""
        super().compute_returns_and_advantage(last_values, dones)
        if self.tries > 1:
            by_song = self.advantages.reshape(self.buffer_size, -1, self.tries)
            apart = by_song - by_song.mean(axis=2, keepdims=True)
            apart *= self.tries / (self.tries - 1)
            self.advantages = apart.reshape(self.advantages.shape)

    def get(  # type: ignore[override]
        self, batch_size: int | None = None
    ) -> Generator[DictRolloutBufferSamples, None, None]:
        """Minibatches in random order, neighbours next to each other.

        Args:
            batch_size: a multiple of `tries`.
        """
        if not self.generator_ready:
            for name, values in self.observations.items():
                self.observations[name] = values.reshape(-1, *values.shape[2:])
            for name in ("actions", "values", "log_probs", "advantages", "returns"):
                values = getattr(self, name)
                setattr(self, name, values.reshape(-1, *values.shape[2:]))
            self.generator_ready = True
        samples = self.buffer_size * self.n_envs
        order = np.random.permutation(samples // self.tries)  # noqa: NPY002 (seeded by PPO)
        order = (order[:, None] * self.tries + np.arange(self.tries)).reshape(-1)
        for start in range(0, samples, batch_size or samples):
            yield self._get_samples(order[start : start + (batch_size or samples)])
