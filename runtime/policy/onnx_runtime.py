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
from .graph import Graph, GraphError, read_graph

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
        graph: of the file.
        described: what the file says of itself.
        notes: what went otherwise than asked.
    """

    def __init__(
        self,
        path: Path,
        session: Any,
        graph: Graph,
        described: Described,
        notes: tuple[str, ...],
    ) -> None:
        self.described, self.notes = described, notes
        self.runs_on = f"ONNX Runtime on {_plain(session.get_providers()[0])}"
        self._path, self._session, self._graph = path, session, graph
        self._outputs = list(TASKS[described.task].outputs)
        self._fitting: set[tuple[int, int]] = set()

    def run(self, inputs: Mapping[str, Floats]) -> dict[str, Floats]:
        """See `Backend.run`."""
        batch, stems = inputs["mask"].shape if "mask" in inputs else (len(inputs["mix"]), 1)
        if (batch, stems) not in self._fitting:  # a graph can be small for all but one number
            _check_shapes(self._path, self._graph, self.described, batch, stems)
            self._fitting.add((batch, stems))
        try:
            given = self._session.run(self._outputs, dict(inputs))
        except Exception as error:  # ONNX Runtime has no class for all that can go wrong
            raise MixgymError(f"{self._path} cannot be run on this: {_first(error)}") from error
        return dict(zip(self._outputs, given, strict=True))


def open_policy(path: Path, threads: int, providers: Sequence[str] | None) -> OnnxPolicy:
    """See `mixgym.runtime.policy.backends.open_policy`."""
    content = read_file(path)
    try:
        graph = read_graph(content)
        described = read_metadata(path, graph.metadata)
        task = TASKS[described.task]
        if (graph.inputs, graph.outputs) != (task.inputs, task.outputs):
            raise GraphError("takes or gives other things than a policy")
    except GraphError as error:
        raise _refusal(path, error) from error
    for stems in (1, MOST_STEMS):
        _check_shapes(path, graph, described, 1, stems)
    session, notes = _session(path, content, threads, providers)
    return OnnxPolicy(path, session, graph, described, notes)


def _check_shapes(path: Path, graph: Graph, described: Described, batch: int, stems: int) -> None:
    """See that a graph stays small, and gives what it says, for inputs of these sizes."""
    outputs = TASKS[described.task].outputs
    try:
        for name, shape in check_extents(graph, {BATCH: batch, STEMS: stems}).items():
            if shape != lengths(outputs[name], batch, stems):
                raise GraphError(f"gives {name} in another shape than it says")
    except GraphError as error:
        raise _refusal(path, error) from error


def _refusal(path: Path, error: GraphError) -> MixgymError:
    return MixgymError(f"{path} {error}; name a file that `mixgym export` wrote.")


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
