"""Layers and operations of Keras that give a value another shape, order or number of copies."""

from __future__ import annotations

from sicjax.networks import graph
from sicjax.networks.graph import Flow
from sicjax.networks.keras._call import Call, rules

rules.table(
    {
        "broadcastto": lambda call: graph.expand(call.x, [-1 if n is None else n for n in call.get("shape")]),
        "expanddims": lambda call: graph.unsqueeze(call.x, call.listed("axis")),
        "flip reverse": lambda call: graph.flip(call.x, call.axes),
        "moveaxis": lambda call: graph.move(call.x, call.listed("source"), call.listed("destination")),
        "permute": lambda call: graph.transpose(call.x, [0, *call.get("dims")]),
        "ravel": lambda call: graph.flatten(call.x),
        "repeat": lambda call: graph.repeat(call.x, call.axis(), call.get("repeats")),
        "repeatvector": lambda call: graph.repeat(graph.unsqueeze(call.x, [1]), 1, call.get("n")),
        "squeeze": lambda call: graph.squeeze(call.x, call.axes),
        "swapaxes": lambda call: graph.swap(call.x, call.get("axis1"), call.get("axis2")),
    }
)


@rules("transpose")
def _transpose(call: Call) -> Flow:
    return graph.transpose(call.x, call.get("axes", "perm", default=range(len(call.x.shape))[::-1]))


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


@rules("tile")
def _tile(call: Call) -> Flow:
    repeats = call.listed("repeats", "multiples")
    return graph.tile(call.x, [1] * (len(call.x.shape) - len(repeats)) + repeats)
