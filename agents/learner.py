"""What a training run needs of whatever learns."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from ..envs.episodes import Episodes
from .network import Sizes, TrackSetNetwork

if TYPE_CHECKING:
    from .between import Between


class Learner(Protocol):
    """A policy that learns by some algorithm."""

    @property
    def episodes(self) -> Episodes:
        """That it learns in."""
        ...

    @property
    def network(self) -> TrackSetNetwork:
        """That it trains."""
        ...

    @property
    def sizes(self) -> Sizes:
        """Of what it trains, as files of weights tell them."""
        ...

    @property
    def steps(self) -> int:
        """Mixes that it learned from so far."""
        ...

    @property
    def stride(self) -> int:
        """Steps from one update to the next."""
        ...

    def act(self, observations: dict[str, NDArray[np.float32]]) -> NDArray[np.float32]:
        """Mean actions, (batch, *action), for songs of any number of stems.

        Raises:
            MixgymError: there are more stems than it can have.
        """
        ...

    def weights(self) -> Mapping[str, Tensor]:
        """What a file of weights holds, by name."""
        ...

    def state(self) -> dict[str, Any]:
        """All that decides how it goes on, `steps` among it, taken between two updates."""
        ...

    def restore(self, saved: Mapping[str, Any]) -> None:
        """Bring a learner that was made from the same settings to where it was."""
        ...

    def learn(self, between: Between) -> None:
        """Learn until the settings' steps are taken or the run is asked to end.

        Args:
            between: called before every update with a row of progress of the one before, if there
                was one, and in the end with `last`; a run has to end where `ended_early` is set.
        """
        ...
