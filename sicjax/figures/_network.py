"""The layers of a network as a picture: boxes, and an arrow for each pair with its mean ratio."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple


class Edge(NamedTuple):
    """A pair: the names of its layers, its mean ratio, and whether that is 1 whatever the weights."""

    first: str
    second: str
    mean: float
    structural: bool


def network_dot(layers: Sequence[str], edges: Sequence[Edge]) -> str:
    """The picture in the language of Graphviz; arrows above 1 in orange, below in blue, structural ones dashed."""
    quoted = lambda text: '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
    lines = ["digraph network {", "  node [shape=box, fontname=Helvetica, fontsize=10];", "  edge [fontsize=9];"]
    lines += [f"  {quoted(layer)};" for layer in layers]
    for edge in edges:
        colour = "grey" if edge.structural else "#D55E00" if edge.mean > 1 else "#0072B2"
        style = "dashed" if edge.structural else "solid"
        label = "structural" if edge.structural else f"{edge.mean:.3f}"
        ends = f"{quoted(edge.first)} -> {quoted(edge.second)}"
        lines.append(f'  {ends} [label="{label}", color="{colour}", style={style}];')
    return "\n".join([*lines, "}"]) + "\n"


def network_tree(layers: Sequence[str], edges: Sequence[Edge]) -> str:
    """The same as text: each layer, and under it the layers it leads to."""
    lines = []
    for layer in layers:
        lines.append(layer)
        following = [edge for edge in edges if edge.first == layer]
        for k, edge in enumerate(following):
            branch = "└─" if k == len(following) - 1 else "├─"
            label = "structural" if edge.structural else f"{edge.mean:.3f}"
            lines.append(f"  {branch} {label} → {edge.second}")
    return "\n".join(lines) + "\n"
