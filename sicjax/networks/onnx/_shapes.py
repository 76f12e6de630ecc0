"""Operators that give a value another shape, or its axes another order."""

from __future__ import annotations

import math

import numpy as np

from sicjax.networks.graph import Flow, depth_to_space, expand, reshape, space_to_depth, squeeze, tile, transpose
from sicjax.networks.onnx._step import Step, Value, holding, rules
from sicjax.networks.onnx._tensors import numbers


@rules("Shape Size")
def _size(step: Step) -> Value:
    """With these, sizes that the graph computes are constant."""
    shape = step.given[0].shape
    if shape is None:
        raise ValueError("a value of a shape that is not known")
    if step.node.op_type == "Size":
        return holding(numbers(np.int64(math.prod(shape))))
    return holding(numbers(np.array(shape[step.attribute("start", 0) : step.attribute("end")], np.int64)))


@rules("Reshape Flatten Unsqueeze")
def _reshape(step: Step) -> Flow:
    return reshape(step.x, step.shape)


@rules("Squeeze")
def _squeeze(step: Step) -> Flow:
    return squeeze(step.x, step.setting("axes", 1)) if step.x.shape else reshape(step.x, step.shape)


@rules("Transpose")
def _transpose(step: Step) -> Flow:
    return transpose(step.x, step.attribute("perm") or range(len(step.x.shape))[::-1])


@rules("Expand")
def _expand(step: Step) -> Flow:
    return expand(step.x, step.shape)


@rules("Tile")
def _tile(step: Step) -> Flow:
    repeats = step.setting("repeats", 1) or []
    if len(repeats) != len(step.x.shape):
        raise ValueError(f"{len(repeats)} repeats of a value with {len(step.x.shape)} axes")
    return tile(step.x, repeats)


@rules("DepthToSpace")
def _depth_to_space(step: Step) -> Flow:
    blocks_first = step.attribute("mode", "DCR") == "DCR"
    return depth_to_space(step.x, [step.attribute("blocksize")] * 2, channels_last=False, blocks_first=blocks_first)


@rules("SpaceToDepth")
def _space_to_depth(step: Step) -> Flow:
    return space_to_depth(step.x, [step.attribute("blocksize")] * 2, channels_last=False, blocks_first=True)
