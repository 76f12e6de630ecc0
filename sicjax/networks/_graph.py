"""The one place that derives pairs: values that flow through a network, and which convolutions reach them.

A reader of any format walks its network once in the order of the data flow. It starts every input with `Graph.input`,
and turns each operation into one on the `Flow` of its operands: `Graph.conv` for convolutions; `elementwise`,
`concatenate`, `index`, `transpose`, `reshape` and `resample` for what pairs reach across; `Graph.end` for what they do
not. `Graph.network` then has the layers, the pairs and what was left out.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from sicjax import sdr
from sicjax._errors import InputError
from sicjax.networks._network import Layer, Network, Pair, Skipped

# Roles of a value's axes; a spatial axis has its number, 0 and up. Along REPEAT a value was copied.
REPEAT, BATCH, CHANNEL = -3, -2, -1

# Number of pairs beyond which a network is refused rather than measured for hours.
MOST_PAIRS = 100_000


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


class Graph:
    """Collects layers and pairs while a reader walks a network."""

    def __init__(self) -> None:
        self.layers: list[Layer] = []
        self.notes: list[str] = []
        self.network_name = ""
        self._pairs: dict[tuple, tuple[Source, int, str]] = {}
        self._starts: dict[int, str] = {}
        self._ends: dict[int, list[str]] = {}
        self._uses: dict[str, int] = {}
        self._ended: dict[str, set[int]] = {}
        self._skipped: list[Skipped] = []

    def input(self, shape: Sequence[int], name: str = "the network's input") -> Flow:
        """A value that no convolution reaches."""
        return Flow(tuple(shape), (BATCH,) * len(shape), origin=name)

    def note(self, text: str) -> None:
        """Tells the user of a decision, once."""
        if text not in self.notes:
            self.notes.append(text)

    def skip(self, name: str, reason: str) -> None:
        """Tells the user of a convolution that could not be made a layer."""
        self._skipped.append(Skipped(name, reason))

    def conv(
        self,
        x: Flow,
        layer: Layer,
        shape: Sequence[int],
        axes: Sequence[int],
        *,
        up: Sequence[int],
        down: Sequence[int],
    ) -> Flow:
        """A convolution: a pair with every convolution that reaches `x`, and the start of new ones.

        Arguments:
            x: the input; its channel axis must be whole, or there is no telling which channel meets which.
            layer: the layer, its kernel `(*k, in / groups, out)`.
            shape: of the output.
            axes: roles of the output's axes.
            up: expansion with zeros before the kernel (the stride of a transposed convolution).
            down: decimation after the kernel (the stride).
        """
        number = len(self.layers)
        self._uses[layer.path] = self._uses.get(layer.path, 0) + 1
        if self._uses[layer.path] > 1:
            layer = layer._replace(path=f"{layer.path}#{self._uses[layer.path]}")
        self.layers.append(layer)
        for source in x.sources:
            if source.channels.ndim != 1 or source.channels.size != layer.inputs:
                self._end([source], f"{layer.path} takes {layer.inputs} channels in an order that is not known")
                continue
            source = _expanded(source, up)
            self._pairs.setdefault((*source.key(), number), (source, number, self.network_name))
            if len(self._pairs) > MOST_PAIRS:
                raise InputError(f"the network has more than {MOST_PAIRS:,} pairs of successive convolutions")
        if not x.sources:
            self._starts[number] = x.origin or "nothing known"
        channels = np.arange(layer.outputs)
        start = Source(number, channels, tuple(down), (1,) * len(layer.stride))
        return Flow(tuple(shape), tuple(axes), (start,))

    def end(self, xs: Iterable[Flow], shape: Sequence[int], reason: str) -> Flow:
        """An operation that no pair reaches across, such as `a dense layer (fc1)`."""
        for x in xs:
            self._end(x.sources, reason)
        return Flow(tuple(shape), (BATCH,) * len(shape), origin=reason)

    def _end(self, sources: Iterable[Source], reason: str) -> None:
        for source in sources:
            self._ended.setdefault(reason, set()).add(source.layer)
            reasons = self._ends.setdefault(source.layer, [])
            if reason not in reasons:
                reasons.append(reason)

    def network(self) -> Network:
        """What was found."""
        found = self._pairs.values()
        cascades = self.cascades([layer.kernel for layer in self.layers])
        pairs = [
            Pair(label, self.layers[source.layer], self.layers[number], cascade, network)
            for (label, cascade), (source, number, network) in zip(cascades.items(), found, strict=True)
        ]
        first, second = {source.layer for source, _, _ in found}, {number for _, number, _ in found}
        skipped = list(self._skipped)
        for number, layer in enumerate(self.layers):
            if number not in first | second:
                before = self._starts.get(number, "nothing known")
                after = "; ".join(self._ends.get(number, ["no convolution follows"]))
                skipped.append(Skipped(layer.path, f"before it: {before}; after it: {after}"))
        for reason, numbers in self._ended.items():
            names = [self.layers[number].path for number in sorted(numbers - first)]
            if names:
                shown = ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
                skipped.append(Skipped(reason, f"ends the chain after {shown}"))
        return Network(tuple(self.layers), tuple(pairs), tuple(skipped), tuple(self.notes))

    def cascades(self, kernels: Sequence) -> dict[str, sdr.Cascade]:
        """The pairs by name, with these kernels for the layers, NumPy's or JAX's.

        Raises:
            InputError: weights that are not finite, with the layers' names.
        """
        named: dict[str, sdr.Cascade] = {}
        held: dict[int, Any] = {}
        for source, number, _ in self._pairs.values():
            first, second = self.layers[source.layer], self.layers[number]
            label = again = f"{first.path} to {second.path}"
            count = 1
            while again in named:
                again, count = f"{label} ({count + 1})", count + 1
            try:
                cascade, used = _cascade(source, first, second, kernels[source.layer], kernels[number])
            except ValueError as error:
                raise InputError(f"{first.path} (first) and {second.path} (second): {error}") from error
            # A kernel that is whole in several pairs is held once.
            ends = [
                held.setdefault(k, kept) if kernel is kernels[k] else kept
                for k, kernel, kept in zip((source.layer, number), used, jax.tree.leaves(cascade), strict=True)
            ]
            named[again] = jax.tree.unflatten(jax.tree.structure(cascade), ends)
        return named


def _cascade(
    source: Source, first: Layer, second: Layer, kernel1: Any, kernel2: Any
) -> tuple[sdr.Cascade, tuple[Any, Any]]:
    """The pair, and the two kernels as it takes them."""
    there = np.flatnonzero(source.channels >= 0)
    channels = source.channels[there]
    kernel2 = aligned(kernel2, second.groups)
    if not np.array_equal(channels, np.arange(first.outputs)):
        kernel1 = kernel1[..., channels]
    if len(there) != len(source.channels):
        kernel2 = kernel2[..., there, :]
    dilation1, dilation2 = first.dilation, second.dilation
    if source.before:
        kernel1, dilation1 = folded(kernel1, dilation1, source.before), (1,) * len(dilation1)
    if source.after:
        kernel2, dilation2 = folded(kernel2, dilation2, source.after), (1,) * len(dilation2)
    cascade = sdr.Cascade(
        kernel1, kernel2, down=source.down, up=source.up, first_dilation=dilation1, second_dilation=dilation2
    )
    return cascade, (kernel1, kernel2)


def elementwise(xs: Sequence[Flow], shape: Sequence[int]) -> Flow:
    """Anything that acts on each place alone, and sums and products: every operand's convolutions reach the result.

    Operands are broadcast as in NumPy, by trailing axes.
    """
    with_sources = [x for x in xs if x.sources]
    if not with_sources:
        origins = [x.origin for x in xs if x.origin]
        return Flow(tuple(shape), (BATCH,) * len(shape), origin=origins[0] if origins else "")
    lead = max(with_sources, key=lambda x: (len(x.shape), math.prod(x.shape)))
    axes = (BATCH,) * (len(shape) - len(lead.shape)) + lead.axes
    sources: dict[tuple, Source] = {}
    for x in with_sources:
        for source in _broadcast_sources(x, tuple(shape), axes):
            sources.setdefault(source.key(), source)
    return Flow(tuple(shape), axes, tuple(sources.values()))


def _broadcast_sources(x: Flow, shape: tuple[int, ...], axes: tuple[int, ...]) -> Iterable[Source]:
    """Sources of an operand whose axes of size 1 are stretched; one over a spatial axis is no convolution any more."""
    offset = len(shape) - len(x.shape)
    target = tuple(shape[k] for k, role in enumerate(axes) if role == CHANNEL)
    for k, role in enumerate(x.axes):
        stretched = x.shape[k] != shape[offset + k]
        if (role >= 0 and stretched) or (role != axes[offset + k] and (role >= 0 or role == CHANNEL)):
            return
    for source in x.sources:
        yield source._replace(channels=np.broadcast_to(source.channels, target))


def concatenate(xs: Sequence[Flow], axis: int) -> Flow:
    """Values side by side along an axis; along a channel axis each keeps its range."""
    lead = next((x for x in xs if x.sources), xs[0])
    shape = list(lead.shape)
    shape[axis] = sum(x.shape[axis] for x in xs)
    if lead.axes[axis] != CHANNEL:
        return elementwise([x._replace(shape=tuple(shape)) for x in xs], shape)
    where = [k for k, role in enumerate(lead.axes) if role == CHANNEL].index(axis)
    sources: list[Source] = []
    for position, x in enumerate(xs):
        for source in x.sources:
            around = [_absent(source.channels, where, other.shape[axis]) for other in xs]
            around[position] = source.channels
            _merge(sources, source._replace(channels=np.concatenate(around, axis=where)))
    return Flow(tuple(shape), lead.axes, tuple(sources))


def _merge(sources: list[Source], new: Source) -> None:
    """Adds a source; parts of one layer's output that were split and are put together again become one."""
    for k, source in enumerate(sources):
        if source.between() == new.between() and not ((source.channels >= 0) & (new.channels >= 0)).any():
            sources[k] = source._replace(channels=np.maximum(source.channels, new.channels))
            return
    sources.append(new)


