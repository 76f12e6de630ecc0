"""Pixel shuffle and its inverse: channels that are the places of a finer grid."""

from __future__ import annotations

from collections.abc import Sequence

from sicjax.networks.graph._flow import Flow
from sicjax.networks.graph._reshape import reshape, transpose


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
    n = len(factors)
    batch, channels, space = _parts(x, n, channels_last)
    each = _divided(channels, factors)
    inner = [*factors, each] if blocks_first else [each, *factors]
    block = [k if blocks_first else k + 1 for k in range(n)]
    c = n if blocks_first else 0
    if channels_last:
        x = reshape(x, (batch, *space, *inner))
        order = [0, *(v for k in range(n) for v in (1 + k, 1 + n + block[k])), 1 + n + c]
    else:
        x = reshape(x, (batch, *inner, *space))
        order = [0, 1 + c, *(v for k in range(n) for v in (2 + n + k, 1 + block[k]))]
    grown = [m * f for m, f in zip(space, factors, strict=True)]
    return reshape(transpose(x, order), (batch, *grown, each) if channels_last else (batch, each, *grown))


def space_to_depth(x: Flow, factors: Sequence[int], *, channels_last: bool, blocks_first: bool) -> Flow:
    """The inverse of `depth_to_space`, with the same arguments."""
    n = len(factors)
    batch, channels, space = _parts(x, n, channels_last)
    small = [m // f for m, f in zip(space, factors, strict=True)]
    blocks = [v for pair in zip(small, factors, strict=True) for v in pair]
    at = 1 if channels_last else 2
    places, within = [at + 2 * k for k in range(n)], [at + 2 * k + 1 for k in range(n)]
    c = 1 + 2 * n if channels_last else 1
    inner = [*within, c] if blocks_first else [c, *within]
    x = reshape(x, (batch, *blocks, channels) if channels_last else (batch, channels, *blocks))
    x = transpose(x, [0, *places, *inner] if channels_last else [0, *inner, *places])
    for f in factors:
        channels *= f
    return reshape(x, (batch, *small, channels) if channels_last else (batch, channels, *small))


def _parts(x: Flow, n: int, channels_last: bool) -> tuple[int, int, tuple[int, ...]]:
    if len(x.shape) != n + 2:
        raise ValueError(f"{len(x.shape)} axes, not {n + 2}")
    batch, *rest = x.shape
    return (batch, rest[-1], tuple(rest[:-1])) if channels_last else (batch, rest[0], tuple(rest[1:]))


def _divided(channels: int, factors: Sequence[int]) -> int:
    for f in factors:
        if type(f) is not int or f < 1 or channels % f:
            raise ValueError(f"{channels} channels in blocks of {factors!r:.40}")
        channels //= f
    return channels
