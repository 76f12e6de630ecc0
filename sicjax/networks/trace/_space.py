"""Primitives that filter: windows, reductions, products with a table."""

from __future__ import annotations

import numpy as np

from sicjax.networks import graph
from sicjax.networks.graph import DENSE, PRODUCT, Flow, Unreachable
from sicjax.networks.trace._walk import Step, rules

rules("reduce_window")(graph.ends(graph.NO_ONE_FILTER))


@rules("reduce_window_sum")
def _reduce_window_sum(step: Step) -> Flow:
    shape, p = step.shapes[0], step.p
    return graph.average_pool(_apart(step), shape, p["window_dimensions"], p["window_strides"], p["window_dilation"])


@rules("reduce_window_max reduce_window_min")
def _reduce_window_max(step: Step) -> Flow:
    p = step.p
    return graph.max_pool(step.graph, _apart(step), step.shapes[0], p["window_dimensions"], p["window_strides"])


def _apart(step: Step) -> Flow:
    """The value with zeros between its places, as a window's base dilation asks for."""
    gaps = [d - 1 for d in step.p["base_dilation"]]
    return graph.pad(step.x, [0] * len(gaps), [0] * len(gaps), between=gaps) if any(gaps) else step.x


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
