"""Operations that act on each place alone, sums and products; values side by side."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import numpy as np

from sicjax.networks.graph._flow import BATCH, CHANNEL, JOINED, REPEAT, Flow, Source, constant
from sicjax.networks.graph._unreachable import Unreachable

if TYPE_CHECKING:
    from sicjax.networks.graph._graph import Graph

BOTH = (
    "where the program branches on values that are not known, both branches are followed: "
    "a pair may join layers that no one input passes"
)


def elementwise(graph: Graph, xs: Sequence[Flow], name: str) -> Flow:
    """Anything that acts on each place alone, and sums and products: every operand's convolutions reach the result.

    Operands are broadcast as in NumPy, by trailing axes. Sizes that are not known exactly are taken to be equal, unless
    one is 1. A value whose convolutions do not reach the result, such as a gate, ends there.
    """
    sourced = [x for x in xs if x.sources]
    if not sourced:
        known = max((x for x in xs if x.origin), key=lambda x: len(x.shape), default=None)
        # The input of a network may be of any shape, where that is not stated.
        return constant(_broadcast_shape(xs) if known is None or known.shape else (), known.origin if known else "")
    if any(x.unmixed for x in sourced):
        return _elementwise_mixed(graph, sourced, name)
    lead = max(sourced, key=lambda x: (len(x.shape), math.prod(x.shape)))
    shape = _broadcast_shape([lead, *xs])
    axes = _without_other_copies((BATCH,) * (len(shape) - len(lead.shape)) + lead.axes, xs)
    sources: dict[tuple, Source] = {}
    lead.changed(shape, axes=axes)  # refuses sizes beyond all real ones before there is memory for them
    for x in sourced:
        for source in _broadcast_sources(x, shape, axes):
            sources.setdefault(source.key(), source)
    kept = {source.layer for source in sources.values()}
    for x in sourced:
        if any(source.layer not in kept for source in x.sources):
            gate = all(n == 1 for n, role in zip(x.shape, x.axes, strict=True) if role >= 0)
            gates = "it weighs or shifts whole channels, as in squeeze-and-excitation"
            what = gates if gate else "its axes are not those of the value it meets"
            graph.end([x], (), f"{what} ({name})", kind=what)
    return lead.changed(shape, axes=axes, sources=tuple(sources.values()), origin="")


def _elementwise_mixed(graph: Graph, xs: Sequence[Flow], name: str) -> Flow:
    """On values that a reshape mixed: as before the reshape, since each place is acted on alone."""
    before = [x.unmixed for x in xs if x.unmixed]
    if len(before) < len(xs) or len({(x.shape, b.shape) for x, b in zip(xs, before, strict=True)}) > 1:
        raise Unreachable("a reshape that mixes space and channels", shape=_broadcast_shape(xs))
    found = elementwise(graph, before, name)
    return xs[0]._replace(sources=found.sources, unmixed=found)


def _broadcast_shape(xs: Sequence[Flow]) -> tuple[int, ...]:
    """The first value's sizes, but where they are 1."""
    shape = [1] * max((len(x.shape) for x in xs), default=0)
    for x in xs:
        for k in range(1, len(x.shape) + 1):
            shape[-k] = x.shape[-k] if shape[-k] == 1 else shape[-k]
    return tuple(shape)


def _broadcast_sources(x: Flow, shape: tuple[int, ...], axes: tuple[int, ...]) -> Iterable[Source]:
    """Sources of an operand whose axes of size 1 are stretched; one over a spatial axis is no convolution any more."""
    offset = len(shape) - len(x.shape)
    target = tuple(n for n, role in zip(shape, axes, strict=True) if role == CHANNEL)
    for k, role in enumerate(x.axes):
        stretched = x.shape[k] == 1 < shape[offset + k]
        # One place is one place, also where the axis of the other value was taken away and put back.
        place = role >= 0 and axes[offset + k] == BATCH and x.shape[k] == 1
        if (role >= 0 and stretched) or (role != axes[offset + k] and (role >= 0 or role == CHANNEL) and not place):
            return
    channel_axes = [k - offset for k, role in enumerate(axes) if role == CHANNEL]
    missing = tuple(n for n, k in enumerate(channel_axes) if k < 0 or x.axes[k] != CHANNEL)
    for source in x.sources:
        yield source._replace(channels=np.broadcast_to(np.expand_dims(source.channels, missing), target))


