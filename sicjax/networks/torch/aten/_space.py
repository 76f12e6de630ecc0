"""Operators of PyTorch on space: pooling, reductions, resizing, padding."""

from __future__ import annotations

from collections.abc import Sequence
from operator import index
from typing import Any, NamedTuple

from sicjax.networks import graph
from sicjax.networks.graph import CHANNEL, Flow, Unreachable, per_axis, spread
from sicjax.networks.torch.aten._aten import Aten, rules
from sicjax.networks.torch.aten._values import UNKNOWN, along, dimensions

# PyTorch's coefficients of cubic interpolation, without and with antialiasing.
_CUBIC = {False: -0.75, True: -0.5}


class _Window(NamedTuple):
    """What a window does, along each axis of a value."""

    shape: Sequence[int]
    sizes: list[int]
    strides: list[int]


@rules("avg_pool1d avg_pool2d avg_pool3d")
def _average_pool(aten, name, x, kernel_size, stride=None, padding=0, ceil_mode=False, *_):
    return graph.average_pool(x, *_window(x, name, kernel_size, stride, padding, 1, ceil_mode))


@rules("max_pool1d max_pool2d max_pool3d")
def _max_pool(aten, name, x, kernel_size, stride=None, padding=0, dilation=1, ceil_mode=False):
    return graph.max_pool(aten.graph, x, *_window(x, name, kernel_size, stride, padding, dilation, ceil_mode))


@rules("max_pool1d_with_indices max_pool2d_with_indices max_pool3d_with_indices")
def _max_pool_with_indices(aten, name, x, *settings):
    return _max_pool(aten, name, x, *settings), UNKNOWN


@rules("adaptive_avg_pool1d adaptive_avg_pool2d adaptive_avg_pool3d")
def _adaptive_average_pool(aten, name, x, output_size):
    return graph.average_pool(x, *_even_window(aten, name, x, output_size))


@rules("adaptive_max_pool1d adaptive_max_pool2d adaptive_max_pool3d")
def _adaptive_max_pool(aten, name, x, output_size):
    return graph.max_pool(aten.graph, x, *_even_window(aten, name, x, output_size)), UNKNOWN


def _window(x: Flow, name: str, sizes: Any, strides: Any, padding: Any, dilation: Any, ceil: Any) -> _Window:
    axes, rank = dimensions(name), len(x.shape)
    sizes = per_axis(sizes, axes)
    strides, apart = per_axis(strides or sizes, axes), per_axis(dilation, axes)
    space = [
        graph.windowed(n, sizes[k], strides[k], apart[k], around=2 * along(padding or 0, k), ceil=ceil is True)
        for k, n in enumerate(x.shape[-axes:])
    ]
    shape = (*x.shape[:-axes], *(max(n, 1) for n in space))
    return _Window(shape, *(spread(s, rank, channels_last=False) for s in (sizes, strides)))


def _even_window(aten: Aten, name: str, x: Flow, output_size: Any) -> _Window:
    """The window that pools to a size: the same everywhere where the sizes divide.

    Raises:
        Unreachable: sizes that do not, or are not known, where it is not one place that is left.
    """
    axes = dimensions(name)
    space = x.shape[-axes:]
    wanted = [n if (size := along(output_size, k)) is None else size for k, n in enumerate(space)]
    shape = (*x.shape[:-axes], *wanted)
    whole = all(n == 1 for n in wanted)
    if not whole and (not aten.exact or any(n % m for n, m in zip(space, wanted, strict=True))):
        raise Unreachable("adaptive pooling", shape=shape)
    sizes = spread([n // m for n, m in zip(space, wanted, strict=True)], len(x.shape), channels_last=False)
    return _Window(shape, sizes, sizes)


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
    mode, antialias = "cubic" if "cubic" in name else "linear", name.endswith("_aa")
    how = dict(centres="align_corners" if align_corners is True else "half_pixel", coefficient=_CUBIC[antialias])
    return _resized(aten, name, x, output_size, factors, mode=mode, antialias=antialias, **how)


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
    return graph.resize(aten.graph, x, shape, factors=spread(by, len(x.shape), channels_last=False), **how)


@rules("constant_pad_nd pad pad_circular pad_enum reflection_pad1d reflection_pad2d reflection_pad3d")
@rules("replication_pad1d replication_pad2d replication_pad3d")
def _pad(aten, name, x: Flow, amounts: Sequence[Any], mode: Any = "constant", *_: Any) -> Flow:
    """Padding, and cropping where negative; amounts are from the last axis on."""
    if not x.shape:
        return x
    before, after = [0] * len(x.shape), [0] * len(x.shape)
    for k in range(len(amounts) // 2):
        for places, n in ((before, amounts[2 * k]), (after, amounts[2 * k + 1])):
            # Convolutions meet whatever space was added; that of channels must be known.
            places[-1 - k] = 0 if n is UNKNOWN and x.axes[-1 - k] != CHANNEL else index(n)
    constant = name == "constant_pad_nd" or (name == "pad" and mode == "constant")
    return graph.pad(x, before, after, constant_value=constant)
