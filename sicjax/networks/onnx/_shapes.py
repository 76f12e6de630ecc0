"""Operators that give a value another shape, or its axes another order."""

from __future__ import annotations

import math

import numpy as np

from sicjax.networks import graph
from sicjax.networks.graph import Flow
from sicjax.networks.onnx._step import Step, Value, known, rules

rules.table(
    {
        "Expand": lambda step: graph.expand(step.x, step.shape),
        "Reshape Flatten Unsqueeze": lambda step: graph.reshape(step.x, step.shape),
        "Transpose": lambda step: graph.transpose(step.x, step.attribute("perm") or range(len(step.x.shape))[::-1]),
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
