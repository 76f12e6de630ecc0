"""Chains of layers, one after another, to pairs: for files that have no graph."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from sicjax.networks.graph import Flow, Graph, Layer, Network, Skipped, roles


class Break(NamedTuple):
    """Something in a chain that no pair reaches across, in words."""

    reason: str


class Chain(NamedTuple):
    """A network's layers in the order of the data flow, with what interrupts them."""

    network: str
    entries: Sequence[Layer | Break]


def link(chains: Sequence[Chain], *, skipped: Sequence[Skipped] = (), notes: Sequence[str] = ()) -> Network:
    """Every two layers that follow one another in a chain become a pair."""
    graph = Graph()
    graph.notes += notes
    for network, entries in chains:
        graph.network_name = network
        x = graph.input((), "it is the first layer")
        for entry in entries:
            x = graph.end([x], (), entry.reason) if isinstance(entry, Break) else _follow(graph, x, entry)
    found = graph.network()
    return found._replace(skipped=(*found.skipped, *skipped))


def _follow(graph: Graph, x: Flow, layer: Layer) -> Flow:
    """A layer after another; a channel count that does not fit says that the file is no plain chain there."""
    axes = len(layer.stride)
    for source in x.sources:
        before = source.first
        if before.outputs != layer.inputs and len(before.stride) == axes:
            counts = f"{layer.path} takes {layer.inputs} channels, {before.path} gives {before.outputs}"
            grouped = before.outputs % layer.inputs == 0 and layer.outputs % (before.outputs // layer.inputs) == 0
            x = graph.end([x], (), counts + " (if it is in groups, a sidecar can state them)" * grouped)
    takes = roles(axes, True)
    return graph.convolve(x, layer, (1,) * (axes + 1) + (layer.outputs,), takes, takes)
