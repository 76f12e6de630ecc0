"""Other shapes and orders of axes."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

import numpy as np

from sicjax.networks.graph._flow import BATCH, CHANNEL, MIXED, REPEAT, Flow, Source, constant
from sicjax.networks.graph._resample import resample
from sicjax.networks.graph._unreachable import Unreachable


def transpose(x: Flow, order: Sequence[int] | None = None) -> Flow:
    """Axes in another order, by default in reverse.

    Raises:
        ValueError: not an order of the axes.
    """
    order = range(len(x.shape))[::-1] if order is None else order
    if not x.sources and len(x.shape) != len(order):
        return constant((), x.origin)
    order = [x.axis(k) for k in order]
    if sorted(order) != list(range(len(x.shape))):
        raise ValueError(f"axes in the order {order!r:.60}")
    x = x.plain([x.shape[k] for k in order])
    moved = [x.channel_axis(k) for k in order if x.axes[k] == CHANNEL]
    sources = tuple(source._replace(channels=np.transpose(source.channels, moved)) for source in x.sources)
    return x.changed([x.shape[k] for k in order], axes=tuple(x.axes[k] for k in order), sources=sources)


def swap(x: Flow, a: int, b: int) -> Flow:
    """Two axes in each other's place."""
    return move(x, [a, b], [b, a])


def move(x: Flow, sources: Sequence[int], targets: Sequence[int]) -> Flow:
    """Axes moved to other places, the others as they were."""
    if not x.shape:
        return x
    old, new = [x.axis(k) for k in sources], [x.axis(k) for k in targets]
    order = [k for k in range(len(x.shape)) if k not in old]
    for at, axis in sorted({*zip(new, old, strict=True)}):
        order.insert(at, axis)
    return transpose(x, order)


