"""Chains of layers, one after another, to pairs: for files that have no graph."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sicjax.networks.graph import Flow, Graph, Layer, Network, Skipped, roles

# A network's layers in the order of the data flow; a text says why no pair reaches across what stands there.
Chain = list[Layer | str]


def link(chains: Mapping[str, Chain], *, skipped: Sequence[Skipped] = (), notes: Sequence[str] = ()) -> Network:
    """Every two layers that follow one another in a chain, each the network of a name, become a pair."""
    graph = Graph()
    graph.notes += notes
    for network, entries in chains.items():
        graph.network_name = network
        x = graph.input((), "it is the first layer")
        for entry in entries:
            x = graph.end([x], (), entry) if isinstance(entry, str) else _follow(graph, x, entry)
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
