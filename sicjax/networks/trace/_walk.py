"""One pass over a trace: its equations in order, each by the rule of its primitive.

Every variable of the trace is either a `Flow` (it depends on the inputs) or `Known` (it depends on the parameters
alone). What is known is computed only where it is a kernel, or a table of places that a resize reads.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import reduce
from typing import Any, NamedTuple

from jax.extend.core import ClosedJaxpr, Jaxpr, Literal, jaxpr_as_fun

from sicjax.networks.graph import LOOP, Flow, Graph, Rules, Unreachable, constant, either

INLINED = ("jaxpr", "call_jaxpr", "fun_jaxpr")
LOOPS = ("scan", "while")
OPAQUE = frozenset((*LOOPS, "cond", "shard_map", "pmap", "xla_pmap", "custom_root", "custom_linear_solve"))


class Known(NamedTuple):
    """A value that depends on the parameters alone, computed when asked for.

    Attributes:
        make: from the list of parameter leaves.
        path: the parameter it is made of, the largest if several; empty for constants.
        size: of that parameter.
    """

    make: Callable[[list], Any]
    path: str = ""
    size: int = 0


def fixed(value: Any) -> Known:
    """A value that not even the parameters change."""
    return Known(lambda given: value)


class Step(NamedTuple):
    """One equation on the way, the values it takes, and the shapes of its results."""

    walk: Walk
    eqn: Any
    values: list
    shapes: list[tuple[int, ...]]

    @property
    def graph(self) -> Graph:
        return self.walk.graph

    @property
    def x(self) -> Any:
        return self.values[0]

    @property
    def p(self) -> dict[str, Any]:
        """The parameters of the equation, which are settings."""
        return self.eqn.params

    @property
    def flows(self) -> list[Flow]:
        """The values, what is known as a constant of its shape."""
        arguments = zip(self.values, self.eqn.invars, strict=True)
        return [v if isinstance(v, Flow) else constant(o.aval.shape) for v, o in arguments]


# Rules of primitives: from a step to one value or a list.
rules: Rules[Callable[[Step], Any]] = Rules()


class Walk:
    """Follows a trace; what it finds is in its graph, and the kernels in the order of the graph's layers.

    Arguments:
        graph: collects layers and pairs.
        leaves: the parameters of the trace.
    """

    def __init__(self, graph: Graph, leaves: list) -> None:
        self.graph = graph
        self.leaves = leaves
        self.kernels: list[tuple[Known, tuple[int, ...]]] = []

    def jaxpr(self, jaxpr: Jaxpr, consts: Sequence, args: Sequence) -> list:
        """Follows the equations in order; the values of the outputs."""
        env: dict[Any, Any] = dict(zip([*jaxpr.constvars, *jaxpr.invars], [*consts, *args], strict=True))
        read = lambda v: fixed(v.val) if isinstance(v, Literal) else env[v]
        for eqn in jaxpr.eqns:
            env |= zip(eqn.outvars, self.equation(jaxpr, eqn, [read(v) for v in eqn.invars]), strict=True)
        return [read(v) for v in jaxpr.outvars]

    def equation(self, jaxpr: Jaxpr, eqn, values: list) -> list:
        name, shapes = eqn.primitive.name, [v.aval.shape for v in eqn.outvars]
        flows = [value for value in values if isinstance(value, Flow)]
        if name == "platform_index":
            # The last form is the one for every platform; the others compute the same.
            return [fixed(len(eqn.params["platforms"]) - 1)]
        if not flows:
            return _computed(jaxpr, eqn, values)
        if name == "cond":
            return self.branches(eqn.params["branches"], values)
        inner = next((eqn.params[key] for key in INLINED if key in eqn.params), None)
        if inner is not None and name not in OPAQUE:
            return self.inner(inner, values)
        kernel = values[1] if name == "conv_general_dilated" else None
        path = "" if kernel is None else getattr(kernel, "path", "") or "a convolution"
        rule, step = rules.get(name, _unknown), Step(self, eqn, values, shapes)
        found = self.graph.follow(lambda: rule(step), flows, path or name, layer=path, kind=name)
        found = found if isinstance(found, list) else [found] * len(shapes)
        stated = lambda flow, shape: flow if flow.sources else self.graph.input(shape, flow.origin)
        return [stated(v, shape) if isinstance(v, Flow) else v for v, shape in zip(found, shapes, strict=True)]

    def inner(self, jaxpr: Jaxpr | ClosedJaxpr, values: Sequence) -> list:
        """A part of the program, with these values as its inputs."""
        if isinstance(jaxpr, ClosedJaxpr):
            return self.jaxpr(jaxpr.jaxpr, [fixed(c) for c in jaxpr.consts], values)
        return self.jaxpr(jaxpr, [], values)

    def branches(self, branches: Sequence[ClosedJaxpr], values: Sequence) -> list:
        """The branch that is chosen, or all of them where that depends on the input or the parameters."""
        chosen = values[0]
        if isinstance(chosen, Known) and not chosen.path:
            return self.inner(branches[int(self.value(chosen))], values[1:])
        results = [self.inner(branch, values[1:]) for branch in branches]
        return [reduce(self._either, found) for found in zip(*results, strict=True)]

    def _either(self, a: Flow | Known, b: Flow | Known) -> Flow:
        flows = [v if isinstance(v, Flow) else self.graph.input((), "a choice of parameters") for v in (a, b)]
        return either(self.graph, *flows)

    def value(self, known: Known, given: list | None = None) -> Any:
        return known.make(self.leaves if given is None else given)

    def kernel(self, kernel: tuple[Known, tuple[int, ...]], given: list | None = None) -> Any:
        known, order = kernel
        return self.value(known, given).transpose(order)


def _computed(jaxpr: Jaxpr, eqn, values: list[Known]) -> list[Known]:
    """An equation among known values, run only when one of its results is asked for, and once for each parameters."""
    variables = {v: value for v, value in zip(eqn.invars, values, strict=True) if not isinstance(v, Literal)}
    alone = jaxpr.replace(constvars=[], invars=list(variables), outvars=list(eqn.outvars), eqns=[eqn])
    last: list = [None, None]

    def run(given: list):
        if last[0] is not given:
            arguments = [value.make(given) for value in variables.values()]
            last[:] = given, jaxpr_as_fun(ClosedJaxpr(alone, []))(*arguments)
        return last[1]

    made_of = max(values, key=lambda value: value.size, default=fixed(None))
    return [Known(lambda given, k=k: run(given)[k], made_of.path, made_of.size) for k in range(len(eqn.outvars))]


def _unknown(step: Step) -> None:
    name = step.eqn.primitive.name
    for path in _convolutions(step.eqn):
        step.graph.skip(path, f"it is inside {name}, which is not followed")
    raise Unreachable(LOOP if name in LOOPS else "an operation that is not known")


def _convolutions(eqn) -> list[str]:
    """The convolutions inside an equation that is not followed."""
    found, stack = [], list(eqn.params.values())
    while stack:
        value = stack.pop()
        if isinstance(value, (tuple, list)):
            stack.extend(value)
        jaxpr = getattr(value, "jaxpr", value)
        for inner in getattr(jaxpr, "eqns", ()):
            if inner.primitive.name == "conv_general_dilated":
                found.append(f"convolution {tuple(inner.invars[1].aval.shape)}")
            stack.extend(inner.params.values())
    return found
