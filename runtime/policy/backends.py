"""What runs a policy's file, chosen by the file's suffix."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from ...errors import MixgymError
from .contract import Described

Floats = NDArray[np.float32]
MOST_BYTES = 64_000_000


class Backend(Protocol):
    """Runs one policy. Safe to call from several threads.

    Attributes:
        described: what the file says of itself.
        runs_on: what runs it, for people: "ONNX Runtime on CPU".
        notes: what a person should know, such as that an accelerator could not be used.
    """

    described: Described
    runs_on: str
    notes: tuple[str, ...]

    def run(self, inputs: Mapping[str, Floats]) -> dict[str, Floats]:
        """Outputs of a batch, see `mixgym.runtime.policy.contract`.

        Raises:
            MixgymError: it cannot be run on these.
        """
        ...


# Modules that hold `open_policy`. PyTorch is imported nowhere below `runtime`, so what runs its
# files lies beside what writes them, and is looked for only when such a file is to be run.
MODULES = {
    ".onnx": "mixgym.runtime.policy.onnx_runtime",
    ".tflite": "mixgym.runtime.policy.litert",
    ".pt": "mixgym.export.torchscript",
    ".pt2": "mixgym.export.libtorch",
}
EXTRAS = {
    "onnxruntime": "onnxruntime",
    "ai_edge_litert": "'mixgym[litert]'",
    "torch": "'mixgym[train]'",
}


def open_policy(path: Path, *, threads: int = 1, providers: Sequence[str] | None = None) -> Backend:
    """What runs a policy's file.

    Args:
        path: .onnx, .tflite, .pt or .pt2; only .onnx files may come from strangers.
        threads: at work on one call.
        providers: of ONNX Runtime's, by preference, such as "CUDAExecutionProvider"; those that
            are there if None.

    Raises:
        MixgymError: no such file, one that holds no policy for this mixgym, or one whose runtime
            is not installed.
    """
    suffix = path.suffix.lower()
    if suffix not in MODULES:
        raise MixgymError(
            f"{path} is no policy's file; name one that `mixgym export` wrote ({_any(MODULES)})."
        )
    try:
        module = import_module(MODULES[suffix])
    except ImportError as error:
        package = (error.name or "").partition(".")[0]
        if package not in EXTRAS:
            raise
        raise MixgymError(
            f"{path} needs {package}: install it with pip install {EXTRAS[package]}."
        ) from error
    backend: Backend = module.open_policy(path, threads, providers)
    return backend


def read_file(path: Path) -> bytes:
    """A policy's file, at most `MOST_BYTES` long.

    Raises:
        MixgymError: it cannot be read, or is longer.
    """
    try:
        with path.open("rb") as file:
            content = file.read(MOST_BYTES + 1)
    except OSError as error:
        raise MixgymError(f"The policy {path} cannot be read ({error.strerror}).") from error
    if len(content) > MOST_BYTES:
        raise MixgymError(
            f"{path} has more than {MOST_BYTES / 1e6:.0f} MB, more than a policy can be; check the "
            "name."
        )
    return content


def _any(words: Mapping[str, object]) -> str:
    *others, last = words
    return f"{', '.join(others)} or {last}"
