"""A network as a list of its layers, with an arc from layer to layer for each pair."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

from sicjax.measure import Measured, Row
from sicjax.report._page import short
from sicjax.report._scales import Scale

# Height of a layer's line, width of the widest arc, and room beside the line, in pixels.
LINE, WIDE, ROOM = 26, 150, 12


class Node(NamedTuple):
    """A layer: its name, its kernel, and whether it is in a pair."""

    name: str
    kernel: str
    paired: bool


class Arc(NamedTuple):
    """A pair: its place among all of the page, its path, the classes of its colours, and what it is called."""

    pair: int
    path: str
    steps: str
    said: str


class Graph(NamedTuple):
    """A drawing.

    Attributes:
        nodes: the layers that are drawn, from the input on.
        arcs: the pairs between them.
        left_out: layers that are not drawn, because there are so many.
        width: in pixels.
        height: in pixels.
    """

    nodes: list[Node]
    arcs: list[Arc]
    left_out: int
    width: int
    height: int


def graph(measured: Measured, start: int, scales: Sequence[Scale], most: int) -> Graph:
    """Draws up to so many layers.

    Arguments:
        measured: the network.
        start: number of its first pair on the page.
        scales: to colour by.
        most: layers.
    """
    layers = measured.network.layers[:most]
    lines: dict[str, int] = {}
    for line, layer in enumerate(layers):
        lines.setdefault(layer.path, line)
    paired = {path for row in measured.rows for path in (row.first, row.second)}
    nodes = [Node(layer.path, " x ".join(map(str, layer.kernel.shape)), layer.path in paired) for layer in layers]
    arcs = [
        _arc(start + k, row, lines[row.first], lines[row.second], scales, len(layers))
        for k, row in enumerate(measured.rows)
        if row.first in lines and row.second in lines
    ]
    return Graph(nodes, arcs, len(measured.network.layers) - len(layers), WIDE + 2 * ROOM, LINE * len(layers))


def _arc(pair: int, row: Row, first: int, second: int, scales: Sequence[Scale], layers: int) -> Arc:
    """Bulges the more the more layers it passes."""
    start, end = (LINE * line + LINE // 2 for line in (first, second))
    far = math.log2(1 + abs(second - first)) / math.log2(1 + max(2, layers))
    bulge = ROOM + round(max(0.2, far) * WIDE * 4 / 3)
    path = f"M{ROOM} {start + 4}C{bulge} {start + 4} {bulge} {end - 4} {ROOM} {end - 4}"
    what = "every ratio is 1" if row.structural else f"mean {row.mean:.3f}, coupling {row.coupling:+.2f}, {row.reading}"
    return Arc(pair, path, " ".join(scale.step(row) for scale in scales), f"{short(row.name)}: {what}")
