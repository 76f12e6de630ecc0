"""Many small panels of lines: a row for each number, a column for each place it is measured at."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

from sicjax.figures._style import COLOURS, DASHES, PAGE, new, styled

if TYPE_CHECKING:
    from matplotlib.figure import Figure

HIGH, AROUND = 1.05, 0.75
# Kinds in a line of the legend.
LEGEND = 4


class Curve(NamedTuple):
    """A line, and what its kind is called; lines of one kind look alike."""

    label: str
    x: Sequence[float]
    y: Sequence[float]


@styled
def lines(
    panels: Mapping[str, Mapping[str, Sequence[Curve]]],
    *,
    label: str,
    bands: Mapping[str, Mapping[str, tuple[float, float]]] | None = None,
    doubling: bool = False,
) -> Figure:
    """A panel for each row and column.

    Arguments:
        panels: curves by the names of row and column; every row has the same columns.
        label: what all curves are drawn against.
        bands: by row and column, between which values nothing is to be seen; shaded.
        doubling: draw x by its logarithm, with 0 one place before the first.

    Raises:
        InputError: matplotlib is not installed.
    """
    columns = list(next(iter(panels.values())))
    kinds = list(dict.fromkeys(curve.label for row in panels.values() for each in row.values() for curve in each))
    figure = new(PAGE, AROUND + HIGH * len(panels))
    drawn = figure.subplots(len(panels), len(columns), squeeze=False, sharex="col")
    for line, (row, by_column) in zip(drawn, panels.items(), strict=True):
        line[0].set_ylabel(row)
        for panel, column in zip(line, columns, strict=True):
            panel.axhline(0, color="0.55", linewidth=0.5, zorder=0)
            if bands is not None:
                panel.axhspan(*bands[row][column], color="0.88", linewidth=0, zorder=0)
            for curve in by_column[column]:
                k = kinds.index(curve.label)
                look = {"color": COLOURS[k % len(COLOURS)], "linestyle": DASHES[k % len(DASHES)]}
                panel.plot(curve.x, curve.y, linewidth=0.7, **look)
            panel.tick_params(labelsize=5)
            if doubling:
                first = min(x for curve in by_column[column] for x in curve.x if x > 0)
                panel.set_xscale("symlog", linthresh=first, linscale=0.5)
                panel.minorticks_off()
    for panel, column in zip(drawn[0], columns, strict=True):
        panel.set_title(column, fontsize=5.8)
    figure.supxlabel(label, fontsize=7)
    if len(kinds) > 1:
        from matplotlib.lines import Line2D

        looks = [{"color": COLOURS[k % len(COLOURS)], "linestyle": DASHES[k % len(DASHES)]} for k in range(len(kinds))]
        handles = [Line2D([], [], label=kind, **look) for kind, look in zip(kinds, looks, strict=True)]
        figure.legend(handles=handles, loc="outside upper center", ncols=min(len(kinds), LEGEND), handlelength=2.8)
    return figure
