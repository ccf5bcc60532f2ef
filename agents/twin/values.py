"""Settings by name, and values that are cut while their gradient is not."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from ...console.table import ParameterTable


class Settings:
    """Physical values of a table, by name.

    Args:
        table: what the last axis holds.
        values: (..., len(table)).
    """

    def __init__(self, table: ParameterTable, values: Tensor) -> None:
        self.table, self.values = table, values

    def __getitem__(self, name: str) -> Tensor:
        """Of one parameter, (...)."""
        return self.values[..., self.table.index(name)]

    def on(self, name: str) -> Tensor:
        """Whether a switch is on, (...)."""
        return self[name] > 0.5


def cut(value: Tensor, where: Tensor, to: float = 0.0) -> Tensor:
    """`value`, or `to` where a mask of the same shape says so; the gradient stays that of value."""
    return torch.where(where, value - (value - to).detach(), value)


def power(level_db: Tensor) -> Tensor:
    """Decibels to power."""
    return torch.exp(level_db * (math.log(10.0) / 10.0))


def amplitude(level_db: Tensor) -> Tensor:
    """Decibels to amplitude."""
    return torch.exp(level_db * (math.log(10.0) / 20.0))


def decibels(ratio: Tensor, least: float = 0.0) -> Tensor:
    """Power to decibels; `least` is added."""
    return 10.0 * torch.log10(ratio + least)


def root(value: Tensor, least: float = 1e-30) -> Tensor:
    """Square root whose gradient is zero below `least`, where the root's own has no bound."""
    return torch.where(value > least, torch.sqrt(value.clamp_min(least)), 0.0)
