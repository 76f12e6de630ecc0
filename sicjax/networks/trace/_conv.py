"""A convolution of a trace as a layer."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from sicjax.networks.graph import BATCH, CHANNEL, COMPUTED, Flow, Layer, Unreachable
from sicjax.networks.trace._walk import Known, Step, rules


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
    found = [BATCH] * len(spec)
    found[spec[1]] = CHANNEL
    for k, axis in enumerate(spec[2:]):
        found[axis] = k
    return found
