"""What pooling, upsampling and strides do to a `Flow`: expansion with zeros, fixed filters, decimation."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from sicjax.networks._filters import stretched
from sicjax.networks._flow import Flow, Source


def resample(
    x: Flow,
    shape: Sequence[int],
    *,
    up: Sequence[int] | None = None,
    kernel: np.ndarray | None = None,
    down: Sequence[int] | None = None,
) -> Flow | None:
    """Expansion with zeros, then a fixed filter for every channel, then decimation, along the spatial axes.

    Arguments:
        x: a value with spatial axes.
        shape: of the result.
        up: zeros after each place, for each spatial number.
        kernel: the filter, with one axis for each spatial number.
        down: every how many places are kept.

    Returns:
        The result, or None where what lies between the convolutions has no single down and up.
    """
    sources = []
    for source in x.sources:
        changed = _resampled(source, up, kernel, down)
        if changed is None:
            return None
        sources.append(changed)
    return x._replace(shape=tuple(shape), sources=tuple(sources))


def _resampled(source: Source, up=None, kernel=None, down=None) -> Source | None:
    """What lies after a layer when this comes after it; see `Source` for the one form that all must take."""
    if up is not None:
        source = expanded(source, up)
    if kernel is not None and kernel.size > 1:
        if max(source.up) == 1:
            source = source._replace(before=(*source.before, stretched(kernel, source.down)))
        else:
            source = source._replace(after=(*source.after, kernel))
    if down is not None and max(down) > 1:
        if any(d > 1 and f.shape[k] > 1 for f in source.after for k, d in enumerate(down)):
            return None
        rates = [_reduced(*rate) for rate in zip(source.down, source.up, down, strict=True)]
        kept = [rate for rate in rates if rate is not None]
        if len(kept) < len(rates):
            return None
        source = source._replace(down=tuple(rate[0] for rate in kept), up=tuple(rate[1] for rate in kept))
    return source


def expanded(source: Source, up: Sequence[int]) -> Source:
    """What lies after a layer when zeros are put between the places that come after it."""
    if max(up) == 1:
        return source
    after = tuple(stretched(f, up) for f in source.after)
    return source._replace(up=tuple(u * v for u, v in zip(source.up, up, strict=True)), after=after)


def _reduced(down: int, up: int, then: int) -> tuple[int, int] | None:
    """One axis's `down, up` after another decimation; None where the zeros do not fall on the places that are kept."""
    if up % then == 0:
        return down, up // then
    return (down * (then // up), 1) if then % up == 0 else None
