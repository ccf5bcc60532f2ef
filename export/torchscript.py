"""A deployed policy as TorchScript (.pt), which LibTorch loads in milliseconds, and what runs it.

PyTorch has declared TorchScript deprecated in favour of exported programs (.pt2), which take a
hundred times as long to load and five times the memory. Open no stranger's file.
"""

from __future__ import annotations

import io
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import torch
from torch import nn

from ..errors import MixgymError
from ..runtime.policy.backends import read_file
from ..runtime.policy.contract import (
    FORMAT_KEY,
    POLICY_KEY,
    Described,
    metadata,
    read_metadata,
)
from .libtorch import TorchPolicy
from .traced import example_inputs


def save_script(policy: nn.Module, described: Described, path: Path) -> None:
    """Trace a deployed policy, and write it with its metadata.

    No shape decides what it computes, so that one trace holds for any number of songs and stems.
    """
    with _quiet(), torch.inference_mode():
        traced = torch.jit.trace(  # type: ignore[no-untyped-call]
            policy.eval(), example_kwarg_inputs=example_inputs(described.task), check_trace=False
        )
        torch.jit.save(torch.jit.freeze(traced), path, _extra_files=metadata(described))


def open_policy(path: Path, threads: int, providers: Sequence[str] | None) -> TorchPolicy:
    """See `mixgym.runtime.policy.backends.open_policy`."""
    content = read_file(path)
    held: dict[str, object] = dict.fromkeys((FORMAT_KEY, POLICY_KEY))
    try:
        with _quiet():
            module = torch.jit.load(  # type: ignore[no-untyped-call]
                io.BytesIO(content), "cpu", _extra_files=held
            )
        told = {key: value.decode() for key, value in held.items() if isinstance(value, bytes)}
    except Exception as error:  # PyTorch has no class for all that can go wrong
        raise MixgymError(f"{path} is no TorchScript; export it again.") from error
    return TorchPolicy(path, module, read_metadata(path, told))


@contextmanager
def _quiet() -> Iterator[None]:
    """PyTorch warns of what is said above."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        yield
