"""A value of an ONNX graph, and a node with the values it takes."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np

from sicjax.networks.graph import Flow, Graph, Rules, Unreachable, constant
from sicjax.networks.onnx._tensors import SMALL, Constant, numbers


class Value(NamedTuple):
    """A value of the graph.

    Attributes:
        flow: the convolutions that reach it.
        elem: its ONNX element type, 0 if not known.
        shape: None if not known.
        held: what it is if no input of the network changes it.
        parts: of a sequence.
    """

    flow: Flow
    elem: int
    shape: tuple[int, ...] | None
    held: Constant | None = None
    parts: tuple[Value, ...] | None = None


UNKNOWN = Value(constant(), 0, None)


def holding(held: Constant) -> Value:
    """A value that no input of the network changes."""
    return Value(constant(held.shape), held.elem, held.shape, held)


def known(array: Any) -> Value:
    """A value that is these numbers."""
    return holding(numbers(array))


class Step(NamedTuple):
    """One node on the way.

    Attributes:
        graph: where its layers go.
        results: what a graph inside it gives, from the graph and the values before it.
        node: of the graph.
        inputs: its values, None for one that is left out.
        elems: ONNX element types of its outputs, 0 where not known.
        shapes: of its outputs, None where it is not known.
        outer: every value before it by name, for the graphs inside it.
    """

    graph: Graph
    results: Callable[[Any, Mapping[str, Value]], list[Value]]
    node: Any
    inputs: list[Value | None]
    elems: list[int]
    shapes: list[tuple[int, ...] | None]
    outer: Mapping[str, Value]

    @property
    def label(self) -> str:
        return self.node.name or self.node.op_type

    @property
    def kind(self) -> str:
        """The operator with its domain."""
        return f"{self.node.domain or 'ai.onnx'}.{self.node.op_type}"

    @property
    def given(self) -> list[Value]:
        return [value for value in self.inputs if value is not None]

    @property
    def flows(self) -> list[Flow]:
        return [value.flow for value in self.given]

    @property
    def x(self) -> Flow:
        first = self.input(0)
        return constant() if first is None else first.flow

    @property
    def shape(self) -> tuple[int, ...]:
        """Of the first output.

        Raises:
            Unreachable: it is not known.
        """
        if not self.shapes or self.shapes[0] is None:
            raise Unreachable("an operation that gives a size that is not known")
        return self.shapes[0]

    def input(self, k: int) -> Value | None:
        return self.inputs[k] if k < len(self.inputs) else None

    def constant(self, k: int) -> np.ndarray | None:
        """An input that no input of the network changes, None if it is left out.

        Raises:
            Unreachable: one that depends on the input of the network.
        """
        value = self.input(k)
        if value is None:
            return None
        if value.held is None:
            raise Unreachable("an operation whose settings are computed")
        return value.held.value

    def attribute(self, name: str, default: Any = None) -> Any:
        from onnx import helper

        for attribute in self.node.attribute:
            if attribute.name == name:
                value = helper.get_attribute_value(attribute)
                return value.decode(errors="replace") if isinstance(value, bytes) else value
        return default

    def setting(self, name: str, k: int) -> list[int] | None:
        """A setting that is an attribute in one version of an operator, an input in another; None if it is left out."""
        value = self.attribute(name)
        value = self.constant(k) if value is None else value
        if value is None:
            return None
        if math.prod(np.shape(value)) > SMALL:
            raise ValueError(f"{math.prod(np.shape(value)):,} numbers as {name}")
        return [int(v) for v in np.reshape(value, -1)]


# Rules of operators, by name, with the domain before it if it is not ONNX's own: from a step to a `Flow` or `Value`, of
# the first output alone, or to a list of them.
rules: Rules[Callable[[Step], Any]] = Rules()
