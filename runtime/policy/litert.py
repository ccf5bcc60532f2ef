"""Policies in LiteRT files (.tflite), which have room for so many stems and for one song."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from threading import Lock
from typing import Any

import numpy as np
from ai_edge_litert import schema_py_generated as schema
from ai_edge_litert.interpreter import Interpreter
from numpy.typing import NDArray

from ...errors import MixgymError
from .backends import read_file
from .contract import FORMAT_KEY, POLICY_KEY, STEMS, TASKS, Described, read_metadata

Floats = NDArray[np.float32]


class LiteRtPolicy:
    """See `Backend`; calls from several threads take turns.

    Args:
        path: of the file, for messages.
        interpreter: of LiteRT.
        described: what the file says of itself.
    """

    runs_on = "LiteRT on CPU"
    notes: tuple[str, ...] = ()

    def __init__(self, path: Path, interpreter: Any, described: Described) -> None:
        self.described = described
        self._path, self._interpreter = path, interpreter
        self._runner, self._lock = interpreter.get_signature_runner(), Lock()
        self._task = TASKS[described.task]
        given = self._runner.get_output_details()
        self._outputs = dict(zip(self._task.outputs, sorted(given, key=_number), strict=True))

    def run(self, inputs: Mapping[str, Floats]) -> dict[str, Floats]:
        """See `Backend.run`."""
        songs = [
            self._one({name: values[i] for name, values in inputs.items()})
            for i in range(len(inputs["mix"]))
        ]
        return {name: np.stack([song[name] for song in songs]) for name in self._outputs}

    def _one(self, inputs: Mapping[str, Floats]) -> dict[str, Floats]:
        stems, room = len(inputs.get("mask", ())), self.described.stems or 0
        if stems > room:
            raise MixgymError(
                f"{self._path} has room for {room} stems, and the song has {stems}; use an .onnx "
                "file."
            )
        padded = {}
        for name, values in inputs.items():
            by_stem = STEMS in self._task.inputs[name]
            missing = [(0, room - stems if by_stem and not i else 0) for i in range(values.ndim)]
            padded[name] = np.pad(values, missing)[None]
        with self._lock:
            given = self._runner(**padded)
        return {
            name: np.array(given[key][0][: stems if STEMS in self._task.outputs[name] else None])
            for name, key in self._outputs.items()
        }


def open_policy(path: Path, threads: int, providers: Sequence[str] | None) -> LiteRtPolicy:
    """See `mixgym.runtime.policy.backends.open_policy`."""
    content = read_file(path)
    try:
        held = _metadata(content)
        interpreter = Interpreter(model_content=content, num_threads=threads)
    except Exception as error:  # the schema's reader and LiteRT have no class for what goes wrong
        raise MixgymError(f"{path} is no LiteRT file of a policy; export it again.") from error
    described = read_metadata(path, held)
    return LiteRtPolicy(path, interpreter, described)


def _metadata(content: bytes) -> dict[str, str]:
    model = schema.Model.GetRootAs(content, 0)
    held = {}
    for place in range(model.MetadataLength()):
        entry = model.Metadata(place)
        name = str(entry.Name(), "utf-8")
        if name in (FORMAT_KEY, POLICY_KEY):
            held[name] = bytes(model.Buffers(entry.Buffer()).DataAsNumpy()).decode()
    return held


def _number(name: str) -> int:
    """Outputs are numbered: `output_0`."""
    return int(name.rpartition("_")[2])
