"""Layers and operations of Keras that rearrange a value: joining, cutting, reshaping."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from sicjax.networks import _flow, _operations, _resample, _spatial
from sicjax.networks._flow import BATCH, CHANNEL, Flow
from sicjax.networks._keras_call import Call, Rule

# Along one axis; a file can ask for any size in a few bytes.
MOST_PLACES = 2**24


def _concatenate(call: Call) -> Flow:
    lead = next((x for x in call.flows if x.sources), call.x)
    axis = call._replace(flows=[lead]).axis("axis", -1)
    alike = all(len(x.shape) == len(lead.shape) and (not x.sources or x.axes == lead.axes) for x in call.flows)
    if not alike or sum(x.shape[axis] for x in call.flows) > MOST_PLACES:
        return call.end(f"{call.kind} of values with other axes ({call.path})", lead.shape)
    return _operations.concatenate(call.flows, axis)


def _split(call: Call) -> list[Flow]:
    axis = call.axis("axis", 0)
    parts = call.get("indices_or_sections", call.get("num_or_size_splits"))
    size = call.x.shape[axis]
    if isinstance(parts, int):
        stops = [(k + 1) * (size // parts) for k in range(min(parts, size))]
    elif "num_or_size_splits" in call.settings:
        stops = [sum(parts[: k + 1]) for k in range(len(parts))]
    else:
        stops = [*parts, size]
    return [_cut(call, call.x, axis, slice(a, b)) for a, b in zip([0, *stops], stops, strict=False)]


def _cut(call: Call, x: Flow, axis: int, places: slice) -> Flow:
    """A slice along an axis: of channels these go on, of space a crop or a decimation."""
    role, kept = x.axes[axis], np.arange(x.shape[axis])[places]
    if x.sources and role >= 0 and ((places.step or 1) < 1 or len(kept) < 2 <= x.shape[axis]):
        return call.graph.end([x], x.shape, f"single places, or places in another order ({call.path})")
    shape = (*x.shape[:axis], len(kept), *x.shape[axis + 1 :])
    if not x.sources or role < 0 or (places.step or 1) == 1:
        return _operations.index(x, axis, kept, shape)
    found = _resample.resample(x, shape, down=[places.step if k == role else 1 for k in range(_flow.rank(x))])
    reason = f"{call.kind} of a value between whose places zeros were put ({call.path})"
    return call.graph.end([x], shape, reason) if found is None else found


def _item(call: Call) -> Flow:
    """`x[key]`."""
    key = call.args[0] if call.args else call.get("key", call.get("slice_spec"))
    parts = list(key) if isinstance(key, list) else [key]
    places = [_place(part) for part in parts]
    whole = len(call.x.shape) - sum(place is not None for place in places if place is not ...)
    x, axis, shape = call.x, 0, []
    for place in places if ... in places else [*places, ...]:
        if place is None:
            shape.append(1)
        elif place is ...:
            shape += x.shape[axis : axis + whole]
            axis += whole
        else:
            single = isinstance(place, int)
            x = _cut(call, x, axis, slice(place, place + 1 or None) if single else place)
            shape += [] if single else [x.shape[axis]]
            axis += 1
    return _shaped(call, x, shape)


def _place(part: Any) -> Any:
    """One part of a key: a slice, a place, a new axis (None) or all axes that are not named (...)."""
    if isinstance(part, dict) and part.get("class_name") == "__ellipsis__":
        return ...
    if isinstance(part, dict):
        stated = part.get("config") or part
        return slice(*(stated.get(name) for name in ("start", "stop", "step")))
    if part is None or type(part) is int:
        return part
    raise ValueError(f"a key of {part!r:.40}")


def _shaped(call: Call, x: Flow, shape: Sequence[int]) -> Flow:
    """Another shape of a value, or the end of the chain where that mixes space and channels."""
    shape = tuple(shape)
    if not x.sources:
        return Flow(shape, (BATCH,) * len(shape), origin=x.origin)
    found = _operations.reshape(x, shape) if math.prod(shape) == math.prod(x.shape) and min(shape) > 0 else None
    reason = f"{call.kind} ({call.path}), which mixes space and channels"
    return call.graph.end([x], shape, reason) if found is None else found


def _flatten(call: Call) -> Flow:
    x = call.x
    if call.channels_first and len(x.shape) > 2:
        x = _operations.transpose(x, [0, *range(2, len(x.shape)), 1])
    return _shaped(call, x, (x.shape[0] if x.shape else 1, math.prod(x.shape[1:])))


def _reshape(call: Call) -> Flow:
    """The layer's shape leaves the batch out, the operation's has it."""
    if "target_shape" in call.settings:
        stated = [call.x.shape[0] if call.x.shape else 1, *call.settings["target_shape"]]
    else:
        stated = list(call.get("newshape", call.get("shape")))
        stated[0] = 1 if stated[0] in (-1, None) and math.prod(call.x.shape[1:]) > 1 else stated[0]
    open_sizes = iter(_spatial.OPEN_SIZES)
    shape = [next(open_sizes) if n is None else int(n) for n in stated]
    if shape.count(-1) == 1:
        shape[shape.index(-1)] = math.prod(call.x.shape) // max(-math.prod(shape), 1)
    return _shaped(call, call.x, shape)


def _ordered(call: Call, order: Sequence[int]) -> Flow:
    if sorted(order) != list(range(len(call.x.shape))):
        raise ValueError(f"axes in the order {order}")
    return _operations.transpose(call.x, order)


def _permute(call: Call) -> Flow:
    return _ordered(call, [0, *call.get("dims")])


def _transpose(call: Call) -> Flow:
    order = call.get("axes", call.get("perm"))
    return _ordered(call, list(range(len(call.x.shape)))[::-1] if order is None else order)


def _swap(call: Call) -> Flow:
    a, b = call.axis("axis1", 0), call.axis("axis2", 1)
    order = list(range(len(call.x.shape)))
    order[a], order[b] = order[b], order[a]
    return _ordered(call, order)


def _move(call: Call) -> Flow:
    ends = [call.get(name) for name in ("source", "destination")]
    sources, targets = ([call.position(n) for n in (v if isinstance(v, list) else [v])] for v in ends)
    order = [k for k in range(len(call.x.shape)) if k not in sources]
    for target, source in sorted(zip(targets, sources, strict=True)):
        order.insert(target, source)
    return _ordered(call, order)


def _squeeze(call: Call) -> Flow:
    axes = call.get("axis")
    named = range(len(call.x.shape)) if axes is None else axes if isinstance(axes, list) else [axes]
    gone = {k for k in map(call.position, named) if call.x.shape[k] == 1}
    return _shaped(call, call.x, [n for k, n in enumerate(call.x.shape) if k not in gone])


def _expand(call: Call) -> Flow:
    shape = list(call.x.shape)
    axes = call.get("axis", 0)
    for axis in axes if isinstance(axes, list) else [axes]:
        shape.insert(axis % (len(shape) + 1), 1)
    return _shaped(call, call.x, shape)


def _pad(call: Call) -> Flow:
    """Padding of space: the convolutions before and after meet as they are."""
    widths = call.get("pad_width", call.get("paddings"))
    widths = [[widths] * 2] * len(call.x.shape) if isinstance(widths, int) else widths
    totals = [sum(w) for w in (widths if len(widths) > 1 else widths * len(call.x.shape))]
    shape = [n + t for n, t in zip(call.x.shape, totals, strict=True)]
    if call.x.sources and any(t and role == CHANNEL for t, role in zip(totals, call.x.axes, strict=True)):
        return call.end(f"{call.kind} of channels ({call.path})", shape)
    return call.shaped(shape)


def _flip(call: Call) -> Flow:
    x, axes = call.x, call.get("axis")
    for axis in map(call.position, axes if isinstance(axes, list) else [axes]):
        if x.sources and x.axes[axis] >= 0:
            return call.end(f"a flip of space ({call.path})")
        x = _operations.index(x, axis, np.arange(x.shape[axis])[::-1])
    return x


def _repeat(call: Call) -> Flow:
    """Each place several times: along space nearest-neighbour upsampling."""
    axis, times = call.axis("axis", 0), call.get("repeats")
    x, role = call.x, call.x.axes[axis]
    if type(times) is not int or not 0 < times * x.shape[axis] <= MOST_PLACES or times > _spatial.LONGEST:
        raise ValueError(f"repeats are {times!r:.40}")
    shape = (*x.shape[:axis], times * x.shape[axis], *x.shape[axis + 1 :])
    if not x.sources or role < 0:
        return _operations.index(x, axis, np.repeat(np.arange(x.shape[axis]), times), shape)
    up = [times if k == role else 1 for k in range(len(x.sources[0].down))]
    found = _resample.resample(x, shape, up=up, kernel=np.ones(up))
    return found or call.end(f"{call.kind} of a value between whose places zeros were put ({call.path})", shape)


SHAPES: dict[str, Rule] = {
    **dict.fromkeys(["concatenate", "concat", "concatv2"], _concatenate),
    **dict.fromkeys(["getitem", "slicingoplambda"], _item),
    **dict.fromkeys(["flatten", "ravel"], _flatten),
    **dict.fromkeys(["pad", "padv2"], _pad),
    **dict.fromkeys(["flip", "reverse"], _flip),
    "split": _split,
    "reshape": _reshape,
    "permute": _permute,
    "transpose": _transpose,
    "swapaxes": _swap,
    "moveaxis": _move,
    "squeeze": _squeeze,
    "expanddims": _expand,
    "repeat": _repeat,
}
