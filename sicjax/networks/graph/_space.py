"""Operations on space: pooling, resizing, reductions, padding. Settings go by the number of the axis."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from sicjax._limits import LONGEST, MOST_BRANCHES
from sicjax.networks.graph._filters import cubic, filter_of, interpolation, linear, stretched
from sicjax.networks.graph._flow import BATCH, CHANNEL, REPEAT, Flow, constant
from sicjax.networks.graph._join import concatenate, elementwise
from sicjax.networks.graph._resample import resample
from sicjax.networks.graph._reshape import squeeze, transpose
from sicjax.networks.graph._select import select
from sicjax.networks.graph._unreachable import Unreachable

if TYPE_CHECKING:
    from sicjax.networks.graph._graph import Graph

MAX_POOLING = "max pooling has no linear form: it is taken as its stride alone"
CORNERS = "a resize with align_corners is treated as one without, which is what it is inside"


def pool(
    graph: Graph, x: Flow, shape: Sequence[int], windows: Mapping[int, tuple[int, int, int]], *, average: bool
) -> Flow:
    """The mean, or the sum, of a window: a filter with equal taps, then a stride.

    Of the largest of a window, or another one (not `average`), only the stride is taken, with a note.

    Arguments:
        shape: of the result.
        windows: of an axis, the size of the window, its stride and its dilation.

    Raises:
        Unreachable: a window over everything, or over an axis that is not spatial.
    """
    windows = {x.axis(axis): window for axis, window in windows.items()}
    x = x.plain()
    whole = any(x.shape[axis] == size > 1 and x.axes[axis] >= 0 for axis, (size, _, _) in windows.items())
    if x.sources and whole and all(shape[k] == 1 for k, role in enumerate(x.axes) if role >= 0):
        raise Unreachable("global pooling", shape=shape)
    if not average and x.sources:
        graph.note(MAX_POOLING)
        if any(size > 1 and x.axes[axis] < 0 for axis, (size, _, _) in windows.items()):
            raise Unreachable("a window over an axis that is not spatial")
    if average and any((size - 1) * apart >= LONGEST for size, _, apart in windows.values()):
        raise Unreachable("a filter over too many places")
    taps = lambda size, apart: stretched(np.ones(size), [apart]) if average else np.ones(1)
    return resample(x, shape, {axis: (1, taps(n, apart), stride) for axis, (n, stride, apart) in windows.items()})


def resize(
    graph: Graph,
    x: Flow,
    shape: Sequence[int],
    mode: str,
    *,
    factors: Mapping[int, float] | None = None,
    centres: str = "half_pixel",
    antialias: bool = False,
    coefficient: float = -0.75,
) -> Flow:
    """A resize by whole factors, up or down, along space.

    Arguments:
        shape: of the result.
        mode: `nearest`, `linear` or `cubic`.
        factors: by the axis, as the file states them; by default the ratio of the sizes.
        centres: `half_pixel`, `asymmetric` (places start at the same point) or `align_corners`.
        antialias: whether a smaller image is made of all places.
        coefficient: of cubic interpolation, -0.75 in PyTorch and ONNX, -0.5 in JAX and TensorFlow.

    Raises:
        Unreachable: another mode, factors that are not whole, an axis that is not spatial.
    """
    if not x.sources:
        return constant(shape, x.origin)
    x.plain()
    by = [m / n for m, n in zip(shape, x.shape, strict=True)]
    by = by if factors is None else [factors.get(k, 1) for k in range(len(by))]
    if all(f == 1 for f in by):
        return x.changed(shape)
    if mode not in ("nearest", "linear", "cubic"):
        raise Unreachable(f"a {mode} resize")
    if any(n == 1 < m and role >= 0 for n, m, role in zip(x.shape, shape, x.axes, strict=True)):
        raise Unreachable("one value spread over space", shape=shape)
    if max(by) > LONGEST or min(by) * LONGEST < 1:
        raise Unreachable("a resize to too many places, or too few")
    ups, downs = [max(round(f), 1) for f in by], [max(round(1 / f), 1) for f in by]
    if any(abs(f * d - u) > 1e-6 * u for f, u, d in zip(by, ups, downs, strict=True)):
        shown = "x".join(f"{f:.4g}" for f, role in zip(by, x.axes, strict=True) if role >= 0 or f != 1)
        raise Unreachable(f"a {mode} resize by {shown}, not by a whole factor", shape=shape)
    if centres == "align_corners" and mode != "nearest":
        if max(downs) > 1:
            raise Unreachable("a resize to fewer places with align_corners")
        graph.note(CORNERS)
    taps = [_taps(u, d, mode, centres, antialias, coefficient) for u, d in zip(ups, downs, strict=True)]
    # Axes that become smaller first: their filters are not to meet the zeros of the others.
    smaller = [m if d > 1 else n for m, n, d in zip(shape, x.shape, downs, strict=True)]
    x = resample(x, smaller, {k: (1, taps[k], d) for k, d in enumerate(downs) if d > 1})
    return resample(x, shape, {k: (u, taps[k], 1) for k, u in enumerate(ups) if u > 1})


def _taps(up: int, down: int, mode: str, centres: str, antialias: bool, coefficient: float) -> np.ndarray:
    """The filter of a resize along one axis."""
    factor = max(up, down)
    if factor == 1 or mode == "nearest":
        return np.ones(up)
    weight, reach = (linear, 1) if mode == "linear" else (partial(cubic, a=coefficient), 2)
    scale = factor if up > 1 or antialias else 1
    return interpolation(weight, reach, scale, between=centres != "asymmetric" and factor % 2 == 0)


def filter_along(
    x: Flow, axis: int, table: np.ndarray, shape: Sequence[int], order: Sequence[int] | None = None
) -> Flow:
    """A product along a spatial axis with a table from places in to places out, as a resize makes it.

    Arguments:
        shape: of the result.
        order: of its axes, in those of `x`.

    Raises:
        Unreachable: a table that does not do the same everywhere but at the edges.
    """
    found = filter_of(table)
    if found is None or x.axes[axis] < 0:
        raise Unreachable("a product along space that is no filter")
    order = list(range(len(x.shape))) if order is None else list(order)
    return resample(transpose(x, order), shape, {order.index(axis): found})


def reduce(graph: Graph, x: Flow, axes: Sequence[int] | None, *, keep: bool, name: str) -> Flow:
    """A sum, a mean, an extreme over some axes, all by default.

    Over one of several channel axes it adds up parallel branches; over axes that are neither space nor channels the
    value stays what it is.

    Raises:
        Unreachable: a reduction over space (global pooling) or over all channels.
    """
    if x.unmixed is not None:
        raise Unreachable("a reduction of space or channels")
    gone = sorted({x.axis(k) for k in (range(len(x.shape)) if axes is None else axes)}) if x.shape else []
    shape = tuple(1 if k in gone else n for k, n in enumerate(x.shape) if keep or k not in gone)
    if not x.sources:
        return constant(shape, x.origin)
    over = {x.axes[k] for k in gone if x.shape[k] > 1}
    if any(role >= 0 for role in over):
        raise Unreachable("global pooling", shape=shape)
    if CHANNEL in over:
        left = [k for k, role in enumerate(x.axes) if role == CHANNEL and k not in gone and x.shape[k] > 1]
        branches = [x]
        for axis in (k for k in gone if x.axes[k] == CHANNEL):
            if not left or len(branches) * x.shape[axis] > MOST_BRANCHES:
                raise Unreachable("a reduction over channels", shape=shape)
            branches = [select(branch, axis, range(k, k + 1)) for branch in branches for k in range(x.shape[axis])]
        x = elementwise(graph, branches, name)
    one = tuple(1 if k in gone else n for k, n in enumerate(x.shape))
    x = x.changed(one)
    return x if keep else squeeze(x, gone)


def pad(x: Flow, margins: Mapping[int, Sequence[int]], *, constant_value: bool = True) -> Flow:
    """Padding, and cropping where negative: of space the convolutions before and after meet as they are.

    Arguments:
        margins: of an axis, the places added before it and after it, and the zeros put between its places, if any.
        constant_value: whether places added hold one number rather than copies.

    Raises:
        Unreachable: channels that are copied.
    """
    x, margins = x.plain(), {x.axis(axis): added for axis, added in margins.items()}
    each = [(*margins.get(k, (0, 0)), 0)[:3] for k in range(len(x.shape))]
    shape = [max(n + (n - 1) * gap + low + high, min(n, 1)) for n, (low, high, gap) in zip(x.shape, each, strict=True)]
    for axis, (low, high, gap) in enumerate(each):
        if x.sources and x.axes[axis] >= 0 and min(low, high) < 0 and not gap:
            x = select(x, axis, range(max(-low, 0), x.shape[axis] - max(-high, 0)))
        if not x.sources or x.axes[axis] != CHANNEL or not (low or high or gap):
            continue
        if gap or (not constant_value and max(low, high) > 0):
            raise Unreachable("zeros between channels" if gap else "padding that copies channels")
        x = select(x, axis, range(max(-low, 0), x.shape[axis] - max(-high, 0)))
        if not x.sources:
            break
        added = [constant((*x.shape[:axis], max(n, 0), *x.shape[axis + 1 :])) for n in (low, high)]
        x = concatenate([added[0], x, added[1]], axis)
    copied = [role == REPEAT and low + high != 0 for role, (low, high, _) in zip(x.axes, each, strict=True)]
    x = x._replace(axes=tuple(BATCH if c else role for role, c in zip(x.axes, copied, strict=True)))
    return resample(x, shape, {axis: (gap + 1, np.ones(1), 1) for axis, (_, _, gap) in enumerate(each)})
