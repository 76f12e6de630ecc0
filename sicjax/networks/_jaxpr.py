"""Any JAX function to a network: its trace is followed from convolution to convolution, nothing is executed.

Every variable of the trace is either a `Flow` (it depends on the inputs) or `Known` (it depends on the parameters
alone). What is known is computed only where it is a kernel, or a table of places that a resize reads.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import jax
import numpy as np
from jax.extend.core import ClosedJaxpr, Jaxpr, Literal, jaxpr_as_fun

from sicjax import sdr
from sicjax._errors import InputError
from sicjax.networks import _graph
from sicjax.networks._graph import BATCH, CHANNEL, REPEAT, Flow, Graph, rank
from sicjax.networks._network import Layer, Network

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


def from_function(apply: Callable, params: Any, *example_inputs: Any) -> Network:
    """The network of any JAX function, from a trace: the function is not executed and no activation is allocated.

    Arguments:
        apply: called as `apply(params, *example_inputs)`.
        params: any pytree with the kernels, as arrays.
        example_inputs: arrays, or `jax.ShapeDtypeStruct`s of their shapes.

    Returns:
        The network; its `bind` gives the pairs for other parameters, in a training step for example.

    Raises:
        InputError: no parameters, or weights that are not finite.

    >>> import jax.numpy as jnp
    >>> def apply(params, x):
    ...     for kernel in params:
    ...         x = jax.nn.relu(jax.lax.conv_general_dilated(x, kernel, (2, 2), "SAME"))
    ...     return x
    >>> params = [jnp.ones((8, 3, 4, 4)), jnp.ones((16, 8, 4, 4))]
    >>> list(from_function(apply, params, jnp.zeros((1, 3, 32, 32))).cascades)
    ['0 to 1']
    """
    with_paths, structure = jax.tree_util.tree_flatten_with_path(params)
    leaves = [leaf for _, leaf in with_paths]
    if not leaves:
        raise InputError("there are no parameters: pass the pytree that holds the kernels as the second argument")
    abstract = jax.tree.unflatten(structure, [jax.typeof(leaf) for leaf in leaves])
    abstract = jax.tree.map(lambda aval: jax.ShapeDtypeStruct(aval.shape, aval.dtype), abstract)
    closed = jax.make_jaxpr(apply)(abstract, *example_inputs)
    known = [
        Known(lambda given, k=k: given[k], _path(path), int(np.size(leaf))) for k, (path, leaf) in enumerate(with_paths)
    ]
    graph = Graph()
    walk = _Walk(graph, leaves)
    inputs = [graph.input(v.aval.shape) for v in closed.jaxpr.invars[len(known) :]]
    walk.jaxpr(closed.jaxpr, [_constant(c) for c in closed.consts], [*known, *inputs])

    def bind(other: Any) -> dict[str, sdr.Cascade]:
        given, found = jax.tree.flatten(other)
        if found != structure:
            raise InputError("these parameters have another structure than those the network was traced with")
        return graph.cascades([walk.kernel(kernel, given) for kernel in walk.kernels])

    return graph.network()._replace(rebuild=bind)


def _path(keys: Sequence[Any]) -> str:
    names = [str(getattr(key, "key", getattr(key, "idx", getattr(key, "name", key)))) for key in keys]
    while len(names) > 1 and names[-1] in ("value", "kernel", "weight", "w", "raw_value"):
        names.pop()
    while len(names) > 1 and names[0] == "params":
        names.pop(0)
    return ".".join(names)


def _constant(value: Any) -> Known:
    return Known(lambda given: value)


class _Walk:
    """One pass over a trace."""

    def __init__(self, graph: Graph, leaves: list) -> None:
        self.graph = graph
        self.leaves = leaves
        self.kernels: list[tuple[Known, tuple[int, ...]]] = []
        self._reshapes = 0

    def jaxpr(self, jaxpr: Jaxpr, consts: Sequence, args: Sequence) -> list:
        """Follows the equations in order; the values of the outputs."""
        env: dict[Any, Any] = dict(zip([*jaxpr.constvars, *jaxpr.invars], [*consts, *args], strict=True))
        read = lambda v: _constant(v.val) if isinstance(v, Literal) else env[v]
        for eqn in jaxpr.eqns:
            env |= zip(eqn.outvars, self.equation(jaxpr, eqn, [read(v) for v in eqn.invars]), strict=True)
        return [read(v) for v in jaxpr.outvars]

    def equation(self, jaxpr: Jaxpr, eqn, values: list) -> list:
        name, shapes = eqn.primitive.name, [v.aval.shape for v in eqn.outvars]
        flows = [value for value in values if isinstance(value, Flow)]
        if name == "platform_index":
            # The last form is the one for every platform; the others compute the same.
            return [_constant(len(eqn.params["platforms"]) - 1)]
        if not flows:
            return _computed(jaxpr, eqn, values)
        if name == "cond" and isinstance(values[0], Known) and not values[0].path:
            chosen = eqn.params["branches"][int(self.value(values[0]))]
            return self.jaxpr(chosen.jaxpr, [_constant(c) for c in chosen.consts], values[1:])
        inner = next((eqn.params[key] for key in INLINED if key in eqn.params), None)
        if inner is not None and name not in OPAQUE:
            consts = [_constant(c) for c in inner.consts] if isinstance(inner, ClosedJaxpr) else []
            return self.jaxpr(inner.jaxpr if isinstance(inner, ClosedJaxpr) else inner, consts, values)
        if name in ELEMENTWISE:
            return [_graph.elementwise(flows, shape) for shape in shapes]
        rule = getattr(self, f"_{name}", None)
        if rule is not None:
            found = rule(eqn, values, shapes)
            return found if isinstance(found, list) else [found]
        for path in _convolutions(eqn):
            self.graph.skip(path, f"it is inside {name}, which is not followed")
        return [self.graph.end(flows, shape, f"the operation {name}") for shape in shapes]

    def value(self, known: Known, given: list | None = None) -> Any:
        return known.make(self.leaves if given is None else given)

    def kernel(self, kernel: tuple[Known, tuple[int, ...]], given: list | None = None) -> Any:
        known, order = kernel
        return self.value(known, given).transpose(order)

    def _conv_general_dilated(self, eqn, values, shapes):
        x, kernel = values
        p, numbers = eqn.params, eqn.params["dimension_numbers"]
        batch, feature, *space = numbers.lhs_spec
        reason = None
        if not isinstance(kernel, Known):
            reason = "its kernel depends on the input"
        elif p["batch_group_count"] != 1 or not space:
            reason = "it has batch groups or no spatial axis"
        elif x.sources and [x.axes[k] for k in space] != list(range(len(space))):
            reason = "its spatial axes are not those of the convolution before it"
        if reason is not None:
            path = getattr(kernel, "path", "") or "a convolution"
            self.graph.skip(path, reason)
            return self.graph.end([v for v in values if isinstance(v, Flow)], shapes[0], f"{path}: {reason}")
        order = (*numbers.rhs_spec[2:], numbers.rhs_spec[1], numbers.rhs_spec[0])
        up, down = tuple(p["lhs_dilation"]), tuple(p["window_strides"])
        transposed = max(up) > 1
        layer = Layer(
            kernel.path or f"convolution {len(self.kernels)}",
            np.asarray(self.kernel((kernel, order))),
            up if transposed else down,
            tuple(p["rhs_dilation"]),
            p["feature_group_count"],
            transposed,
        )
        axes = [0] * len(shapes[0])
        axes[numbers.out_spec[0]], axes[numbers.out_spec[1]] = BATCH, CHANNEL
        for k, axis in enumerate(numbers.out_spec[2:]):
            axes[axis] = k
        if x.sources and x.axes[feature] != CHANNEL:
            x = self.graph.end([x], x.shape, f"{layer.path} reads channels from another axis")
        self.kernels.append((kernel, order))
        return self.graph.conv(x, layer, shapes[0], axes, up=up, down=down)

    def _broadcast_in_dim(self, eqn, values, shapes):
        x, kept = values[0], eqn.params["broadcast_dimensions"]
        middle = [1] * len(shapes[0])
        for axis, n in zip(kept, x.shape, strict=True):
            middle[axis] = n
        axes = [BATCH] * len(middle)
        for axis, role in zip(kept, x.axes, strict=True):
            axes[axis] = role
        sizes = list(zip(axes, middle, shapes[0], strict=True))
        axes = [REPEAT if role == BATCH and m != n else role for role, m, n in sizes]
        stretched = any(role >= 0 and m != n for role, m, n in sizes)
        if x.sources and stretched:
            return self.graph.end([x], shapes[0], "one value spread over space")
        target = tuple(n for n, role in zip(shapes[0], axes, strict=True) if role == CHANNEL)
        sources = tuple(s._replace(channels=np.broadcast_to(s.channels, target)) for s in x.sources)
        return Flow(shapes[0], tuple(axes), sources, x.origin)

    def _reshape(self, eqn, values, shapes):
        found = _graph.reshape(values[0], shapes[0])
        return found or self.graph.end(values[:1], shapes[0], "a reshape that mixes space and channels")

    _squeeze = _expand_dims = _reshape

    def _transpose(self, eqn, values, shapes):
        return _graph.transpose(values[0], eqn.params["permutation"])

    def _slice(self, eqn, values, shapes):
        p, x = eqn.params, values[0]
        strides = p["strides"] or (1,) * len(x.shape)
        places = [range(*s) for s in zip(p["start_indices"], p["limit_indices"], strides, strict=True)]
        return self._places(x, places, shapes[0])

    def _places(self, x: Flow, places: Sequence[range], shape):
        """Evenly spaced places of each axis: channels by number, of space a crop or every so many."""
        for axis, kept in enumerate(places):
            if x.axes[axis] == CHANNEL and kept != range(x.shape[axis]):
                x = _graph.index(x, axis, np.array(kept, int))
        steps = {role: abs(kept.step) for role, kept in zip(x.axes, places, strict=True) if role >= 0 and len(kept) > 1}
        return self._resampled(x, shape, down=[steps.get(k, 1) for k in range(rank(x))])

    def _split(self, eqn, values, shapes):
        ends = np.cumsum(eqn.params["sizes"])
        starts = ends - np.array(eqn.params["sizes"])
        return [
            _graph.index(values[0], eqn.params["axis"], np.arange(start, end)) if values[0].sources else values[0]
            for start, end in zip(starts, ends, strict=True)
        ]

    def _dynamic_slice(self, eqn, values, shapes):
        x = values[0]
        cut = [role for role, m, n in zip(x.axes, x.shape, shapes[0], strict=True) if m != n]
        if x.sources and CHANNEL in cut:
            return self.graph.end([x], shapes[0], "a slice of channels at a place that is not fixed")
        return x._replace(shape=shapes[0])

    def _concatenate(self, eqn, values, shapes):
        flows = [
            v if isinstance(v, Flow) else self.graph.input(o.aval.shape, "")
            for v, o in zip(values, eqn.invars, strict=True)
        ]
        found = _graph.concatenate(flows, eqn.params["dimension"])
        return found._replace(shape=shapes[0])

    def _pad(self, eqn, values, shapes):
        x, config = values[0], eqn.params["padding_config"]
        if not isinstance(x, Flow):
            return self.graph.end(
                [v for v in values if isinstance(v, Flow)], shapes[0], "padding with a computed value"
            )
        up = [1] * rank(x)
        for axis, (low, high, interior) in enumerate(config):
            role = x.axes[axis]
            if role >= 0:
                up[role] = interior + 1
            elif role == CHANNEL and x.sources and (low or high or interior):
                labels = np.full(x.shape[axis] + (x.shape[axis] - 1) * interior + low + high, x.shape[axis])
                for k in range(x.shape[axis]):
                    if 0 <= low + k * (interior + 1) < len(labels):
                        labels[low + k * (interior + 1)] = k
                widened = _graph.concatenate([x, Flow((*x.shape[:axis], 1, *x.shape[axis + 1 :]), x.axes)], axis)
                x = _graph.index(widened, axis, labels)
        return self._resampled(x, shapes[0], up=up)

    def _rev(self, eqn, values, shapes):
        x = values[0]
        if any(x.axes[axis] >= 0 and x.shape[axis] > 1 for axis in eqn.params["dimensions"]) and x.sources:
            return self.graph.end([x], shapes[0], "a flip of space")
        for axis in eqn.params["dimensions"]:
            x = _graph.index(x, axis, np.arange(x.shape[axis])[::-1])
        return x

    def _reduce_window(self, eqn, values, shapes, *, linear: bool = True):
        x, p = values[0], eqn.params
        roles = range(rank(x))
        at = lambda name: [next(p[name][a] for a, r in enumerate(x.axes) if r == role) for role in roles]
        other = [w for w, role in zip(p["window_dimensions"], x.axes, strict=True) if role < 0 and w > 1]
        if not x.sources:
            return x._replace(shape=shapes[0])
        if other:
            return self.graph.end([x], shapes[0], "a window over channels")
        if linear:
            kernel = _graph.stretched(np.ones(at("window_dimensions")), at("window_dilation"))
        else:
            kernel = None
            self.graph.note("max pooling has no linear form: it is taken as its stride alone")
        return self._resampled(x, shapes[0], up=at("base_dilation"), kernel=kernel, down=at("window_strides"))

    _reduce_window_sum = _reduce_window

    def _reduce_window_max(self, eqn, values, shapes):
        return self._reduce_window(eqn, values, shapes, linear=False)

    _reduce_window_min = _reduce_window_max

    def _reduce(self, eqn, values, shapes):
        x, axes = values[0], eqn.params["axes"]
        if x.sources and any(x.axes[axis] != BATCH and x.shape[axis] > 1 for axis in axes):
            over = "space" if any(x.axes[axis] >= 0 for axis in axes) else "channels"
            return self.graph.end([x], shapes[0], f"a reduction over {over} ({eqn.primitive.name})")
        return _graph.reshape(x, shapes[0]) or self.graph.end([x], shapes[0], eqn.primitive.name)

    _reduce_sum = _reduce_max = _reduce_min = _reduce_prod = _argmax = _argmin = _reduce

    def _dot_general(self, eqn, values, shapes):
        left, right = values
        (left_axes, right_axes), (left_batch, _) = eqn.params["dimension_numbers"]
        if isinstance(left, Flow) and isinstance(right, Flow):
            return self.graph.end(values, shapes[0], "a product of two values that depend on the input (attention)")
        x, matrix, axes = (left, right, left_axes) if isinstance(left, Flow) else (right, left, right_axes)
        if x.sources and len(axes) == 1 and x.axes[axes[0]] >= 0 and not left_batch:
            found = self._along_space(
                x, axes[0], np.asarray(self.value(matrix)), left is x, right_axes, left_axes, shapes[0]
            )
            if found is not None:
                return found
        name = f" ({matrix.path})" if matrix.path else ""
        return self.graph.end([x], shapes[0], f"a dense layer{name}")

    def _along_space(self, x, axis, matrix, x_first, right_axes, left_axes, shape):
        """A product along one spatial axis with a table, as a resize makes it; None if it is no filter."""
        if matrix.ndim != 2:
            return None
        table = matrix if (right_axes if x_first else left_axes)[0] == 0 else matrix.T
        filtered = _filter_of(table)
        if filtered is None:
            return None
        up, taps, down = filtered
        rest = [k for k in range(len(x.shape)) if k != axis]
        order = [*rest, axis] if x_first else [axis, *rest]
        moved = _graph.transpose(x, order)
        one = lambda n: [n if k == x.axes[axis] else 1 for k in range(rank(x))]
        return self._resampled(moved, shape, up=one(up), kernel=taps.reshape(one(len(taps))), down=one(down))

    def _gather(self, eqn, values, shapes):
        x, indices = values
        numbers, sizes = eqn.params["dimension_numbers"], eqn.params["slice_sizes"]
        axis, in_order = numbers.start_index_map[0], len(shapes[0]) == len(eqn.invars[0].aval.shape)
        along_one = numbers.start_index_map == numbers.collapsed_slice_dims == (axis,)
        whole = all(k == axis or n == m for k, (n, m) in enumerate(zip(sizes, eqn.invars[0].aval.shape, strict=True)))
        followed = isinstance(x, Flow) and isinstance(indices, Known) and along_one and whole and in_order
        if not followed or [k for k in range(len(shapes[0])) if k not in numbers.offset_dims] != [axis]:
            return self.graph.end([v for v in values if isinstance(v, Flow)], shapes[0], "a gather")
        if not x.sources:
            return x._replace(shape=shapes[0])
        places = np.asarray(self.value(indices)).reshape(-1)
        if x.axes[axis] == CHANNEL:
            return _graph.index(x, axis, places)
        table = (np.arange(x.shape[axis])[:, None] == places).astype(float)
        filtered = _filter_of(table) if x.axes[axis] >= 0 else (1, np.ones(1), 1)
        if filtered is None:
            return self.graph.end([x], shapes[0], "a gather over space")
        up, taps, down = filtered
        one = lambda n: [n if k == x.axes[axis] else 1 for k in range(rank(x))]
        return self._resampled(x, shapes[0], up=one(up), kernel=taps.reshape(one(len(taps))), down=one(down))

    def _resampled(self, x: Flow, shape, **how):
        found = _graph.resample(x, shape, **how)
        reason = "resampling up, then down, with a filter between"
        return found or self.graph.end([x], shape, reason)


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

    made_of = max(values, key=lambda value: value.size, default=_constant(None))
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


def _filter_of(table: np.ndarray) -> tuple[int, np.ndarray, int] | None:
    """`up`, taps and `down` of a table from places in to places out that does the same everywhere but at the edges."""
    inputs, outputs = table.shape
    up, down = (outputs // inputs, 1) if outputs >= inputs else (1, inputs // outputs)
    if inputs * up != outputs * down or outputs < 2 or inputs < 2:
        return None
    taps: dict[int, float] = {}
    for i, j in np.argwhere(table):
        taps.setdefault(int(j * down - i * up), 0.0)
    reach = range(min(taps), max(taps) + 1)
    middle = (inputs // 2, outputs // 2)
    if up > 1 or down == 1:
        row = {j - middle[0] * up: table[middle[0], j] for j in range(outputs)}
    else:
        row = {middle[1] * down - i: table[i, middle[1]] for i in range(inputs)}
    found = np.array([row.get(p, 0.0) for p in reach], np.float64)
    for i in range(inputs):
        for j in range(outputs):
            p = j * down - i * up
            inside = all(0 <= j * down - q < inputs * up for q in reach)
            expected = found[p - reach.start] if p in reach else 0.0
            if inside and abs(table[i, j] - expected) > 1e-5:
                return None
    return up, np.trim_zeros(found) if found.any() else found, down
