"""Primitives that give a value another shape, order or range."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from sicjax.networks import _operations
from sicjax.networks._flow import BATCH, CHANNEL, REPEAT, Flow, rank
from sicjax.networks._jaxpr_space import resampled
from sicjax.networks._jaxpr_walk import Rule, Walk


def _broadcast_in_dim(walk: Walk, eqn, values, shapes):
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
        return walk.graph.end([x], shapes[0], "one value spread over space")
    target = tuple(n for n, role in zip(shapes[0], axes, strict=True) if role == CHANNEL)
    sources = tuple(s._replace(channels=np.broadcast_to(s.channels, target)) for s in x.sources)
    return Flow(shapes[0], tuple(axes), sources, x.origin)


def _reshape(walk: Walk, eqn, values, shapes):
    found = _operations.reshape(values[0], shapes[0])
    return found or walk.graph.end(values[:1], shapes[0], "a reshape that mixes space and channels")


def _transpose(walk: Walk, eqn, values, shapes):
    return _operations.transpose(values[0], eqn.params["permutation"])


def _slice(walk: Walk, eqn, values, shapes):
    p, x = eqn.params, values[0]
    strides = p["strides"] or (1,) * len(x.shape)
    places = [range(*s) for s in zip(p["start_indices"], p["limit_indices"], strides, strict=True)]
    return _places(walk, x, places, shapes[0])


def _places(walk: Walk, x: Flow, places: Sequence[range], shape):
    """Evenly spaced places of each axis: channels by number, of space a crop or every so many."""
    for axis, kept in enumerate(places):
        if x.axes[axis] == CHANNEL and kept != range(x.shape[axis]):
            x = _operations.index(x, axis, np.array(kept, int))
    steps = {role: abs(kept.step) for role, kept in zip(x.axes, places, strict=True) if role >= 0 and len(kept) > 1}
    return resampled(walk, x, shape, down=[steps.get(k, 1) for k in range(rank(x))])


def _split(walk: Walk, eqn, values, shapes):
    ends = np.cumsum(eqn.params["sizes"])
    starts = ends - np.array(eqn.params["sizes"])
    return [
        _operations.index(values[0], eqn.params["axis"], np.arange(start, end)) if values[0].sources else values[0]
        for start, end in zip(starts, ends, strict=True)
    ]


def _dynamic_slice(walk: Walk, eqn, values, shapes):
    x = values[0]
    cut = [role for role, m, n in zip(x.axes, x.shape, shapes[0], strict=True) if m != n]
    if x.sources and CHANNEL in cut:
        return walk.graph.end([x], shapes[0], "a slice of channels at a place that is not fixed")
    return x._replace(shape=shapes[0])


def _concatenate(walk: Walk, eqn, values, shapes):
    flows = [
        v if isinstance(v, Flow) else walk.graph.input(o.aval.shape, "")
        for v, o in zip(values, eqn.invars, strict=True)
    ]
    found = _operations.concatenate(flows, eqn.params["dimension"])
    return found._replace(shape=shapes[0])


def _pad(walk: Walk, eqn, values, shapes):
    x, config = values[0], eqn.params["padding_config"]
    if not isinstance(x, Flow):
        return walk.graph.end([v for v in values if isinstance(v, Flow)], shapes[0], "padding with a computed value")
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
            widened = _operations.concatenate([x, Flow((*x.shape[:axis], 1, *x.shape[axis + 1 :]), x.axes)], axis)
            x = _operations.index(widened, axis, labels)
    return resampled(walk, x, shapes[0], up=up)


def _rev(walk: Walk, eqn, values, shapes):
    x = values[0]
    if any(x.axes[axis] >= 0 and x.shape[axis] > 1 for axis in eqn.params["dimensions"]) and x.sources:
        return walk.graph.end([x], shapes[0], "a flip of space")
    for axis in eqn.params["dimensions"]:
        x = _operations.index(x, axis, np.arange(x.shape[axis])[::-1])
    return x


RULES: dict[str, Rule] = {
    "broadcast_in_dim": _broadcast_in_dim,
    "reshape": _reshape,
    "squeeze": _reshape,
    "expand_dims": _reshape,
    "transpose": _transpose,
    "slice": _slice,
    "split": _split,
    "dynamic_slice": _dynamic_slice,
    "concatenate": _concatenate,
    "pad": _pad,
    "rev": _rev,
}
