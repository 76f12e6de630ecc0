"""Numbers of places, for the formats that do not state every shape.

Sizes that a file leaves open are given as `OPEN_SIZES`: numbers with many divisors, another for each axis, so that
reshapes and resizes that a network computes from them come out whole.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sicjax._limits import LONGEST
from sicjax.networks.graph._flow import BATCH, CHANNEL, Flow

OPEN_SIZES = (3840, 7680, 15360)


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


def space_of(x: Flow, axes: int, *, channels_last: bool) -> tuple[int, ...]:
    """Sizes of the spatial axes of a batch of images; open ones where it is none."""
    if len(x.shape) != axes + 2:
        return OPEN_SIZES[:axes]
    return x.shape[1:-1] if channels_last else x.shape[2:]


def image(x: Flow, channels: int | None, space: Sequence[float], *, channels_last: bool) -> tuple[int, ...]:
    """The shape of a batch of as many images as `x`, with these channels (None for its own) and places."""
    batch, space = (x.shape[0] if x.shape else 1), [max(int(n), 1) for n in space]
    if channels is None:
        channels = x.shape[-1 if channels_last else 1] if len(x.shape) > 1 else 1
    return (batch, *space, channels) if channels_last else (batch, channels, *space)


def windowed(size: int, window: int, stride: int = 1, dilation: int = 1, *, around: int = 0, ceil: bool = False) -> int:
    """How many places a window stops at, with `around` places added on both sides together."""
    last = size + around - (window - 1) * dilation - 1
    return (-(-last // stride) if ceil else last // stride) + 1


def transposed(size: int, window: int, stride: int, dilation: int = 1, *, around: int = 0, more: int = 0) -> int:
    """How many places a transposed convolution gives: `around` are cut off in all, `more` are added."""
    return (size - 1) * stride + (window - 1) * dilation + 1 - around + more
