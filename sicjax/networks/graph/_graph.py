"""The one place that derives pairs.

A reader of any format walks its network once in the order of the data flow. It starts every input with `Graph.input`,
and follows each operation with `Graph.follow`, which runs the reader's rule for it: a few lines that turn names and
attributes of the format into words of this vocabulary. `Graph.convolve` takes the convolutions; an operation that no
pair reaches across raises `Unreachable`. `Graph.network` then has the layers, the pairs and what was left out.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeVar

import jax
import numpy as np

from sicjax import sdr
from sicjax._errors import InputError
from sicjax._limits import MOST_FOLDED, MOST_LAYERS, MOST_PAIRS, OverLimit, check_count, make, spend
from sicjax.networks.graph._cascade import Key, cascade
from sicjax.networks.graph._flow import BATCH, CHANNEL, JOINED, Flow, Source, constant
from sicjax.networks.graph._network import ENDS, Layer, Network, Pair, Skipped
from sicjax.networks.graph._resample import expanded
from sicjax.networks.graph._unreachable import Unreachable

T = TypeVar("T")
# What settings that contradict each other raise on the way.
_MISFITS = (ValueError, TypeError, LookupError, AttributeError, ArithmeticError, StopIteration)


class Graph:
    """Collects layers and pairs while a reader walks a network."""

    def __init__(self) -> None:
        self.layers: list[Layer] = []
        self.notes: list[str] = []
        self.network_name = ""
        self._pairs: dict[tuple, tuple[Source, int, str]] = {}
        self._starts: dict[int, str] = {}
        self._ends: defaultdict[int, dict[str, None]] = defaultdict(dict)
        self._uses: Counter[str] = Counter()
        self._ended: defaultdict[str, set[int]] = defaultdict(set)
        self._lost: defaultdict[str, set[int]] = defaultdict(set)
        self._skipped: list[Skipped] = []
        self._kinds: dict[str, str] = {}  # of reasons with names of this network in them: what they have in common

    def input(self, shape: Sequence[int], name: str = "the network's input") -> Flow:
        """A value that no convolution reaches."""
        return constant(shape, name)

    def note(self, text: str) -> None:
        """Tells the user of a decision, once."""
        if text not in self.notes:
            self.notes.append(text)

    def skip(self, name: str, reason: str) -> None:
        """Tells the user of a convolution that could not be made a layer."""
        self._skipped.append(Skipped(name, reason))

    def follow(
        self,
        rule: Callable[[], T],
        xs: Iterable[Flow],
        label: str,
        shape: Sequence[int] = (),
        *,
        layer: str = "",
        kind: str = "",
    ) -> T | Flow:
        """What a rule gives, or the end of its operands where no pair reaches across.

        Arguments:
            rule: computes the result, with words of the vocabulary.
            xs: the values that it takes.
            label: of the operation, for the reason.
            shape: of the result, where it is known.
            layer: the convolution that the operation is; named as skipped where it cannot be followed.
            kind: of the operation, where the label is the name of this one.
        """
        xs = list(xs)
        try:
            spend(1 + sum(len(x.sources) for x in xs))
            found = rule()
            self._lose(xs)
            return found
        except Unreachable as end:
            reason = f"{end.reason} ({end.name or label})" if end.name or label else end.reason
            common = f"{end.kind} ({kind or label})" if kind or label else end.kind
            shape = tuple(shape) or end.shape
        except OverLimit as over:
            raise over if over.what else OverLimit(over.reason, label) from None
        except InputError:
            raise
        except _MISFITS as error:
            misfit = "with settings that do not fit together"
            detail = f"{str(error) or type(error).__name__:.150}"
            if not layer and not any(x.sources for x in xs):
                return constant(shape, next((x.origin for x in xs if x.origin), ""))
            reason, common = (f"{what or 'an operation'} {misfit}: {detail}" for what in (label, kind or label))
        if layer:
            self._kinds[reason] = common
            self.skip(layer, reason)
        return self.end(xs, shape, reason, kind=common)

    def _lose(self, xs: Sequence[Flow]) -> None:
        """Keeps in mind paths that ended and now meet others of the same layers, whose pairs do not show them."""
        sourced = [x for x in xs if x.sources]
        for x in xs if sourced else ():
            if x.sources or x.origin not in self._ended:
                continue
            for other in sourced:
                both = self._ended[x.origin] & {source.layer for source in other.sources}
                if both and not _is_gate(x, other):
                    self._lost[x.origin] |= both

    def convolve(
        self,
        x: Flow,
        layer: Layer,
        shape: Sequence[int],
        takes: Sequence[int],
        gives: Sequence[int] = (),
        *,
        up: Sequence[int] = (),
        down: Sequence[int] = (),
    ) -> Flow:
        """A convolution: a pair with every convolution that reaches `x`, and the start of new ones.

        Arguments:
            layer: its kernel `(*k, in / groups, out)`.
            shape: of the output.
            takes: roles of the input's axes.
            gives: roles of the output's axes; by default the same.
            up: expansion with zeros before the kernel; by default the stride of a transposed convolution.
            down: decimation after the kernel; by default the stride.

        Raises:
            ValueError: a kernel that does not fit its groups.
        """
        axes = len(layer.stride)
        whole = axes > 0 and layer.kernel.ndim == axes + 2 and layer.kernel.size > 0
        if not whole or layer.groups < 1 or layer.outputs % layer.groups:
            raise ValueError(f"a kernel of shape {layer.kernel.shape} in {layer.groups} groups")
        ones = (1,) * axes
        up = tuple(up) or (layer.stride if layer.transposed else ones)
        down = tuple(down) or (ones if layer.transposed else layer.stride)
        number = self._add(layer)
        layer = self.layers[number]
        wrong = _other_axes(x, takes, axes)
        for source in x.sources:
            try:
                self._pair(source, number, up, wrong)
            except Unreachable as end:
                reason = f"{end.reason} ({layer.path})"
                self._kinds[reason] = end.kind
                self._end([source], reason)
        if not x.sources:
            self._starts[number] = x.origin or "nothing known"
        start = Source(number, layer, np.arange(layer.outputs), down, ones)
        return Flow(tuple(shape), tuple(gives or takes), (start,))

    def _add(self, layer: Layer) -> int:
        check_count(len(self.layers) + 1, MOST_LAYERS, "convolutions")
        make(4 * layer.kernel.size, layer.path)
        self._uses[layer.path] += 1
        if self._uses[layer.path] > 1:
            layer = layer._replace(path=f"{layer.path}#{self._uses[layer.path]}")
        self.layers.append(layer)
        return len(self.layers) - 1

    def _pair(self, source: Source, number: int, up: Sequence[int], wrong: str) -> None:
        layer = self.layers[number]
        if wrong:
            raise Unreachable(wrong)
        if sum(n > 1 for n in source.channels.shape) > 1 or source.channels.size != layer.inputs:
            raise Unreachable(f"a layer that takes {layer.inputs} channels in an order that is not known")
        source = expanded(source._replace(channels=source.channels.reshape(-1)), up)
        if source.after and layer.taps > MOST_FOLDED:
            raise Unreachable("filters over too many places")
        self._pairs.setdefault((*source.key(), number), (source, number, self.network_name))
        check_count(len(self._pairs), MOST_PAIRS, "pairs of successive convolutions")

    def end(self, xs: Iterable[Flow], shape: Sequence[int], reason: str, *, kind: str = "") -> Flow:
        """An operation that no pair reaches across, such as `a dense layer (fc1)`, of the kind `a dense layer`."""
        self._kinds[reason] = kind or reason
        for x in xs:
            self._end(x.sources, reason)
        return constant(shape, reason)

    def _end(self, sources: Iterable[Source], reason: str) -> None:
        for source in sources:
            self._ended[reason].add(source.layer)
            self._ends[source.layer][reason] = None  # in order, each once

    def network(self) -> Network:
        """What was found."""
        found = self._pairs.values()
        cascades = self.cascades([layer.kernel for layer in self.layers])
        pairs = [
            Pair(label, self.layers[source.layer], self.layers[number], pair, network)
            for (label, pair), (source, number, network) in zip(cascades.items(), found, strict=True)
        ]
        first, second = {source.layer for source, _, _ in found}, {number for _, number, _ in found}
        told = self._told()
        skipped = [Skipped(layer, told(reason)) for layer, reason in self._skipped]
        for number, layer in enumerate(self.layers):
            ends = [told(reason) for reason in self._ends.get(number, ["no convolution follows"])]
            after = f"after it: {'; '.join(dict.fromkeys(ends))}"
            if number not in first | second:
                before = told(self._starts.get(number, "nothing known"))
                skipped.append(Skipped(layer.path, f"before it: {before}; {after}"))
            elif number not in first and number in self._ends:
                skipped.append(Skipped(layer.path, f"{ENDS} {after}"))
        lost = [f"{reason}, after {self._listed(numbers & first)}" for reason, numbers in self._lost.items()]
        notes = [*self.notes, *([f"a path beside the pairs ends: {_shortened(lost, '; ')}"] if lost else [])]
        return Network(tuple(self.layers), tuple(pairs), tuple(dict.fromkeys(skipped)), tuple(notes))

    def _told(self) -> Callable[[str], str]:
        """Reasons as they are told: where several differ by a name alone, what they have in common."""
        told = {*self._ended, *self._starts.values(), *(reason for _, reason in self._skipped)}
        kinds = {reason: self._kinds.get(reason, reason) for reason in told}
        counts = Counter(kinds.values())
        shared = {reason: kind for reason, kind in kinds.items() if counts[kind] > 1}
        return lambda reason: shared.get(reason, reason)

    def _listed(self, numbers: Iterable[int]) -> str:
        return _shortened([self.layers[number].path for number in sorted(numbers)], ", ")

    def cascades(self, kernels: Sequence) -> dict[str, sdr.Cascade]:
        """The pairs by name, with these kernels for the layers, NumPy's or JAX's.

        Raises:
            InputError: weights that are not finite, with the layers' names.
        """
        named: dict[str, sdr.Cascade] = {}
        held: dict[Key, Any] = {}
        folded: dict[Key, Any] = {}
        for source, number, _ in self._pairs.values():
            first, second = self.layers[source.layer], self.layers[number]
            label = again = f"{first.path} to {second.path}"
            count = 1
            while again in named:
                again, count = f"{label} ({count + 1})", count + 1
            try:
                pair, keys = cascade(source, number, self.layers, kernels, folded)
            except ValueError as error:
                raise InputError(f"{first.path} (first) and {second.path} (second): {error}") from error
            # What several pairs take of a layer in the same way is held once; whole kernels are counted as layers.
            ends = jax.tree.leaves(pair)
            make(sum(end.nbytes for key, end in zip(keys, ends, strict=True) if key not in held and len(key) > 1))
            ends = [held.setdefault(key, end) for key, end in zip(keys, ends, strict=True)]
            named[again] = jax.tree.unflatten(jax.tree.structure(pair), ends)
        return named


def _shortened(parts: Sequence[str], joint: str) -> str:
    return joint.join(parts[:3]) + (f" and {len(parts) - 3} more" if len(parts) > 3 else "")


def _is_gate(x: Flow, other: Flow) -> bool:
    """Whether a value is one number for all places of another, as an excitation, or for all channels, as a norm."""
    alone = lambda k: k > len(x.shape) or x.shape[-k] == 1
    many = [k for k in range(1, len(other.shape) + 1) if other.shape[-k] > 1]
    channels = [k for k in many if other.axes[-k] == CHANNEL]
    space = [k for k in many if other.axes[-k] >= 0]
    return all(map(alone, space)) or (bool(channels) and all(map(alone, channels)))


def _other_axes(x: Flow, takes: Sequence[int], axes: int) -> str:
    """Why a convolution does not take a value, whose axes should have these roles; empty where it does."""
    if x.unmixed is not None:
        return "a reshape that mixes space and channels"
    before = {len(source.down) for source in x.sources}
    if before - {axes}:
        return f"a layer with {axes} spatial axes after one with {min(before - {axes})}"
    # An axis of one place may have lost its role, or have another's: a reshape cannot tell such axes apart.
    fits = len(x.axes) == len(takes) and all(
        role == want or (want == BATCH and role == JOINED) or (want != BATCH and size == 1)
        for role, want, size in zip(x.axes, takes, x.shape, strict=True)
    )
    return "" if fits or not x.sources else "a layer that takes other axes as channels and space"
