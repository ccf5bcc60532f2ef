"""What a policy gains on songs that it does not learn from."""

from __future__ import annotations

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from ..envs.episodes import Episodes
from .pictures import observe

Observations = dict[str, NDArray[np.float32]]


class Actor(Protocol):
    """Anything that acts on a batch of observations."""

    def __call__(self, observations: Observations) -> NDArray[np.float32]:
        """Actions, (batch, *action)."""
        ...


def validate(
    episodes: Episodes, act: Actor, *, pictured: bool = False
) -> dict[str, tuple[float, float]]:
    """Play every song once.

    Args:
        episodes: one for each song; begun anew.
        act: what plays.
        pictured: whether it looks at pictures.

    Returns:
        By title the score, and how much it is above equal loudness.

    Raises:
        MixgymError: a song cannot be read.
    """
    places = np.arange(episodes.count)
    episodes.begin(places, places.tolist(), [None] * episodes.count)
    start = episodes.scores()[0]
    for _ in range(episodes.options.episode_steps):
        episodes.step(act(observe(episodes, pictured)))
    scores = episodes.scores()[0]
    titles = episodes.repertoire.titles[: episodes.count]
    gains = zip(scores.tolist(), (scores - start).tolist(), strict=True)
    return dict(zip(titles, gains, strict=True))
