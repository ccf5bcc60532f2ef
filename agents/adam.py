"""What learners by Adam have in common: batches by number, a step of Adam for each."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, Generic, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from stable_baselines3.common.utils import get_device
from torch import Tensor

from ..envs.episodes import Episodes
from .between import Between
from .environments import network_sizes
from .hyperparameters import Adam, Schedule
from .load import NETWORK
from .network import Sizes, TrackSetNetwork, act
from .settings import Settings

Batch = TypeVar("Batch")


class AdamLearner(ABC, Generic[Batch]):
    """A `Learner` that takes steps of Adam (Kingma and Ba, 2015), but for what it learns.

    What is in a batch depends on the seed and on its number alone, so that the network, Adam's
    moments and the steps taken are all that decides how a run goes on.

    Args:
        settings: of the run.
        given: how Adam steps.
        episodes: in which one action sets everything.
    """

    def __init__(self, settings: Settings, given: Adam, episodes: Episodes) -> None:
        self._settings, self._given, self._episodes = settings, given, episodes
        self._device = get_device(settings.device)
        self._sizes = network_sizes(episodes, settings.policy)
        torch.manual_seed(settings.seed)
        self._network = TrackSetNetwork(self._sizes).to(self._device)
        self._adam = torch.optim.Adam(self._network.parameters())
        self._steps = 0

    @abstractmethod
    def _batch(self, number: int) -> Batch:
        """What is learned from in the update of that number; called in another thread."""

    @abstractmethod
    def _descend(self, batch: Batch) -> dict[str, float]:
        """Add up the gradients of what is to become small; columns of the row of progress."""

    @property
    def episodes(self) -> Episodes:
        """See `Learner`."""
        return self._episodes

    @property
    def network(self) -> TrackSetNetwork:
        """See `Learner`."""
        return self._network

    @property
    def sizes(self) -> Sizes:
        """See `Learner`."""
        return self._sizes

    @property
    def steps(self) -> int:
        """See `Learner`; a song of a batch."""
        return self._steps

    @property
    def stride(self) -> int:
        """See `Learner`."""
        return self._given.batch_size

    def act(self, observations: dict[str, NDArray[np.float32]]) -> NDArray[np.float32]:
        """See `Learner`."""
        return act(self._network, observations, absolute=True)

    def weights(self) -> Mapping[str, Tensor]:
        """See `Learner`."""
        return {f"{NETWORK}{name}": value for name, value in self._network.state_dict().items()}

    def state(self) -> dict[str, Any]:
        """See `Learner`."""
        return {
            "steps": self._steps,
            "network": self._network.state_dict(),
            "adam": self._adam.state_dict(),
        }

    def restore(self, saved: Mapping[str, Any]) -> None:
        """See `Learner`."""
        self._steps = saved["steps"]
        self._network.load_state_dict(saved["network"])
        self._adam.load_state_dict(saved["adam"])

    def learn(self, between: Between) -> None:
        """See `Learner`; the next batch is made ready while one is learned from."""
        row = None
        with ThreadPoolExecutor(1) as ahead:
            coming: Future[Batch] | None = None
            while self._steps < self._settings.total_steps:
                between(row)
                if between.ended_early:
                    return
                batch = (coming or ahead.submit(self._batch, self._number)).result()
                more = self._steps + self.stride < self._settings.total_steps
                coming = ahead.submit(self._batch, self._number + 1) if more else None
                row = self._update(batch)
        between(row, last=True)

    @property
    def _number(self) -> int:
        """Of the batch to be learned from next."""
        return self._steps // self.stride

    def _update(self, batch: Batch) -> dict[str, float]:
        """One step of Adam; its row of progress."""
        rate = self._rate()
        self._adam.param_groups[0]["lr"] = rate
        self._adam.zero_grad()
        row = self._descend(batch)
        norm = torch.nn.utils.clip_grad_norm_(self._network.parameters(), self._given.max_grad_norm)
        self._adam.step()
        self._steps += self.stride
        return {**row, "gradient_norm": float(norm), "learning_rate": rate}

    def _rate(self) -> float:
        """Adam's, for the step that is to be taken."""
        return scheduled(self._given, self._steps, self.stride, self._settings.total_steps)


def scheduled(given: Schedule, taken: int, stride: int, total: int) -> float:
    """Adam's rate for a step that is to be taken.

    Args:
        given: how fast.
        taken: steps before.
        stride: steps that it takes.
        total: of all.
    """
    cosine = 0.5 * (1.0 + math.cos(math.pi * taken / total))
    warm = min(1.0, (taken + stride) / max(given.warm_up_steps, 1))
    return given.learning_rate * warm * (given.final_share + (1.0 - given.final_share) * cosine)
