"""A normal distribution over the cells of an action that are there."""

from __future__ import annotations

import math

import torch
from torch import Tensor

LOG_SQRT_2PI = 0.5 * math.log(2 * math.pi)


class MaskedGaussian:
    """Independent normals; cells that are not there are 0 and count in nothing.

    Args:
        mean: (batch, *action).
        log_std: natural logarithms of standard deviations, broadcast to the same shape.
        cells: which are there, bool, (batch, *action).
    """

    def __init__(self, mean: Tensor, log_std: Tensor, cells: Tensor) -> None:
        self.mean, self.log_std, self.cells = mean, log_std, cells

    def mode(self) -> Tensor:
        """The mean, (batch, *action)."""
        return torch.where(self.cells, self.mean, 0.0)

    def sample(self, antithetic: bool = False) -> Tensor:
        """Drawn from PyTorch's generator, (batch, *action).

        Args:
            antithetic: whether every second of an even batch is the one before it mirrored about
                the mean: each is drawn as before, and what is odd in the noise averages out.
        """
        if antithetic:
            half = torch.randn_like(self.mean[::2])
            noise = torch.stack((half, -half), dim=1).flatten(0, 1)
        else:
            noise = torch.randn_like(self.mean)
        drawn = self.mean + noise * self.log_std.exp()
        return torch.where(self.cells, drawn, 0.0)

    def get_actions(self, deterministic: bool = False) -> Tensor:
        """The mean or a sample."""
        return self.mode() if deterministic else self.sample()

    def log_prob(self, actions: Tensor) -> Tensor:
        """Of actions of the mean's shape, (batch,)."""
        off = (actions - self.mean) * torch.exp(-self.log_std)
        each = -0.5 * off.square() - self.log_std - LOG_SQRT_2PI
        return torch.where(self.cells, each, 0.0).flatten(1).sum(dim=1)

    def entropy(self) -> Tensor:
        """In nats, (batch,)."""
        each = (self.log_std + 0.5 + LOG_SQRT_2PI).expand_as(self.mean)
        return torch.where(self.cells, each, 0.0).flatten(1).sum(dim=1)


class _Held(torch.autograd.Function):
    """Clipping to [-1, 1] through which gradients still pull back what is outside."""

    @staticmethod
    def forward(ctx: torch.autograd.function.FunctionCtx, values: Tensor) -> Tensor:
        ctx.save_for_backward(values)
        return values.clamp(-1.0, 1.0)

    @staticmethod
    def backward(ctx: torch.autograd.function.FunctionCtx, *gradients: Tensor) -> Tensor:
        (values,) = ctx.saved_tensors  # type: ignore[attr-defined]
        gradient = gradients[0]
        further = ((values > 1.0) & (gradient < 0.0)) | ((values < -1.0) & (gradient > 0.0))
        return gradient.masked_fill(further, 0.0)


def held(values: Tensor) -> Tensor:
    """Clipped to [-1, 1]; descent may move what is outside back in, but no further out.

    Half of a console's parameters do nothing at one end of their range, so that a policy begins
    there: tanh could neither reach an end nor leave its neighbourhood, and plain clipping would
    keep for good what once ran over. Hausknecht and Stone 2016 invert gradients for the same
    reason.
    """
    clipped: Tensor = _Held.apply(values)  # type: ignore[no-untyped-call]
    return clipped
