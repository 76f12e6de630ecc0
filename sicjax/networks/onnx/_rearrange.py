"""Operators that rearrange a value: its shape, the order of its axes, its places, values side by side."""

from __future__ import annotations

import math

import numpy as np

from sicjax.networks import graph
from sicjax.networks.graph import Flow, Unreachable
from sicjax.networks.onnx._step import Step, Value, known, rules

COMPUTED_PADDING = "padding by amounts that are computed is taken as padding of space alone"

rules.table(
    {
        "Concat": lambda step: graph.concatenate(step.flows, step.attribute("axis", 1)),
        "Expand": lambda step: graph.expand(step.x, step.shape),
        "Gather": lambda step: graph.take(step.x, step.attribute("axis", 0), np.asarray(step.constant(1))),
        "Reshape Flatten Unsqueeze": lambda step: graph.reshape(step.x, step.shape),
        "Transpose": lambda step: graph.transpose(step.x, step.attribute("perm")),
    }
)


@rules("Shape Size")
def _size(step: Step) -> Value:
    """With these, sizes that the graph computes are constant."""
    shape = step.given[0].shape
    if shape is None:
        raise ValueError("a value of a shape that is not known")
    if step.node.op_type == "Size":
        return known(np.int64(math.prod(shape)))
    return known(np.array(shape[step.attribute("start", 0) : step.attribute("end")], np.int64))


@rules("Squeeze")
def _squeeze(step: Step) -> Flow:
    return graph.squeeze(step.x, step.setting("axes", 1)) if step.x.shape else graph.reshape(step.x, step.shape)


@rules("Tile")
def _tile(step: Step) -> Flow:
    repeats = step.setting("repeats", 1) or []
    if len(repeats) != len(step.x.shape):
        raise ValueError(f"{len(repeats)} repeats of a value with {len(step.x.shape)} axes")
    return graph.tile(step.x, repeats)


@rules("DepthToSpace SpaceToDepth")
def _blocks(step: Step) -> Flow:
    rearrange = graph.depth_to_space if step.node.op_type == "DepthToSpace" else graph.space_to_depth
    factors, first = [step.attribute("blocksize")] * 2, step.attribute("mode", "DCR") == "DCR"
    return rearrange(step.x, factors, channels_last=False, blocks_first=first)


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
    parts = [slice(*part) for part in zip(starts, stops, steps or [1] * len(starts), strict=True)]
    return graph.cut(x, dict(zip(axes or range(len(starts)), parts, strict=True)))


def _crop(step: Step, axes, steps) -> Flow:
    """Places that the graph computes: of space a crop, of whatever size."""
    x, axes = step.x, [step.x.axis(axis) for axis in axes]
    if any(x.axes[axis] < 0 for axis in axes) or set(steps) != {1}:
        raise Unreachable("places that are computed")
    return graph.cut(x, {axis: slice(step.shape[axis]) for axis in axes})


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