def _absent(channels: np.ndarray, axis: int, size: int) -> np.ndarray:
    shape = list(channels.shape)
    shape[axis] = size
    return np.full(shape, -1)


def index(x: Flow, axis: int, indices: np.ndarray, shape: Sequence[int] | None = None) -> Flow:
    """Some places along an axis (a slice, a gather, a flip): of a channel axis only these channels go on."""
    shape = (*x.shape[:axis], len(indices), *x.shape[axis + 1 :]) if shape is None else shape
    if not x.sources or x.axes[axis] != CHANNEL:
        return x._replace(shape=tuple(shape))
    where = [k for k, role in enumerate(x.axes) if role == CHANNEL].index(axis)
    kept = (source._replace(channels=np.take(source.channels, indices, axis=where)) for source in x.sources)
    return x._replace(shape=tuple(shape), sources=tuple(source for source in kept if (source.channels >= 0).any()))


def transpose(x: Flow, order: Sequence[int]) -> Flow:
    """Axes in another order."""
    shape, axes = tuple(x.shape[k] for k in order), tuple(x.axes[k] for k in order)
    old = [k for k, role in enumerate(x.axes) if role == CHANNEL]
    moved = [old.index(k) for k in order if x.axes[k] == CHANNEL]
    sources = tuple(source._replace(channels=np.transpose(source.channels, moved)) for source in x.sources)
    return x._replace(shape=shape, axes=axes, sources=sources)


