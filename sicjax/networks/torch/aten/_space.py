"""Operators of PyTorch on space: pooling, reductions, resizing, padding."""

from __future__ import annotations

from collections.abc import Sequence
from operator import index
from typing import Any

from sicjax.networks import graph
from sicjax.networks.graph import CHANNEL, Flow, Unreachable, per_axis
from sicjax.networks.torch.aten._aten import rules
from sicjax.networks.torch.aten._values import UNKNOWN, along, dimensions


@rules("avg_pool1d avg_pool2d avg_pool3d")
def _average_pool(aten, name, x, kernel_size, stride=None, padding=0, ceil_mode=False, *_):
    return _pool(aten, name, x, kernel_size, stride, padding, 1, ceil_mode)


@rules("max_pool1d max_pool2d max_pool3d")
@rules("max_pool1d_with_indices max_pool2d_with_indices max_pool3d_with_indices")
def _pool(aten, name, x, kernel_size, stride=None, padding=0, dilation=1, ceil_mode=False):
    axes = dimensions(name)
    sizes = per_axis(kernel_size, axes)
    windows = list(zip(sizes, per_axis(stride or sizes, axes), per_axis(dilation, axes), strict=True))
    around, ceil = [2 * along(padding or 0, k) for k in range(axes)], ceil_mode is True
    sized = zip(x.shape[-axes:], windows, around, strict=True)
    space = [max(graph.windowed(n, *window, around=both, ceil=ceil), 1) for n, window, both in sized]
    shape = (*x.shape[:-axes], *space)
    found = graph.pool(aten.graph, x, shape, dict(enumerate(windows, -axes)), average="avg" in name)
    return (found, UNKNOWN) if name.endswith("indices") else found


@rules("adaptive_avg_pool1d adaptive_avg_pool2d adaptive_avg_pool3d")
@rules("adaptive_max_pool1d adaptive_max_pool2d adaptive_max_pool3d")
def _adaptive_pool(aten, name, x, output_size):
    """To a size, with a window that is the same everywhere where the sizes divide."""
    axes, average = dimensions(name), "avg" in name
    space = x.shape[-axes:]
    wanted = [n if (size := along(output_size, k)) is None else size for k, n in enumerate(space)]
    shape = (*x.shape[:-axes], *wanted)
    whole = all(n == 1 for n in wanted)
    if not whole and (not aten.exact or any(n % m for n, m in zip(space, wanted, strict=True))):
        raise Unreachable("adaptive pooling", shape=shape)
    windows = {k - axes: (n // m, n // m, 1) for k, (n, m) in enumerate(zip(space, wanted, strict=True))}
    found = graph.pool(aten.graph, x, shape, windows, average=average)
    return found if average else (found, UNKNOWN)


@rules("all amax amin any argmax argmin logsumexp mean prod sum")
def _reduce(aten, name, x: Flow, dim: Any = None, keepdim: bool = False, *_: Any, **__: Any) -> Flow:
    """The axes are one, several or all of them."""
    # In `sum(x, dtype)` what comes second is no axis, and `var(x, True)` says how to count.
    axes = list(dim) if isinstance(dim, (list, tuple)) else [dim] if type(dim) is int else []
    return graph.reduce(aten.graph, x, axes or None, keep=keepdim is True, name=name)


@rules("max min")
def _extreme(aten, name, x: Any, dim: Any = None, keepdim: bool = False, **other: Any) -> Any:
    """Of a value along an axis, with the places, or the larger of two values."""
    if type(dim) is int:
        return _reduce(aten, name, x, dim, keepdim), UNKNOWN
    return _reduce(aten, name, x) if dim is None and not other else aten.elementwise([x, dim, other], name)


@rules("norm linalg_vector_norm")
def _norm(aten, name, x: Flow, order: Any = 2, dim: Any = None, keepdim: bool = False, *_: Any, **__: Any) -> Flow:
    return _reduce(aten, name, x, dim, keepdim)


@rules("std var std_mean var_mean")
def _deviation(aten, name, x: Flow, dim: Any = None, correction: Any = 1, keepdim: bool = False, *_, **__) -> Any:
    found = _reduce(aten, name, x, dim, keepdim)
    return (found, found) if name.endswith("mean") else found


@rules("upsample_nearest1d upsample_nearest2d upsample_nearest3d")
@rules("upsample_nearest_exact1d upsample_nearest_exact2d upsample_nearest_exact3d")
def _nearest(aten, name, x: Flow, output_size: Any = None, *factors: Any) -> Flow:
    return _resized(aten, name, x, output_size, factors, mode="nearest")


@rules("upsample_linear1d upsample_bilinear2d upsample_trilinear3d upsample_bicubic2d")
@rules("upsample_bilinear2d_aa upsample_bicubic2d_aa")
def _interpolated(aten, name, x: Flow, output_size: Any = None, align_corners: Any = False, *factors: Any) -> Flow:
    antialias, centres = name.endswith("_aa"), "align_corners" if align_corners is True else "half_pixel"
    # As PyTorch has them, the coefficients of cubic interpolation.
    how = dict(antialias=antialias, centres=centres, coefficient=-0.5 if antialias else -0.75)
    return _resized(aten, name, x, output_size, factors, mode="cubic" if "cubic" in name else "linear", **how)


def _resized(aten, name, x: Flow, output_size: Any, factors: Sequence[Any], **how: Any) -> Flow:
    axes, space = dimensions(name), x.shape[2:]
    if len(space) != axes:
        raise ValueError(f"{len(x.shape)} axes")
    # One list of factors in some versions of an operator, one factor an axis in others.
    stated = [f for part in factors for f in (part if isinstance(part, (list, tuple)) else [part]) if f is not None]
    by = stated if len(stated) == axes else [index(m) / n for m, n in zip(output_size, space, strict=True)]
    sizes = [n * f for n, f in zip(space, by, strict=True)] if by is stated else output_size
    shape = (*x.shape[:2], *(max(int(n), 1) for n in sizes))
    # A fixed size says nothing where the size before is a guess; one that is computed from that is a multiple of it.
    if not aten.exact and by is not stated and (min(by) < 1 or len(set(by)) > 1):
        raise Unreachable("a resize to a size that is not known", shape=shape)
    return graph.resize(aten.graph, x, shape, factors=dict(enumerate(by, 2)), **how)


@rules("constant_pad_nd pad pad_circular pad_enum reflection_pad1d reflection_pad2d reflection_pad3d")
@rules("replication_pad1d replication_pad2d replication_pad3d")
def _pad(aten, name, x: Flow, amounts: Sequence[Any], mode: Any = "constant", *_: Any) -> Flow:
    """Padding, and cropping where negative; amounts are from the last axis on."""
    if not x.shape:
        return x
    # Convolutions meet whatever space was added; that of channels must be known.
    added = lambda axis, n: 0 if n is UNKNOWN and x.axes[axis] != CHANNEL else index(n)
    pairs = enumerate(zip(amounts[::2], amounts[1::2], strict=False), 1)
    margins = {-k: (added(-k, low), added(-k, high)) for k, (low, high) in pairs}
    constant = name == "constant_pad_nd" or (name == "pad" and mode == "constant")
    return graph.pad(x, margins, constant_value=constant)
