"""Primitives that filter or pick places: windows, reductions, tables of a resize, gathers."""

from __future__ import annotations

import numpy as np

from sicjax.networks import _operations
from sicjax.networks._filters import filter_of, stretched
from sicjax.networks._flow import BATCH, CHANNEL, Flow, rank
from sicjax.networks._jaxpr_walk import Known, Rule, Walk
from sicjax.networks._resample import resample


def _reduce_window(walk: Walk, eqn, values, shapes, *, linear: bool = True):
    x, p = values[0], eqn.params
    roles = range(rank(x))
    at = lambda name: [next(p[name][a] for a, r in enumerate(x.axes) if r == role) for role in roles]
    other = [w for w, role in zip(p["window_dimensions"], x.axes, strict=True) if role < 0 and w > 1]
    if not x.sources:
        return x._replace(shape=shapes[0])
    if other:
        return walk.graph.end([x], shapes[0], "a window over channels")
    if linear:
        kernel = stretched(np.ones(at("window_dimensions")), at("window_dilation"))
    else:
        kernel = None
        walk.graph.note("max pooling has no linear form: it is taken as its stride alone")
    return resampled(walk, x, shapes[0], up=at("base_dilation"), kernel=kernel, down=at("window_strides"))


def _reduce_window_max(walk: Walk, eqn, values, shapes):
    return _reduce_window(walk, eqn, values, shapes, linear=False)


def _reduce(walk: Walk, eqn, values, shapes):
    x, axes = values[0], eqn.params["axes"]
    if x.sources and any(x.axes[axis] != BATCH and x.shape[axis] > 1 for axis in axes):
        over = "space" if any(x.axes[axis] >= 0 for axis in axes) else "channels"
        return walk.graph.end([x], shapes[0], f"a reduction over {over} ({eqn.primitive.name})")
    return _operations.reshape(x, shapes[0]) or walk.graph.end([x], shapes[0], eqn.primitive.name)


def _dot_general(walk: Walk, eqn, values, shapes):
    left, right = values
    (left_axes, right_axes), (left_batch, _) = eqn.params["dimension_numbers"]
    if isinstance(left, Flow) and isinstance(right, Flow):
        return walk.graph.end(values, shapes[0], "a product of two values that depend on the input (attention)")
    x, matrix, axes = (left, right, left_axes) if isinstance(left, Flow) else (right, left, right_axes)
    if x.sources and len(axes) == 1 and x.axes[axes[0]] >= 0 and not left_batch:
        found = _along_space(
            walk, x, axes[0], np.asarray(walk.value(matrix)), left is x, right_axes, left_axes, shapes[0]
        )
        if found is not None:
            return found
    name = f" ({matrix.path})" if matrix.path else ""
    return walk.graph.end([x], shapes[0], f"a dense layer{name}")


def _along_space(walk: Walk, x, axis, matrix, x_first, right_axes, left_axes, shape):
    """A product along one spatial axis with a table, as a resize makes it; None if it is no filter."""
    if matrix.ndim != 2:
        return None
    table = matrix if (right_axes if x_first else left_axes)[0] == 0 else matrix.T
    filtered = filter_of(table)
    if filtered is None:
        return None
    up, taps, down = filtered
    rest = [k for k in range(len(x.shape)) if k != axis]
    order = [*rest, axis] if x_first else [axis, *rest]
    moved = _operations.transpose(x, order)
    one = lambda n: [n if k == x.axes[axis] else 1 for k in range(rank(x))]
    return resampled(walk, moved, shape, up=one(up), kernel=taps.reshape(one(len(taps))), down=one(down))


def _gather(walk: Walk, eqn, values, shapes):
    x, indices = values
    numbers, sizes = eqn.params["dimension_numbers"], eqn.params["slice_sizes"]
    axis, in_order = numbers.start_index_map[0], len(shapes[0]) == len(eqn.invars[0].aval.shape)
    along_one = numbers.start_index_map == numbers.collapsed_slice_dims == (axis,)
    whole = all(k == axis or n == m for k, (n, m) in enumerate(zip(sizes, eqn.invars[0].aval.shape, strict=True)))
    followed = isinstance(x, Flow) and isinstance(indices, Known) and along_one and whole and in_order
    if not followed or [k for k in range(len(shapes[0])) if k not in numbers.offset_dims] != [axis]:
        return walk.graph.end([v for v in values if isinstance(v, Flow)], shapes[0], "a gather")
    if not x.sources:
        return x._replace(shape=shapes[0])
    places = np.asarray(walk.value(indices)).reshape(-1)
    if x.axes[axis] == CHANNEL:
        return _operations.index(x, axis, places)
    table = (np.arange(x.shape[axis])[:, None] == places).astype(float)
    filtered = filter_of(table) if x.axes[axis] >= 0 else (1, np.ones(1), 1)
    if filtered is None:
        return walk.graph.end([x], shapes[0], "a gather over space")
    up, taps, down = filtered
    one = lambda n: [n if k == x.axes[axis] else 1 for k in range(rank(x))]
    return resampled(walk, x, shapes[0], up=one(up), kernel=taps.reshape(one(len(taps))), down=one(down))


def resampled(walk: Walk, x: Flow, shape, **how):
    found = resample(x, shape, **how)
    reason = "resampling up, then down, with a filter between"
    return found or walk.graph.end([x], shape, reason)


RULES: dict[str, Rule] = {
    "reduce_window": _reduce_window,
    "reduce_window_sum": _reduce_window,
    "reduce_window_max": _reduce_window_max,
    "reduce_window_min": _reduce_window_max,
    **dict.fromkeys(("reduce_sum", "reduce_max", "reduce_min", "reduce_prod", "argmax", "argmin"), _reduce),
    "dot_general": _dot_general,
    "gather": _gather,
}
