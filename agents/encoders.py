"""Encoders: what turns what is known of one stem into a vector."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable

import torch
from torch import Tensor, nn

from .pictures import BANDS, FRAMES

CHANNELS = 32  # of convolutions


class Encoder(nn.Module, ABC):
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

    @abstractmethod
    def forward(self, rows: Tensor, pictures: Tensor | None = None) -> Tensor:
        """From (rows, features) to (rows, width).

        Args:
            rows: of stems that sound.
            pictures: of the same, (rows, BANDS, FRAMES); None for encoders that are not `PICTURED`.
        """


class FeatureEncoder(Encoder):
    """Two layers over `mixgym.rewards.features`."""

    def __init__(self, features: int, width: int) -> None:
        super().__init__(features, width)
        self.layers = _layers(features, width)

    def forward(self, rows: Tensor, pictures: Tensor | None = None) -> Tensor:
        """See `Encoder.forward`."""
        encoded: Tensor = self.layers(rows)
        return encoded


class SpectrogramEncoder(Encoder):
    """Two layers over features, and three layers of convolution over the stem's picture."""

    def __init__(self, features: int, width: int) -> None:
        super().__init__(features, width)
        self.layers = _layers(features, width)
        shrunk = CHANNELS * (BANDS // 8) * (FRAMES // 8)
        self.picture = nn.Sequential(
            *_halved(1, CHANNELS // 2),
            *_halved(CHANNELS // 2, CHANNELS),
            *_halved(CHANNELS, CHANNELS),
            nn.Flatten(),
            nn.Linear(shrunk, width),
        )

    def forward(self, rows: Tensor, pictures: Tensor | None = None) -> Tensor:
        """See `Encoder.forward`."""
        assert pictures is not None
        encoded: Tensor = self.layers(rows) + self.picture(pictures[:, None])
        return encoded


class RecurrentEncoder(Encoder):
    """Two layers over features, and two of convolution over the picture with a GRU behind them."""

    def __init__(self, features: int, width: int) -> None:
        super().__init__(features, width)
        self.layers = _layers(features, width)
        self.picture = nn.Sequential(*_halved(1, CHANNELS // 2), *_halved(CHANNELS // 2, CHANNELS))
        self.memory = nn.GRU(CHANNELS * (BANDS // 4), width, batch_first=True)

    def forward(self, rows: Tensor, pictures: Tensor | None = None) -> Tensor:
        """See `Encoder.forward`."""
        assert pictures is not None
        moments = self.picture(pictures[:, None]).flatten(1, 2).transpose(1, 2)
        _, last = self.memory(moments)
        encoded: Tensor = self.layers(rows) + last[0]
        return encoded


def _layers(features: int, width: int) -> nn.Sequential:
    return nn.Sequential(nn.Linear(features, width), nn.ReLU(), nn.Linear(width, width))


def _halved(before: int, after: int) -> list[nn.Module]:
    """A convolution to half the height and width."""
    return [nn.Conv2d(before, after, 3, stride=2, padding=1), nn.ReLU()]


ENCODERS: dict[str, Callable[[int, int], Encoder]] = {
    "features": FeatureEncoder,
    "spectrogram": SpectrogramEncoder,
    "recurrent": RecurrentEncoder,
}
PICTURED = frozenset({"spectrogram", "recurrent"})  # encoders that look at pictures


def packed(values: Tensor, present: Tensor) -> Tensor:
    """The rows of (batch, rows, width) at the places (rows,) of its first two axes as one."""
    return torch.index_select(values.flatten(0, 1), 0, present)


def unpacked(rows: Tensor, present: Tensor, batch: int, length: int) -> Tensor:
    """Rows back at their places, zero elsewhere: (batch, length, width)."""
    full = rows.new_zeros(batch * length, rows.shape[1])
    return full.index_copy(0, present, rows).view(batch, length, -1)
