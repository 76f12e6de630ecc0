"""One pass over a trace: its equations in order, each by the rule of its primitive.

Every variable of the trace is either a `Flow` (it depends on the inputs) or `Known` (it depends on the parameters
alone). What is known is computed only where it is a kernel, or a table of places that a resize reads.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from jax.extend.core import ClosedJaxpr, Jaxpr, Literal, jaxpr_as_fun

from sicjax.networks._flow import Flow
from sicjax.networks._graph import Graph

ELEMENTWISE = frozenset(
    "abs acos acosh add add_any and asin asinh atan atan2 atanh cbrt ceil clamp convert_element_type copy "
    "copy_p cos cosh digamma div eq erf erfc erf_inv exp exp2 expm1 floor ge gt integer_pow is_finite le "
    "lgamma log log1p logistic lt max min mul ne neg nextafter not optimization_barrier or pow pvary real "
    "reduce_precision rem round rsqrt select_n sharding_constraint sign sin sinh sqrt square sub tan tanh xor".split()
)
INLINED = ("jaxpr", "call_jaxpr", "fun_jaxpr")
OPAQUE = frozenset("scan while cond shard_map pmap xla_pmap custom_root custom_linear_solve".split())


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


def constant(value: Any) -> Known:
    return Known(lambda given: value)


# Values and shapes in, one value or a list of them out.
Rule = Callable[["Walk", Any, list, list], Any]


class Walk:
    """Follows a trace; what it finds is in its graph, and the kernels in the order of the graph's layers.

    Arguments:
        graph: collects layers and pairs.
        leaves: the parameters of the trace.
        rules: of primitives by name; those of `ELEMENTWISE` and of calls need none.
    """

    def __init__(self, graph: Graph, leaves: list, rules: Mapping[str, Rule]) -> None:
        self.graph = graph
        self.leaves = leaves
        self.kernels: list[tuple[Known, tuple[int, ...]]] = []
        self._rules = rules

    def jaxpr(self, jaxpr: Jaxpr, consts: Sequence, args: Sequence) -> list:
        """Follows the equations in order; the values of the outputs."""
        env: dict[Any, Any] = dict(zip([*jaxpr.constvars, *jaxpr.invars], [*consts, *args], strict=True))
        read = lambda v: constant(v.val) if isinstance(v, Literal) else env[v]
        for eqn in jaxpr.eqns:
            env |= zip(eqn.outvars, self.equation(jaxpr, eqn, [read(v) for v in eqn.invars]), strict=True)
        return [read(v) for v in jaxpr.outvars]

    def equation(self, jaxpr: Jaxpr, eqn, values: list) -> list:
        name, shapes = eqn.primitive.name, [v.aval.shape for v in eqn.outvars]
        flows = [value for value in values if isinstance(value, Flow)]
        if name == "platform_index":
            # The last form is the one for every platform; the others compute the same.
            return [constant(len(eqn.params["platforms"]) - 1)]
        if not flows:
            return _computed(jaxpr, eqn, values)
        if name == "cond" and isinstance(values[0], Known) and not values[0].path:
            chosen = eqn.params["branches"][int(self.value(values[0]))]
            return self.jaxpr(chosen.jaxpr, [constant(c) for c in chosen.consts], values[1:])
        inner = next((eqn.params[key] for key in INLINED if key in eqn.params), None)
        if inner is not None and name not in OPAQUE:
            consts = [constant(c) for c in inner.consts] if isinstance(inner, ClosedJaxpr) else []
            return self.jaxpr(inner.jaxpr if isinstance(inner, ClosedJaxpr) else inner, consts, values)
        if name in ELEMENTWISE:
            return [self.graph.elementwise(flows, shape, name) for shape in shapes]
        if name in self._rules:
            found = self._rules[name](self, eqn, values, shapes)
            return found if isinstance(found, list) else [found]
        for path in _convolutions(eqn):
            self.graph.skip(path, f"it is inside {name}, which is not followed")
        return [self.graph.end(flows, shape, f"the operation {name}") for shape in shapes]

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

    made_of = max(values, key=lambda value: value.size, default=constant(None))
    return [Known(lambda given, k=k: run(given)[k], made_of.path, made_of.size) for k in range(len(eqn.outvars))]


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
