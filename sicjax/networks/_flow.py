"""A value in a network, and the convolutions that reach it."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

# Roles of a value's axes; a spatial axis has its number, 0 and up. Along REPEAT a value was copied.
REPEAT, BATCH, CHANNEL = -3, -2, -1


class Source(NamedTuple):
    """A convolution whose output is part of a value, and what lies between.

    After the layer the signal was decimated by `down`, then expanded with zeros by `up`. `before` are fixed filters at
    the layer's own resolution, `after` those at the value's, each one array with the spatial axes of the network.

    Attributes:
        layer: its number in the graph.
        channels: for each channel of the value the layer's output channel, or -1; one axis for each channel axis.
    """

    layer: int
    channels: np.ndarray
    down: tuple[int, ...]
    up: tuple[int, ...]
    before: tuple[np.ndarray, ...] = ()
    after: tuple[np.ndarray, ...] = ()

    def between(self) -> tuple:
        """The layer and what lies after it, to compare."""
        filters = tuple((f.shape, f.tobytes()) for f in (*self.before, *self.after))
        return (self.layer, self.down, self.up, len(self.before), filters)

    def key(self) -> tuple:
        """All of it, to compare."""
        return (*self.between(), self.channels.shape, self.channels.tobytes())


class Flow(NamedTuple):
    """A value in a network: its shape, the role of each axis, the convolutions it comes from.

    Attributes:
        shape: of the value.
        axes: for each axis `BATCH`, `CHANNEL`, `REPEAT` or a spatial number; of no meaning without sources.
        sources: the convolutions that reach it without meeting another.
        origin: where it comes from besides those, in words, for the layers it reaches.
    """

    shape: tuple[int, ...]
    axes: tuple[int, ...]
    sources: tuple[Source, ...] = ()
    origin: str = ""


def rank(x: Flow) -> int:
    """How many spatial axes a value has."""
    return max([role for role in x.axes if role >= 0], default=-1) + 1
