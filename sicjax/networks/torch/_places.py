"""Operators of PyTorch that take places along an axis, repeat them or add to them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from sicjax.networks import _flow, _operations, _resample
from sicjax.networks._aten import MOST_CHANNELS, UNKNOWN, Aten, Parameter, Rule, flows
from sicjax.networks._aten_shapes import axis_of, shaped, unsourced
from sicjax.networks._flow import CHANNEL, Flow

# Starts that are tried where places can begin.
_MOST_STARTS = 10_000


def taken(x: Flow, axis: int, places: slice) -> Flow:
    """A range of places; a spatial axis may be of any size, so its places are not listed."""
    count = len(range(x.shape[axis])[places])
    if x.axes[axis] == CHANNEL:
        return _operations.index(x, axis, np.arange(x.shape[axis])[places])
    return x._replace(shape=(*x.shape[:axis], count, *x.shape[axis + 1 :]))


def _slice(aten: Aten, name: str, x: Flow, dim: int = 0, start: Any = None, end: Any = None, step: int = 1) -> Flow:
    """Of channels these go on; of space a crop, or a decimation."""
    if not x.sources:
        return unsourced(x)
    axis = axis_of(dim, x)
    known = all(v is None or type(v) is int for v in (start, end))
    if x.axes[axis] != CHANNEL and not known:
        start = end = None
    if not known and x.axes[axis] == CHANNEL:
        return aten.end([x], f"{name} of channels that are not known")
    places = slice(start, end, step)
    if x.axes[axis] < 0 or step == 1:
        return taken(x, axis, places)
    down = [step if k == x.axes[axis] else 1 for k in range(_flow.rank(x))]
    shape = (*x.shape[:axis], len(range(x.shape[axis])[places]), *x.shape[axis + 1 :])
    found = _resample.resample(x, shape, down=down)
    return found or aten.end([x], f"{name} of a value between whose places zeros were put", shape)


def _narrow(aten: Aten, name: str, x: Flow, dim: int, start: Any, length: Any) -> Flow:
    end = start + length if type(start) is type(length) is int else UNKNOWN
    return _slice(aten, name, x, dim, start, end or None)


def select(aten: Aten, name: str, x: Flow, dim: int, index: int) -> Flow:
    if not x.sources:
        return unsourced(x)
    axis = axis_of(dim, x)
    if x.axes[axis] >= 0:
        return aten.end([x], f"one place of space ({name})")
    one = taken(x, axis, slice(index, index + 1 or None))
    return shaped(aten, name, one, (*x.shape[:axis], *x.shape[axis + 1 :]))


def _index_select(aten: Aten, name: str, x: Flow, dim: int, index: Any) -> Flow:
    if not x.sources:
        return unsourced(x)
    return _listed(aten, name, x, axis_of(dim, x), index)


def _index(aten: Aten, name: str, x: Flow, indices: Sequence[Any], *_: Any) -> Flow:
    """`x[:, order]`, and what nearest-neighbour upsampling and padding become: places listed for each axis."""
    if not isinstance(x, Flow) or not x.sources:
        return aten.end(list(flows(indices)), f"places that are computed ({name})")
    if len(indices) > len(x.shape):
        raise ValueError(f"{len(indices)} indices of {len(x.shape)} axes")
    for axis, index in enumerate(indices):
        if index is not None:
            x = _listed(aten, name, x, axis, index)
    return x


def _listed(aten: Aten, name: str, x: Flow, axis: int, index: Any) -> Flow:
    array = np.asarray(index.array) if isinstance(index, Parameter) else None
    if not x.sources or array is None or array.size != max(array.shape, default=1) or array.dtype.kind not in "iuf":
        return aten.end([x], f"{name} of places that are not fixed")
    # Conversions between dtypes are not followed: what indexes is whole by now.
    places, size = array.reshape(-1).astype(np.int64), x.shape[axis]
    if x.axes[axis] == CHANNEL:
        if len(places) > MOST_CHANNELS:
            raise ValueError(f"more than {MOST_CHANNELS:,} channels")
        return _operations.index(x, axis, np.arange(size)[places])
    shape = (*x.shape[:axis], len(places), *x.shape[axis + 1 :])
    steps = np.abs(np.diff(places))
    if x.axes[axis] < 0 or (len(places) >= size and (steps <= 1).all() and _runs_through(places, size)):
        return x._replace(shape=shape)
    factor = len(places) // max(size, 1)
    if factor > 1 and np.array_equal(places, np.arange(size * factor) // factor):
        up = [factor if k == x.axes[axis] else 1 for k in range(_flow.rank(x))]
        found = _resample.resample(x, shape, up=up, kernel=np.ones(up))
        return found or aten.end([x], f"{name} of a value between whose places zeros were put", shape)
    return aten.end([x], f"single places, or places in another order ({name})", shape)


def _runs_through(places: np.ndarray, size: int) -> bool:
    """Whether all places follow one another once, with others only before and after: padding."""
    starts = np.flatnonzero(places == 0)
    return any(np.array_equal(places[at : at + size], np.arange(size)) for at in starts[:_MOST_STARTS])


def _flip(aten: Aten, name: str, x: Flow, dims: Sequence[int]) -> Flow:
    for axis in [axis_of(dim, x) for dim in dims] if x.sources else []:
        if x.axes[axis] >= 0:
            return aten.end([x], f"a flip of space ({name})")
        x = taken(x, axis, slice(None, None, -1))
    return x


def _repeat(aten: Aten, name: str, x: Flow, repeats: Sequence[int]) -> Flow:
    if not x.sources:
        return unsourced(x)
    new = len(repeats) - len(x.shape)
    x = shaped(aten, name, x, [*(1,) * new, *x.shape])
    for axis, n in enumerate(repeats if x.sources else ()):
        if n != 1 and x.axes[axis] >= 0:
            return aten.end([x], f"copies of space side by side ({name})")
        if n != 1 and x.axes[axis] == CHANNEL:
            if x.shape[axis] * n > MOST_CHANNELS:
                raise ValueError(f"more than {MOST_CHANNELS:,} channels")
            x = _operations.index(x, axis, np.tile(np.arange(x.shape[axis]), n))
        elif n != 1:
            x = x._replace(shape=(*x.shape[:axis], x.shape[axis] * n, *x.shape[axis + 1 :]))
    return x


def _repeat_interleave(aten: Aten, name: str, x: Flow, repeats: Any, dim: Any = None, **_: Any) -> Flow:
    if not x.sources:
        return unsourced(x)
    if type(repeats) is not int or dim is None:
        return aten.end([x], f"copies of a number that is not known ({name})")
    axis = axis_of(dim, x)
    if repeats * x.shape[axis] > MOST_CHANNELS:
        raise ValueError("too many copies")
    return _listed(aten, name, x, axis, Parameter("", np.repeat(np.arange(x.shape[axis]), repeats)))


def _channel_shuffle(aten: Aten, name: str, x: Flow, groups: int) -> Flow:
    if not x.sources:
        return unsourced(x)
    order = np.arange(x.shape[1]).reshape(groups, -1).T.reshape(-1)
    return _listed(aten, name, x, 1, Parameter("", order))


def _pad(aten: Aten, name: str, x: Flow, pad: Sequence[int] = (), *_: Any, **named: Any) -> Flow:
    """Padding, and cropping where negative: the convolutions before and after meet as they are."""
    amounts = list(named.get("padding", pad))
    if not x.sources:
        return x
    shape = list(x.shape)
    for k in range(len(amounts) // 2):
        around = amounts[2 * k : 2 * k + 2]
        if any(n != 0 for n in around) and x.axes[-1 - k] == CHANNEL:
            return aten.end([x], f"{name} of channels")
        if all(type(n) is int for n in around):
            shape[-1 - k] = max(shape[-1 - k] + sum(around), 1)
    return x._replace(shape=tuple(shape))


RULES: dict[str, Rule] = {
    **dict.fromkeys(["slice", "slice_copy"], _slice),
    **dict.fromkeys(["pad", "constant_pad_nd"], _pad),
    **{f"{kind}_pad{n}d": _pad for kind in ("reflection", "replication") for n in (1, 2, 3)},
    **dict.fromkeys(["channel_shuffle", "native_channel_shuffle"], _channel_shuffle),
    **dict.fromkeys(["repeat", "tile"], _repeat),
    **dict.fromkeys(["index", "unsafe_index"], _index),
    **dict.fromkeys(["narrow", "narrow_copy"], _narrow),
    **dict.fromkeys(["select", "select_copy"], select),
    "flip": _flip,
    "index_select": _index_select,
    "repeat_interleave": _repeat_interleave,
}
