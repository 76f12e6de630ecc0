"""Pooling."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from sicjax.networks.graph import (
    Flow,
    Unreachable,
    average_pool,
    max_pool,
    per_axis,
    spread,
    windowed,
)
from sicjax.networks.torch.aten._aten import Aten, rules
from sicjax.networks.torch.aten._values import UNKNOWN, along, dimensions


class _Window(NamedTuple):
    """What a window does, along each axis of a value."""

    shape: Sequence[int]
    sizes: list[int]
    strides: list[int]


@rules("avg_pool1d avg_pool2d avg_pool3d")
def _average_pool(aten, name, x, kernel_size, stride=None, padding=0, ceil_mode=False, *_):
    return average_pool(x, *_window(x, name, kernel_size, stride, padding, 1, ceil_mode))


@rules("max_pool1d max_pool2d max_pool3d")
def _max_pool(aten, name, x, kernel_size, stride=None, padding=0, dilation=1, ceil_mode=False):
    return max_pool(aten.graph, x, *_window(x, name, kernel_size, stride, padding, dilation, ceil_mode))


@rules("max_pool1d_with_indices max_pool2d_with_indices max_pool3d_with_indices")
def _max_pool_with_indices(aten, name, x, *settings):
    return _max_pool(aten, name, x, *settings), UNKNOWN


def _window(x: Flow, name: str, sizes: Any, strides: Any, padding: Any, dilation: Any, ceil: Any) -> _Window:
    axes = dimensions(name)
    sizes = per_axis(sizes, axes)
    strides, apart = per_axis(strides or sizes, axes), per_axis(dilation, axes)
    space = [
        windowed(n, sizes[k], strides[k], apart[k], around=2 * along(padding or 0, k), ceil=ceil is True)
        for k, n in enumerate(x.shape[-axes:])
    ]
    rank = len(x.shape)
    shape = (*x.shape[:-axes], *(max(n, 1) for n in space))
    return _Window(shape, *(spread(s, rank, channels_last=False) for s in (sizes, strides)))


@rules("adaptive_avg_pool1d adaptive_avg_pool2d adaptive_avg_pool3d")
def _adaptive_average_pool(aten, name, x, output_size):
    return average_pool(x, *_even_window(aten, name, x, output_size))


@rules("adaptive_max_pool1d adaptive_max_pool2d adaptive_max_pool3d")
def _adaptive_max_pool(aten, name, x, output_size):
    return max_pool(aten.graph, x, *_even_window(aten, name, x, output_size)), UNKNOWN


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