def reshape(x: Flow, shape: Sequence[int]) -> Flow:
    """Another shape; one size may be -1. What follows tells whether one that mixes space and channels goes back.

    A spatial axis and a `REPEAT` axis behind it become one: nearest-neighbour upsampling. With a channel axis behind it
    they become one in a pixel shuffle, which makes one transposed convolution of the layer before it.

    Raises:
        Unreachable: a shape for another number of values, as with sizes that are not known.
    """
    shape = tuple(int(n) for n in shape)
    if shape.count(-1) == 1:
        rest = max(-math.prod(shape), 1)
        shape = tuple(math.prod(x.shape) // rest if n == -1 else n for n in shape)
    if not x.sources:
        return constant([max(n, 1) for n in shape], x.origin)
    if math.prod(shape) != math.prod(x.shape) or min(shape, default=1) < 1:
        raise Unreachable("a reshape to a size that is not known")
    before = x.unmixed or x
    # No larger than before, so there is nothing to refuse.
    return _reshape(before, shape) or Flow(shape, (MIXED,) * len(shape), before.sources, before.origin, before)


def _reshape(x: Flow, shape: tuple[int, ...]) -> Flow | None:
    """Every axis of the new shape is made of axes of one role; None where space and channels are mixed."""
    axes: list[int] = []
    repeats: dict[int, int] = {}
    blocks: dict[int, int] = {}
    # Of a signal that is made flat no channel is left: the whole value is one axis, which may be taken apart again.
    image = len(shape) >= x.rank + 2
    x = _repeated_channels(x, shape)
    for old, new in _groups(x.shape, shape):
        old = [k for k in old if x.shape[k] != 1] or old
        roles = [x.axes[k] for k in old]
        if len(roles) == 2 and roles[0] >= 0 and roles[1] == REPEAT and len(new) == 1:
            repeats[new[0]] = x.shape[old[1]]
            roles = roles[:1]
        elif image and len(roles) == 2 and roles[0] >= 0 and roles[1] == CHANNEL and len(new) == 1:
            blocks[roles[0]] = old[1]
            roles = roles[:1]
        if len(set(roles)) > 1 or (roles and roles[0] >= 0 and sum(shape[k] != 1 for k in new) > 1):
            return None
        role = roles[0] if roles else BATCH
        if role < 0:
            axes += [role] * len(new)
        else:
            whole = next((k for k in new if shape[k] != 1), new[0] if new else None)
            axes += [role if k == whole else BATCH for k in new]
    if {role for role, n in zip(x.axes, x.shape, strict=True) if role >= 0 and n > 1} - set(axes):
        return None
    channel_shape = tuple(n for n, role in zip(shape, axes, strict=True) if role == CHANNEL)
    if blocks:
        found = [_in_blocks(source, {k: x.channel_axis(axis) for k, axis in blocks.items()}) for source in x.sources]
        if any(source is None for source in found):
            return None
        x = x._replace(sources=tuple(source for source in found if source is not None))
    sources = tuple(source._replace(channels=source.channels.reshape(channel_shape)) for source in x.sources)
    reshaped = Flow(shape, tuple(axes), sources, x.origin)
    return resample(reshaped, shape, {axis: (n, np.ones(n), 1) for axis, n in repeats.items()}) if repeats else reshaped


def _repeated_channels(x: Flow, shape: tuple[int, ...]) -> Flow:
    """Copies of a value that a reshape makes one axis with channels are that many channels more."""
    axes, sources = list(x.axes), x.sources
    for old, _ in _groups(x.shape, shape):
        roles = {x.axes[k] for k in old if x.shape[k] != 1}
        for k in old if roles == {CHANNEL, REPEAT} else ():
            if axes[k] == REPEAT and x.shape[k] != 1:
                at = sum(role == CHANNEL for role in axes[:k])
                copies = lambda channels, at=at, n=x.shape[k]: np.repeat(np.expand_dims(channels, at), n, at)
                sources = tuple(source._replace(channels=copies(source.channels)) for source in sources)
                axes[k] = CHANNEL
    return x._replace(axes=tuple(axes), sources=sources)


def _in_blocks(source: Source, axes: dict[int, int]) -> Source | None:
    """Channels that become places along space; None unless the layer is all that lies before.

    Arguments:
        axes: for each spatial axis that grows, the channel axis that becomes part of it.
    """
    plain_layer = max(*source.down, *source.up, source.first.groups) == 1 and source.blocks is None
    if not plain_layer or source.before or source.after or (source.channels < 0).any():
        return None
    order = [axes[k] for k in range(len(source.down)) if k in axes]
    moved = np.moveaxis(source.channels, order, range(len(order)))
    block = [source.channels.shape[axes[k]] if k in axes else 1 for k in range(len(source.down))]
    blocks = moved.reshape(*block, -1)
    return source._replace(channels=np.arange(blocks.shape[-1]), blocks=blocks)


def _groups(old: tuple[int, ...], new: tuple[int, ...]) -> Iterable[tuple[list[int], list[int]]]:
    """Axes of two shapes in the smallest groups of equal size, in order."""
    i = j = 0
    while i < len(old) or j < len(new):
        a, b = i + 1, j + 1
        while (size := math.prod(old[i:a])) != (other := math.prod(new[j:b])):
            if a < len(old) and (size < other or b >= len(new)):
                a += 1
            else:
                b += 1
        yield [*range(i, min(a, len(old)))], [*range(j, min(b, len(new)))]
        i, j = a, b


def flatten(x: Flow, start: int = 0, end: int = -1) -> Flow:
    """The axes from one to another as one."""
    if not x.shape:
        return x
    a, b = x.axis(start), x.axis(end)
    return reshape(x, (*x.shape[:a], math.prod(x.shape[a : b + 1]), *x.shape[b + 1 :]))


def unflatten(x: Flow, axis: int, sizes: Sequence[int]) -> Flow:
    """One axis as several."""
    if not x.shape:
        return x
    at, rest = x.axis(axis), math.prod(n for n in sizes if n != -1)
    inner = [x.shape[at] // max(rest, 1) if n == -1 else n for n in sizes]
    return reshape(x, (*x.shape[:at], *inner, *x.shape[at + 1 :]))


def squeeze(x: Flow, axes: Sequence[int] | None = None) -> Flow:
    """Without these axes of size 1, or without all of them."""
    if not x.shape:
        return x
    over = {x.axis(k) for k in (range(len(x.shape)) if axes is None else axes)}
    left = [k for k, n in enumerate(x.shape) if k not in over or n != 1]
    shape = [x.shape[k] for k in left]
    if x.unmixed is not None or not x.sources:
        return reshape(x, shape)
    # By their numbers: where all sizes are 1, a reshape could not tell which axis goes.
    gone = tuple(x.channel_axis(k) for k, role in enumerate(x.axes) if role == CHANNEL and k not in left)
    sources = tuple(source._replace(channels=np.squeeze(source.channels, gone)) for source in x.sources)
    return x.changed(shape, axes=tuple(x.axes[k] for k in left), sources=sources)


def unsqueeze(x: Flow, axes: Sequence[int]) -> Flow:
    """With new axes of size 1, which are at these places afterwards."""
    if not x.shape:
        return x
    shape, final = list(x.shape), len(x.shape) + len(axes)
    for at in sorted(k % final for k in axes):
        shape.insert(at, 1)
    return reshape(x, shape)


def expand(x: Flow, shape: Sequence[int], at: Sequence[int] | None = None) -> Flow:
    """Copies along axes of size 1, and along new axes.

    Arguments:
        shape: of the result; -1 for a size that stays.
        at: which axis of the result each axis of the value is; by default the last ones.

    Raises:
        Unreachable: one value spread over space.
    """
    x, new = x.plain(), len(shape) - len(x.shape)
    if new < 0:
        raise ValueError(f"{len(x.shape)} axes as {len(shape)}")
    at = range(new, len(shape)) if at is None else at
    middle, axes = [1] * len(shape), [BATCH] * len(shape)
    for axis, n, role in zip(at, x.shape, x.axes, strict=True):
        middle[axis], axes[axis] = n, role
    full = [m if n == -1 else n for m, n in zip(middle, shape, strict=True)]
    if not x.sources:
        return constant(full, x.origin)
    for k, (m, n) in enumerate(zip(middle, full, strict=True)):
        if m != n and m != 1:
            raise ValueError(f"an axis of {m} as {n}")
        if m != n and axes[k] >= 0:
            raise Unreachable("one value spread over space")
        axes[k] = REPEAT if m != n and axes[k] == BATCH else axes[k]
    reordered = x.changed(full, axes=tuple(axes))
    target = tuple(n for n, role in zip(full, axes, strict=True) if role == CHANNEL)
    sources = tuple(s._replace(channels=np.broadcast_to(s.channels, target)) for s in x.sources)
    return reordered._replace(sources=sources)
