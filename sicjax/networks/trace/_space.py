"""Primitives that filter: windows, reductions, products with a table."""

from __future__ import annotations

import numpy as np

from sicjax.networks.graph import (
    DENSE,
    NO_ONE_FILTER,
    PRODUCT,
    Flow,
    Unreachable,
    average_pool,
    filter_along,
    max_pool,
    pad,
    reduce,
)
from sicjax.networks.trace._walk import Walk, rules


@rules("reduce_window_sum")
def _reduce_window_sum(walk: Walk, eqn, values, shapes):
    p = eqn.params
    x = _apart(values[0], p)
    return average_pool(x, shapes[0], p["window_dimensions"], p["window_strides"], p["window_dilation"])


@rules("reduce_window_max reduce_window_min")
def _reduce_window_max(walk: Walk, eqn, values, shapes):
    p = eqn.params
    return max_pool(walk.graph, _apart(values[0], p), shapes[0], p["window_dimensions"], p["window_strides"])


def _apart(x: Flow, p) -> Flow:
    """The value with zeros between its places, as a window's base dilation asks for."""
    gaps = [d - 1 for d in p["base_dilation"]]
    return pad(x, [0] * len(gaps), [0] * len(gaps), between=gaps) if any(gaps) else x


@rules("reduce_window")
def _reduce_window(walk: Walk, eqn, values, shapes):
    raise Unreachable(NO_ONE_FILTER)


@rules("reduce_sum reduce_max reduce_min reduce_prod reduce_and reduce_or argmax argmin")
def _reduce(walk: Walk, eqn, values, shapes):
    return reduce(walk.graph, values[0], eqn.params["axes"], keep=False, name=eqn.primitive.name)


@rules("dot_general")
def _dot_general(walk: Walk, eqn, values, shapes):
    left, right = values
    (left_axes, right_axes), (batch, _) = eqn.params["dimension_numbers"]
    if isinstance(left, Flow) and isinstance(right, Flow):
        raise Unreachable(PRODUCT)
    if isinstance(left, Flow):
        x, matrix, axes, rows = left, right, left_axes, right_axes
    else:
        x, matrix, axes, rows = right, left, right_axes, left_axes
    along_space = len(axes) == 1 and bool(x.sources) and x.axes[axes[0]] >= 0
    if matrix.path or not along_space or batch:
        raise Unreachable(DENSE, matrix.path)
    table = np.asarray(walk.value(matrix))
    if table.ndim != 2:
        raise Unreachable(DENSE)
    rest = [k for k in range(len(x.shape)) if k != axes[0]]
    order = [*rest, axes[0]] if x is left else [axes[0], *rest]
    return filter_along(x, axes[0], table if rows[0] == 0 else table.T, shapes[0], order)
