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


@rules("AveragePool MaxPool")
def _pool(step: Step) -> Flow:
    axes, average = len(step.x.shape) - 2, step.node.op_type == "AveragePool"
    stated = [step.attribute("kernel_shape", 0), step.attribute("strides", 1), step.attribute("dilations", 1)]
    windows = zip(*(graph.per_axis(setting, axes) for setting in stated), strict=True)
    return graph.pool(step.graph, step.x, step.shape, dict(enumerate(windows, 2)), average=average)


@rules("GlobalAveragePool GlobalMaxPool GlobalLpPool com.microsoft.QLinearGlobalAveragePool")
def _global_pool(step: Step) -> Flow:
    return graph.reduce(step.graph, step.x, range(2, len(step.x.shape)), keep=True, name=step.node.op_type)


@rules(
    "ArgMax ArgMin ReduceL1 ReduceL2 ReduceLogSum ReduceLogSumExp ReduceMax ReduceMean ReduceMin ReduceProd ReduceSum",
    "ReduceSumSquare",
)
def _reduce(step: Step) -> Flow:
    one = step.node.op_type.startswith("Arg")
    axes = [step.attribute("axis", 0)] if one else step.setting("axes", 1)
    if not axes and step.attribute("noop_with_empty_axes", 0):
        return step.x
    keep = bool(step.attribute("keepdims", 1))
    return graph.reduce(step.graph, step.x, axes or None, keep=keep, name=step.node.op_type)


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


def _factors(step: Step, at: int) -> dict[int, float] | None:
    """The factor along each axis as the file states it, None where it states sizes."""
    step.constant(3)  # refuses sizes that are computed
    stated = step.attribute("scales")
    stated = step.constant(at) if stated is None else stated
    if stated is None or np.size(stated) == 0:
        return None
    axes = [step.x.axis(k) for k in step.attribute("axes") or range(len(step.x.shape))]
    return dict(zip(axes, np.reshape(stated, -1).tolist(), strict=True))
