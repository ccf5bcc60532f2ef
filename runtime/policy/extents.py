"""How large every tensor of a graph gets, before there is any.

The graph is gone through with the sizes of real inputs and no data: each operator says what shape
it gives. Operators that are not known are refused, and so is a graph that would take more memory
or work than a policy can need; nothing of it has been run by then.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import prod

from .extent_rules import PRODUCTS, RULES, Extent, Operation, Shape
from .graph import SMALL, Graph, GraphError, Node

MOST_ELEMENTS = 2**24  # of one tensor
MOST_TOGETHER = 2**27  # of all
MOST_WORK = 2**33  # multiplications and additions
MOST_AXES = 8


def check_extents(graph: Graph, lengths: Mapping[str, int]) -> dict[str, Shape]:
    """The shapes of a graph's outputs.

    Args:
        graph: as read.
        lengths: of free axes, by name.

    Raises:
        GraphError: an operator that is not known or does not fit, or more memory or work than a
            policy can need.
    """
    known: dict[str, Extent] = {name: Extent(*held) for name, held in graph.constants.items()}
    for name, axes in graph.inputs.items():
        known[name] = Extent(tuple(lengths[a] if isinstance(a, str) else a for a in axes))
    together = work = 0
    for node in graph.nodes:
        try:
            inputs = [known[name] if name else None for name in node.inputs]
        except KeyError as error:
            raise GraphError("has operators out of order") from error
        outputs = _outputs(node, inputs)
        for name, extent in zip(node.outputs, outputs, strict=True):
            if name in known:
                raise GraphError("gives two things one name")
            size = prod(extent.shape)
            together += size
            work += size * (_summed(node, inputs) if node.kind in PRODUCTS else 1)
            if (
                len(extent.shape) > MOST_AXES
                or not 0 < size <= MOST_ELEMENTS
                or together > MOST_TOGETHER
                or work > MOST_WORK
            ):
                raise GraphError("would take more memory or time than a policy can need")
            if name:
                small = len(extent.integers or ()) <= SMALL
                known[name] = extent if small else Extent(extent.shape)
    missing = [name for name in graph.outputs if name not in known]
    if missing:
        raise GraphError(f"does not give {missing[0]!r}")
    return {name: known[name].shape for name in graph.outputs}


def _outputs(node: Node, inputs: list[Extent | None]) -> list[Extent]:
    if node.kind not in RULES:
        raise GraphError(f"uses the operator {node.kind!r}, which no policy needs")
    rule, allowed = RULES[node.kind]
    if not set(node.attributes) <= allowed:
        raise GraphError(f"sets attributes of {node.kind} that no policy needs")
    outputs = rule(Operation(inputs, node.attributes, len(node.outputs)))
    if len(outputs) != len(node.outputs):
        raise GraphError(f"takes more of {node.kind} than it gives")
    return outputs


def _summed(node: Node, inputs: list[Extent | None]) -> int:
    first = inputs[0].shape if inputs and inputs[0] else ()
    transposed = node.attributes.get("transA")
    return max(1, first[0 if transposed else -1]) if first else 1
