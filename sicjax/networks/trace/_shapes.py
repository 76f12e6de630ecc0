"""Primitives that give a value another shape, order or range, and those that act on each place alone."""

from __future__ import annotations

import numpy as np

from sicjax.networks.graph import (
    CHANNEL,
    Flow,
    Unreachable,
    concatenate,
    constant,
    elementwise,
    expand,
    flip,
    pad,
    reshape,
    select,
    split,
    squeeze,
    stack,
    tile,
    transpose,
)
from sicjax.networks.trace._walk import Known, Walk, rules


@rules(
    "abs acos acosh add add_any and asin asinh atan atan2 atanh cbrt ceil clamp convert_element_type copy copy_p cos",
    "cosh digamma div eq erf erfc erf_inv exp exp2 expm1 floor ge gt integer_pow is_finite le lgamma log log1p",
    "logistic lt max min mul ne neg nextafter not or pow real reduce_precision rem round rsqrt select_n",
    "sharding_constraint sign sin sinh sqrt square stop_gradient sub tan tanh xor",
)
def _elementwise(walk: Walk, eqn, values, shapes):
    return elementwise(walk.graph, _flows(eqn, values), eqn.primitive.name)


@rules("optimization_barrier pvary")
def _as_they_are(walk: Walk, eqn, values, shapes):
    return list(values)


@rules("broadcast_in_dim")
def _broadcast_in_dim(walk: Walk, eqn, values, shapes):
    return expand(values[0], shapes[0], eqn.params["broadcast_dimensions"])


@rules("reshape expand_dims")
def _reshape(walk: Walk, eqn, values, shapes):
    return reshape(values[0], shapes[0])


@rules("squeeze")
def _squeeze(walk: Walk, eqn, values, shapes):
    return squeeze(values[0], eqn.params["dimensions"])


@rules("transpose")
def _transpose(walk: Walk, eqn, values, shapes):
    return transpose(values[0], eqn.params["permutation"])


@rules("slice")
def _slice(walk: Walk, eqn, values, shapes):
    p, x = eqn.params, values[0]
    steps = p["strides"] or (1,) * len(x.shape)
    for axis, stops in enumerate(zip(p["start_indices"], p["limit_indices"], steps, strict=True)):
        x = select(x, axis, range(*stops))
    return x


@rules("split")
def _split(walk: Walk, eqn, values, shapes):
    return split(values[0], eqn.params["axis"], [int(n) for n in eqn.params["sizes"]])


@rules("dynamic_slice")
def _dynamic_slice(walk: Walk, eqn, values, shapes):
    x, *starts = values
    if not isinstance(x, Flow):
        raise Unreachable("places that depend on the input")
    for axis, (start, n) in enumerate(zip(starts, shapes[0], strict=True)):
        fixed = isinstance(start, Known) and not start.path
        if not fixed and x.sources and x.axes[axis] == CHANNEL and n != x.shape[axis]:
            raise Unreachable("a slice of channels at a place that is not fixed")
        at = min(max(int(walk.value(start)), 0), x.shape[axis] - n) if fixed else 0
        x = select(x, axis, range(at, at + n))
    return x


@rules("concatenate")
def _concatenate(walk: Walk, eqn, values, shapes):
    return concatenate(_flows(eqn, values), int(eqn.params["dimension"]))


@rules("stack")
def _stack(walk: Walk, eqn, values, shapes):
    return stack(_flows(eqn, values), eqn.params["axis"])


def _flows(eqn, values) -> list[Flow]:
    """The values, what is known as a constant of its shape."""
    arguments = zip(values, eqn.invars, strict=True)
    return [v if isinstance(v, Flow) else constant(o.aval.shape) for v, o in arguments]


@rules("tile")
def _tile(walk: Walk, eqn, values, shapes):
    return tile(values[0], eqn.params["reps"])


@rules("pad")
def _pad(walk: Walk, eqn, values, shapes):
    if not isinstance(values[0], Flow):
        raise Unreachable("padding with a computed value")
    before, after, between = ([int(n) for n in part] for part in zip(*eqn.params["padding_config"], strict=True))
    return pad(values[0], before, after, between=between)


@rules("rev")
def _rev(walk: Walk, eqn, values, shapes):
    return flip(values[0], [int(axis) for axis in eqn.params["dimensions"]])


@rules("gather")
def _gather(walk: Walk, eqn, values, shapes):
    """Places along one axis, the others whole and in order."""
    x, indices = values
    numbers, sizes, shape = eqn.params["dimension_numbers"], eqn.params["slice_sizes"], eqn.invars[0].aval.shape
    axis = next(iter(numbers.start_index_map), 0)
    along_one = numbers.start_index_map == numbers.collapsed_slice_dims == (axis,)
    whole = all(k == axis or n == m for k, (n, m) in enumerate(zip(sizes, shape, strict=True)))
    kept = [k for k in range(len(shapes[0])) if k not in numbers.offset_dims]
    if not (isinstance(x, Flow) and isinstance(indices, Known) and along_one and whole and kept == [axis]):
        raise Unreachable("places that are computed, or of several axes")
    return select(x, axis, np.asarray(walk.value(indices)).reshape(-1))
