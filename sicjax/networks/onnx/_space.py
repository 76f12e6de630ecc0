"""Operators on space: pooling, reductions and resizing."""

from __future__ import annotations

import numpy as np

from sicjax.networks import graph
from sicjax.networks.graph import Flow, Unreachable
from sicjax.networks.onnx._step import Step, rules

_MODES = {"nearest": "nearest", "linear": "linear", "bilinear": "linear", "cubic": "cubic"}
_CENTRES = {
    "half_pixel": "half_pixel",
    "half_pixel_symmetric": "half_pixel",
    "pytorch_half_pixel": "half_pixel",
    "tf_half_pixel_for_nn": "half_pixel",
    "asymmetric": "asymmetric",
    "align_corners": "align_corners",
}


@rules("AveragePool")
def _average_pool(step: Step) -> Flow:
    sizes, strides, dilation = _window(step, "kernel_shape", 0), _window(step, "strides"), _window(step, "dilations")
    return graph.average_pool(step.x, step.shape, sizes, strides, dilation)


@rules("MaxPool")
def _max_pool(step: Step) -> Flow:
    sizes, strides = _window(step, "kernel_shape", 0), _window(step, "strides")
    return graph.max_pool(step.graph, step.x, step.shape, sizes, strides)


def _window(step: Step, name: str, default: int = 1) -> list[int]:
    """A setting of a window, for each axis of the value."""
    rank = len(step.x.shape)
    return graph.spread(graph.per_axis(step.attribute(name, default), rank - 2), rank, channels_last=False)


@rules("GlobalAveragePool GlobalMaxPool GlobalLpPool com.microsoft.QLinearGlobalAveragePool")
def _global_pool(step: Step) -> Flow:
    return graph.reduce(step.graph, step.x, range(2, len(step.x.shape)), keep=True, name=step.node.op_type)


@rules(
    "ReduceMean ReduceMax ReduceMin ReduceSum ReduceProd ReduceL1 ReduceL2 ReduceLogSum ReduceLogSumExp ReduceSumSquare"
)
def _reduce(step: Step) -> Flow:
    axes = step.setting("axes", 1)
    if not axes and step.attribute("noop_with_empty_axes", 0):
        return step.x
    return graph.reduce(
        step.graph, step.x, axes or None, keep=bool(step.attribute("keepdims", 1)), name=step.node.op_type
    )


@rules("ArgMax ArgMin")
def _place_of_extreme(step: Step) -> Flow:
    axes, keep = [step.attribute("axis", 0)], bool(step.attribute("keepdims", 1))
    return graph.reduce(step.graph, step.x, axes, keep=keep, name=step.node.op_type)


@rules("Resize Upsample")
def _resize(step: Step) -> Flow:
    # Until version 10 the scales came second and places started at the same point.
    old = len(step.inputs) < 3
    mode = step.attribute("mode", "nearest")
    place = step.attribute("coordinate_transformation_mode", "asymmetric" if old else "half_pixel")
    if place not in _CENTRES:
        raise Unreachable(f"a {place} resize")
    return graph.resize(
        step.graph,
        step.x,
        step.shape,
        _MODES.get(mode, str(mode)),
        factors=_factors(step, 1 if old else 2),
        centres=_CENTRES[place],
        antialias=bool(step.attribute("antialias", 0)),
        coefficient=step.attribute("cubic_coeff_a", -0.75),
    )


def _factors(step: Step, at: int) -> list[float] | None:
    """The factor for each axis as the file states it, None where it states sizes."""
    step.constant(3)  # refuses sizes that are computed
    stated = step.attribute("scales")
    stated = step.constant(at) if stated is None else stated
    if stated is None or np.size(stated) == 0:
        return None
    rank = len(step.x.shape)
    axes = [step.x.axis(k) for k in step.attribute("axes") or range(rank)]
    factors = [1.0] * rank
    for axis, factor in zip(axes, np.reshape(stated, -1).tolist(), strict=True):
        factors[axis] = factor
    return factors
