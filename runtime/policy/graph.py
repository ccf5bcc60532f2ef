"""The graph of an ONNX file, read before anything runs it.

What is read here is a small part of ONNX (github.com/onnx/onnx, `onnx.proto`, whose field numbers
these are): one graph of known operators of the standard domain, whose attributes are numbers and
whose constants lie in the file. Functions, graphs within nodes (loops and branches), further
files, sparse tensors and operators of other domains have no place in it.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import dataclass
from math import prod
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from .wire import Schema, Values, WireError, WireReader

OPSETS = range(17, 22)
MOST_NODES = 10_000
MOST_CONSTANTS = 10_000
MOST_AXES = 6
MOST_INPUTS = 64  # of a node, and outputs
MOST_NAME = 500  # bytes
MOST_TEXT = 1_000_000  # bytes of metadata
SMALL = 64  # integers of a constant that are read, because they may be a shape
TYPES: dict[int, np.dtype[Any]] = {
    1: np.dtype("<f4"),
    2: np.dtype("u1"),
    3: np.dtype("i1"),
    6: np.dtype("<i4"),
    7: np.dtype("<i8"),
    9: np.dtype("?"),
    10: np.dtype("<f2"),
}
FLOAT32, INT64 = 1, 7

Attribute = int | float | bytes | tuple[int, ...]

MODEL: Schema = {
    1: ("ir_version", "int"),
    2: ("producer_name", "bytes"),
    3: ("producer_version", "bytes"),
    7: ("graph", "bytes"),
    8: ("opset_import", "many"),
    14: ("metadata_props", "many"),
}
OPSET: Schema = {1: ("domain", "bytes"), 2: ("version", "int")}
ENTRY: Schema = {1: ("key", "bytes"), 2: ("value", "bytes")}
GRAPH: Schema = {
    1: ("node", "many"),
    2: ("name", "bytes"),
    5: ("initializer", "many"),
    11: ("input", "many"),
    12: ("output", "many"),
}
NODE: Schema = {
    1: ("input", "many"),
    2: ("output", "many"),
    3: ("name", "bytes"),
    4: ("op_type", "bytes"),
    5: ("attribute", "many"),
    7: ("domain", "bytes"),
}
ATTRIBUTE: Schema = {
    1: ("name", "bytes"),
    2: ("f", "float"),
    3: ("i", "int"),
    4: ("s", "bytes"),
    8: ("ints", "ints"),
    20: ("type", "int"),
}
FLOAT, INT, STRING, INTS = 1, 2, 3, 7  # values of an attribute's type
TENSOR: Schema = {
    1: ("dims", "ints"),
    2: ("data_type", "int"),
    8: ("name", "bytes"),
    9: ("raw_data", "bytes"),
}
VALUE: Schema = {1: ("name", "bytes"), 2: ("type", "bytes")}
TYPE: Schema = {1: ("tensor_type", "bytes")}
TENSOR_TYPE: Schema = {1: ("elem_type", "int"), 2: ("shape", "bytes")}
SHAPE: Schema = {1: ("dim", "many")}
DIMENSION: Schema = {1: ("dim_value", "int"), 2: ("dim_param", "bytes")}


class Node(NamedTuple):
    """An operation: names of what it takes and gives."""

    kind: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    attributes: Mapping[str, Attribute]


class Constant(NamedTuple):
    """A tensor of the file: its shape, and what is in it where that may be a shape."""

    shape: tuple[int, ...]
    integers: tuple[int, ...] | None


@dataclass(frozen=True, slots=True)
class Graph:
    """What an ONNX file holds.

    Attributes:
        nodes: in order.
        constants: by name.
        inputs, outputs: of float32; the shape of each by name, free axes by their names.
        metadata: by key.
    """

    nodes: tuple[Node, ...]
    constants: Mapping[str, Constant]
    inputs: Mapping[str, tuple[int | str, ...]]
    outputs: Mapping[str, tuple[int | str, ...]]
    metadata: Mapping[str, str]


class GraphError(ValueError):
    """What a policy's graph must not hold; a clause for a sentence that begins with the file."""


def read_graph(content: bytes) -> Graph:
    """The graph of an ONNX file; its weights stay where they are.

    Raises:
        GraphError: it is none, or none that a policy can have.
    """
    try:
        return _Reader().model(memoryview(content))
    except (WireError, UnicodeDecodeError) as error:
        raise GraphError(f"is no ONNX file of a policy ({error})") from error


