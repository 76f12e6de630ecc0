"""Some places along an axis: slices, parts, gathers, flips, copies."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from sicjax._limits import LONGEST, MOST_CHANNELS, MOST_PARTS
from sicjax.networks.graph._flow import BATCH, CHANNEL, JOINED, REPEAT, Flow
from sicjax.networks.graph._resample import resample
from sicjax.networks.graph._reshape import reshape, squeeze
from sicjax.networks.graph._unreachable import Unreachable

# Starts that are tried where places can begin.
_MOST_STARTS = 10_000


def select(x: Flow, axis: int, places: range | np.ndarray) -> Flow:
    """Places along an axis by number: of channels these go on; of space a crop, a stride, copies or padding.

    Raises:
        Unreachable: places of space in another order.
        ValueError: no such axis or place.
    """
    axis = x.axis(axis)
    shape = (*x.shape[:axis], len(places), *x.shape[axis + 1 :])
    x = x.plain(shape)
    size, role = x.shape[axis], x.axes[axis]
    whole = isinstance(places, range) and places == range(size)
    if not x.sources or role in (BATCH, REPEAT) or whole:
        return x.changed(shape)
    if role == JOINED:
        raise Unreachable("a part of values that were put together in one batch", shape=shape)
    if role == CHANNEL:
        if len(places) > MOST_CHANNELS:
            raise Unreachable(f"more than {MOST_CHANNELS:,} channels")
        where, numbers = x.channel_axis(axis), np.arange(size)[np.asarray(places, np.int64)]
        kept = [source._replace(channels=np.take(source.channels, numbers, axis=where)) for source in x.sources]
        return x.changed(shape, sources=tuple(source for source in kept if (source.channels >= 0).any()))
    up, down = _along_space(places, size, shape)
    return resample(x, shape, {axis: (up, np.ones(up), down)})


def _along_space(places: range | np.ndarray, size: int, shape: tuple[int, ...]) -> tuple[int, int]:
    """How many copies of each place, and every how many, these places are."""
    if len(places) < 2:
        if len(places) == size:
            return 1, 1
        raise Unreachable("single places of space", shape=shape)
    if size == 1:
        raise Unreachable("one value spread over space", shape=shape)
    steps = np.array([places.step]) if isinstance(places, range) else np.unique(np.diff(places))
    if len(steps) == 1 and steps[0] > 0:
        return 1, int(steps[0])
    if len(steps) == 1 and steps[0] == -1:
        raise Unreachable("a flip of space", shape=shape)
    factor = len(places) // size
    if 1 < factor <= LONGEST and np.array_equal(places, np.arange(size * factor) // factor):
        return factor, 1
    if len(places) >= size and (np.abs(steps) <= 1).all() and _runs_through(np.asarray(places), size):
        return 1, 1
    raise Unreachable("places of space in another order", shape=shape)


def _runs_through(places: np.ndarray, size: int) -> bool:
    """Whether all places follow one another once, with others only before and after: padding."""
    starts = np.flatnonzero(places == 0)
    return any(np.array_equal(places[at : at + size], np.arange(size)) for at in starts[:_MOST_STARTS])


def take(x: Flow, axis: int, places: np.ndarray) -> Flow:
    """Places along an axis by number, negative ones from the end; the axes of their array stand for it in the result.

    Raises:
        IndexError: a place beyond the axis.
    """
    axis = x.axis(axis)
    size = x.shape[axis]
    if (places < -size).any() or (places >= size).any():
        raise IndexError(f"places beyond the {size} of an axis")
    found = select(x, axis, np.where(places < 0, places + size, places).reshape(-1))
    return reshape(found, (*x.shape[:axis], *places.shape, *x.shape[axis + 1 :]))


def cut(x: Flow, slices: Mapping[int, slice]) -> Flow:
    """A slice as in Python of some axes, by their numbers."""
    for axis, part in slices.items():
        x = select(x, axis, range(x.shape[x.axis(axis)])[part])
    return x


def split(x: Flow, axis: int, sizes: Sequence[int]) -> list[Flow]:
    """Parts of these sizes along an axis, one after another."""
    if len(sizes) > MOST_PARTS:
        raise Unreachable(f"more than {MOST_PARTS:,} parts")
    if not x.shape:
        return [x] * len(sizes)
    axis = x.axis(axis)
    stops = np.cumsum(sizes).tolist()
    size = x.shape[axis]
    return [select(x, axis, range(min(stop - n, size), min(stop, size))) for stop, n in zip(stops, sizes, strict=True)]


def even_sizes(size: int, each: int) -> list[int]:
    """Sizes of parts of `each`, the last one smaller where it does not fit."""
    if type(each) is not int or each < 1 or size // each > MOST_PARTS:
        raise ValueError(f"parts of {each!r:.40}")
    return [min(each, size - at) for at in range(0, size, each)]


def unstack(x: Flow, axis: int) -> list[Flow]:
    """Every place along an axis by itself, without the axis."""
    return [squeeze(part, [axis]) for part in split(x, axis, even_sizes(x.shape[x.axis(axis)], 1))]


def gated(x: Flow, axis: int) -> list[Flow]:
    """The two halves of a gated linear unit."""
    axis = x.axis(axis)
    return split(x, axis, [x.shape[axis] // 2] * 2)


def flip(x: Flow, axes: Sequence[int] | None = None) -> Flow:
    """Axes in reverse, all by default; a flip of space ends the chain."""
    for axis in range(len(x.shape)) if axes is None else axes:
        axis = x.axis(axis)
        x = select(x, axis, range(x.shape[axis])[::-1]) if x.shape[axis] > 1 else x
    return x


def repeat(x: Flow, axis: int, times: int) -> Flow:
    """Each place several times in a row: along space nearest-neighbour upsampling."""
    return _copied(x, axis, times, np.repeat)


def tile(x: Flow, repeats: Sequence[int]) -> Flow:
    """Copies of a value side by side, for each axis so many; as in NumPy, by trailing axes, and along new ones."""
    if not x.shape:
        return x
    new = max(len(repeats) - len(x.shape), 0)
    x = reshape(x, (1,) * new + x.shape) if new else x
    for axis, times in enumerate(repeats, len(x.shape) - len(repeats)):
        if times != 1 and x.sources and x.axes[axis] >= 0 and x.shape[axis] > 1:
            raise Unreachable("copies of space side by side")
        x = _copied(x, axis, times, np.tile) if times != 1 else x
    return x


def _copied(x: Flow, axis: int, times: int, copy) -> Flow:
    x, axis = x.plain(), x.axis(axis)
    size, role = x.shape[axis], x.axes[axis]
    if type(times) is not int or times < 0 or (x.sources and times > MOST_CHANNELS):
        raise ValueError(f"{times!r:.40} copies")
    if x.sources and role >= 0 and size == 1 < times:
        raise Unreachable("one value spread over space")
    if not x.sources or role < 0 and role != CHANNEL:
        copied = REPEAT if role == BATCH and size == 1 < times else role
        shape = (*x.shape[:axis], size * times, *x.shape[axis + 1 :])
        return x.changed(shape, axes=(*x.axes[:axis], copied, *x.axes[axis + 1 :]))
    if size * times > MOST_CHANNELS:
        raise Unreachable("copies over too many places")
    return select(x, axis, copy(np.arange(size), times))


def shuffle(x: Flow, axis: int, groups: int) -> Flow:
    """A channel shuffle: channels of several groups in turns."""
    axis = x.axis(axis)
    return select(x, axis, np.arange(x.shape[axis]).reshape(groups, -1).T.reshape(-1))
