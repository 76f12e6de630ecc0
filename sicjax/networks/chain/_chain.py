"""Chains of layers, one after another, to pairs, and the strides a user gives: for files that have no graph."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from sicjax._errors import InputError
from sicjax.networks.graph import Flow, Graph, Layer, Network, Skipped, roles


class End(NamedTuple):
    """Why no pair reaches across what stands there, and its name."""

    reason: str
    name: str = ""


# A network's layers in the order of the data flow, and what stands between them.
Chain = list[Layer | End]


def link(chains: Mapping[str, Chain], *, skipped: Sequence[Skipped] = (), notes: Sequence[str] = ()) -> Network:
    """Every two layers that follow one another in a chain, each the network of a name, become a pair."""
    graph = Graph()
    graph.notes += notes
    for network, entries in chains.items():
        graph.network_name = network
        x = graph.input((), "it is the first layer")
        for entry in entries:
            x = _end(graph, x, entry) if isinstance(entry, End) else _follow(graph, x, entry)
    found = graph.network()
    return found._replace(skipped=(*found.skipped, *skipped))


def _end(graph: Graph, x: Flow, end: End) -> Flow:
    named = f"{end.reason} ({end.name})" if end.name else end.reason
    return graph.end([x], (), named, kind=end.reason)


def _follow(graph: Graph, x: Flow, layer: Layer) -> Flow:
    """A layer after another; a channel count that does not fit says that the file is no plain chain there."""
    axes = len(layer.stride)
    for source in x.sources:
        before = source.first
        if before.outputs != layer.inputs and len(before.stride) == axes:
            counts = f"{layer.path} takes {layer.inputs} channels, {before.path} gives {before.outputs}"
            common = f"the next layer takes {layer.inputs} channels, this one gives {before.outputs}"
            grouped = before.outputs % layer.inputs == 0 and layer.outputs % (before.outputs // layer.inputs) == 0
            hint = " (if it is in groups, a sidecar can state them)" * grouped
            x = graph.end([x], (), counts + hint, kind=common + hint)
    return graph.convolve(x, layer, (1,) * (axes + 1) + (layer.outputs,), roles(axes, True))


def strides_given(stride: Any) -> tuple[int, ...] | None:
    """What a user gave: one for all, or one for each; None for nothing.

    Raises:
        InputError: anything but positive whole numbers.
    """
    if stride is None:
        return None
    each = tuple(stride) if isinstance(stride, (list, tuple)) else (stride,)
    if not each or not all(isinstance(s, (int, np.integer)) and type(s) is not bool and s > 0 for s in each):
        raise InputError(f"a stride is a positive integer, or one for each convolution, got {stride!r:.60}")
    return tuple(int(s) for s in each)


def begins(name: str, prefixes: Sequence[str]) -> bool:
    """Whether a name, or what follows the dictionary of a checkpoint in it, begins with one of these."""
    return any(name.startswith(prefix) or name.rpartition("/")[2].startswith(prefix) for prefix in prefixes)


def one_for_each(path: Path, strides: Sequence[int], convolutions: int) -> list[int]:
    """One stride for each convolution from one for all or one each.

    Raises:
        InputError: another number of them.
    """
    each = list(strides) * (convolutions if len(strides) == 1 else 1)
    if len(each) != convolutions:
        raise InputError(f"{path} has {convolutions} convolutions, but {len(each)} strides were given")
    return each
