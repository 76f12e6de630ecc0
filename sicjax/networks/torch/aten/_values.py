"""Values of a program: a `Flow`, a `Parameter`, a number, a text, a list of values, or what is not known."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np

from sicjax.networks.graph import Flow, Graph, constant, either


class Parameter(NamedTuple):
    """A value that no input changes, with the name of what it is made of."""

    name: str
    array: np.ndarray


class _Unknown:
    """What depends on sizes that the file does not state; an operation that needs it as a number does not fit."""

    def __repr__(self) -> str:
        return "a value that is not known"

    def __index__(self) -> int:
        raise ValueError("a number that is not known")


UNKNOWN = _Unknown()


def flows(value: Any) -> Iterator[Flow]:
    """Every `Flow` among values, in order."""
    yield from (part for part in _parts(value) if isinstance(part, Flow))


def parameters(value: Any) -> Iterator[Parameter]:
    """Every `Parameter` among values, in order."""
    yield from (part for part in _parts(value) if isinstance(part, Parameter))


def operands(values: Any) -> list[Flow]:
    """Every tensor among values, parameters as what no convolution reaches."""
    tensors = [part for part in _parts(values) if isinstance(part, (Flow, Parameter))]
    return [constant(part.array.shape) if isinstance(part, Parameter) else part for part in tensors]


def _parts(value: Any) -> Iterator[Any]:
    """What nested lists hold, each list once, so that lists of lists of the same list do not multiply."""
    stack, seen = [value], set()
    while stack:
        part = stack.pop()
        if type(part) not in (list, tuple, dict):
            yield part
        elif id(part) not in seen:
            seen.add(id(part))
            stack.extend(reversed(list(part.values()) if isinstance(part, dict) else part))


def along(setting: Any, axis: int) -> Any:
    """A setting along a spatial axis, from one for all or one each."""
    return setting[axis % len(setting)] if isinstance(setting, (list, tuple)) else setting


def dimensions(name: str) -> int:
    """How many spatial axes an operator has, such as `avg_pool2d`."""
    return next(int(letter) for letter in name if letter.isdigit())


def joined(graph: Graph, a: Any, b: Any, known: dict[tuple[int, int], Any] | None = None) -> Any:
    """What is either of two values: every convolution that reaches one of them reaches it.

    `known` are pairs that were met, so that lists of lists of the same list do not multiply.
    """
    known = {} if known is None else known
    key = (id(a), id(b))
    if key not in known:
        known[key] = a if a is b else _joined(graph, a, b, known)
    return known[key]


def _joined(graph: Graph, a: Any, b: Any, known: dict[tuple[int, int], Any]) -> Any:
    if isinstance(a, Flow) or isinstance(b, Flow):
        xs = [x for x in (a, b) if isinstance(x, Flow)]
        return either(graph, xs[0], xs[-1])
    if isinstance(a, Parameter) and isinstance(b, Parameter):
        return a if a.array is b.array else graph.input((), f"a choice of {a.name} or {b.name}")
    if type(a) is type(b) and type(a) in (list, tuple) and len(a) == len(b):
        parts = [joined(graph, x, y, known) for x, y in zip(a, b, strict=True)]
        return parts if type(a) is list else tuple(parts)
    if type(a) is dict and type(b) is dict:
        return {key: joined(graph, a.get(key, b.get(key)), b.get(key, a.get(key)), known) for key in {**a, **b}}
    if type(a) is type(b) and isinstance(a, (int, float, str)) and a == b:
        return a
    if type(a) is type(b) and isinstance(a, tuple) and type(a) is not tuple:
        if all(x is y or (isinstance(x, str) and x == y) for x, y in zip(a, b, strict=True)):
            return a
    if any(x.sources for x in flows([a, b])):
        graph.end(flows([a, b]), (), "two branches of the program that give values of different kinds")
    return UNKNOWN
