"""Operators of PyTorch that put values side by side, and those that cut one into parts."""

from __future__ import annotations

from typing import Any

from sicjax.networks.graph import (
    MOST_PARTS,
    Flow,
    axis_of,
    concatenate,
    even_sizes,
    gated,
    split,
    squeeze,
    stack,
)
from sicjax.networks.torch.aten._aten import rules
from sicjax.networks.torch.aten._values import UNKNOWN, operands


@rules("cat concat concatenate")
def _cat(aten, name, x: list[Any], dim: int = 0) -> Flow:
    return concatenate(operands(x), dim)


@rules("stack")
def _stack(aten, name, x: list[Any], dim: int = 0) -> Flow:
    return stack(operands(x), dim)


@rules("split split_copy unsafe_split split_with_sizes split_with_sizes_copy unsafe_split_with_sizes")
def _split(aten, name, x: Flow, sizes: Any, dim: int = 0) -> Any:
    if isinstance(sizes, (list, tuple)):
        return split(x, dim, sizes)
    return split(x, dim, even_sizes(x.shape[axis_of(x, dim)], sizes)) if x.shape else UNKNOWN


@rules("chunk unsafe_chunk")
def _chunk(aten, name, x: Flow, chunks: int, dim: int = 0) -> list[Flow]:
    count = _count(chunks)
    if not x.shape:
        return [x] * count
    size = x.shape[axis_of(x, dim)]
    return split(x, dim, even_sizes(size, -(-size // count)))


@rules("tensor_split")
def _tensor_split(aten, name, x: Flow, where: Any, dim: int = 0) -> list[Flow]:
    if not x.shape:
        return [x] * _count(where if type(where) is int else len(where) + 1)
    size = x.shape[axis_of(x, dim)]
    if type(where) is int:
        return split(x, dim, [size // where + (k < size % where) for k in range(_count(where))])
    stops = [0, *(range(size)[:n].stop for n in where), size]
    return split(x, dim, [max(b - a, 0) for a, b in zip(stops, stops[1:], strict=False)])


def _count(parts: int) -> int:
    if type(parts) is not int or not 0 < parts <= MOST_PARTS:
        raise ValueError(f"{parts!r:.40} parts")
    return parts


@rules("unbind")
def _unbind(aten, name, x: Flow, dim: int = 0) -> Any:
    if not x.shape:
        return UNKNOWN
    return [squeeze(part, [dim]) for part in split(x, dim, even_sizes(x.shape[axis_of(x, dim)], 1))]


@rules("glu")
def _glu(aten, name, x: Flow, dim: int = -1) -> Flow:
    return aten.elementwise(gated(x, dim), name)
