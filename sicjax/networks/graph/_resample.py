"""Expansion with zeros, fixed filters and decimation: what pooling, resizing and strides are made of."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from functools import reduce

import numpy as np

from sicjax._limits import FARTHEST, MOST_FOLDED, MOST_TAPS
from sicjax.networks.graph._filters import stretched
from sicjax.networks.graph._flow import Flow, Source
from sicjax.networks.graph._unreachable import Unreachable


def resample(x: Flow, shape: Sequence[int], along: Mapping[int, tuple[int, np.ndarray, int]]) -> Flow:
    """Zeros between the places, then a filter for every channel, then every so many places.

    Arguments:
        shape: of the result.
        along: of an axis, in how many places one becomes, the taps of the filter, and every how many places are kept.

    Raises:
        Unreachable: an axis that is not spatial, too many places, or no one expansion, filter and decimation.
    """
    x = x.plain()
    ups, filters, downs = [1] * x.rank, [np.ones(1)] * x.rank, [1] * x.rank
    for axis, (up, taps, down) in along.items() if x.sources else ():
        role = x.axes[axis]
        if role >= 0:
            ups[role], filters[role], downs[role] = up, taps, down
        elif max(up, down, taps.size) > 1:
            raise Unreachable("a filter or a stride along an axis that is not spatial")
    if math.prod(len(t) for t in filters) > MOST_TAPS:
        raise Unreachable("a filter over too many places")
    sources = [_resampled(source, ups, reduce(np.multiply.outer, filters), downs) for source in x.sources]
    return x.changed(shape, sources=tuple(sources))


def _resampled(source: Source, up: Sequence[int], kernel: np.ndarray, down: Sequence[int]) -> Source:
    """What lies after a layer when this comes after it; see `Source` for the one form that all must take."""
    source = expanded(source, up)
    if kernel.size > 1:
        check_reach(source, kernel.shape)
        if max(source.up) == 1:
            source = source._replace(before=(*source.before, stretched(kernel, source.down)))
        else:
            source = source._replace(after=(*source.after, kernel))
    if max(down) == 1:
        return source
    rates = [_reduced(*rate) for rate in zip(source.down, source.up, down, strict=True)]
    kept = [rate for rate in rates if rate is not None]
    filtered = any(d > 1 and f.shape[k] > 1 for f in source.after for k, d in enumerate(down))
    if filtered or len(kept) < len(rates):
        raise Unreachable("every so many places of a value between whose places zeros were put")
    return source._replace(down=tuple(rate[0] for rate in kept), up=tuple(rate[1] for rate in kept))


def expanded(source: Source, up: Sequence[int]) -> Source:
    """What lies after a layer when zeros are put between the places that come after it."""
    if max(up) == 1:
        return source
    check_reach(source, (1,) * len(up), up)
    after = tuple(stretched(f, up) for f in source.after)
    return source._replace(up=tuple(u * v for u, v in zip(source.up, up, strict=True)), after=after)


def check_reach(source: Source, size: Sequence[int], up: Sequence[int] = ()) -> None:
    """Refuses filters that, with those after the layer, would only take memory."""
    reach = []
    for k, n in enumerate(size):
        before = sum(f.shape[k] - 1 for f in source.before)
        after = sum(f.shape[k] - 1 for f in source.after) * (up[k] if up else 1)
        reach.append(1 + before + after + (n - 1) * (source.down[k] if max(source.up) == 1 else 1))
    folded = source.before or (max(size) > 1 and max(source.up) == 1)
    if (
        math.prod(reach) > FARTHEST
        or max(*source.up, *source.down) > FARTHEST
        or (folded and source.first.taps > MOST_FOLDED)
    ):
        raise Unreachable("filters over too many places")


def _reduced(down: int, up: int, then: int) -> tuple[int, int] | None:
    """One axis's `down, up` after another decimation; None where the zeros do not fall on the places that are kept."""
    if up % then == 0:
        return down, up // then
    return (down * (then // up), 1) if then % up == 0 else None
