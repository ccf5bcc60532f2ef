"""Learning by PPO, of Stable-Baselines3."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray
from stable_baselines3 import PPO
from stable_baselines3.common.policies import MultiInputActorCriticPolicy
from torch import Tensor

from ..envs.episodes import Episodes
from . import checkpoint
from .between import Between
from .callbacks import NEVER, BetweenRollouts
from .environments import make_environment, network_sizes
from .network import Sizes, TrackSetNetwork
from .policy import TrackSetPolicy
from .rollouts import TriedRolloutBuffer, TriedVecEnv
from .settings import PpoSettings
from .stock_policy import STOCK, StockPolicy

NOTED = {
    "kl": "train/approx_kl",
    "clipped": "train/clip_fraction",
    "explained": "train/explained_variance",
    "value_loss": "train/value_loss",
}


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
        self._sizes = network_sizes(envs.episodes, settings.policy)
        kind: type[MultiInputActorCriticPolicy] = TrackSetPolicy
        options = self._options(envs.episodes)
        if settings.policy.kind == STOCK:
            kind = StockPolicy
            self._sizes = self._sizes.model_copy(update={"encoder": STOCK})
            options = settings.policy.model_dump(include={"width", "initial_std"})
        rate = ppo.learning_rate
        self._model = PPO(
            kind,
            TriedVecEnv(envs, tries, shaped=settings.environment.shaped),
            learning_rate=(lambda left: rate * max(left, 0.0)) if ppo.decay else rate,
            rollout_buffer_class=TriedRolloutBuffer,
            rollout_buffer_kwargs={"tries": tries},
            policy_kwargs=options,
            seed=settings.seed,
            device=settings.device,
            **ppo.model_dump(exclude={"learning_rate", "decay"}),
        )
        self._policy = cast(TrackSetPolicy | StockPolicy, self._model.policy)
        self._begun = False

    def _options(self, episodes: Episodes) -> dict[str, Any]:
        """Of the track-set policy."""
        given, one_look = self._settings, episodes.options.episode_steps == 1
        return {
            "sizes": self._sizes,
            "absolute": episodes.options.control == "absolute",
            "initial_std": given.policy.initial_std,
            "tries": given.environment.tries if one_look else 1,
            "antithetic": given.policy.antithetic,
            "mixed_precision": given.mixed_precision,
        }

    @property
    def episodes(self) -> Episodes:
        """See `Learner`."""
        episodes: Episodes = cast(TriedVecEnv, self._model.env).envs.episodes
        return episodes

    @property
    def network(self) -> TrackSetNetwork:
        """See `Learner`; the stock policy has none."""
        assert isinstance(self._policy, TrackSetPolicy)
        return self._policy.network

    @property
    def sizes(self) -> Sizes:
        """See `Learner`."""
        return self._sizes

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
            callback = BetweenRollouts(self._model, between, NOTED, self._policy.mean_std)
            self._model.learn(left, callback, NEVER, reset_num_timesteps=not self._begun)
