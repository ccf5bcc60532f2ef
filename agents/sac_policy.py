"""The track-set network as actor and critic of Stable-Baselines3's SAC."""

from __future__ import annotations

from typing import Any, cast

import torch
from gymnasium import spaces
from stable_baselines3.common.torch_layers import BaseFeaturesExtractor, CombinedExtractor
from stable_baselines3.common.type_aliases import Schedule
from stable_baselines3.sac.policies import SACPolicy
from torch import Tensor, nn

from .gaussian import held
from .network import Seen, Sizes, TrackSetNetwork
from .policy import Observed, TrackSetPolicy

CRITICS = 2


class SetActor(TrackSetPolicy):
    """Acts as the policy of PPO does, clipped rather than squashed; see `gaussian.held`."""

    def forward(self, obs: Observed, deterministic: bool = False) -> Tensor:  # type: ignore[override]
        """Actions, (batch, cells)."""
        return held(self.get_distribution(obs).get_actions(deterministic)).flatten(1)

    def action_log_prob(self, obs: Observed) -> tuple[Tensor, Tensor]:
        """Actions (batch, cells), and their log-probabilities per cell that is there, (batch,).

        Per cell, so that one entropy can be aimed at whatever the number of stems.
        """
        distribution = self.get_distribution(obs)
        actions = distribution.sample()
        cells = distribution.cells.flatten(1).sum(dim=1).clamp_min(1)
        return held(actions).flatten(1), distribution.log_prob(actions) / cells


class SetCritic(nn.Module):
    """What mixes can gain by actions; stems with their actions are a set like any other.

    Args:
        sizes: of the actor's network.
    """

    def __init__(self, sizes: Sizes) -> None:
        super().__init__()
        self.sizes = sizes
        wider = {"stem": sizes.stem + sizes.strip, "mix": sizes.mix + sizes.bus}
        shape = sizes.model_copy(update=wider)
        self.networks = nn.ModuleList(TrackSetNetwork(shape) for _ in range(CRITICS))

    def forward(self, obs: Observed, actions: Tensor) -> tuple[Tensor, ...]:
        """From actions (batch, cells) to as many values (batch, 1) as there are critics."""
        strip, bus = self.sizes.strip, self.sizes.bus
        settings, mask = obs["settings"], obs["mask"]
        rows, stems = actions.view_as(settings), mask.shape[1]
        seen = Seen(
            torch.cat((obs["stems"], rows[:, :stems, :strip]), dim=2),
            mask,
            torch.cat((obs["mix"], rows[:, stems:, :bus].flatten(1)), dim=1),
            settings[:, :stems, :strip],
            settings[:, stems:, :bus].flatten(1),
        )
        return tuple(network(seen).value[:, None] for network in self.networks)

    def set_training_mode(self, mode: bool) -> None:
        """As of Stable-Baselines3's own models."""
        self.train(mode)


class TrackSetSacPolicy(SACPolicy):  # type: ignore[misc]
    """SAC's policy of a `SetActor` and a `SetCritic`.

    Args:
        observation_space, action_space: of the environment.
        lr_schedule: learning rate by progress remaining.
        sizes: of the network.
        absolute: whether actions are settings.
        initial_std: of actions, where parameters range from -1 to 1.
        **others: as of Stable-Baselines3's own policies.
    """

    actor: SetActor  # type: ignore[assignment]
    critic: SetCritic  # type: ignore[assignment]
    critic_target: SetCritic  # type: ignore[assignment]

    def __init__(
        self,
        observation_space: spaces.Dict,
        action_space: spaces.Box,
        lr_schedule: Schedule,
        *,
        sizes: Sizes,
        absolute: bool,
        initial_std: float,
        **others: Any,
    ) -> None:
        self._sizes, self._absolute, self._initial_std = sizes, absolute, initial_std
        super().__init__(
            observation_space,
            action_space,
            lr_schedule,
            features_extractor_class=CombinedExtractor,
            **others,
        )

    def make_actor(  # type: ignore[override]
        self, features_extractor: BaseFeaturesExtractor | None = None
    ) -> SetActor:
        """As of Stable-Baselines3, which gives it another optimizer."""
        actor = SetActor(
            cast(spaces.Dict, self.observation_space),
            cast(spaces.Box, self.action_space),
            lambda left: 0.0,
            sizes=self._sizes,
            absolute=self._absolute,
            initial_std=self._initial_std,
        )
        return actor.to(self.device)

    def make_critic(  # type: ignore[override]
        self, features_extractor: BaseFeaturesExtractor | None = None
    ) -> SetCritic:
        """As of Stable-Baselines3."""
        return SetCritic(self._sizes).to(self.device)
