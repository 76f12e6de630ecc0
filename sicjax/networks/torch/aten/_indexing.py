"""Operators of PyTorch that take places along an axis, in another order or several times."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from sicjax.networks.graph import (
    CHANNEL,
    MOST_CHANNELS,
    NO_ONE_FILTER,
    Flow,
    Unreachable,
    axis_of,
    cut,
    flatten,
    flip,
    repeat,
    reshape,
    select,
    shuffle,
    squeeze,
    tile,
)
from sicjax.networks.torch.aten._aten import rules, word
from sicjax.networks.torch.aten._values import UNKNOWN, Parameter

COMPUTED_PLACES = "places that are computed"


rules("flip")(word(flip))


@rules("slice slice_copy")
def _slice(aten, name, x: Flow, dim: int = 0, start: Any = None, end: Any = None, step: int = 1) -> Flow:
    if UNKNOWN in (start, end) and x.axes[axis_of(x, dim)] != CHANNEL:
        start = end = None  # of space it is a crop, and of a batch nothing
    return cut(x, dim, start, end, step)


@rules("narrow narrow_copy")
def _narrow(aten, name, x: Flow, dim: int, start: Any, length: Any) -> Flow:
    known = type(start) is type(length) is int
    return _slice(aten, name, x, dim, start if known else UNKNOWN, (start + length or None) if known else UNKNOWN)


@rules("select select_copy")
def _select(aten, name, x: Flow, dim: int, index: int) -> Flow:
    at = range(x.shape[axis_of(x, dim)])[index]
    return squeeze(select(x, dim, range(at, at + 1)), [dim])


@rules("index_select")
def _index_select(aten, name, x: Flow, dim: int, index: Any) -> Flow:
    return select(x, dim, _places(index).reshape(-1))


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
        x = select(x, axis, places.reshape(-1))
    return x


@rules("gather")
def _gather(aten, name, x: Flow, dim: int, index: Any, **_: Any) -> Flow:
    """The same places along one axis wherever one is on the others."""
    places, axis = _places(index), axis_of(x, dim)
    one = tuple(slice(None) if k == axis else slice(1) for k in range(places.ndim))
    if places.shape != (*x.shape[:axis], places.shape[axis], *x.shape[axis + 1 :]) or (places != places[one]).any():
        raise Unreachable(COMPUTED_PLACES)
    return select(x, axis, places[one].reshape(-1))


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
        axis = axis_of(x, dim)
        if x.axes[axis] != CHANNEL or x.shape[axis] > MOST_CHANNELS:
            raise Unreachable(NO_ONE_FILTER)
        x = select(x, axis, np.roll(np.arange(x.shape[axis]), shift))
    return x


@rules("channel_shuffle native_channel_shuffle")
def _channel_shuffle(aten, name, x: Flow, groups: int) -> Flow:
    return shuffle(x, 1, groups)


@rules("repeat tile")
def _repeat(aten, name, x: Flow, repeats: Sequence[int]) -> Flow:
    if not x.shape:
        return x
    times = [1] * (len(x.shape) - len(repeats)) + list(repeats)
    return tile(reshape(x, (1,) * (len(times) - len(x.shape)) + x.shape), times)


@rules("repeat_interleave")
def _repeat_interleave(aten, name, x: Flow, repeats: Any, dim: int | None = None, **_: Any) -> Flow:
    return repeat(flatten(x) if dim is None else x, dim or 0, repeats)
