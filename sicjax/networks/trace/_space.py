"""Primitives that filter: windows, reductions, products with a table."""

from __future__ import annotations

import numpy as np

from sicjax.networks import graph
from sicjax.networks.graph import DENSE, PRODUCT, Flow, Unreachable
from sicjax.networks.trace._walk import Step, rules

rules("reduce_window")(graph.ends(graph.NO_ONE_FILTER))


@rules("reduce_window_sum reduce_window_max reduce_window_min")
def _reduce_window(step: Step) -> Flow:
    p, average = step.p, step.eqn.primitive.name == "reduce_window_sum"
    apart = {axis: (0, 0, d - 1) for axis, d in enumerate(p["base_dilation"]) if d > 1}
    x = graph.pad(step.x, apart) if apart else step.x
    windows = zip(p["window_dimensions"], p["window_strides"], p["window_dilation"], strict=True)
    return graph.pool(step.graph, x, step.shapes[0], dict(enumerate(windows)), average=average)


@rules("reduce_sum reduce_max reduce_min reduce_prod reduce_and reduce_or argmax argmin")
def _reduce(step: Step) -> Flow:
    return graph.reduce(step.graph, step.x, step.p["axes"], keep=False, name=step.eqn.primitive.name)


@rules("dot_general")
def _dot_general(step: Step) -> Flow:
    left, right = step.values
    (left_axes, right_axes), (batch, _) = step.p["dimension_numbers"]
    if isinstance(left, Flow) and isinstance(right, Flow):
        raise Unreachable(PRODUCT)
    if isinstance(left, Flow):
        x, matrix, axes, rows = left, right, left_axes, right_axes
    else:
        x, matrix, axes, rows = right, left, right_axes, left_axes
    along_space = len(axes) == 1 and bool(x.sources) and x.axes[axes[0]] >= 0
    if matrix.path or not along_space or batch:
        raise Unreachable(DENSE, matrix.path)
    table = np.asarray(step.walk.value(matrix))
    if table.ndim != 2:
        raise Unreachable(DENSE)
    rest = [k for k in range(len(x.shape)) if k != axes[0]]
    order = [*rest, axes[0]] if x is left else [axes[0], *rest]
    return graph.filter_along(x, axes[0], table if rows[0] == 0 else table.T, step.shapes[0], order)