class _Reader(WireReader):
    def model(self, data: memoryview) -> Graph:
        held = self.message(data, MODEL)
        for chunk in held["opset_import"]:
            opset = self.message(_bytes(chunk), OPSET)
            if _text(opset["domain"]) or _int(opset["version"]) not in OPSETS:
                raise GraphError("asks for operators that no policy needs")
        metadata = {}
        if sum(len(_bytes(chunk)) for chunk in held["metadata_props"]) > MOST_TEXT:
            raise GraphError("says too much of itself")
        for chunk in held["metadata_props"]:
            entry = self.message(_bytes(chunk), ENTRY)
            metadata[_text(entry["key"])] = _text(entry["value"], MOST_TEXT)
        if not held["graph"] or not held["opset_import"]:
            raise WireError("it has no graph")
        graph = self.message(_bytes(held["graph"][0]), GRAPH)
        if len(graph["node"]) > MOST_NODES or len(graph["initializer"]) > MOST_CONSTANTS:
            raise GraphError("has a larger graph than a policy can have")
        constants = [self.constant(_bytes(chunk)) for chunk in graph["initializer"]]
        inputs = [self.value(_bytes(chunk)) for chunk in graph["input"]]
        names = [name for name, _ in (*constants, *inputs)]
        if len(set(names)) < len(names):
            raise GraphError("gives two things one name")
        return Graph(
            tuple(self.node(_bytes(chunk)) for chunk in graph["node"]),
            dict(constants),
            dict(inputs),
            dict(self.value(_bytes(chunk)) for chunk in graph["output"]),
            metadata,
        )

    def node(self, data: memoryview) -> Node:
        held = self.message(data, NODE)
        if _text(held["domain"]):
            raise GraphError("has operators that are not of ONNX itself")
        if max(len(held["input"]), len(held["output"])) > MOST_INPUTS:
            raise GraphError("has a larger graph than a policy can have")
        return Node(
            _text(held["op_type"]),
            tuple(_text([name]) for name in held["input"]),
            tuple(_text([name]) for name in held["output"]),
            dict(self.attribute(_bytes(chunk)) for chunk in held["attribute"]),
        )

    def attribute(self, data: memoryview) -> tuple[str, Attribute]:
        held = self.message(data, ATTRIBUTE)
        kind = _int(held["type"])
        value: Attribute
        if kind == FLOAT and held["f"]:
            (value,) = struct.unpack("<f", _bytes(held["f"][0]))
        elif kind == INT:
            value = _int(held["i"])
        elif kind == STRING:
            value = _text(held["s"]).encode()
        elif kind == INTS:
            value = tuple(int(i) for i in held["ints"] if isinstance(i, int))
        else:
            raise GraphError("has attributes that no policy needs")
        return _text(held["name"]), value

    def constant(self, data: memoryview) -> tuple[str, Constant]:
        held = self.message(data, TENSOR)
        shape = tuple(int(axis) for axis in held["dims"] if isinstance(axis, int))
        kind = _int(held["data_type"])
        raw = _bytes(held["raw_data"][0]) if held["raw_data"] else memoryview(b"")
        if kind not in TYPES or len(shape) > MOST_AXES or any(axis < 1 for axis in shape):
            raise GraphError("has constants that no policy needs")
        if prod(shape) * TYPES[kind].itemsize != len(raw):
            raise GraphError("has constants of another size than they say, or in other files")
        integers = None
        if kind == INT64 and prod(shape) <= SMALL:
            values: NDArray[np.int64] = np.frombuffer(raw, TYPES[kind])
            integers = tuple(values.tolist())
        return _text(held["name"]), Constant(shape, integers)

    def value(self, data: memoryview) -> tuple[str, tuple[int | str, ...]]:
        held = self.message(data, VALUE)
        for name, schema in (("type", TYPE), ("tensor_type", TENSOR_TYPE)):
            if not held[name]:
                raise WireError("an input or output has no shape")
            outer, held = held, self.message(_bytes(held[name][0]), schema)
            if name == "type":
                label = _text(outer["name"])
        if _int(held["elem_type"]) != FLOAT32 or not held["shape"]:
            raise GraphError("takes or gives other numbers than float32")
        shape = self.message(_bytes(held["shape"][0]), SHAPE)
        axes: list[int | str] = []
        for chunk in shape["dim"]:
            axis = self.message(_bytes(chunk), DIMENSION)
            axes.append(_text(axis["dim_param"]) or _int(axis["dim_value"]))
        return label, tuple(axes)


def _bytes(value: int | memoryview) -> memoryview:
    assert isinstance(value, memoryview)
    return value


def _int(values: Values) -> int:
    return values[0] if values and isinstance(values[0], int) else 0


def _text(values: Values, most: int = MOST_NAME) -> str:
    if not values:
        return ""
    data = _bytes(values[0])
    if len(data) > most:
        raise WireError("a name is too long")
    return str(data, "utf-8")
