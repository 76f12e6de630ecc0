"""What removing filters does, by how many and which: the numbers behind Fig. 6."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from sicjax.figures._style import COLOURS, DASHES, MARKERS, PAGE, new, styled

if TYPE_CHECKING:
    from matplotlib.figure import Figure

MEANING = {
    "chroma": "chroma variance, share",
    "edges": "edge energy, share",
    "distance": "distance to unedited\n(1: two random images)",
}


@styled
def removal(
    networks: Mapping[str, Sequence[Sequence[Mapping[str, Any]]]], *, kinds: Sequence[str], numbers: Sequence[str]
) -> Figure:
    """A row of panels for each network: a number against the share of filters removed, a line for each kind.

    Arguments:
        networks: by name, for every seed its doses, each with `share`, `removed` and the numbers by kind.
        kinds: which filters were removed.
        numbers: what is drawn.

    Raises:
        InputError: matplotlib is not installed.
    """
    figure = new(PAGE, 1.75 * len(networks) + 0.3)
    panels = figure.subplots(len(networks), len(numbers), squeeze=False, sharex=True, sharey="col")
    for row, (name, seeds) in zip(panels, networks.items(), strict=True):
        for panel, number in zip(row, numbers, strict=True):
            for k, kind in enumerate(kinds):
                x = [100 * dose["share"] for dose in seeds[0]]
                y = np.array([[_number(dose[kind][number]) for dose in doses] for doses in seeds])
                look = {"color": COLOURS[k % len(COLOURS)], "linestyle": DASHES[k % len(DASHES)]}
                panel.plot(x, y.mean(0), marker=MARKERS[k], markersize=2.8, label=kind, **look)
                if len(y) > 1:
                    panel.fill_between(x, y.min(0), y.max(0), color=COLOURS[k % len(COLOURS)], alpha=0.1, linewidth=0)
            if number != "distance":
                panel.axhline(1, color="0.55", linewidth=0.7, zorder=0)
            panel.set_ylabel(MEANING[number])
        row[0].set_title(name, loc="left")
    for panel in panels[-1]:
        panel.set_xlabel("% of the layer's filters removed\nafter those of low energy")
    handles, labels = panels[0, 0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside upper center", ncols=len(kinds), handlelength=2.4)
    return figure


def _number(value: float | None) -> float:
    return np.nan if value is None else value
