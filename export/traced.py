"""A deployed policy as a graph of PyTorch's operations."""

from __future__ import annotations

import torch
from torch import nn
from torch.export import Dim, ExportedProgram

from ..runtime.policy.contract import BATCH, MOST_STEMS, STEMS, TASKS
from .parity import random_inputs

EXAMPLE = (2, 3)  # batch and stems that are traced; an axis of 1 would stay 1 for good
MOST_BATCH = 4096


def traced(policy: nn.Module, task: str, stems: int | None = None) -> ExportedProgram:
    """The graph of a policy.

    Args:
        policy: deployed.
        task: a name in `TASKS`.
        stems: rows for stems, with a batch of 1; both are free if None.
    """
    free = {BATCH: Dim(BATCH, min=1, max=MOST_BATCH), STEMS: Dim(STEMS, min=1, max=MOST_STEMS)}
    shapes = {
        name: {place: free[axis] for place, axis in enumerate(shape) if isinstance(axis, str)}
        for name, shape in TASKS[task].inputs.items()
    }
    example = EXAMPLE if stems is None else (1, stems)
    inputs = random_inputs(task, *example, seed=0)
    return torch.export.export(
        policy.eval(),
        (),
        {name: torch.from_numpy(values) for name, values in inputs.items()},
        dynamic_shapes=shapes if stems is None else None,
    )