def _without_other_copies(axes: tuple[int, ...], xs: Sequence[Flow]) -> tuple[int, ...]:
    """Roles of axes along which a value was copied, no longer so where another operand makes the copies differ."""
    roles = list(axes)
    for x in xs:
        for k in range(1, len(x.shape) + 1):
            if roles[-k] == REPEAT and x.shape[-k] > 1 and not (x.sources and x.axes[-k] == REPEAT):
                roles[-k] = BATCH
    return tuple(roles)


def scaling(graph: Graph, x: Flow, name: str) -> Flow:
    """A normalisation by the value itself, such as a layer norm or a softmax: taken as a scaling."""
    if x.sources:
        graph.note(f"{name} is taken as a scaling of each channel, though it depends on the value")
    return x


def concatenate(xs: Sequence[Flow], axis: int) -> Flow:
    """Values side by side along an axis; along a channel axis each keeps its range.

    Raises:
        Unreachable: values with other axes.
    """
    lead = next((x for x in xs if x.sources), xs[0]).plain()
    axis = lead.axis(axis) if lead.shape else 0
    sourced = [x.plain() for x in xs if x.sources]
    if any(len(x.shape) != len(lead.shape) for x in xs) or any(x.axes != lead.axes for x in sourced):
        if not sourced:
            return constant((), next((x.origin for x in xs if x.origin), ""))
        raise Unreachable("values side by side whose axes are not the same")
    shape = (*lead.shape[:axis], sum(x.shape[axis] for x in xs), *lead.shape[axis + 1 :]) if lead.shape else ()
    lead._replace(sources=tuple(s for x in sourced for s in x.sources)).changed(shape)
    if not sourced:
        return constant(shape, next((x.origin for x in xs if x.origin), ""))
    sources: list[Source] = []
    if lead.axes[axis] != CHANNEL:
        unique = {source.key(): source for x in sourced for source in x.sources}
        alike = all({s.key() for s in x.sources} == unique.keys() for x in xs if x.shape[axis])
        along = lead.axes[axis] if lead.axes[axis] >= 0 else BATCH if alike else JOINED
        axes = (*lead.axes[:axis], along, *lead.axes[axis + 1 :])
        return lead.changed(shape, axes=axes, sources=tuple(unique.values()))
    where, channel_axes = lead.channel_axis(axis), lead.axes.count(CHANNEL)
    before = 0
    for x in xs:
        room = [(before, shape[axis] - before - x.shape[axis]) if k == where else (0, 0) for k in range(channel_axes)]
        before += x.shape[axis]
        for source in x.sources:
            _merge(sources, source._replace(channels=np.pad(source.channels, room, constant_values=-1)))
    return lead.changed(shape, sources=tuple(sources))


def stack(xs: Sequence[Flow], axis: int) -> Flow:
    """Values side by side along a new axis: of channels, unless it is the first."""
    rank = max(len(x.shape) for x in xs)
    at = axis % (rank + 1)
    return concatenate([_with_axis(x.plain(), at) if len(x.shape) == rank > 0 else x for x in xs], at)


def _with_axis(x: Flow, at: int) -> Flow:
    shape = (*x.shape[:at], 1, *x.shape[at:])
    if not x.sources:
        return constant(shape, x.origin)
    if not at:
        return x.changed(shape, axes=(BATCH, *x.axes))
    where = x.axes[:at].count(CHANNEL)
    sources = tuple(source._replace(channels=np.expand_dims(source.channels, where)) for source in x.sources)
    return x.changed(shape, axes=(*x.axes[:at], CHANNEL, *x.axes[at:]), sources=sources)


def _merge(sources: list[Source], new: Source) -> None:
    """Adds a source; parts of one layer's output that were split and are put together again become one."""
    for k, source in enumerate(sources):
        if source.between() == new.between() and not ((source.channels >= 0) & (new.channels >= 0)).any():
            sources[k] = source._replace(channels=np.maximum(source.channels, new.channels))
            return
    sources.append(new)


def either(graph: Graph, a: Flow, b: Flow) -> Flow:
    """What is either of two values, after a branch that cannot be decided: what reaches one of them reaches it."""
    sourced = [x for x in (a, b) if x.sources]
    if not sourced and a.shape != b.shape:
        return constant((), a.origin or b.origin)
    if len(sourced) < 2:
        return (sourced or [a])[0]
    if a.shape == b.shape and [s.key() for s in a.sources] == [s.key() for s in b.sources]:
        return a
    channels = [{source.channels.shape for source in x.sources} for x in (a, b)]
    if a.axes != b.axes or channels[0] != channels[1] or a.unmixed or b.unmixed:
        return graph.end([a, b], a.shape, "two branches of the program that give values of different shapes")
    graph.note(BOTH)
    return elementwise(graph, [a, b._replace(shape=a.shape)], "two branches")
