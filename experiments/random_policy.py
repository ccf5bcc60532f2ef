"""Policies that were never trained, to measure what running one takes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch

from ..agents.network import Sizes, TrackSetNetwork
from ..agents.weights import About, save_weights, table_digest
from ..console.space import Space
from ..rewards import features

SPREAD = 0.2  # of the weights and biases that give settings


def random_policy(
    path: Path, width: int, blocks: int, *, space: Space | None = None, **about: Any
) -> tuple[TrackSetNetwork, About]:
    """Write the weights of a policy, the same at every call.

    Args:
        path: .npz.
        width: of its tokens.
        blocks: of self-attention.
        space: what it sets; a policy that sets nothing of stems masters. `Space()` if None.
        about: what the weights say of themselves, where that is not the usual.
    """
    space = space or Space()
    stem = (features.STEM, features.STEM_IN_MIX) if space.strip else (features.TRACK,)
    sizes = Sizes(
        stem=sum(map(features.size, stem)),
        mix=features.size(features.MIX) + 1,
        strip=len(space.strip),
        bus=len(space.buses) + len(space.master),
        width=width,
        blocks=blocks,
        heads=4,
        encoder="features",
    )
    torch.manual_seed(0)
    network = TrackSetNetwork(sizes)
    for head in (network.strip_head, network.bus_head):
        if head is not None:
            torch.nn.init.normal_(head.weight, std=SPREAD)
            torch.nn.init.normal_(head.bias, std=SPREAD)
    usual: dict[str, Any] = {
        "control": "absolute",
        "step_size": 0.25,
        "episode_steps": 1,
        "styles": ("balanced",),
        "steps": 0,
    }
    described = About(
        strip=space.strip,
        buses=space.buses,
        master=space.master,
        table=table_digest(space),
        sizes=sizes,
        **{**usual, **about},
    )
    arrays = {f"network.{name}": values for name, values in network.state_dict().items()}
    save_weights(path, {name: values.numpy() for name, values in arrays.items()}, described)
    return network.eval(), described
