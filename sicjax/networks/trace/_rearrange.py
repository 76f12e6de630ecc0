"""Primitives that rearrange a value, its shape, axes and places, and those that act on each place alone."""

from __future__ import annotations

import math

import numpy as np

from sicjax.networks import graph
from sicjax.networks.graph import CHANNEL, Flow, Unreachable
from sicjax.networks.trace._walk import Known, Step, rules

rules.table(
    {
        "broadcast_in_dim": lambda step: graph.expand(step.x, step.shapes[0], step.p["broadcast_dimensions"]),
        "concatenate": lambda step: graph.concatenate(step.flows, int(step.p["dimension"])),
        "optimization_barrier pvary": lambda step: list(step.values),
        "reshape expand_dims": lambda step: graph.reshape(step.x, step.shapes[0]),
        "rev": lambda step: graph.flip(step.x, [int(axis) for axis in step.p["dimensions"]]),
        "split": lambda step: graph.split(step.x, step.p["axis"], [int(n) for n in step.p["sizes"]]),
        "squeeze": lambda step: graph.squeeze(step.x, step.p["dimensions"]),
        "stack": lambda step: graph.stack(step.flows, step.p["axis"]),
        "tile": lambda step: graph.tile(step.x, step.p["reps"]),
        "transpose": lambda step: graph.transpose(step.x, step.p["permutation"]),
    }
)


@rules(
    "abs acos acosh add add_any and asin asinh atan atan2 atanh cbrt ceil clamp convert_element_type copy copy_p cos",
    "cosh digamma div eq erf erfc erf_inv exp exp2 expm1 floor ge gt integer_pow is_finite le lgamma log log1p",
    "logistic lt max min mul ne neg nextafter not or pow real reduce_precision rem round rsqrt select_n",
    "sharding_constraint sign sin sinh sqrt square stop_gradient sub tan tanh xor",
)
def _elementwise(step: Step) -> Flow:
    return graph.elementwise(step.graph, step.flows, step.eqn.primitive.name)


@rules("slice")
def _slice(step: Step) -> Flow:
    starts, stops, steps = step.p["start_indices"], step.p["limit_indices"], step.p["strides"]
    return graph.cut(step.x, dict(enumerate(map(slice, starts, stops, steps or (1,) * len(starts)))))


@rules("dynamic_slice")
def _dynamic_slice(step: Step) -> Flow:
    x, *starts = step.values
    if not isinstance(x, Flow):
        raise Unreachable("places that depend on the input")
    for axis, (start, n) in enumerate(zip(starts, step.shapes[0], strict=True)):
        fixed = isinstance(start, Known) and not start.path
        if not fixed and x.sources and x.axes[axis] == CHANNEL and n != x.shape[axis]:
            raise Unreachable("a slice of channels at a place that is not fixed")
        at = min(max(int(step.walk.value(start)), 0), x.shape[axis] - n) if fixed else 0
        x = graph.select(x, axis, range(at, at + n))
    return x


@rules("pad")
def _pad(step: Step) -> Flow:
    if not isinstance(step.x, Flow):
        raise Unreachable("padding with a computed value")
    return graph.pad(step.x, {axis: [int(n) for n in added] for axis, added in enumerate(step.p["padding_config"])})


@rules("gather")
def _gather(step: Step) -> Flow:
    """Places along some axes, of each whatever those of the others; JAX before 0.9 writes strides so."""
    x, indices = step.values
    numbers, sizes, shape = step.p["dimension_numbers"], step.p["slice_sizes"], step.eqn.invars[0].aval.shape
    axes = numbers.start_index_map
    whole = all(k in axes or n == m for k, (n, m) in enumerate(zip(sizes, shape, strict=True)))
    kept = tuple(k for k in range(len(step.shapes[0])) if k not in numbers.offset_dims)
    alone = axes == numbers.collapsed_slice_dims == kept and whole and 0 not in step.shapes[0]
    if not (isinstance(x, Flow) and isinstance(indices, Known) and alone):
        raise Unreachable("places that are computed, or of several axes together")
    every = np.asarray(step.walk.value(indices))
    for k, axis in enumerate(axes):
        places = np.moveaxis(every[..., k], k, 0).reshape(every.shape[k], math.prod(every.shape[:-1]) // every.shape[k])
        if (places != places[:, :1]).any():
            raise Unreachable("places of several axes together")
        x = graph.select(x, axis, places[:, 0])
    return x
