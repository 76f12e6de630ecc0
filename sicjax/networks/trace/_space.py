"""Primitives that filter: convolutions, windows, reductions, products with a table."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from sicjax.networks import graph
from sicjax.networks.graph import COMPUTED, DENSE, PRODUCT, Flow, Layer, Unreachable
from sicjax.networks.trace._walk import Known, Step, rules

rules("reduce_window")(graph.ends(graph.NO_ONE_FILTER))


@rules("conv_general_dilated")
def _conv_general_dilated(step: Step) -> Flow:
    (x, kernel), p, walk = step.values, step.p, step.walk
    numbers = p["dimension_numbers"]
    if not isinstance(kernel, Known):
        raise Unreachable(COMPUTED)
    if p["batch_group_count"] != 1 or len(numbers.lhs_spec) < 3:
        raise Unreachable("a convolution with batch groups or no spatial axis")
    order = (*numbers.rhs_spec[2:], numbers.rhs_spec[1], numbers.rhs_spec[0])
    up, down = tuple(p["lhs_dilation"]), tuple(p["window_strides"])
    path, array = kernel.path or f"convolution {len(walk.kernels)}", np.asarray(walk.kernel((kernel, order)))
    transposed = max(up) > 1
    stride, dilation = up if transposed else down, tuple(p["rhs_dilation"])
    layer = Layer(path, array, stride, dilation, p["feature_group_count"], transposed)
    x = x if isinstance(x, Flow) else walk.graph.input((), "the parameters")
    takes, gives = _roles(numbers.lhs_spec), _roles(numbers.out_spec)
    found = walk.graph.convolve(x, layer, step.shapes[0], takes, gives, up=up, down=down)
    walk.kernels.append((kernel, order))
    return found


def _roles(spec: Sequence[int]) -> list[int]:
    """The role of each axis, from the axes of the batch, the channels and space."""
    found = [graph.BATCH] * len(spec)
    found[spec[1]] = graph.CHANNEL
    for k, axis in enumerate(spec[2:]):
        found[axis] = k
    return found


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
