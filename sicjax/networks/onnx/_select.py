"""Operators that take places of a value, add some, or put values side by side."""

from __future__ import annotations

import numpy as np

from sicjax.networks import graph
from sicjax.networks.graph import Flow, Unreachable
from sicjax.networks.onnx._step import Step, rules

COMPUTED_PADDING = "padding by amounts that are computed is taken as padding of space alone"

rules.table(
    {
        "Concat": lambda step: graph.concatenate(step.flows, step.attribute("axis", 1)),
        "Gather": lambda step: graph.take(step.x, step.attribute("axis", 0), np.asarray(step.constant(1))),
    }
)


@rules("Split")
def _split(step: Step) -> list[Flow]:
    x = step.x
    axis = x.axis(step.attribute("axis", 0))
    sizes = [shape[axis] for shape in step.shapes if shape is not None]
    if len(sizes) < len(step.shapes) or sum(sizes) != x.shape[axis]:
        raise Unreachable("parts of sizes that are not known")
    return graph.split(x, axis, sizes)


@rules("Slice")
def _slice(step: Step) -> Flow:
    x, axes, steps = step.x, step.setting("axes", 3), step.setting("steps", 4)
    if any(value.held is None for value in step.given[1:3]):
        return _crop(step, axes or range(len(x.shape)), steps or [1])
    starts, stops = step.setting("starts", 1), step.setting("ends", 2)
    if starts is None or stops is None:
        raise ValueError("neither starts nor ends")
    axes, steps = axes or range(len(starts)), steps or [1] * len(starts)
    for axis, start, stop, by in zip(axes, starts, stops, steps, strict=True):
        x = graph.cut(x, axis, start, stop, by)
    return x


def _crop(step: Step, axes, steps) -> Flow:
    """Places that the graph computes: of space a crop, of whatever size."""
    x = step.x
    for axis in axes:
        axis = x.axis(axis)
        if x.axes[axis] < 0 or set(steps) != {1}:
            raise Unreachable("places that are computed")
        x = graph.cut(x, axis, 0, step.shape[axis])
    return x


@rules("GatherND")
def _gather_nd(step: Step) -> Flow:
    """Places of the first axes, of each its own list: what `x[:, places]` of PyTorch becomes."""
    x, indices = step.x, np.asarray(step.constant(1))
    *grid, axes = indices.shape
    if step.attribute("batch_dims", 0) or len(grid) != axes:
        raise Unreachable("places of several axes together")
    for axis in range(axes):
        lists = np.moveaxis(indices[..., axis], axis, -1).reshape(-1, grid[axis])
        if (lists != lists[:1]).any():
            raise Unreachable("places of several axes together")
        x = graph.take(x, axis, lists[0])
    return x


@rules("Pad")
def _pad(step: Step) -> Flow:
    x, amounts = step.x, step.input(1)
    if amounts is not None and amounts.held is None:
        if any(x.axes[x.axis(axis)] < 0 for axis in step.setting("axes", 3) or ()):
            raise Unreachable("places that are computed")
        if x.sources:
            step.graph.note(COMPUTED_PADDING)
        more = {k: (0, n - x.shape[k]) for k, n in enumerate(step.shape) if x.axes[k] >= 0}
        return graph.pad(x, more)
    pads = step.setting("pads", 1) or step.attribute("paddings") or []
    axes = step.setting("axes", 3) or range(len(x.shape))
    margins = zip(pads[: len(axes)], pads[len(axes) :], strict=True)
    constant = step.attribute("mode", "constant") == "constant"
    return graph.pad(x, dict(zip(axes, margins, strict=True)), constant_value=constant)
