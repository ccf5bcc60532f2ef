"""Learning by SAC, of Stable-Baselines3."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray
from stable_baselines3 import SAC
from stable_baselines3.common.buffers import DictReplayBuffer
from torch import Tensor

from ..envs.episodes import Episodes
from ..errors import MixgymError
from .between import Between
from .callbacks import NEVER, BetweenRollouts
from .checkpoint import generators, set_generators
from .environments import make_environment, network_sizes
from .gaussian import LOG_SQRT_2PI
from .network import Sizes, TrackSetNetwork
from .rollouts import TriedVecEnv
from .sac_policy import SetActor, TrackSetSacPolicy
from .settings import SacSettings

NOTED = {
    "critic_loss": "train/critic_loss",
    "actor_loss": "train/actor_loss",
    "entropy_weight": "train/ent_coef",
}
ARRAYS = ("actions", "rewards", "dones", "timeouts")  # of a replay buffer, beside observations


class SacLearner:
    """A `Learner` that follows a critic's gradients (Haarnoja et al. 2018).

    The replay buffer keeps observations and actions with rows for as many stems as any song has;
    actor and critic compute those that sound. It is part of the checkpoint.

    Args:
        settings: of the run.

    Raises:
        MixgymError: settings that do not fit, or songs that cannot be read.
    """

    def __init__(self, settings: SacSettings) -> None:
        self._settings = settings
        given = settings.sac
        envs = make_environment(settings.environment)
        if not envs.episodes.task.stems:
            raise MixgymError("SAC learns to mix stems here; name another environment.id.")
        self._envs = TriedVecEnv(envs, settings.environment.tries)
        self._sizes = network_sizes(envs.episodes, settings.policy)
        self._model = SAC(
            TrackSetSacPolicy,
            self._envs,
            learning_starts=0,
            replay_buffer_class=DictReplayBuffer,
            ent_coef=f"auto_{given.entropy_weight}",
            target_entropy=math.log(given.target_std) + 0.5 + LOG_SQRT_2PI,
            policy_kwargs={
                "sizes": self._sizes,
                "absolute": envs.episodes.options.control == "absolute",
                "initial_std": settings.policy.initial_std,
            },
            seed=settings.seed,
            device=settings.device,
            **given.model_dump(exclude={"entropy_weight", "target_std"}),
        )
        self._begun = False

    @property
    def _actor(self) -> SetActor:
        return cast(TrackSetSacPolicy, self._model.policy).actor

    @property
    def episodes(self) -> Episodes:
        """See `Learner`."""
        episodes: Episodes = self._envs.envs.episodes
        return episodes

    @property
    def network(self) -> TrackSetNetwork:
        """See `Learner`; the actor's."""
        return self._actor.network

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
        return self._settings.sac.train_freq * self._envs.num_envs

    def act(self, observations: dict[str, NDArray[np.float32]]) -> NDArray[np.float32]:
        """See `Learner`."""
        return self._actor.act(observations)

    def weights(self) -> Mapping[str, Tensor]:
        """See `Learner`; the actor's."""
        weights: Mapping[str, Tensor] = self._actor.state_dict()
        return weights

    def state(self) -> dict[str, Any]:
        """See `Learner`."""
        model = self._model
        assert model.log_ent_coef is not None
        return {
            "steps": model.num_timesteps,
            "updates": model._n_updates,
            "policy": model.policy.state_dict(),
            "optimizers": [optimizer.state_dict() for optimizer in self._optimizers],
            "entropy_weight": model.log_ent_coef.detach().clone(),
            "generators": generators(),
            "envs": self._envs.state(),
            "observations": model._last_obs,
            "starts": model._last_episode_starts,
            "replay": _kept(cast(DictReplayBuffer, model.replay_buffer)),
        }

    def restore(self, saved: Mapping[str, Any]) -> None:
        """See `Learner`."""
        model = self._model
        assert model.log_ent_coef is not None
        model.num_timesteps, model._n_updates = saved["steps"], saved["updates"]
        model.policy.load_state_dict(saved["policy"])
        for optimizer, state in zip(self._optimizers, saved["optimizers"], strict=True):
            optimizer.load_state_dict(state)
        model.log_ent_coef.data.copy_(saved["entropy_weight"])
        self._envs.restore(saved["envs"])
        model._last_obs, model._last_episode_starts = saved["observations"], saved["starts"]
        _refill(cast(DictReplayBuffer, model.replay_buffer), saved["replay"])
        set_generators(saved["generators"])
        self._begun = True

    def learn(self, between: Between) -> None:
        """See `Learner`."""
        self._model.set_logger(between.logger)
        left = self._settings.total_steps - self.steps
        if left > 0:
            callback = BetweenRollouts(self._model, between, NOTED, self._actor.mean_std)
            self._model.learn(left, callback, NEVER, reset_num_timesteps=not self._begun)

    @property
    def _optimizers(self) -> list[Any]:
        policy = cast(TrackSetSacPolicy, self._model.policy)
        return [policy.actor.optimizer, policy.critic.optimizer, self._model.ent_coef_optimizer]


def _kept(buffer: DictReplayBuffer) -> dict[str, Any]:
    """What a replay buffer holds, without what is still empty."""
    filled = buffer.size()
    return {
        "place": buffer.pos,
        "full": buffer.full,
        "before": {name: values[:filled] for name, values in buffer.observations.items()},
        "after": {name: values[:filled] for name, values in buffer.next_observations.items()},
        **{name: getattr(buffer, name)[:filled] for name in ARRAYS},
    }


def _refill(buffer: DictReplayBuffer, kept: Mapping[str, Any]) -> None:
    buffer.pos, buffer.full = kept["place"], kept["full"]
    filled = buffer.size()
    for name, values in kept["before"].items():
        buffer.observations[name][:filled] = values
    for name, values in kept["after"].items():
        buffer.next_observations[name][:filled] = values
    for name in ARRAYS:
        getattr(buffer, name)[:filled] = kept[name]
