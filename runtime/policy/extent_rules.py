"""What shape each operator of ONNX gives, by the shapes that it takes.

After the operators' definitions (onnx.ai/onnx/operators), for those that a policy needs and the
attributes that it sets. Integers are followed where they may become a shape.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from math import prod
from typing import NamedTuple

from .graph import Attribute, GraphError

Shape = tuple[int, ...]


class Extent(NamedTuple):
    """A tensor without its data.

    Attributes:
        shape: of it.
        integers: what is in it, where it holds sizes.
    """

    shape: Shape
    integers: tuple[int, ...] | None = None


class Operation(NamedTuple):
    """A node on its way through: what it takes, how it is set, how many it gives."""

    inputs: list[Extent | None]
    attributes: Mapping[str, Attribute]
    outputs: int

    def input(self, place: int) -> Extent:
        """One that must be there."""
        if place >= len(self.inputs):
            raise GraphError("has an operator with too few inputs")
        found = self.inputs[place]
        if found is None:
            raise GraphError("has an operator with an input left out")
        return found

    def sizes(self, place: int) -> tuple[int, ...]:
        """Integers of an input, which must be known."""
        integers = self.input(place).integers
        if integers is None:
            raise GraphError("has shapes that are not known before it runs")
        return integers

    def integer(self, name: str, usual: int) -> int:
        """An attribute."""
        value = self.attributes.get(name, usual)
        if not isinstance(value, int):
            raise GraphError(f"has an attribute {name} that is no whole number")
        return value

    def integers(self, name: str) -> tuple[int, ...] | None:
        """An attribute, None where it is left out."""
        value = self.attributes.get(name)
        if value is not None and not isinstance(value, tuple):
            raise GraphError(f"has an attribute {name} that is no list")
        return value


Rule = Callable[[Operation], list[Extent]]


def _axis(axis: int, axes: int) -> int:
    if not -axes <= axis < axes:
        raise GraphError("names an axis that is not there")
    return axis % axes


def _broadcast(*shapes: Shape) -> Shape:
    """The shape of several together, by the rules of NumPy."""
    axes = max(map(len, shapes))
    padded = [(1,) * (axes - len(shape)) + shape for shape in shapes]
    result = []
    for lengths in zip(*padded, strict=True):
        longer = {length for length in lengths if length != 1}
        if len(longer) > 1:
            raise GraphError("joins shapes that do not fit")
        result.append(longer.pop() if longer else 1)
    return tuple(result)


def _identity(op: Operation) -> list[Extent]:
    return [op.input(0)]


def _same(op: Operation) -> list[Extent]:
    return [Extent(op.input(0).shape)]


def _pointwise(op: Operation) -> list[Extent]:
    return [Extent(_broadcast(*(op.input(i).shape for i in range(len(op.inputs) or 1))))]


def _add(op: Operation) -> list[Extent]:
    left, right = op.input(0), op.input(1)
    shape = _broadcast(left.shape, right.shape)
    if left.integers is None or right.integers is None or prod(shape) != 1:
        return [Extent(shape)]
    return [Extent(shape, (left.integers[0] + right.integers[0],))]


def _along(op: Operation) -> list[Extent]:
    shape = op.input(0).shape
    _axis(op.integer("axis", -1), len(shape))
    return [Extent(shape)]


def _layer_norm(op: Operation) -> list[Extent]:
    shape = op.input(0).shape
    if _axis(op.integer("axis", -1), len(shape)) != len(shape) - 1:
        raise GraphError("normalises over more than the last axis")
    for other in op.inputs[1:]:
        if other is not None and other.shape != shape[-1:]:
            raise GraphError("joins shapes that do not fit")
    return [Extent(shape)]


def _matmul(op: Operation) -> list[Extent]:
    left, right = op.input(0).shape, op.input(1).shape
    if len(left) < 2 or len(right) < 2 or left[-1] != right[-2]:
        raise GraphError("multiplies matrices that do not fit")
    return [Extent((*_broadcast(left[:-2], right[:-2]), left[-2], right[-1]))]


def _gemm(op: Operation) -> list[Extent]:
    left, right = op.input(0).shape, op.input(1).shape
    if len(left) != 2 or len(right) != 2:
        raise GraphError("multiplies matrices that do not fit")
    left = left[::-1] if op.integer("transA", 0) else left
    right = right[::-1] if op.integer("transB", 0) else right
    if left[1] != right[0]:
        raise GraphError("multiplies matrices that do not fit")
    shape = (left[0], right[1])
    if len(op.inputs) > 2 and _broadcast(shape, op.input(2).shape) != shape:
        raise GraphError("joins shapes that do not fit")
    return [Extent(shape)]


def _transpose(op: Operation) -> list[Extent]:
    shape = op.input(0).shape
    order = op.integers("perm") or tuple(reversed(range(len(shape))))
    if sorted(order) != list(range(len(shape))):
        raise GraphError("names an axis that is not there")
    return [Extent(tuple(shape[axis] for axis in order))]


def _reshape(op: Operation) -> list[Extent]:
    given = op.input(0)
    wanted = list(op.sizes(1))
    if not op.integer("allowzero", 0):
        if any(length == 0 and i >= len(given.shape) for i, length in enumerate(wanted)):
            raise GraphError("names an axis that is not there")
        wanted = [given.shape[i] if length == 0 else length for i, length in enumerate(wanted)]
    size = prod(given.shape)
    if wanted.count(-1) == 1:
        others = -prod(wanted)
        wanted[wanted.index(-1)] = size // others if others else 0
    if any(length < 0 for length in wanted) or prod(wanted) != size:
        raise GraphError("gives a tensor a shape that does not fit")
    return [Extent(tuple(wanted), given.integers)]


def _expand(op: Operation) -> list[Extent]:
    wanted = op.sizes(1)
    if any(length < 1 for length in wanted):
        raise GraphError("gives a tensor a shape that does not fit")
    return [Extent(_broadcast(op.input(0).shape, wanted))]


def _shape(op: Operation) -> list[Extent]:
    shape = op.input(0).shape
    part = shape[op.integer("start", 0) : op.integer("end", len(shape))]
    return [Extent((len(part),), part)]


def _concat(op: Operation) -> list[Extent]:
    parts = [op.input(i) for i in range(len(op.inputs) or 1)]
    shapes = [part.shape for part in parts]
    axis = _axis(op.integer("axis", 0), len(shapes[0]))
    fixed = {(len(shape), shape[:axis], shape[axis + 1 :]) for shape in shapes}
    if len(fixed) > 1:
        raise GraphError("joins shapes that do not fit")
    joined = list(shapes[0])
    joined[axis] = sum(shape[axis] for shape in shapes)
    integers: tuple[int, ...] | None = ()
    for part in parts:
        known = integers is not None and part.integers is not None and len(part.shape) == 1
        integers = (*(integers or ()), *(part.integers or ())) if known else None
    return [Extent(tuple(joined), integers)]


def _gather(op: Operation) -> list[Extent]:
    data, indices = op.input(0), op.input(1)
    axis = _axis(op.integer("axis", 0), len(data.shape))
    for index in op.sizes(1):
        _axis(index, data.shape[axis])
    integers = None
    if data.integers is not None and len(data.shape) == 1:
        integers = tuple(data.integers[index] for index in op.sizes(1))
    return [Extent((*data.shape[:axis], *indices.shape, *data.shape[axis + 1 :]), integers)]


def _slice(op: Operation) -> list[Extent]:
    data = op.input(0)
    starts, ends = op.sizes(1), op.sizes(2)
    axes = op.sizes(3) if len(op.inputs) > 3 else tuple(range(len(starts)))
    steps = op.sizes(4) if len(op.inputs) > 4 else (1,) * len(starts)
    if not len(starts) == len(ends) == len(axes) == len(steps) or any(s < 1 for s in steps):
        raise GraphError("cuts a tensor in a way that no policy needs")
    shape = list(data.shape)
    integers = data.integers if len(shape) == 1 else None
    for start, end, axis, step in zip(starts, ends, axes, steps, strict=True):
        place = _axis(axis, len(shape))
        part = slice(start, end, step)
        shape[place] = len(range(*part.indices(shape[place])))
        integers = integers[part] if integers is not None else None
    return [Extent(tuple(shape), integers)]


def _split(op: Operation) -> list[Extent]:
    shape = op.input(0).shape
    axis = _axis(op.integer("axis", 0), len(shape))
    if len(op.inputs) > 1:
        lengths = op.sizes(1)
    else:
        lengths = (shape[axis] // max(1, op.outputs),) * op.outputs
    if sum(lengths) != shape[axis] or any(length < 0 for length in lengths):
        raise GraphError("cuts a tensor in a way that no policy needs")
    return [Extent((*shape[:axis], length, *shape[axis + 1 :])) for length in lengths]


def _squeeze(op: Operation) -> list[Extent]:
    data = op.input(0)
    if len(op.inputs) > 1:
        places = {_axis(axis, len(data.shape)) for axis in op.sizes(1)}
    else:
        places = {place for place, length in enumerate(data.shape) if length == 1}
    if any(data.shape[place] != 1 for place in places):
        raise GraphError("leaves out an axis that is longer than 1")
    shape = tuple(length for i, length in enumerate(data.shape) if i not in places)
    return [Extent(shape, data.integers)]


def _unsqueeze(op: Operation) -> list[Extent]:
    data, added = op.input(0), op.sizes(1)
    axes = len(data.shape) + len(added)
    places = {_axis(axis, axes) for axis in added}
    if len(places) < len(added):
        raise GraphError("names an axis twice")
    old = iter(data.shape)
    return [Extent(tuple(1 if i in places else next(old) for i in range(axes)), data.integers)]


def _quantized(op: Operation) -> list[Extent]:
    """Scale and zero are one for all, or one for each place of an axis."""
    shape = op.input(0).shape
    for place in range(1, len(op.inputs)):
        given = op.input(place).shape
        if prod(given) != 1 and given != (shape[_axis(op.integer("axis", 1), len(shape))],):
            raise GraphError("joins shapes that do not fit")
    return [Extent(shape)]


def _quantize_dynamic(op: Operation) -> list[Extent]:
    return [Extent(op.input(0).shape), Extent(()), Extent(())]


PRODUCTS = ("MatMul", "MatMulInteger", "Gemm")
NONE: frozenset[str] = frozenset()
AXIS = frozenset({"axis"})
RULES: dict[str, tuple[Rule, frozenset[str]]] = {
    **dict.fromkeys(("Relu", "Tanh", "Sigmoid", "Erf", "Exp", "Sqrt"), (_same, NONE)),
    "Add": (_add, NONE),
    **dict.fromkeys(("Sub", "Mul", "Div", "Pow", "Min", "Max"), (_pointwise, NONE)),
    **dict.fromkeys(("Greater", "Less", "And", "Where"), (_pointwise, NONE)),
    "Identity": (_identity, NONE),
    "Cast": (_same, frozenset({"to"})),
    "Clip": (_same, NONE),
    "Softmax": (_along, AXIS),
    "LayerNormalization": (_layer_norm, frozenset({"axis", "epsilon", "stash_type"})),
    "MatMul": (_matmul, NONE),
    "MatMulInteger": (_matmul, NONE),
    "Gemm": (_gemm, frozenset({"alpha", "beta", "transA", "transB"})),
    "Transpose": (_transpose, frozenset({"perm"})),
    "Reshape": (_reshape, frozenset({"allowzero"})),
    "Expand": (_expand, NONE),
    "Shape": (_shape, frozenset({"start", "end"})),
    "Concat": (_concat, AXIS),
    "Gather": (_gather, AXIS),
    "Slice": (_slice, NONE),
    "Split": (_split, frozenset({"axis", "num_outputs"})),
    "Squeeze": (_squeeze, NONE),
    "Unsqueeze": (_unsqueeze, NONE),
    "DynamicQuantizeLinear": (_quantize_dynamic, NONE),
    "QuantizeLinear": (_quantized, AXIS),
    "DequantizeLinear": (_quantized, AXIS),
}
