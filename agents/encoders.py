"""Encoders: what turns what is known of one stem into a vector."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn


class Encoder(nn.Module):
    """A network that looks at one stem at a time, the same for all.

    Rows are stems that sound, of any song and in any order: absent stems are not computed at all,
    so that they can change nothing.

    Args:
        features: numbers of a row.
        width: of the vectors.
    """

    def __init__(self, features: int, width: int) -> None:
        super().__init__()
        self.features, self.width = features, width

    def forward(self, rows: Tensor) -> Tensor:
        """From (rows, features) to (rows, width)."""
        raise NotImplementedError


class FeatureEncoder(Encoder):
    """Two layers over `mixgym.rewards.features`."""

    def __init__(self, features: int, width: int) -> None:
        super().__init__(features, width)
        self.layers = nn.Sequential(nn.Linear(features, width), nn.ReLU(), nn.Linear(width, width))

    def forward(self, rows: Tensor) -> Tensor:
        """See `Encoder.forward`."""
        encoded: Tensor = self.layers(rows)
        return encoded


ENCODERS: dict[str, Callable[[int, int], Encoder]] = {"features": FeatureEncoder}


def packed(values: Tensor, present: Tensor) -> Tensor:
    """The rows of (batch, rows, width) at the places (rows,) of its first two axes as one."""
    return torch.index_select(values.flatten(0, 1), 0, present)


def unpacked(rows: Tensor, present: Tensor, batch: int, length: int) -> Tensor:
    """Rows back at their places, zero elsewhere: (batch, length, width)."""
    full = rows.new_zeros(batch * length, rows.shape[1])
    return full.index_copy(0, present, rows).view(batch, length, -1)
