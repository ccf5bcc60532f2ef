"""Smaller weights for an ONNX file: half precision, and 8 bits."""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

Inputs = dict[str, NDArray[np.float32]]
PRECISIONS = ("fp32", "fp16", "int8", "int8-static")
HALF = "_half"  # what the name of a weight in half precision ends in


def shrunk(
    model: onnx.ModelProto, precision: str, examples: Sequence[Inputs] = ()
) -> onnx.ModelProto:
    """A model with smaller weights.

    Args:
        model: in single precision.
        precision: one of `PRECISIONS`. fp16 keeps weights in half precision and computes in single;
            int8 quantises weights now and what they are multiplied by as it comes; int8-static
            takes the range of the latter from examples.
        examples: inputs to calibrate on.
    """
    if precision == "fp32":
        return model
    if precision == "fp16":
        return _halved(model)
    return _quantised(model, examples if precision == "int8-static" else None)


def _halved(model: onnx.ModelProto) -> onnx.ModelProto:
    small = onnx.ModelProto()
    small.CopyFrom(model)
    casts = []
    for tensor in small.graph.initializer:
        weights = numpy_helper.to_array(tensor)
        if weights.dtype != np.float32 or weights.ndim < 2:
            continue
        name = tensor.name
        tensor.CopyFrom(numpy_helper.from_array(weights.astype(np.float16), name + HALF))
        casts.append(helper.make_node("Cast", [name + HALF], [name], to=TensorProto.FLOAT))
    nodes = [*casts, *small.graph.node]
    del small.graph.node[:]
    small.graph.node.extend(nodes)
    return small


def _quantised(model: onnx.ModelProto, examples: Sequence[Inputs] | None) -> onnx.ModelProto:
    """With every product with a matrix of weights in 8 bits."""
    from onnxruntime import quantization

    weights = {tensor.name for tensor in model.graph.initializer}
    products = [n for n in model.graph.node if n.op_type in ("MatMul", "Gemm")]
    left_out = [n.name for n in products if n.input[1] not in weights]
    with tempfile.TemporaryDirectory() as folder, _quiet():
        source, target = Path(folder) / "fp32.onnx", Path(folder) / "int8.onnx"
        onnx.save(model, source)
        if examples is None:
            quantization.quantize_dynamic(
                source,
                target,
                op_types_to_quantize=["MatMul", "Gemm"],
                nodes_to_exclude=left_out,
                weight_type=quantization.QuantType.QInt8,
            )
        else:
            quantization.quantize_static(
                source,
                target,
                _Reader(examples),
                op_types_to_quantize=["MatMul", "Gemm"],
                nodes_to_exclude=left_out,
                weight_type=quantization.QuantType.QInt8,
                per_channel=True,
            )
        return onnx.load(target)


class _Reader:
    """Examples as `quantize_static` asks for them."""

    def __init__(self, examples: Sequence[Inputs]) -> None:
        self._left = iter(examples)

    def get_next(self) -> Inputs | None:
        """The next, None after the last."""
        return next(self._left, None)


@contextmanager
def _quiet() -> Iterator[None]:
    """The quantiser speaks of passes that change nothing here."""
    logging.disable(logging.WARNING)
    try:
        yield
    finally:
        logging.disable(logging.NOTSET)
