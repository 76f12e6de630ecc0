"""Layers and operations of Keras that give a value another shape, order or number of copies."""

from __future__ import annotations

from sicjax.networks.graph import (
    Flow,
    expand,
    flatten,
    flip,
    move,
    repeat,
    reshape,
    squeeze,
    swap,
    tile,
    transpose,
    unsqueeze,
)
from sicjax.networks.keras._call import Call, rules


@rules("flatten")
def _flatten(call: Call) -> Flow:
    x, axes = call.x, len(call.x.shape)
    return flatten(x if call.channels_last or axes < 3 else transpose(x, [0, *range(2, axes), 1]), 1)


@rules("ravel")
def _ravel(call: Call) -> Flow:
    return flatten(call.x)


@rules("reshape")
def _reshape(call: Call) -> Flow:
    """The layer's shape leaves the batch out, the operation's has it."""
    target = call.get("target_shape")
    shape = list(call.get("newshape", "shape")) if target is None else [None, *target]
    batch = call.x.shape[0] if call.x.shape else 1
    return reshape(call.x, [batch if k == 0 and n is None else -1 if n is None else n for k, n in enumerate(shape)])


@rules("permute")
def _permute(call: Call) -> Flow:
    return transpose(call.x, [0, *call.get("dims")])


@rules("transpose")
def _transpose(call: Call) -> Flow:
    return transpose(call.x, call.get("axes", "perm", default=range(len(call.x.shape))[::-1]))


@rules("swapaxes")
def _swap(call: Call) -> Flow:
    return swap(call.x, call.get("axis1"), call.get("axis2"))


@rules("moveaxis")
def _move(call: Call) -> Flow:
    return move(call.x, call.listed("source"), call.listed("destination"))


@rules("squeeze")
def _squeeze(call: Call) -> Flow:
    return squeeze(call.x, None if call.get("axis") is None else call.listed("axis"))


@rules("expanddims")
def _expand(call: Call) -> Flow:
    return unsqueeze(call.x, call.listed("axis"))


@rules("broadcastto")
def _broadcast(call: Call) -> Flow:
    return expand(call.x, [-1 if n is None else n for n in call.get("shape")])


@rules("flip reverse")
def _flip(call: Call) -> Flow:
    return flip(call.x, range(len(call.x.shape)) if call.get("axis") is None else call.listed("axis"))


@rules("repeat")
def _repeat(call: Call) -> Flow:
    return repeat(call.x, call.axis(), call.get("repeats"))


@rules("repeatvector")
def _repeat_vector(call: Call) -> Flow:
    return repeat(unsqueeze(call.x, [1]), 1, call.get("n"))


@rules("tile")
def _tile(call: Call) -> Flow:
    repeats = call.listed("repeats", "multiples")
    return tile(call.x, [1] * (len(call.x.shape) - len(repeats)) + repeats)
