"""The track-set network as a policy of Stable-Baselines3."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import torch
from gymnasium import spaces
from numpy.typing import NDArray
from stable_baselines3.common.policies import MultiInputActorCriticPolicy
from stable_baselines3.common.type_aliases import Schedule
from torch import Tensor, nn

from .gaussian import MaskedGaussian, held
from .network import Sizes, TrackSetNetwork, look

STD_RATE = 10.0  # how much faster than weights the logarithms of deviations learn
Observed = Any  # dict[str, Tensor]; the methods of the base class call it different names


class TrackSetPolicy(MultiInputActorCriticPolicy):  # type: ignore[misc]
    """A policy for all environments, whatever their `max_stems`.

    The mean is where the settings stand plus what the network says ("absolute" control), or what
    it says alone ("delta"), held within [-1, 1]: before any training a mix is left as it is. One
    standard deviation for each parameter, which all stems share. Parameters of absent stems, and
    cells that set nothing, have no density, no entropy and the action 0.

    Args:
        observation_space, action_space: of the environment.
        lr_schedule: learning rate by progress remaining.
        sizes: of the network.
        absolute: whether actions are settings.
        initial_std: of actions, where parameters range from -1 to 1.
        tries: how many neighbours in a batch have the same observation, which is then looked at
            once; 1 where none need have.
        antithetic: whether every second of a batch's actions is the one before it mirrored about
            the mean.
        mixed_precision: compute the network in bfloat16, on CUDA alone.
        **others: as of Stable-Baselines3's own policies.
    """

    def __init__(
        self,
        observation_space: spaces.Dict,
        action_space: spaces.Box,
        lr_schedule: Schedule,
        *,
        sizes: Sizes,
        absolute: bool,
        initial_std: float = 0.1,
        tries: int = 1,
        antithetic: bool = False,
        mixed_precision: bool = False,
        **others: Any,
    ) -> None:
        self._sizes, self._absolute, self._tries = sizes, absolute, tries
        self._antithetic = antithetic
        self._initial_std, self._mixed_precision = initial_std, mixed_precision
        super().__init__(observation_space, action_space, lr_schedule, **others)

    def _build(self, lr_schedule: Schedule) -> None:
        sizes = self._sizes
        self.network = TrackSetNetwork(sizes)
        start = math.log(self._initial_std) / STD_RATE
        self.strip_deviation = nn.Parameter(torch.full((sizes.strip,), start))
        self.bus_deviation = nn.Parameter(torch.full((sizes.bus,), start))
        self.optimizer = self.optimizer_class(
            self.parameters(),
            lr=lr_schedule(1),  # type: ignore[call-arg]
            **self.optimizer_kwargs,
        )

    @property
    def strip_log_std(self) -> Tensor:
        """Logarithms of the standard deviations of a stem's parameters, (parameters,)."""
        return STD_RATE * self.strip_deviation

    def mean_std(self) -> float:
        """Mean standard deviation of a stem's parameters; of the master's without stems."""
        deviation = self.strip_deviation if len(self.strip_deviation) else self.bus_deviation
        return float((STD_RATE * deviation.detach()).exp().mean())

    def forward(self, obs: Observed, deterministic: bool = False) -> tuple[Tensor, Tensor, Tensor]:
        """Actions (batch, *action), values and log-probabilities, (batch,)."""
        distribution, values = self._look(obs, self._tries)
        actions = distribution.mode() if deterministic else distribution.sample(self._antithetic)
        return actions, values, distribution.log_prob(actions)

    def evaluate_actions(self, obs: Observed, actions: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Values, log-probabilities and entropies, (batch,), of actions (batch, cells)."""
        distribution, values = self._look(obs, self._tries)
        actions = actions.view_as(distribution.mean)
        return values, distribution.log_prob(actions), distribution.entropy()

    def get_distribution(  # type: ignore[override]
        self, obs: Observed
    ) -> MaskedGaussian:
        """Of actions."""
        return self._look(obs, 1)[0]

    def predict_values(self, obs: Observed) -> Tensor:
        """What mixes can still gain, (batch,)."""
        return self._look(obs, 1)[1]

    def act(self, observations: dict[str, NDArray[np.float32]]) -> NDArray[np.float32]:
        """Means, (batch, *action), for songs of any number of stems.

        `predict` gives the same, but takes the environment's own shape only.
        """
        seen = {
            name: torch.as_tensor(obs, device=self.device) for name, obs in observations.items()
        }
        with torch.no_grad():
            means: NDArray[np.float32] = self.get_distribution(seen).mode().cpu().numpy()
        return means

    def _look(self, obs: Observed, tries: int) -> tuple[MaskedGaussian, Tensor]:
        once = {name: values[::tries] for name, values in obs.items()}
        kind = self.device.type
        with torch.autocast(kind, torch.bfloat16, self._mixed_precision and kind == "cuda"):
            mean, cells, values = look(self.network, once, self._absolute)
        mean, values = held(mean), values.float()
        if tries > 1:
            mean, cells, values = (
                part.repeat_interleave(tries, dim=0) for part in (mean, cells, values)
            )
        return MaskedGaussian(mean, self._log_std(mean.shape[1]), cells), values

    def _log_std(self, rows: int) -> Tensor:
        """By cell, (rows, columns); of the master alone, (columns,)."""
        sizes = self._sizes
        if not sizes.strip:
            return STD_RATE * self.bus_deviation
        columns = max(sizes.strip, sizes.bus)
        stems = rows - (sizes.bus > 0)
        by_stem = nn.functional.pad(self.strip_log_std, (0, columns - sizes.strip))
        by_bus = nn.functional.pad(STD_RATE * self.bus_deviation, (0, columns - sizes.bus))
        return torch.cat((by_stem.expand(stems, -1), by_bus.expand(rows - stems, -1)))
