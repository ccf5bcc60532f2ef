"""Policies in ONNX files, run by ONNX Runtime."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")  # it is read when the library is loaded
import onnxruntime
from numpy.typing import NDArray

from ...errors import MixgymError
from .backends import read_file
from .contract import BATCH, MOST_STEMS, STEMS, TASKS, Described, lengths, read_metadata
from .extents import check_extents
from .graph import GraphError, read_graph

Floats = NDArray[np.float32]
CPU = "CPUExecutionProvider"
ACCELERATORS = (
    "CUDAExecutionProvider",
    "CoreMLExecutionProvider",
    "DmlExecutionProvider",
    "OpenVINOExecutionProvider",
)  # by preference
SILENT = 4  # fatal errors alone; what goes wrong is said by exceptions


class OnnxPolicy:
    """See `Backend`; one session serves all threads.

    Args:
        path: of the file, for messages.
        session: of ONNX Runtime's.
        described: what the file says of itself.
        notes: what went otherwise than asked.
    """

    def __init__(
        self, path: Path, session: Any, described: Described, notes: tuple[str, ...]
    ) -> None:
        self.described, self.notes = described, notes
        self.runs_on = f"ONNX Runtime on {_plain(session.get_providers()[0])}"
        self._path, self._session = path, session
        self._outputs = list(TASKS[described.task].outputs)

    def run(self, inputs: Mapping[str, Floats]) -> dict[str, Floats]:
        """See `Backend.run`."""
        try:
            given = self._session.run(self._outputs, dict(inputs))
        except Exception as error:  # ONNX Runtime has no class for all that can go wrong
            raise MixgymError(f"{self._path} cannot be run on this: {_first(error)}") from error
        return dict(zip(self._outputs, given, strict=True))


def open_policy(path: Path, threads: int, providers: Sequence[str] | None) -> OnnxPolicy:
    """See `mixgym.runtime.policy.backends.open_policy`."""
    content = read_file(path)
    described = _checked(path, content)
    session, notes = _session(path, content, threads, providers)
    return OnnxPolicy(path, session, described, notes)


def _checked(path: Path, content: bytes) -> Described:
    """What a file says of itself, once it is known to hold a policy and nothing else."""
    try:
        graph = read_graph(content)
        described = read_metadata(path, graph.metadata)
        task = TASKS[described.task]
        if (graph.inputs, graph.outputs) != (task.inputs, task.outputs):
            raise GraphError("takes or gives other things than a policy")
        for stems in (1, MOST_STEMS):
            for name, shape in check_extents(graph, {BATCH: 1, STEMS: stems}).items():
                if shape != lengths(task.outputs[name], 1, stems):
                    raise GraphError(f"gives {name} in another shape than it says")
    except GraphError as error:
        raise MixgymError(f"{path} {error}; name a file that `mixgym export` wrote.") from error
    return described


def _session(
    path: Path, content: bytes, threads: int, providers: Sequence[str] | None
) -> tuple[Any, tuple[str, ...]]:
    """A session on the first provider that will do, and what to say where that is another."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = SILENT
    there = onnxruntime.get_available_providers()
    wanted = [p for p in ACCELERATORS if p in there] if providers is None else list(providers)
    notes = [f"{_plain(p)} is not there." for p in wanted if p not in there]
    for provider in (*(p for p in wanted if p in there and p != CPU), CPU):
        chosen = [provider] if provider == CPU else [provider, CPU]
        try:
            session = onnxruntime.InferenceSession(content, options, providers=chosen)
        except Exception as error:
            if provider == CPU:
                raise MixgymError(
                    f"{path} is no ONNX file that can be run; export it again."
                ) from error
            notes.append(f"{_plain(provider)} cannot run it ({_first(error)}).")
            continue
        if session.get_providers()[0] == provider:
            break
        notes.append(f"{_plain(provider)} cannot be started.")
    if notes:
        notes.append(f"The policy runs on {_plain(session.get_providers()[0])}.")
    return session, tuple(notes)


def _plain(provider: str) -> str:
    return provider.removesuffix("ExecutionProvider")


def _first(error: Exception) -> str:
    """The first line of what ONNX Runtime says."""
    return next(iter(str(error).strip().splitlines()), type(error).__name__)[:200]