def reshape(x: Flow, shape: Sequence[int]) -> Flow | None:
    """Another shape, where every axis of it is made of axes of one role; None where space and channels are mixed.

    A spatial axis and a `REPEAT` axis behind it become one: nearest-neighbour upsampling.
    """
    shape = tuple(shape)
    if not x.sources:
        return Flow(shape, (BATCH,) * len(shape), origin=x.origin)
    axes: list[int] = []
    repeats: dict[int, int] = {}
    for old, new in _groups(x.shape, shape):
        old = [k for k in old if x.shape[k] != 1] or old
        roles = [x.axes[k] for k in old]
        if len(roles) == 2 and roles[0] >= 0 and roles[1] == REPEAT and len(new) == 1:
            repeats[roles[0]] = x.shape[old[1]]
            roles = roles[:1]
        if len(set(roles)) > 1 or (roles and roles[0] >= 0 and sum(shape[k] != 1 for k in new) > 1):
            return None
        role = roles[0] if roles else BATCH
        if role < 0:
            axes += [role] * len(new)
        else:
            whole = next((k for k in new if shape[k] != 1), new[0] if new else None)
            axes += [role if k == whole else BATCH for k in new]
    if {role for role, n in zip(x.axes, x.shape, strict=True) if role >= 0 and n > 1} - set(axes):
        return None
    channel_shape = tuple(n for n, role in zip(shape, axes, strict=True) if role == CHANNEL)
    sources = tuple(source._replace(channels=source.channels.reshape(channel_shape)) for source in x.sources)
    reshaped = Flow(shape, tuple(axes), sources, x.origin)
    if not repeats:
        return reshaped
    up = [repeats.get(k, 1) for k in range(rank(x))]
    return resample(reshaped, shape, up=up, kernel=np.ones(up))


def rank(x: Flow) -> int:
    """How many spatial axes a value has."""
    return max([role for role in x.axes if role >= 0], default=-1) + 1


def _groups(old: tuple[int, ...], new: tuple[int, ...]) -> Iterable[tuple[list[int], list[int]]]:
    """Axes of two shapes in the smallest groups of equal size, in order."""
    i = j = 0
    while i < len(old) or j < len(new):
        left, right = ([i], old[i]) if i < len(old) else ([], 1), ([j], new[j]) if j < len(new) else ([], 1)
        (olds, size), (news, other) = left, right
        i, j = i + len(olds), j + len(news)
        while size != other:
            if size < other and i < len(old):
                olds, size, i = [*olds, i], size * old[i], i + 1
            elif j < len(new):
                news, other, j = [*news, j], other * new[j], j + 1
            else:
                olds, size, i = [*olds, i], size * old[i], i + 1
        yield olds, news


