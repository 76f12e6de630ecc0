"""A value in a network, and the convolutions that reach it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from sicjax._limits import MOST_CHANNELS, MOST_PLACES, make
from sicjax.networks.graph._network import Layer
from sicjax.networks.graph._unreachable import Unreachable

# Roles of a value's axes; a spatial axis has its number, 0 and up. Along REPEAT a value was copied, along JOINED some
# values stand one after another in a batch; the axes of a value whose space and channels a reshape mixed are MIXED.
MIXED, JOINED, REPEAT, BATCH, CHANNEL = -5, -4, -3, -2, -1


class Source(NamedTuple):
    """A convolution whose output is part of a value, and what lies between.

    After the layer the signal was decimated by `down`, then expanded with zeros by `up`. `before` are fixed filters at
    the layer's own resolution, `after` those at the value's, each one array with the spatial axes of the network.

    Attributes:
        layer: its number in the graph.
        first: the layer.
        channels: for each channel of the value the layer's output channel, or -1; one axis for each channel axis.
        blocks: where channels became places (a pixel shuffle), the layer's output channel for each place of a block and
            each channel that is left, which then counts as its output; else None.
    """

    layer: int
    first: Layer
    channels: np.ndarray
    down: tuple[int, ...]
    up: tuple[int, ...]
    before: tuple[np.ndarray, ...] = ()
    after: tuple[np.ndarray, ...] = ()
    blocks: np.ndarray | None = None

    def between(self) -> tuple:
        """The layer and what lies after it, to compare."""
        filters = tuple((f.shape, f.tobytes()) for f in (*self.before, *self.after))
        blocks = () if self.blocks is None else (self.blocks.shape, self.blocks.tobytes())
        return (self.layer, self.down, self.up, len(self.before), filters, blocks)

    def key(self) -> tuple:
        """All of it, to compare."""
        return (*self.between(), self.channels.shape, self.channels.tobytes())


class Flow(NamedTuple):
    """A value in a network: its shape, the role of each axis, the convolutions it comes from.

    Attributes:
        shape: of the value; `()` also where it is not known and no convolution reaches it.
        axes: for each axis its role, named above, or a spatial number; of no meaning without sources.
        sources: the convolutions that reach it without meeting another.
        origin: where it comes from besides those, in words, for the layers it reaches.
        unmixed: of a value whose space and channels a reshape mixed, what it was before; else None.
    """

    shape: tuple[int, ...]
    axes: tuple[int, ...]
    sources: tuple[Source, ...] = ()
    origin: str = ""
    unmixed: Flow | None = None

    @property
    def rank(self) -> int:
        """How many spatial axes the convolutions have that reach it; all have equally many."""
        return len(self.sources[0].down) if self.sources else 0

    def axis(self, axis: int) -> int:
        """The number of an axis, counted from the end where it is negative.

        Raises:
            ValueError: no such axis.
        """
        if type(axis) is not int or not -len(self.shape) <= axis < len(self.shape):
            raise ValueError(f"axis {axis!r:.40} of {len(self.shape)}")
        return axis % len(self.shape)

    def channel_axis(self, axis: int) -> int:
        """Which of its channel axes an axis is."""
        return [k for k, role in enumerate(self.axes) if role == CHANNEL].index(axis)

    def plain(self, shape: Sequence[int] = ()) -> Flow:
        """The value, if its axes have roles; `shape` is that of the result, for where they have none.

        Raises:
            Unreachable: space and channels were mixed by a reshape.
        """
        if self.unmixed is not None:
            raise Unreachable("a reshape that mixes space and channels", shape=shape)
        return self

    def changed(self, shape: Sequence[int], **fields) -> Flow:
        """The value with another shape, whose axes keep their roles unless said otherwise.

        Raises:
            Unreachable: a shape beyond all real ones.
        """
        shape = tuple(int(n) for n in shape)
        if max(shape, default=0) > MOST_PLACES:
            raise Unreachable("an operation that gives a size that is not possible")
        if not self.sources:
            return constant(shape, self.origin)
        x = self._replace(shape=shape, **fields)
        channels = math.prod(n for n, role in zip(shape, x.axes, strict=True) if role == CHANNEL)
        if channels * len(x.sources) > MOST_CHANNELS:
            raise Unreachable(f"an operation that gives more than {MOST_CHANNELS:,} channels")
        make(sum(a.nbytes for s in x.sources for a in (s.channels, *s.before, *s.after)))
        return x


def constant(shape: Sequence[int] = (), origin: str = "") -> Flow:
    """A value that no convolution reaches."""
    return Flow(tuple(shape), (BATCH,) * len(shape), origin=origin)
