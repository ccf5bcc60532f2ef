"""Learning by PPO, of Stable-Baselines3."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray
from stable_baselines3 import PPO
from torch import Tensor

from ..envs.episodes import Episodes
from . import checkpoint
from .between import Between
from .callbacks import BetweenRollouts
from .environments import make_environment, network_sizes
from .network import TrackSetNetwork
from .policy import TrackSetPolicy
from .rollouts import TriedRolloutBuffer, TriedVecEnv
from .settings import PpoSettings

NEVER = 2**62  # rollouts between two logs of Stable-Baselines3; `Between` writes its own


class PpoLearner:
    """A `Learner` that tries actions out.

    Args:
        settings: of the run.

    Raises:
        MixgymError: settings that do not fit, or songs that cannot be read.
    """

    def __init__(self, settings: PpoSettings) -> None:
        self._settings = settings
        ppo, tries = settings.ppo, settings.environment.tries
        envs = make_environment(settings.environment)
        one_look = envs.episodes.options.episode_steps == 1
        rate = ppo.learning_rate
        self._model = PPO(
            TrackSetPolicy,
            TriedVecEnv(envs, tries),
            learning_rate=(lambda left: rate * max(left, 0.0)) if ppo.decay else rate,
            rollout_buffer_class=TriedRolloutBuffer,
            rollout_buffer_kwargs={"tries": tries},
            policy_kwargs={
                "sizes": network_sizes(envs.episodes, settings.policy),
                "absolute": envs.episodes.options.control == "absolute",
                "initial_std": settings.policy.initial_std,
                "tries": tries if one_look else 1,
                "mixed_precision": settings.mixed_precision,
            },
            seed=settings.seed,
            device=settings.device,
            **ppo.model_dump(exclude={"learning_rate", "decay"}),
        )
        self._policy = cast(TrackSetPolicy, self._model.policy)
        self._begun = False

    @property
    def episodes(self) -> Episodes:
        """See `Learner`."""
        episodes: Episodes = cast(TriedVecEnv, self._model.env).envs.episodes
        return episodes

    @property
    def network(self) -> TrackSetNetwork:
        """See `Learner`."""
        return self._policy.network

    @property
    def steps(self) -> int:
        """See `Learner`."""
        return self._model.num_timesteps

    @property
    def stride(self) -> int:
        """See `Learner`."""
        return self._model.n_steps * self._model.n_envs

    def act(self, observations: dict[str, NDArray[np.float32]]) -> NDArray[np.float32]:
        """See `Learner`."""
        return self._policy.act(observations)

    def weights(self) -> Mapping[str, Tensor]:
        """See `Learner`; deviations too."""
        weights: Mapping[str, Tensor] = self._policy.state_dict()
        return weights

    def state(self) -> dict[str, Any]:
        """See `Learner`."""
        return dict(checkpoint.state(self._model))

    def restore(self, saved: Mapping[str, Any]) -> None:
        """See `Learner`."""
        checkpoint.restore(self._model, cast(checkpoint.State, saved))
        self._begun = True

    def learn(self, between: Between) -> None:
        """See `Learner`."""
        self._model.set_logger(between.logger)
        left = self._settings.total_steps - self.steps
        if left > 0:
            callback = BetweenRollouts(self._model, between)
            self._model.learn(left, callback, NEVER, reset_num_timesteps=not self._begun)
