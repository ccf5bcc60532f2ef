"""Weights as a mixer, without Stable-Baselines3 and Gymnasium."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray

from ..console.mix import Mix
from ..envs.episodes import Episodes
from ..envs.options import MASTERING, MIXING, EnvOptions
from ..errors import MixgymError
from .encoders import ENCODERS, PICTURED
from .network import TrackSetNetwork, act
from .pictures import observe
from .weights import About, read_weights

if TYPE_CHECKING:
    from ..rewards import Reward
    from ..songs import Song

NETWORK = "network."  # what the names of a network's weights begin with


class TrainedPolicy:
    """A policy that mixes, or one that masters.

    Args:
        path: weights of `mixgym train`.

    Attributes:
        about: the weights.

    Raises:
        MixgymError: the file holds no policy of these features and parameters.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._network, self.about = read_network(path)

    def mix(self, excerpt: Song, reward: Reward) -> Mix:
        """An excerpt's mix; a look at each step's mix is one evaluation in `simulate`.

        A track that its master would score below is left as it came, for no further evaluation
        than the last mix's own.

        Args:
            excerpt: from 1 to 600 s; a finished track, its only stem, where the policy masters.
            reward: what the policy is shown the mix through.

        Raises:
            MixgymError: a stem cannot be read, nothing sounds, or stems are given to a policy that
                masters.
        """
        about = self.about
        masters = not about.strip
        if masters and len(excerpt.stems) > 1:
            raise MixgymError(
                f"{self.path} masters finished tracks, and {excerpt.title!r} has "
                f"{len(excerpt.stems)} stems: mix them first."
            )
        options = EnvOptions(
            songs=excerpt,
            seconds=excerpt.frames / excerpt.sample_rate,
            sample_rate=excerpt.sample_rate,
            reward=reward,
            control=about.control,
            step_size=about.step_size,
            episode_steps=about.episode_steps,
            strip_parameters=None if masters else about.strip,
            bus_parameters=None if masters else about.buses,
            master_parameters=about.master,
        )
        episodes = Episodes(MASTERING if masters else MIXING, options, 1)
        episodes.begin(np.array([0]), [0], [None])
        neutral, before = episodes.physical(0), episodes.scores()[0][0]
        for _ in range(about.episode_steps):
            episodes.step(self.act(observe(episodes, about.sizes.encoder in PICTURED)))
        worse = masters and episodes.scores()[0][0] < before
        set_to, stems = neutral if worse else episodes.physical(0), len(excerpt.stems)
        return replace(
            Mix.neutral(excerpt),
            strips=set_to.strips[0, :stems],
            buses=set_to.buses[0],
            master=set_to.master[0],
            made_by=f"policy {self.path.name}",
        )

    def act(self, observations: dict[str, NDArray[np.float32]]) -> NDArray[np.float32]:
        """The mean action for a batch of an environment's observations, (batch, *action)."""
        return act(self._network, observations, self.about.control == "absolute")


def load_policy(path: Path) -> Callable[[Song, Reward], Mix]:
    """A mixer that asks a policy: `mixer(excerpt, reward)`; errors as `TrainedPolicy`."""
    return TrainedPolicy(path).mix


def read_network(path: Path) -> tuple[TrackSetNetwork, About]:
    """The network of a policy, and what it was trained on; errors as `TrainedPolicy`."""
    arrays, about = read_weights(path)
    weights = {
        name.removeprefix(NETWORK): torch.from_numpy(array)
        for name, array in arrays.items()
        if name.startswith(NETWORK)
    }
    if about.sizes.encoder not in ENCODERS:
        raise MixgymError(
            f"{path} holds a policy that was trained to compare with alone; name another."
        )
    try:
        with torch.device("meta"):  # nothing is allocated for sizes that the weights do not have
            network = TrackSetNetwork(about.sizes)
        network.load_state_dict(weights, assign=True)
    except (RuntimeError, KeyError) as error:
        raise MixgymError(f"{path} holds weights that do not fit; train it again.") from error
    return network.eval(), about
