"""Operators of ONNX that change the number of places: pooling, reductions and resizing."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from sicjax.networks._filters import linear_filter, outer
from sicjax.networks._flow import CHANNEL, Flow
from sicjax.networks._onnx_step import Step
from sicjax.networks._operations import elementwise, index, reshape
from sicjax.networks._resample import resample
from sicjax.networks._spatial import LONGEST, MOST_TAPS, too_far

# Branches that a reduction may add up.
_MOST_BRANCHES = 64


def statistic(step: Step) -> Flow:
    """A reduction of space or channels to one number each."""
    op = step.node.op_type
    if not any(flow.sources for flow in step.flows):
        return step.without_sources(step.shape, step.x.origin)
    axes = step.setting("axes", 1) if op.startswith("Reduce") else None
    roles = [step.x.axes[k] for k in axes or () if -len(step.x.axes) <= k < len(step.x.axes)]
    if set(roles) == {CHANNEL} and step.shape is not None and not any(v is not None and v.mixed for v in step.inputs):
        axes = sorted(k % len(step.x.shape) for k in axes or ())
        whole = [k for k, role in enumerate(step.x.axes) if role == CHANNEL and k not in axes and step.x.shape[k] > 1]
        if whole and math.prod(step.x.shape[k] for k in axes) <= _MOST_BRANCHES:
            return _over_branches(step, axes)
    space = bool(roles) and min(roles) >= 0
    what = f"global pooling ({op})" if space or not op.startswith("Reduce") else f"a reduction ({op})"
    return step.end(what)


def _over_branches(step: Step, axes: list[int]) -> Flow:
    """A reduction of one of several channel axes: channels of parallel branches are added up."""
    branches = [step.x]
    for axis in axes:
        branches = [index(x, axis, np.array([k])) for x in branches for k in range(x.shape[axis])]
    found = reshape(elementwise(branches, branches[0].shape), step.shape or ())
    return step.end(f"a reduction ({step.node.op_type})") if found is None else found


def pool(step: Step) -> Flow:
    x, op = step.x, step.node.op_type
    sizes = step.attribute("kernel_shape") or []
    strides = step.attribute("strides") or [1] * len(sizes)
    if step.shape is None or len(sizes) != len(x.shape) - 2:
        return step.end(f"pooling whose size is not known ({step.label})")
    if max(step.shape[2:]) == 1 and all(n == k > 1 for n, k in zip(x.shape[2:], sizes, strict=True)):
        return statistic(step)
    if "Average" not in op:
        step.graph.note("max pooling has no linear form: it is taken as its stride alone")
        return resampled(step, x, step.shape, down=strides)
    dilations = step.attribute("dilations") or [1] * len(sizes)
    if math.prod((k - 1) * d + 1 for k, d in zip(sizes, dilations, strict=True)) > MOST_TAPS:
        return step.end(f"{op} over too many places ({step.label})")
    taps = [(np.arange((k - 1) * d + 1) % d == 0).astype(float) for k, d in zip(sizes, dilations, strict=True)]
    return resampled(step, x, step.shape, taps=taps, down=strides)


def resampled(
    step: Step,
    x: Flow,
    shape: Sequence[int],
    *,
    up: Sequence[int] = (),
    taps: Sequence[np.ndarray] = (),
    down: Sequence[int] = (),
) -> Flow:
    """`resample` with settings for each axis after the first two, or for every axis."""
    if math.prod(len(t) for t in taps) > MOST_TAPS:
        return step.end(f"{step.node.op_type} over too many places ({step.label})")
    numbers = len(x.sources[0].down)
    lists: list[list[Any]] = [[1] * numbers, [np.ones(1)] * numbers, [1] * numbers]
    for settings, found in zip((up, taps, down), lists, strict=True):
        for role, setting in zip(x.axes[len(x.axes) - len(settings) :] if settings else (), settings, strict=True):
            if role >= 0:
                found[role] = setting
            elif np.size(setting) > 1 or np.max(setting) != 1:
                return step.end(f"{step.node.op_type} along an axis that is not spatial ({step.label})")
    reach = [len(t) for t in lists[1]]
    if any(too_far(step.graph, source, lists[0], reach) for source in x.sources):
        return step.end(f"{step.node.op_type} over too many places ({step.label})")
    result = resample(x, shape, up=lists[0], kernel=outer(lists[1]) if taps else None, down=lists[2])
    reason = f"{step.node.op_type} of a value between whose places zeros were put ({step.label})"
    return step.end(reason) if result is None else result


def resize(step: Step) -> Flow:
    x, shape = step.x, step.shape
    op, mode = step.node.op_type, step.attribute("mode", "nearest")
    if shape is None or len(shape) != len(x.shape):
        return step.end(f"a resize whose size is not known ({step.label})")
    place = step.attribute("coordinate_transformation_mode", "half_pixel" if op == "Resize" else "asymmetric")
    scales = _scales(step, shape)
    ups = [round(f) for f in scales]
    if scales == [1.0] * len(scales):
        return x._replace(shape=shape)
    if mode not in ("nearest", "linear", "bilinear") or place == "tf_crop_and_resize":
        return step.end(f"a {mode if mode == 'cubic' else place} resize ({step.label})")
    if all(f >= 1 for f in scales) and ups == scales:
        if max(ups) > LONGEST:
            return step.end(f"{op} over too many places ({step.label})")
        if place == "align_corners":
            step.graph.note("a resize with align_corners is treated as one without, which is what it is inside")
        if mode == "nearest":
            taps = [np.ones(f) for f in ups]
        elif place == "asymmetric":
            taps = [1 - np.abs(np.arange(1 - f, f)) / f for f in ups]
        else:
            taps = [linear_filter(f) for f in ups]
        return resampled(step, x, shape, up=ups, taps=taps)
    downs = [round(1 / f) for f in scales]
    if mode == "nearest" and all(abs(f * d - 1) < 1e-6 for f, d in zip(scales, downs, strict=True)):
        return resampled(step, x, shape, down=downs)
    factors = "x".join(f"{f:.4g}" for f in scales[2:])
    return step.end(f"a {mode} resize by {factors}, not by a whole factor ({step.label})")


def _scales(step: Step, shape: tuple[int, ...]) -> list[float]:
    """The factor for each axis: as stated, else the ratio of the sizes."""
    at = 2 if step.node.op_type == "Resize" and len(step.inputs) > 2 else 1
    stated = step.attribute("scales")
    stated = step.constant(at) if stated is None else stated
    axes = step.attribute("axes") or range(len(shape))
    factors = [out / max(n, 1) for out, n in zip(shape, step.x.shape, strict=True)]
    if stated is not None and np.size(stated) == len(axes):
        for axis, factor in zip(axes, np.reshape(stated, -1), strict=True):
            factors[axis] = float(factor)
    return factors
