"""Graphs inside a node: branches and loops."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial, reduce
from typing import Any

import numpy as np

from sicjax.networks.graph import LOOP, Flow, Graph, Unreachable, either
from sicjax.networks.onnx._step import Step, Value, rules


@rules("If")
def _if(step: Step) -> list[Value]:
    """The branch that is taken, or both where that depends on the input."""
    graphs = {attribute.name: attribute.g for attribute in step.node.attribute}
    ways = [graphs.get("then_branch"), graphs.get("else_branch")]
    condition = step.input(0)
    if condition is not None and condition.held is not None:
        ways = ways[:1] if np.all(condition.held.value) else ways[1:]
    followed = [way for way in ways if way is not None and len(way.output) >= len(step.node.output)]
    if len(followed) < len(ways):
        name_inside(step)
        raise Unreachable("a branch that is not there")
    found = [step.results(way, step.outer) for way in followed]
    return [reduce(partial(_either, step.graph), values) for values in zip(*found, strict=False)]


def _either(graph: Graph, a: Value, b: Value) -> Value:
    """What is either of two values."""
    if a.parts is not None and b.parts is not None and len(a.parts) == len(b.parts):
        return a._replace(parts=tuple(_either(graph, x, y) for x, y in zip(a.parts, b.parts, strict=True)))
    if a.held and b.held and a.held.small and b.held.small and np.array_equal(a.held.value, b.held.value):
        return a
    flow = either(graph, a.flow, b.flow)
    shape = flow.shape if flow.sources else a.shape if a.shape == b.shape else None
    return Value(flow, a.elem if a.elem == b.elem else 0, shape)


@rules("Loop Scan")
def _loop(step: Step) -> None:
    name_inside(step)
    raise Unreachable(LOOP)


def name_inside(step: Step) -> None:
    """Names the convolutions in a graph that is not followed."""
    for node in inside(step.node):
        if "Conv" in node.op_type:
            name = node.name or next(iter(node.output), node.op_type)
            step.graph.skip(name, f"it is inside {step.label}, which is not followed")


def captured(step: Step) -> list[Flow]:
    """What the graphs inside a node use from outside."""
    return [step.outer[name].flow for node in inside(step.node) for name in node.input if name in step.outer]


def inside(*nodes: Any) -> Iterator[Any]:
    """The nodes of graphs inside nodes, at any depth."""
    stack = list(nodes)
    while stack:
        for attribute in stack.pop().attribute:
            for graph in (*attribute.graphs, *([attribute.g] if attribute.HasField("g") else [])):
                yield from graph.node
                stack.extend(graph.node)
