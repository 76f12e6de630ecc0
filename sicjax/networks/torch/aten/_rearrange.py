"""Operators of PyTorch that rearrange a value: its shape, axes and places, parts, values side by side."""

from __future__ import annotations

from collections.abc import Sequence
from operator import index
from typing import Any

import numpy as np

from sicjax.networks import graph
from sicjax.networks.graph import CHANNEL, NO_ONE_FILTER, Flow, Unreachable
from sicjax.networks.torch.aten._aten import rules, words
from sicjax.networks.torch.aten._values import UNKNOWN, Parameter, operands

COMPUTED_PLACES = "places that are computed"

words(
    {
        "cat concat concatenate": lambda x, dim=0: graph.concatenate(operands(x), dim),
        "channel_shuffle native_channel_shuffle": lambda x, groups: graph.shuffle(x, 1, groups),
        "expand expand_copy": lambda x, size, *_, **__: graph.expand(x, [index(n) for n in size]),
        "expand_as": lambda x, other: graph.expand(x, operands(other)[0].shape) if isinstance(x, Flow) else x,
        "flatten": graph.flatten,
        "flip": graph.flip,
        "index_select": lambda x, dim, index: graph.select(x, dim, _places(index).reshape(-1)),
        "movedim moveaxis": lambda x, source, destination: graph.move(x, _listed(source), _listed(destination)),
        "permute permute_copy": graph.transpose,
        "pixel_shuffle": lambda x, n: graph.depth_to_space(x, [n] * 2, channels_last=False, blocks_first=False),
        "pixel_unshuffle": lambda x, n: graph.space_to_depth(x, [n] * 2, channels_last=False, blocks_first=False),
        "repeat tile": graph.tile,
        "reshape view view_copy unsafe_view": graph.reshape,
        "reshape_as view_as": lambda x, other: graph.reshape(x, operands(other)[0].shape) if isinstance(x, Flow) else x,
        "squeeze squeeze_copy": lambda x, dim=None: graph.squeeze(x, None if dim is None else _listed(dim)),
        "stack": lambda x, dim=0: graph.stack(operands(x), dim),
        "t t_copy numpy_T": graph.transpose,
        "transpose transpose_copy swapaxes swapdims": graph.swap,
        "unbind": lambda x, dim=0: graph.unstack(x, dim) if x.shape else UNKNOWN,
        "unflatten": graph.unflatten,
        "unsqueeze unsqueeze_copy": lambda x, dim: graph.unsqueeze(x, [dim]),
    }
)
rules("glu")(lambda aten, name, x, dim=-1: aten.elementwise(graph.gated(x, dim), name))


def _listed(dims: int | Sequence[int]) -> Sequence[int]:
    return [dims] if isinstance(dims, int) else dims


@rules("slice slice_copy")
def _slice(aten, name, x: Flow, dim: int = 0, start: Any = None, end: Any = None, step: int = 1) -> Flow:
    if UNKNOWN in (start, end) and x.axes[x.axis(dim)] != CHANNEL:
        start = end = None  # of space it is a crop, and of a batch nothing
    return graph.cut(x, {dim: slice(start, end, step)})


@rules("narrow narrow_copy")
def _narrow(aten, name, x: Flow, dim: int, start: Any, length: Any) -> Flow:
    known = type(start) is type(length) is int
    return _slice(aten, name, x, dim, start if known else UNKNOWN, (start + length or None) if known else UNKNOWN)


@rules("select select_copy")
def _select(aten, name, x: Flow, dim: int, index: int) -> Flow:
    at = range(x.shape[x.axis(dim)])[index]
    return graph.squeeze(graph.select(x, dim, range(at, at + 1)), [dim])


