"""A run that begins with weights of another."""

from __future__ import annotations

from pathlib import Path

from ..errors import MixgymError
from .load import read_network
from .network import TrackSetNetwork
from .weights import About

ALIKE = {
    "strip": "strip parameters",
    "buses": "bus parameters",
    "master": "master parameters",
    "sizes": "sizes of its network",
    "control": "control",
}


def start_from(path: Path, network: TrackSetNetwork, about: About) -> None:
    """Give a network the weights of a trained one; all else of a learner begins anew.

    Args:
        path: weights of `mixgym train`, by whatever algorithm.
        network: gets them.
        about: what this run's weights are of.

    Raises:
        MixgymError: the file holds no policy, or one for another console or of another size.
    """
    trained, theirs = read_network(path)
    for field, told in ALIKE.items():
        if getattr(theirs, field) != getattr(about, field):
            raise MixgymError(
                f"{path} was trained with other {told} than these settings ask for; make them "
                "agree, or begin without it."
            )
    network.load_state_dict(trained.state_dict())
