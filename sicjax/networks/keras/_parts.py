"""Operations of Keras that cut a value into parts, or put values side by side."""

from __future__ import annotations

from typing import Any

import numpy as np

from sicjax.networks import graph
from sicjax.networks.graph import Flow
from sicjax.networks.keras._call import Call, rules

rules.table(
    {
        "concatenate concat concatv2": lambda call: graph.concatenate(call.flows, call.get("axis", default=-1)),
        "glu": lambda call: graph.elementwise(call.graph, graph.gated(call.x, call.axis(default=-1)), call.label),
        "stack": lambda call: graph.stack(call.flows, call.get("axis", default=0)),
        "unstack": lambda call: graph.unstack(call.x, call.axis(default=0)),
    }
)


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
    x = call.x
    starts = call.args[0] if call.args else call.get("begin")
    for axis, (start, size) in enumerate(zip(starts, call.get("shape", "size"), strict=True)):
        x = graph.cut(x, axis, start, None if size == -1 else start + size)
    return x


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
        elif isinstance(place, int):
            x = graph.cut(x, axis, place, place + 1 or None)
            axis += 1
        else:
            x = graph.cut(x, axis, place.start, place.stop, place.step)
            shape.append(x.shape[axis])
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