@rules("index unsafe_index")
def _index(aten, name, x: Any, indices: Sequence[Any], *_: Any) -> Flow:
    """`x[:, order]`, and what nearest-neighbour upsampling and padding become: places listed for each axis."""
    listed = {axis: _places(index) for axis, index in enumerate(indices) if index is not None}
    if not isinstance(x, Flow) or list(listed) != list(range(min(listed), max(listed) + 1)):
        raise Unreachable(COMPUTED_PLACES)
    for k, (axis, places) in enumerate(reversed(listed.items())):
        # Lists along the same axis are places one by one.
        along = places.ndim - 1 - k
        if places.ndim > len(listed) or along < 0 or places.size != places.shape[along]:
            raise Unreachable(COMPUTED_PLACES)
        x = graph.select(x, axis, places.reshape(-1))
    return x


@rules("gather")
def _gather(aten, name, x: Flow, dim: int, index: Any, **_: Any) -> Flow:
    """The same places along one axis wherever one is on the others."""
    places, axis = _places(index), x.axis(dim)
    one = tuple(slice(None) if k == axis else slice(1) for k in range(places.ndim))
    if places.shape != (*x.shape[:axis], places.shape[axis], *x.shape[axis + 1 :]) or (places != places[one]).any():
        raise Unreachable(COMPUTED_PLACES)
    return graph.select(x, axis, places[one].reshape(-1))


def _places(index: Any) -> np.ndarray:
    """Fixed places, whole numbers: the dtypes of what is computed are not followed."""
    if not isinstance(index, Parameter) or index.array.dtype.kind not in "iuf":
        raise Unreachable(COMPUTED_PLACES)
    with np.errstate(invalid="ignore"):
        return index.array.astype(np.int64)


@rules("roll")
def _roll(aten, name, x: Flow, shifts: Any, dims: Any = ()) -> Flow:
    """Of channels another order."""
    shifts, dims = (v if isinstance(v, (list, tuple)) else [v] for v in (shifts, dims))
    for shift, dim in zip(shifts, dims, strict=True):
        axis = x.axis(dim)
        if x.axes[axis] != CHANNEL or x.shape[axis] > graph.MOST_CHANNELS:
            raise Unreachable(NO_ONE_FILTER)
        x = graph.select(x, axis, np.roll(np.arange(x.shape[axis]), shift))
    return x


@rules("repeat_interleave")
def _repeat_interleave(aten, name, x: Flow, repeats: Any, dim: int | None = None, **_: Any) -> Flow:
    return graph.repeat(graph.flatten(x) if dim is None else x, dim or 0, repeats)


@rules("split split_copy unsafe_split split_with_sizes split_with_sizes_copy unsafe_split_with_sizes")
def _split(aten, name, x: Flow, sizes: Any, dim: int = 0) -> Any:
    if isinstance(sizes, (list, tuple)):
        return graph.split(x, dim, sizes)
    return graph.split(x, dim, graph.even_sizes(x.shape[x.axis(dim)], sizes)) if x.shape else UNKNOWN


@rules("chunk unsafe_chunk")
def _chunk(aten, name, x: Flow, chunks: int, dim: int = 0) -> list[Flow]:
    count = _count(chunks)
    if not x.shape:
        return [x] * count
    size = x.shape[x.axis(dim)]
    return graph.split(x, dim, graph.even_sizes(size, -(-size // count)))


@rules("tensor_split")
def _tensor_split(aten, name, x: Flow, where: Any, dim: int = 0) -> list[Flow]:
    if not x.shape:
        return [x] * _count(where if type(where) is int else len(where) + 1)
    size = x.shape[x.axis(dim)]
    if type(where) is int:
        return graph.split(x, dim, [size // where + (k < size % where) for k in range(_count(where))])
    stops = [0, *(range(size)[:n].stop for n in where), size]
    return graph.split(x, dim, [max(b - a, 0) for a, b in zip(stops, stops[1:], strict=False)])


def _count(parts: int) -> int:
    if type(parts) is not int or not 0 < parts <= graph.MOST_PARTS:
        raise ValueError(f"{parts!r:.40} parts")
    return parts
