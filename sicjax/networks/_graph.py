"""The one place that derives pairs.

A reader of any format walks its network once in the order of the data flow. It starts every input with `Graph.input`,
and turns each operation into one on the `Flow` of its operands: `Graph.conv` for convolutions; the functions of
`_operations` and `_resample` for what pairs reach across; `Graph.end` for what they do not. `Graph.network` then has
the layers, the pairs and what was left out.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import jax
import numpy as np

from sicjax import sdr
from sicjax._errors import InputError
from sicjax.networks._filters import aligned, folded
from sicjax.networks._flow import BATCH, Flow, Source
from sicjax.networks._network import Layer, Network, Pair, Skipped
from sicjax.networks._operations import elementwise
from sicjax.networks._resample import expanded

# Number of pairs beyond which a network is refused rather than measured for hours.
MOST_PAIRS = 100_000


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
            source = expanded(source, up)
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

    def elementwise(self, xs: Sequence[Flow], shape: Sequence[int], name: str) -> Flow:
        """`_operations.elementwise` of an operation; a value whose convolutions do not reach the result ends there."""
        found = elementwise(xs, shape)
        kept = {source.layer for source in found.sources}
        for x in xs:
            if any(source.layer not in kept for source in x.sources):
                gate = all(n == 1 for n, role in zip(x.shape, x.axes, strict=True) if role >= 0)
                what = "a weight or shift of whole channels" if gate else "its axes are not those of the value it meets"
                self._end(x.sources, f"{what} ({name})")
        return found

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
