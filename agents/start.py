"""A run that begins with weights of another."""

from __future__ import annotations

from pathlib import Path

import torch

from ..errors import MixgymError
from .load import read_network
from .network import TrackSetNetwork
from .weights import About

GROUPS = {"strip": "strip", "buses": "bus", "master": "master"}


def start_from(path: Path, network: TrackSetNetwork, about: About) -> None:
    """Give a network the weights of a trained one; all else of a learner begins anew.

    The trained one may set fewer parameters: those that it does not know are neither looked at nor
    moved to begin with, so that both give the same mixes.

    Args:
        path: weights of `mixgym train`, by whatever algorithm.
        network: gets them.
        about: what this run's weights are of.

    Raises:
        MixgymError: the file holds no policy, one that sets what this run does not, or one of
            another size or control.
    """
    trained, theirs = read_network(path)
    for field, told in GROUPS.items():
        surplus = [name for name in getattr(theirs, field) if name not in getattr(about, field)]
        if surplus:
            raise MixgymError(
                f"{path} sets the {told} parameter {surplus[0]}, which these settings do not; "
                "begin with other weights, or without."
            )
    width = {"strip": about.sizes.strip, "bus": about.sizes.bus}
    for told, alike in (
        ("sizes of its network", theirs.sizes.model_copy(update=width) == about.sizes),
        ("control", theirs.control == about.control),
    ):
        if not alike:
            raise MixgymError(
                f"{path} was trained with other {told} than these settings ask for; make them "
                "agree, or begin without it."
            )
    strips = _places(theirs.strip, about.strip)
    shared = _places((*theirs.buses, *theirs.master), (*about.buses, *about.master))
    stem, mix = about.sizes.stem, about.sizes.mix
    columns = {
        "stem_encoder.layers.0.weight": (1, [*range(stem), *(stem + i for i in strips)]),
        "mix_encoder.layers.0.weight": (1, [*range(mix), *(mix + i for i in shared)]),
        **{f"strip_head.{part}": (0, strips) for part in ("weight", "bias")},
        **{f"bus_head.{part}": (0, shared) for part in ("weight", "bias")},
    }
    weights = network.state_dict()
    with torch.no_grad():
        for name, values in trained.state_dict().items():
            if name in columns:
                axis, places = columns[name]
                index = torch.tensor(places, device=weights[name].device)
                weights[name].zero_().index_copy_(axis, index, values.to(index.device))
            else:
                weights[name].copy_(values)


def _places(names: tuple[str, ...], among: tuple[str, ...]) -> list[int]:
    """Where the names stand among others."""
    return [among.index(name) for name in names]
