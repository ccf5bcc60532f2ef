"""A deployed policy as a graph of PyTorch's operations."""

from __future__ import annotations

import torch
from torch import Tensor, nn
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
    return torch.export.export(
        policy.eval(),
        (),
        example_inputs(task, EXAMPLE if stems is None else (1, stems)),
        dynamic_shapes=shapes if stems is None else None,
    )


def example_inputs(task: str, shape: tuple[int, int] = EXAMPLE) -> dict[str, Tensor]:
    """What a policy is traced on; its shape is songs and stems."""
    inputs = random_inputs(task, *shape, seed=0)
    return {name: torch.from_numpy(values) for name, values in inputs.items()}
