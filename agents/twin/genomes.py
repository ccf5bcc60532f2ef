"""Vectors in [-1, 1] to settings, the twin of `Space.decode`."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from ...console.parameters import BUSES, MASTER, STRIP
from ...console.space import Space, Values
from ...console.table import ParameterTable


def decode(
    space: Space, genomes: Tensor, stems: int, around: tuple[Values, Values, Values] | None = None
) -> tuple[Tensor, Tensor, Tensor]:
    """Settings that genomes stand for.

    A gene at or beyond its end is held there; its gradient is that of the end itself, and zero
    beyond. Switches have none.

    Args:
        space: what is free.
        genomes: (..., genes): stem by stem, then buses, then master.
        stems: of the song.
        around: strips (stems, len(STRIP)), buses and master that give what is not free; neutral if
            None.

    Returns:
        Physical values (..., stems, len(STRIP)), (..., len(BUSES)), (..., len(MASTER)), in double
        precision.

    Raises:
        ValueError: the vectors are not as long as they should be.
    """
    if genomes.shape[-1] != space.genes(stems):
        raise ValueError(
            f"genomes has the shape {tuple(genomes.shape)}, not (..., {space.genes(stems)})"
        )
    nothing = np.zeros((1, space.genes(stems)))
    bases = [torch.from_numpy(base[0]) for base in space.decode(nothing, stems, around)]
    free = (space.strip, space.buses, space.master)
    sizes = [stems * len(space.strip), len(space.buses), len(space.master)]
    parts = list(torch.split(genomes.double(), sizes, dim=-1))
    parts[0] = parts[0].reshape(*genomes.shape[:-1], stems, len(space.strip))
    strips, buses, master = (
        _placed(table, names, part, base.to(genomes.device))
        for table, names, part, base in zip((STRIP, BUSES, MASTER), free, parts, bases, strict=True)
    )
    return strips, buses, master


def physical(table: ParameterTable, names: Sequence[str], encoded: Tensor) -> Tensor:
    """`ParameterTable.decode` of some parameters: (..., names) to the same shape."""
    columns = []
    for place, name in zip(encoded.clamp(-1.0, 1.0).unbind(-1), names, strict=True):
        p = table[name]
        if p.scale == "switch":
            columns.append((place.detach() > 0.0).to(place.dtype))
        elif p.scale == "log":
            columns.append(p.low * torch.pow(p.high / p.low, (place + 1.0) / 2.0))
        else:
            columns.append(p.low + (place + 1.0) / 2.0 * (p.high - p.low))
    return torch.stack(columns, dim=-1)


def _placed(table: ParameterTable, names: tuple[str, ...], part: Tensor, base: Tensor) -> Tensor:
    whole = base.expand(*part.shape[:-1], len(table))
    if not names:
        return whole
    index = torch.tensor([table.index(name) for name in names], device=part.device)
    return whole.index_copy(-1, index, physical(table, names, part))
