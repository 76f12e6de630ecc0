"""Both ways of an `If` of ONNX on a value that the file does not fix."""

from __future__ import annotations

from typing import Any

import numpy as np

from sicjax.networks._branches import either
from sicjax.networks._graph import Graph
from sicjax.networks._onnx_step import Value


def branches(node: Any) -> tuple[Any, Any] | None:
    """The graphs of an `If`, None where one is missing or gives another number of values than the node."""
    graphs = {attribute.name: attribute.g for attribute in node.attribute}
    found = graphs.get("then_branch"), graphs.get("else_branch")
    whole = all(graph is not None and len(graph.output) >= len(node.output) for graph in found)
    return found if whole else None


def joined(graph: Graph, a: Value, b: Value) -> Value:
    """What is either of two values."""
    if a.parts is not None and b.parts is not None and len(a.parts) == len(b.parts):
        return a._replace(parts=tuple(joined(graph, x, y) for x, y in zip(a.parts, b.parts, strict=True)))
    if _same(a, b):
        return a
    if a.parts is not None or b.parts is not None or a.mixed or b.mixed:
        flow = graph.end([a.flow, b.flow], (), "two branches that give values of different kinds")
    else:
        flow = either(graph, a.flow, b.flow)
    shape = flow.shape if flow.sources else a.shape if a.shape == b.shape else None
    return Value(flow, a.elem if a.elem == b.elem else 0, shape)


def _same(a: Value, b: Value) -> bool:
    if a.constant is None or b.constant is None or not (a.constant.small and b.constant.small):
        return False
    try:
        return np.array_equal(a.constant.value, b.constant.value)
    except Exception:  # a constant that cannot be computed is a value like any other
        return False
