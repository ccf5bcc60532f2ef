"""A deployed policy as an exported program of PyTorch (.pt2), and what runs one.

PyTorch reads such a file with all that it can do, so open none of a stranger's.
"""

from __future__ import annotations

import io
import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.export import ExportedProgram

from ..errors import MixgymError
from ..runtime.policy.backends import read_file
from ..runtime.policy.contract import (
    FORMAT_KEY,
    POLICY_KEY,
    TASKS,
    Described,
    metadata,
    read_metadata,
)

Floats = NDArray[np.float32]
Module = Callable[..., Sequence[Tensor]]


def save_program(program: ExportedProgram, described: Described, path: Path) -> None:
    """Write a traced policy with its metadata."""
    torch.export.save(program, path, extra_files=metadata(described))


class TorchPolicy:
    """See `Backend`; the number of threads is PyTorch's own for the whole process.

    Args:
        path: of the file, for messages.
        module: the policy.
        described: what the file says of itself.
    """

    runs_on = "PyTorch on CPU"
    notes: tuple[str, ...] = ()

    def __init__(self, path: Path, module: Module, described: Described) -> None:
        self.described = described
        self._path, self._module = path, module

    def run(self, inputs: Mapping[str, Floats]) -> dict[str, Floats]:
        """See `Backend.run`."""
        tensors = {name: torch.from_numpy(values) for name, values in inputs.items()}
        try:
            with torch.inference_mode():
                given = self._module(**tensors)
        except (RuntimeError, AssertionError) as error:
            raise MixgymError(f"{self._path} cannot be run on this: {error}") from error
        names = TASKS[self.described.task].outputs
        return {name: values.numpy() for name, values in zip(names, given, strict=True)}


def open_policy(path: Path, threads: int, providers: Sequence[str] | None) -> TorchPolicy:
    """See `mixgym.runtime.policy.backends.open_policy`."""
    content = read_file(path)
    held = dict.fromkeys((FORMAT_KEY, POLICY_KEY), "")
    try:
        with _quiet():
            program = torch.export.load(io.BytesIO(content), extra_files=held)
    except Exception as error:  # PyTorch has no class for all that can go wrong
        raise MixgymError(f"{path} is no exported program; export it again.") from error
    described = read_metadata(path, {key: value for key, value in held.items() if value})
    return TorchPolicy(path, program.module(), described)


@contextmanager
def _quiet() -> Iterator[None]:
    """PyTorch prints how reading failed, which is raised as well."""
    logger = logging.getLogger("torch.export")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        logger.setLevel(level)
