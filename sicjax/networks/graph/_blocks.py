"""Pixel shuffle and its inverse: channels that are the places of a finer grid."""

from __future__ import annotations

import math
from collections.abc import Sequence

from sicjax.networks.graph._flow import Flow
from sicjax.networks.graph._reshape import reshape, transpose
from sicjax.networks.graph._sizes import image


def depth_to_space(x: Flow, factors: Sequence[int], *, channels_last: bool, blocks_first: bool) -> Flow:
    """A pixel shuffle.

    Arguments:
        x: a batch of images.
        factors: for each spatial axis, in how many places one becomes.
        channels_last: whether the channels are the last axis, or the second.
        blocks_first: whether the place in a block counts before the channel (TensorFlow, ONNX's `DCR`), or after it.

    Raises:
        ValueError: channels that no such blocks make.
    """
    batch, channels, space = _parts(x, factors, channels_last)
    each = _divided(channels, factors)
    sizes, (deep, wide) = [batch, each, *space, *factors], _forms(len(factors), channels_last, blocks_first)
    x = transpose(reshape(x, [sizes[k] for k in deep]), [deep.index(k) for k in wide])
    grown = [m * f for m, f in zip(space, factors, strict=True)]
    return reshape(x, image(x, each, grown, channels_last=channels_last))


def space_to_depth(x: Flow, factors: Sequence[int], *, channels_last: bool, blocks_first: bool) -> Flow:
    """The inverse of `depth_to_space`, with the same arguments."""
    batch, channels, space = _parts(x, factors, channels_last)
    small = [m // f for m, f in zip(space, factors, strict=True)]
    sizes, (deep, wide) = [batch, channels, *small, *factors], _forms(len(factors), channels_last, blocks_first)
    x = transpose(reshape(x, [sizes[k] for k in wide]), [wide.index(k) for k in deep])
    return reshape(x, image(x, channels * math.prod(factors), small, channels_last=channels_last))


def _forms(n: int, channels_last: bool, blocks_first: bool) -> tuple[list[int], list[int]]:
    """Axes of images whose blocks are channels, and of those whose blocks are places, by what they are.

    The batch is 0, the channels 1; then come the coarse places along each spatial axis, and the places in a block.
    """
    coarse, within = range(2, 2 + n), range(2 + n, 2 + 2 * n)
    depth = [*within, 1] if blocks_first else [1, *within]
    fine = [axis for pair in zip(coarse, within, strict=True) for axis in pair]
    return ([0, *coarse, *depth], [0, *fine, 1]) if channels_last else ([0, *depth, *coarse], [0, 1, *fine])


def _parts(x: Flow, factors: Sequence[int], channels_last: bool) -> tuple[int, int, Sequence[int]]:
    if len(x.shape) != len(factors) + 2:
        raise ValueError(f"{len(x.shape)} axes, not {len(factors) + 2}")
    batch, *rest = x.shape
    return (batch, rest[-1], rest[:-1]) if channels_last else (batch, rest[0], rest[1:])


def _divided(channels: int, factors: Sequence[int]) -> int:
    for f in factors:
        if type(f) is not int or f < 1 or channels % f:
            raise ValueError(f"{channels} channels in blocks of {factors!r:.40}")
        channels //= f
    return channels
