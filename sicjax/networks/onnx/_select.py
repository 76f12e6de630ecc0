"""Operators that take places of a value, add some, or put values side by side."""

from __future__ import annotations

import numpy as np

from sicjax.networks.graph import Flow, Unreachable, axis_of, concatenate, cut, pad, reshape, select, split
from sicjax.networks.onnx._step import Step, rules

COMPUTED_PADDING = "padding by amounts that are computed is taken as padding of space alone"


@rules("Concat")
def _concat(step: Step) -> Flow:
    return concatenate(step.flows, step.attribute("axis", 1))


@rules("Split")
def _split(step: Step) -> list[Flow]:
    x = step.x
    axis = axis_of(x, step.attribute("axis", 0))
    sizes = [shape[axis] for shape in step.shapes if shape is not None]
    if len(sizes) < len(step.shapes) or sum(sizes) != x.shape[axis]:
        raise Unreachable("parts of sizes that are not known")
    return split(x, axis, sizes)


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
        x = cut(x, axis, start, stop, by)
    return x


def _crop(step: Step, axes, steps) -> Flow:
    """Places that the graph computes: of space a crop, of whatever size."""
    x = step.x
    for axis in axes:
        axis = axis_of(x, axis)
        if x.axes[axis] < 0 or set(steps) != {1}:
            raise Unreachable("places that are computed")
        x = cut(x, axis, 0, step.shape[axis])
    return x


@rules("Gather")
def _gather(step: Step) -> Flow:
    x, indices = step.x, np.asarray(step.constant(1))
    axis = axis_of(x, step.attribute("axis", 0))
    found = select(x, axis, _places(indices, x.shape[axis]))
    return reshape(found, (*x.shape[:axis], *indices.shape, *x.shape[axis + 1 :]))


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
        x = select(x, axis, _places(lists[0], x.shape[axis]))
    return x


def _places(indices: np.ndarray, size: int) -> np.ndarray:
    """Places by number, where negative ones count from the end."""
    if (indices < -size).any() or (indices >= size).any():
        raise IndexError(f"places beyond the {size} of an axis")
    return np.where(indices < 0, indices + size, indices).reshape(-1)


@rules("Pad")
def _pad(step: Step) -> Flow:
    x, amounts = step.x, step.input(1)
    if amounts is not None and amounts.held is None:
        if any(x.axes[axis_of(x, axis)] < 0 for axis in step.setting("axes", 3) or ()):
            raise Unreachable("places that are computed")
        if x.sources:
            step.graph.note(COMPUTED_PADDING)
        more = [n - old if role >= 0 else 0 for n, old, role in zip(step.shape, x.shape, x.axes, strict=True)]
        return pad(x, [0] * len(more), more)
    pads = step.setting("pads", 1) or step.attribute("paddings") or []
    axes = [axis_of(x, axis) for axis in step.setting("axes", 3) or range(len(x.shape))]
    before, after = [0] * len(x.shape), [0] * len(x.shape)
    for axis, low, high in zip(axes, pads[: len(axes)], pads[len(axes) :], strict=True):
        before[axis], after[axis] = low, high
    return pad(x, before, after, constant_value=step.attribute("mode", "constant") == "constant")
