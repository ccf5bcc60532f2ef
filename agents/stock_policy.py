"""Stable-Baselines3's own policy, to hold the track-set policy against."""

from __future__ import annotations

from typing import Any

import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray
from stable_baselines3.common.policies import MultiInputActorCriticPolicy
from stable_baselines3.common.type_aliases import Schedule

from ..errors import MixgymError

STOCK = "stock"  # what files of weights call its encoder


class StockPolicy(MultiInputActorCriticPolicy):  # type: ignore[misc]
    """Two layers over all of an observation in one row, actions about the middle of their ranges.

    It knows neither that stems are a set nor that a console has a neutral position, and it mixes as
    many stems as its environment has rows, at most.

    Args:
        observation_space, action_space: of the environment.
        lr_schedule: learning rate by progress remaining.
        width: of the layers.
        initial_std: of actions, where parameters range from -1 to 1.
        **others: as of Stable-Baselines3's own policies.
    """

    action_space: spaces.Box

    def __init__(
        self,
        observation_space: spaces.Dict,
        action_space: spaces.Box,
        lr_schedule: Schedule,
        *,
        width: int,
        initial_std: float,
        **others: Any,
    ) -> None:
        super().__init__(
            observation_space,
            action_space,
            lr_schedule,
            net_arch=[width, width],
            log_std_init=float(np.log(initial_std)),
            **others,
        )

    def mean_std(self) -> float:
        """Mean standard deviation of all actions."""
        return float(self.log_std.detach().exp().mean())

    def act(self, observations: dict[str, NDArray[np.float32]]) -> NDArray[np.float32]:
        """Means within [-1, 1], (batch, *action), for songs of no more stems than it has rows for.

        Raises:
            MixgymError: a song has more.
        """
        mask, rows = observations.get("mask"), self.action_space.shape[0]
        if mask is None:
            return self._means(observations)
        shared = observations["settings"].shape[1] - mask.shape[1]
        missing = rows - shared - mask.shape[1]
        if missing < 0:
            raise MixgymError(
                f"The stock policy has room for {rows - shared} stems, and a song has "
                f"{mask.shape[1]}: raise environment.arguments.max_stems."
            )
        padded = {
            "stems": _padded(observations["stems"], mask.shape[1], missing),
            "mask": _padded(mask, mask.shape[1], missing),
            "mix": observations["mix"],
            "settings": _padded(observations["settings"], mask.shape[1], missing),
        }
        means = self._means(padded)
        return np.delete(means, np.s_[mask.shape[1] : mask.shape[1] + missing], axis=1)

    def _means(self, observations: dict[str, NDArray[np.float32]]) -> NDArray[np.float32]:
        means: NDArray[np.float32] = self.predict(observations, deterministic=True)[0]
        return means


def _padded(values: NDArray[np.float32], behind: int, missing: int) -> NDArray[np.float32]:
    """Zeros in rows that a song lacks, after so many of the second axis."""
    zeros = np.zeros((len(values), missing, *values.shape[2:]), np.float32)
    return np.concatenate((values[:, :behind], zeros, values[:, behind:]), axis=1)
