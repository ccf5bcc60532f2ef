"""What a policy gains on songs that it does not learn from."""

from __future__ import annotations

from typing import NamedTuple, Protocol

import numpy as np
import torch
from numpy.typing import NDArray

from ..envs.episodes import Episodes
from .costs import Costs
from .pictures import observe

Observations = dict[str, NDArray[np.float32]]


class Actor(Protocol):
    """Anything that acts on a batch of observations."""

    def __call__(self, observations: Observations) -> NDArray[np.float32]:
        """Actions, (batch, *action)."""
        ...


class Validated(NamedTuple):
    """A song's score, how much it is above equal loudness, and what its mix cost."""

    score: float
    gain: float
    paid: float


NOTHING = Costs({}, ())


def validate(
    episodes: Episodes, act: Actor, costs: Costs = NOTHING, *, pictured: bool = False
) -> dict[str, Validated]:
    """Play every song once.

    Args:
        episodes: one for each song; begun anew.
        act: what plays.
        costs: what it pays for settings, which score and gain leave out.
        pictured: whether it looks at pictures.

    Returns:
        By title.

    Raises:
        MixgymError: a song cannot be read.
    """
    places = np.arange(episodes.count)
    episodes.begin(places, places.tolist(), [None] * episodes.count)
    start = episodes.scores()[0]
    paid = np.zeros(episodes.count)
    for _ in range(episodes.options.episode_steps):
        observations = observe(episodes, pictured)
        actions = act(observations)
        paid += _paid(costs, actions, observations)
        episodes.step(actions)
    scores = episodes.scores()[0]
    titles = episodes.repertoire.titles[: episodes.count]
    found = zip(scores.tolist(), (scores - start).tolist(), paid.tolist(), strict=True)
    return {title: Validated(*row) for title, row in zip(titles, found, strict=True)}


def _paid(
    costs: Costs, actions: NDArray[np.float32], observations: Observations
) -> NDArray[np.float32]:
    seen = {name: torch.from_numpy(values) for name, values in observations.items()}
    return costs.paid(torch.from_numpy(actions), seen).numpy()
