"""What operations do to a `Flow`: sums, concatenation, slices, other orders and shapes."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

import numpy as np

from sicjax.networks._flow import BATCH, CHANNEL, REPEAT, Flow, Source, rank
from sicjax.networks._resample import resample


def elementwise(xs: Sequence[Flow], shape: Sequence[int]) -> Flow:
    """Anything that acts on each place alone, and sums and products: every operand's convolutions reach the result.

    Operands are broadcast as in NumPy, by trailing axes.
    """
    with_sources = [x for x in xs if x.sources]
    if not with_sources:
        origins = [x.origin for x in xs if x.origin]
        return Flow(tuple(shape), (BATCH,) * len(shape), origin=origins[0] if origins else "")
    lead = max(with_sources, key=lambda x: (len(x.shape), math.prod(x.shape)))
    axes = (BATCH,) * (len(shape) - len(lead.shape)) + lead.axes
    sources: dict[tuple, Source] = {}
    for x in with_sources:
        for source in _broadcast_sources(x, tuple(shape), axes):
            sources.setdefault(source.key(), source)
    return Flow(tuple(shape), axes, tuple(sources.values()))


def _broadcast_sources(x: Flow, shape: tuple[int, ...], axes: tuple[int, ...]) -> Iterable[Source]:
    """Sources of an operand whose axes of size 1 are stretched; one over a spatial axis is no convolution any more."""
    offset = len(shape) - len(x.shape)
    target = tuple(shape[k] for k, role in enumerate(axes) if role == CHANNEL)
    for k, role in enumerate(x.axes):
        stretched = x.shape[k] != shape[offset + k]
        if (role >= 0 and stretched) or (role != axes[offset + k] and (role >= 0 or role == CHANNEL)):
            return
    for source in x.sources:
        yield source._replace(channels=np.broadcast_to(source.channels, target))


def concatenate(xs: Sequence[Flow], axis: int) -> Flow:
    """Values side by side along an axis; along a channel axis each keeps its range."""
    lead = next((x for x in xs if x.sources), xs[0])
    shape = list(lead.shape)
    shape[axis] = sum(x.shape[axis] for x in xs)
    if lead.axes[axis] != CHANNEL:
        return elementwise([x._replace(shape=tuple(shape)) for x in xs], shape)
    where = [k for k, role in enumerate(lead.axes) if role == CHANNEL].index(axis)
    sources: list[Source] = []
    for position, x in enumerate(xs):
        for source in x.sources:
            around = [_absent(source.channels, where, other.shape[axis]) for other in xs]
            around[position] = source.channels
            _merge(sources, source._replace(channels=np.concatenate(around, axis=where)))
    return Flow(tuple(shape), lead.axes, tuple(sources))


def _merge(sources: list[Source], new: Source) -> None:
    """Adds a source; parts of one layer's output that were split and are put together again become one."""
    for k, source in enumerate(sources):
        if source.between() == new.between() and not ((source.channels >= 0) & (new.channels >= 0)).any():
            sources[k] = source._replace(channels=np.maximum(source.channels, new.channels))
            return
    sources.append(new)


def _absent(channels: np.ndarray, axis: int, size: int) -> np.ndarray:
    shape = list(channels.shape)
    shape[axis] = size
    return np.full(shape, -1)


def index(x: Flow, axis: int, indices: np.ndarray, shape: Sequence[int] | None = None) -> Flow:
    """Some places along an axis (a slice, a gather, a flip): of a channel axis only these channels go on."""
    shape = (*x.shape[:axis], len(indices), *x.shape[axis + 1 :]) if shape is None else shape
    if not x.sources or x.axes[axis] != CHANNEL:
        return x._replace(shape=tuple(shape))
    where = [k for k, role in enumerate(x.axes) if role == CHANNEL].index(axis)
    kept = (source._replace(channels=np.take(source.channels, indices, axis=where)) for source in x.sources)
    return x._replace(shape=tuple(shape), sources=tuple(source for source in kept if (source.channels >= 0).any()))


def transpose(x: Flow, order: Sequence[int]) -> Flow:
    """Axes in another order."""
    shape, axes = tuple(x.shape[k] for k in order), tuple(x.axes[k] for k in order)
    old = [k for k, role in enumerate(x.axes) if role == CHANNEL]
    moved = [old.index(k) for k in order if x.axes[k] == CHANNEL]
    sources = tuple(source._replace(channels=np.transpose(source.channels, moved)) for source in x.sources)
    return x._replace(shape=shape, axes=axes, sources=sources)


def reshape(x: Flow, shape: Sequence[int]) -> Flow | None:
    """Another shape, where every axis of it is made of axes of one role; None where space and channels are mixed.

    A spatial axis and a `REPEAT` axis behind it become one: nearest-neighbour upsampling.
    """
    shape = tuple(shape)
    if not x.sources:
        return Flow(shape, (BATCH,) * len(shape), origin=x.origin)
    axes: list[int] = []
    repeats: dict[int, int] = {}
    for old, new in _groups(x.shape, shape):
        old = [k for k in old if x.shape[k] != 1] or old
        roles = [x.axes[k] for k in old]
        if len(roles) == 2 and roles[0] >= 0 and roles[1] == REPEAT and len(new) == 1:
            repeats[roles[0]] = x.shape[old[1]]
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
    sources = tuple(source._replace(channels=source.channels.reshape(channel_shape)) for source in x.sources)
    reshaped = Flow(shape, tuple(axes), sources, x.origin)
    if not repeats:
        return reshaped
    up = [repeats.get(k, 1) for k in range(rank(x))]
    return resample(reshaped, shape, up=up, kernel=np.ones(up))


def _groups(old: tuple[int, ...], new: tuple[int, ...]) -> Iterable[tuple[list[int], list[int]]]:
    """Axes of two shapes in the smallest groups of equal size, in order."""
    i = j = 0
    while i < len(old) or j < len(new):
        left, right = ([i], old[i]) if i < len(old) else ([], 1), ([j], new[j]) if j < len(new) else ([], 1)
        (olds, size), (news, other) = left, right
        i, j = i + len(olds), j + len(news)
        while size != other:
            if size < other and i < len(old):
                olds, size, i = [*olds, i], size * old[i], i + 1
            elif j < len(new):
                news, other, j = [*news, j], other * new[j], j + 1
            else:
                olds, size, i = [*olds, i], size * old[i], i + 1
        yield olds, news
