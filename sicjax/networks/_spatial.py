"""Convolutions, pooling and upsampling of a value with settings for each spatial axis, for the readers that name them.

Sizes that a file leaves open are given as `OPEN_SIZES`: numbers with many divisors, another for each axis, so that
reshapes and resizes that a network computes from them come out whole.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from sicjax.networks._filters import linear_filter, outer
from sicjax.networks._flow import BATCH, CHANNEL, Flow, Source
from sicjax.networks._graph import Graph
from sicjax.networks._network import Layer
from sicjax.networks._resample import resample

OPEN_SIZES = (1440, 2880, 5760)
# Strides and filters beyond all real ones, which would only take memory.
LONGEST = 4096
MOST_TAPS = 4096
# Taps of all filters between two layers, and weights of a layer that they are folded into.
_FARTHEST = 2**20
_MOST_FOLDED = 2**28


def roles(axes: int, channels_last: bool) -> tuple[int, ...]:
    """The roles of the axes of a batch of images."""
    return (BATCH, *range(axes), CHANNEL) if channels_last else (BATCH, CHANNEL, *range(axes))


def per_axis(value: Any, axes: int) -> tuple[int, ...]:
    """One whole number for each axis, from one for all or one each.

    Raises:
        ValueError: another number of them, or one out of bounds.
    """
    found = tuple(value) if isinstance(value, (list, tuple)) else (value,) * axes
    found = found * axes if len(found) == 1 else found
    if len(found) != axes or not all(type(v) is int and 0 < v <= LONGEST for v in found):
        raise ValueError(f"strides, sizes or dilations {value!r:.60} for {axes} axes")
    return found


def convolution(graph: Graph, x: Flow, layer: Layer, space: Sequence[int], *, channels_last: bool) -> Flow:
    """A layer on a batch of images, with the spatial sizes of its output.

    Raises:
        ValueError: a kernel that does not fit its groups.
    """
    axes = len(layer.stride)
    if layer.kernel.ndim != axes + 2 or not layer.kernel.size or layer.groups < 1 or layer.outputs % layer.groups:
        raise ValueError(f"a kernel of shape {layer.kernel.shape} in {layer.groups} groups")
    expected = roles(axes, channels_last)
    if x.sources:
        fits = len(x.axes) == axes + 2 and all(
            role == want or (want >= 0 and role == BATCH and size == 1)
            for role, want, size in zip(x.axes, expected, x.shape, strict=True)
        )
        if fits and all(len(source.down) == axes for source in x.sources):
            x = x._replace(axes=expected)
        else:
            x = graph.end([x], x.shape, f"{layer.path} takes other axes as channels and space")
    ones = (1,) * axes
    up, down = (layer.stride, ones) if layer.transposed else (ones, layer.stride)
    if any(too_far(graph, source, up, (), layer) for source in x.sources):
        x = graph.end([x], x.shape, f"filters over too many places before {layer.path}")
    return graph.conv(x, layer, image(x, layer.outputs, space, channels_last), expected, up=up, down=down)


def image(x: Flow, channels: int, space: Sequence[float], channels_last: bool) -> tuple[int, ...]:
    """The shape of a batch of images as large as that of `x`."""
    batch, space = (x.shape[0] if x.shape else 1), [max(int(n), 1) for n in space]
    return (batch, *space, channels) if channels_last else (batch, channels, *space)


def resampled(
    graph: Graph,
    x: Flow,
    shape: Sequence[int],
    name: str,
    *,
    up: Sequence[int] = (),
    taps: Sequence[np.ndarray] = (),
    down: Sequence[int] = (),
) -> Flow:
    """Zeros between places, a filter, a decimation, or the end of the chain where a pair cannot reach across them."""
    if not x.sources:
        return x._replace(shape=tuple(shape), axes=(BATCH,) * len(shape))
    axes = len(up or taps or down)
    if any(len(source.down) != axes for source in x.sources) or len(shape) != len(x.shape):
        return graph.end([x], shape, f"{name} along an axis that is not spatial")
    far = any(too_far(graph, source, up or (1,) * axes, [len(t) for t in taps]) for source in x.sources)
    if far or math.prod(len(t) for t in taps) > MOST_TAPS:
        return graph.end([x], shape, f"{name} over too many places")
    found = resample(x, shape, up=up or None, kernel=outer(taps) if taps else None, down=down or None)
    return found or graph.end([x], shape, f"{name} of a value between whose places zeros were put")


def too_far(graph: Graph, source: Source, up: Sequence[int], taps: Sequence[int], then: Layer | None = None) -> bool:
    """Whether the filters after a layer, with those that come next, reach so far that they would only take memory."""
    reach = [1] * len(source.down)
    first = max(source.up) == 1
    for k, (step, factor) in enumerate(zip(source.down, up, strict=True)):
        reach[k] += sum(f.shape[k] - 1 for f in source.before) + sum((f.shape[k] - 1) * factor for f in source.after)
        reach[k] += (taps[k] - 1) * (step if first else 1) if taps else 0
    layer = graph.layers[source.layer]
    folds = [layer] if source.before or taps else []
    folds += [then] if then is not None and source.after else []
    sizes = [each.kernel.size * math.prod(each.dilation) for each in folds]
    return math.prod(reach) > _FARTHEST or max(sizes, default=0) > _MOST_FOLDED


def average_pool(
    graph: Graph, x: Flow, shape: Sequence[int], name: str, sizes: Sequence[int], strides: Sequence[int]
) -> Flow:
    return resampled(graph, x, shape, name, taps=[np.ones(k) for k in sizes], down=strides)


def max_pool(graph: Graph, x: Flow, shape: Sequence[int], name: str, strides: Sequence[int]) -> Flow:
    if x.sources:
        graph.note("max pooling has no linear form: it is taken as its stride alone")
    return resampled(graph, x, shape, name, down=strides)


def upsample(graph: Graph, x: Flow, shape: Sequence[int], name: str, ups: Sequence[int], *, linear: bool) -> Flow:
    if max(ups) > LONGEST:
        return graph.end([x], shape, f"{name} over too many places")
    taps = [linear_filter(f) if linear else np.ones(f) for f in ups]
    return resampled(graph, x, shape, name, up=ups, taps=taps)