def resample(
    x: Flow,
    shape: Sequence[int],
    *,
    up: Sequence[int] | None = None,
    kernel: np.ndarray | None = None,
    down: Sequence[int] | None = None,
) -> Flow | None:
    """Expansion with zeros, then a fixed filter for every channel, then decimation, along the spatial axes.

    Arguments:
        x: a value with spatial axes.
        shape: of the result.
        up: zeros after each place, for each spatial number.
        kernel: the filter, with one axis for each spatial number.
        down: every how many places are kept.

    Returns:
        The result, or None where what lies between the convolutions has no single down and up.
    """
    sources = []
    for source in x.sources:
        changed = _resampled(source, up, kernel, down)
        if changed is None:
            return None
        sources.append(changed)
    return x._replace(shape=tuple(shape), sources=tuple(sources))


def _resampled(source: Source, up=None, kernel=None, down=None) -> Source | None:
    """What lies after a layer when this comes after it; see `Source` for the one form that all must take."""
    if up is not None:
        source = _expanded(source, up)
    if kernel is not None and kernel.size > 1:
        if max(source.up) == 1:
            source = source._replace(before=(*source.before, stretched(kernel, source.down)))
        else:
            source = source._replace(after=(*source.after, kernel))
    if down is not None and max(down) > 1:
        if any(d > 1 and f.shape[k] > 1 for f in source.after for k, d in enumerate(down)):
            return None
        rates = [_reduced(*rate) for rate in zip(source.down, source.up, down, strict=True)]
        kept = [rate for rate in rates if rate is not None]
        if len(kept) < len(rates):
            return None
        source = source._replace(down=tuple(rate[0] for rate in kept), up=tuple(rate[1] for rate in kept))
    return source


def _expanded(source: Source, up: Sequence[int]) -> Source:
    """What lies after a layer when zeros are put between the places that come after it."""
    if max(up) == 1:
        return source
    after = tuple(stretched(f, up) for f in source.after)
    return source._replace(up=tuple(u * v for u, v in zip(source.up, up, strict=True)), after=after)


def _reduced(down: int, up: int, then: int) -> tuple[int, int] | None:
    """One axis's `down, up` after another decimation; None where the zeros do not fall on the places that are kept."""
    if up % then == 0:
        return down, up // then
    return (down * (then // up), 1) if then % up == 0 else None


def stretched(kernel: np.ndarray, steps: Sequence[int]) -> np.ndarray:
    """Zeros between the taps of a filter."""
    grown = np.zeros([(k - 1) * s + 1 for k, s in zip(kernel.shape, steps, strict=True)])
    grown[tuple(slice(None, None, s) for s in steps)] = kernel
    return grown


def folded(kernel: Any, dilation: Sequence[int], filters: Sequence[np.ndarray]) -> Any:
    """A layer's kernel convolved with fixed filters along its spatial axes; its dilation becomes zeros between taps."""
    xp: Any = jnp if isinstance(kernel, jax.Array) else np
    for axis, step in enumerate(dilation):
        apart = xp.stack([kernel, *[xp.zeros_like(kernel)] * (step - 1)], axis=axis + 1)
        kernel = apart.reshape(*kernel.shape[:axis], -1, *kernel.shape[axis + 1 :])
        kernel = kernel[(slice(None),) * axis + (slice(kernel.shape[axis] - step + 1),)]
    for f in filters:
        room = [[(p, n - 1 - p) for p, n in zip(place, f.shape, strict=True)] for place in np.argwhere(f)]
        taps = f[f != 0].astype(np.float32)
        kernel = sum(tap * xp.pad(kernel, [*around, (0, 0), (0, 0)]) for tap, around in zip(taps, room, strict=True))
    return kernel


def aligned(kernel: Any, groups: int) -> Any:
    """A layer's kernel with all its input channels on one axis: `(*k, in, out / groups)`."""
    if groups == 1:
        return kernel
    *k, inner, outputs = kernel.shape
    xp: Any = jnp if isinstance(kernel, jax.Array) else np
    split = kernel.reshape(*k, inner, groups, outputs // groups)
    return xp.moveaxis(split, -2, -3).reshape(*k, inner * groups, outputs // groups)


def linear_filter(factor: int) -> np.ndarray:
    """The taps of linear interpolation by a whole factor, places between as for images (half-pixel centres)."""
    reach = np.arange(-factor + (factor % 2 == 0) * 0.5 + (factor % 2), factor)
    return 1 - np.abs(reach) / factor


def outer(taps: Sequence[np.ndarray]) -> np.ndarray:
    """The separable filter with these taps along the spatial axes."""
    kernel = np.ones((1,) * len(taps))
    for axis, t in enumerate(taps):
        kernel = kernel * np.reshape(t, [-1 if k == axis else 1 for k in range(len(taps))])
    return kernel
