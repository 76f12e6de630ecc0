"""What an operator of ONNX is told of its node, and what it is in the table of operators."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from sicjax._errors import InputError
from sicjax.networks._flow import BATCH, Flow
from sicjax.networks._graph import Graph
from sicjax.networks._onnx_tensors import Constant


class Value(NamedTuple):
    """A value of the graph.

    Attributes:
        flow: the convolutions that reach it.
        elem: its ONNX element type, 0 if not known.
        shape: None if not known. A value whose axes a reshape mixed has its own shape here, and in `flow` the shape
            that it had before.
        constant: what it is if no input of the network changes it.
        parts: of a sequence.
    """

    flow: Flow
    elem: int
    shape: tuple[int, ...] | None
    constant: Constant | None = None
    parts: tuple[Value, ...] | None = None

    @property
    def mixed(self) -> bool:
        return bool(self.flow.sources) and self.shape != self.flow.shape


class Step(NamedTuple):
    """One node on the way.

    Attributes:
        graph: where the layers go.
        node: of the graph.
        domain: of its operator, empty for ONNX's own.
        inputs: its values, None for one that is left out.
        shapes: of its outputs, None where it is not known.
    """

    graph: Graph
    node: Any
    domain: str
    inputs: list[Value | None]
    shapes: list[tuple[int, ...] | None]

    @property
    def label(self) -> str:
        name = self.node.name or next(iter(self.node.output), "")
        return name or self.node.op_type

    @property
    def flows(self) -> list[Flow]:
        return [value.flow for value in self.inputs if value is not None]

    @property
    def x(self) -> Flow:
        first = self.inputs[0] if self.inputs else None
        return Flow((), ()) if first is None else first.flow

    @property
    def shape(self) -> tuple[int, ...] | None:
        return self.shapes[0] if self.shapes else None

    def attribute(self, name: str, default: Any = None) -> Any:
        from onnx import helper

        for attribute in self.node.attribute:
            if attribute.name == name:
                value = helper.get_attribute_value(attribute)
                return value.decode(errors="replace") if isinstance(value, bytes) else value
        return default

    def constant(self, k: int) -> np.ndarray | None:
        """An input's value, if it is constant."""
        value = self.inputs[k] if k < len(self.inputs) else None
        if value is None or value.constant is None:
            return None
        try:
            return value.constant.value
        except InputError:
            raise
        except Exception:  # what the reference implementation does not know
            return None

    def setting(self, name: str, k: int) -> list[int] | None:
        """A setting that is an attribute in one version of an operator, an input in another."""
        value = self.attribute(name)
        value = self.constant(k) if value is None else value
        return None if value is None else [int(v) for v in np.reshape(value, -1)]

    def end(self, reason: str) -> Flow:
        return self.graph.end(self.flows, self.shape or (), reason)

    def without_sources(self, shape: Sequence[int] | None, origin: str) -> Flow:
        return Flow(tuple(shape or ()), (BATCH,) * len(shape or ()), origin=origin)


class Operator(NamedTuple):
    """How an operator is followed.

    Attributes:
        follow: gives the flow of the outputs, one for the first of them alone.
        always: also if no convolution reaches it: it is one itself, or a reason to name.
        ends: no pair reaches across it.
    """

    follow: Callable[[Step], Flow | list[Flow]]
    always: bool = False
    ends: bool = False
