"""A deployed policy as an ONNX file."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

import onnx
import torch
from onnx import numpy_helper
from torch.export import ExportedProgram

from ..runtime.policy.contract import TASKS, Described, metadata

OPSET = 18


def to_onnx(program: ExportedProgram, task: str) -> onnx.ModelProto:
    """The ONNX graph of a traced policy, with names for the axes that are free."""
    shapes = {**TASKS[task].inputs, **TASKS[task].outputs}
    with _quiet():
        exported = torch.onnx.export(
            program,
            dynamo=True,
            external_data=False,
            opset_version=OPSET,
            input_names=list(TASKS[task].inputs),
            output_names=list(TASKS[task].outputs),
            verbose=False,
        )
    assert exported is not None
    model = exported.model_proto
    del model.graph.value_info[:]  # of shapes that smaller weights may be turned over from
    for value in (*model.graph.input, *model.graph.output):
        for axis, name in zip(value.type.tensor_type.shape.dim, shapes[value.name], strict=True):
            if isinstance(name, str):
                axis.dim_param = name
    return model


def described_as(model: onnx.ModelProto, described: Described) -> onnx.ModelProto:
    """The model with these metadata and nothing else beside its graph, checked.

    Raises:
        onnx.checker.ValidationError: it is not what ONNX allows.
    """
    bare = onnx.ModelProto(ir_version=model.ir_version, producer_name="mixgym")
    bare.opset_import.extend(o for o in model.opset_import if not o.domain)
    graph = bare.graph
    graph.name = "policy"
    graph.node.extend(model.graph.node)
    graph.input.extend(model.graph.input)
    graph.output.extend(model.graph.output)
    graph.initializer.extend(
        numpy_helper.from_array(numpy_helper.to_array(tensor), tensor.name)
        for tensor in model.graph.initializer
    )
    for part in (*graph.node, *graph.input, *graph.output):
        part.ClearField("doc_string")
        part.ClearField("metadata_props")  # among them where the code lies that was traced
    onnx.helper.set_model_props(bare, metadata(described))
    onnx.checker.check_model(bare, full_check=True)
    return bare


@contextmanager
def _quiet() -> Iterator[None]:
    """The exporter speaks of packages that no policy needs."""
    logger = logging.getLogger("torch.onnx")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.setLevel(level)
