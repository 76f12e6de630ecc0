"""One value for the two that a program has after a branch that cannot be decided."""

from __future__ import annotations

from typing import Any

from sicjax.networks.graph import Flow, either
from sicjax.networks.torch.aten._aten import Aten
from sicjax.networks.torch.aten._values import UNKNOWN, Parameter, flows


def joined(aten: Aten, a: Any, b: Any, known: dict[tuple[int, int], Any] | None = None) -> Any:
    """What is either of two values: every convolution that reaches one of them reaches it.

    `known` are pairs that were met, so that lists of lists of the same list do not multiply.
    """
    known = {} if known is None else known
    key = (id(a), id(b))
    if key not in known:
        known[key] = a if a is b else _joined(aten, a, b, known)
    return known[key]


def _joined(aten: Aten, a: Any, b: Any, known: dict[tuple[int, int], Any]) -> Any:
    if isinstance(a, Flow) or isinstance(b, Flow):
        xs = [x for x in (a, b) if isinstance(x, Flow)]
        return either(aten.graph, xs[0], xs[-1])
    if isinstance(a, Parameter) and isinstance(b, Parameter):
        return a if a.array is b.array else aten.graph.input((), f"a choice of {a.name} or {b.name}")
    if type(a) is type(b) is list and len(a) == len(b):
        return [joined(aten, x, y, known) for x, y in zip(a, b, strict=True)]
    if type(a) is type(b) is tuple and len(a) == len(b):
        return tuple(joined(aten, x, y, known) for x, y in zip(a, b, strict=True))
    if type(a) is dict and type(b) is dict:
        return {key: joined(aten, a.get(key, b.get(key)), b.get(key, a.get(key)), known) for key in {**a, **b}}
    if type(a) is type(b) and isinstance(a, (int, float, str)) and a == b:
        return a
    if type(a) is type(b) and isinstance(a, tuple) and type(a) is not tuple and all(map(_same, a, b)):
        return a
    if any(x.sources for x in flows([a, b])):
        aten.end([a, b], "two branches of the program that give values of different kinds")
    return UNKNOWN


def _same(a: Any, b: Any) -> bool:
    return a is b or (isinstance(a, str) and a == b)
