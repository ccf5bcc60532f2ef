"""What writes a policy's file, chosen by the file's suffix."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from torch import nn

from ..errors import MixgymError
from ..runtime.policy.contract import Described
from .precisions import PRECISIONS
from .traced import traced

Inputs = dict[str, NDArray[np.float32]]
Writer = Callable[[nn.Module, Described, Sequence[Inputs], Path], None]


def writer(path: Path, precision: str) -> Writer:
    """What writes a file of that suffix: `write(policy, described, examples, path)`.

    Raises:
        MixgymError: no format of that suffix, or none with that precision.
    """
    if path.suffix not in WRITERS:
        raise MixgymError(f"{path}: end the name in {', '.join(WRITERS)}.")
    if precision not in PRECISIONS:
        raise MixgymError(
            f"There is no precision {precision!r}; choose from {', '.join(PRECISIONS)}."
        )
    if precision != "fp32" and path.suffix != ".onnx":
        raise MixgymError(f"{path}: only .onnx files come in {precision}; leave it out.")
    return WRITERS[path.suffix]


def _onnx(policy: nn.Module, described: Described, examples: Sequence[Inputs], path: Path) -> None:
    from .onnx_file import described_as, to_onnx
    from .precisions import shrunk

    model = to_onnx(traced(policy, described.task), described.task)
    model = shrunk(model, described.precision, examples)
    path.write_bytes(described_as(model, described).SerializeToString())


def _libtorch(
    policy: nn.Module, described: Described, examples: Sequence[Inputs], path: Path
) -> None:
    from .libtorch import save_program

    save_program(traced(policy, described.task), described, path)


def _torchscript(
    policy: nn.Module, described: Described, examples: Sequence[Inputs], path: Path
) -> None:
    from .torchscript import save_script

    save_script(policy, described, path)


def _litert(
    policy: nn.Module, described: Described, examples: Sequence[Inputs], path: Path
) -> None:
    from .litert import save_litert

    save_litert(policy, described, path)


WRITERS: dict[str, Writer] = {
    ".onnx": _onnx,
    ".pt": _torchscript,
    ".pt2": _libtorch,
    ".tflite": _litert,
}
