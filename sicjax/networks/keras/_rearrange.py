"""Layers and operations of Keras that rearrange a value: its shape, axes and places, parts, values side by side."""

from __future__ import annotations

from typing import Any

import numpy as np

from sicjax.networks import graph
from sicjax.networks.graph import Flow
from sicjax.networks.keras._call import Call, rules

rules.table(
    {
        "broadcastto": lambda call: graph.expand(call.x, [-1 if n is None else n for n in call.get("shape")]),
        "concatenate concat concatv2": lambda call: graph.concatenate(call.flows, call.get("axis", default=-1)),
        "expanddims": lambda call: graph.unsqueeze(call.x, call.listed("axis")),
        "flip reverse": lambda call: graph.flip(call.x, call.axes),
        "glu": lambda call: graph.elementwise(call.graph, graph.gated(call.x, call.axis(default=-1)), call.label),
        "moveaxis": lambda call: graph.move(call.x, call.listed("source"), call.listed("destination")),
        "permute": lambda call: graph.transpose(call.x, [0, *call.get("dims")]),
        "ravel": lambda call: graph.flatten(call.x),
        "repeat": lambda call: graph.repeat(call.x, call.axis(), call.get("repeats")),
        "repeatvector": lambda call: graph.repeat(graph.unsqueeze(call.x, [1]), 1, call.get("n")),
        "squeeze": lambda call: graph.squeeze(call.x, call.axes),
        "stack": lambda call: graph.stack(call.flows, call.get("axis", default=0)),
        "swapaxes": lambda call: graph.swap(call.x, call.get("axis1"), call.get("axis2")),
        "tile": lambda call: graph.tile(call.x, call.listed("repeats", "multiples")),
        "transpose": lambda call: graph.transpose(call.x, call.get("axes", "perm")),
        "unstack": lambda call: graph.unstack(call.x, call.axis(default=0)),
    }
)


@rules("flatten")
def _flatten(call: Call) -> Flow:
    x, axes = call.x, len(call.x.shape)
    return graph.flatten(x if call.channels_last or axes < 3 else graph.transpose(x, [0, *range(2, axes), 1]), 1)


@rules("reshape")
def _reshape(call: Call) -> Flow:
    """The layer's shape leaves the batch out, the operation's has it."""
    target = call.get("target_shape")
    shape = list(call.get("newshape", "shape")) if target is None else [None, *target]
    batch = call.x.shape[0] if call.x.shape else 1
    full = [batch if k == 0 and n is None else -1 if n is None else n for k, n in enumerate(shape)]
    return graph.reshape(call.x, full)


@rules("split")
def _split(call: Call) -> list[Flow]:
    """Into a number of parts, or before these places in NumPy's operation, or to these sizes in TensorFlow's."""
    axis = call.axis(default=0)
    size, parts = call.x.shape[axis], call.get("indices_or_sections", "num_or_size_splits")
    if isinstance(parts, int):
        sizes = graph.even_sizes(size, size // parts)
    elif "num_or_size_splits" in call.settings:
        sizes = [size - sum(parts) - 1 if n == -1 else n for n in parts]
    else:
        sizes = np.diff([0, *parts, size]).tolist()
    return graph.split(call.x, axis, sizes)


@rules("take gather")
def _take(call: Call) -> Flow:
    """Places along an axis by number; one alone takes the axis away."""
    stated = call.args[0] if call.args else call.get("indices")
    places = np.asarray(stated["config"]["value"] if isinstance(stated, dict) else stated)
    return graph.take(call.x, call.axis(default=0), places)


@rules("slice")
def _slice(call: Call) -> Flow:
    """So many places of each axis from a start; -1 for all that are left."""
    sized = zip(call.args[0] if call.args else call.get("begin"), call.get("shape", "size"), strict=True)
    parts = [slice(start, None if size == -1 else start + size) for start, size in sized]
    return graph.cut(call.x, dict(enumerate(parts)))


@rules("getitem slicingoplambda")
def _item(call: Call) -> Flow:
    """`x[key]`."""
    key = call.args[0] if call.args else call.get("key", "slice_spec")
    places = [_place(part) for part in (key if isinstance(key, list) else [key])]
    whole = len(call.x.shape) - sum(place is not None for place in places if place is not ...)
    x, axis, shape = call.x, 0, []
    for place in places if ... in places else [*places, ...]:
        if place is None:
            shape.append(1)
        elif place is ...:
            shape += x.shape[axis : axis + whole]
            axis += whole
        else:
            one = isinstance(place, int)
            x = graph.cut(x, {axis: slice(place, place + 1 or None) if one else place})
            shape += [] if one else [x.shape[axis]]
            axis += 1
    return graph.reshape(x, shape)


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
