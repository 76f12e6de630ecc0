"""Numbers with their intervals, a panel for each kind."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from sicjax.figures._style import COLOURS, PAGE, new, styled

if TYPE_CHECKING:
    from matplotlib.figure import Figure

COLUMNS = 4


@styled
def intervals(
    panels: Mapping[str, Mapping[str, tuple[float | None, float | None, float | None]]],
    *,
    label: str,
    reference: float,
) -> Figure:
    """A panel for each name, in it a row for each number: its dot, filled where the interval leaves out the reference.

    Arguments:
        panels: by name, for every number its value and the ends of its interval; None where there is none.
        label: what the numbers are.
        reference: where a line is drawn.

    Raises:
        InputError: matplotlib is not installed.
    """
    names = list(dict.fromkeys(name for numbers in panels.values() for name in numbers))
    columns = min(COLUMNS, max(len(panels), 1))
    lines = -(-len(panels) // columns)
    figure = new(PAGE, max(lines, 1) * (0.55 + 0.16 * len(names)))
    drawn = figure.subplots(max(lines, 1), columns, squeeze=False, sharex=True, sharey=True).ravel()
    for panel, (name, numbers) in zip(drawn, panels.items(), strict=False):
        panel.axvline(reference, color="0.55", linewidth=0.7, zorder=0)
        for y, (value, low, high) in ((names.index(row), given) for row, given in numbers.items()):
            if value is None:
                continue
            beyond = False
            if low is not None and high is not None:
                beyond = not low <= reference <= high
                panel.plot([low, high], [y, y], color=COLOURS[0], linewidth=1)
            panel.plot([value], [y], "o", markersize=3.5, color=COLOURS[0], markerfacecolor=None if beyond else "white")
        panel.set_title(name)
        panel.tick_params(axis="y", length=0)
    for panel in drawn[len(panels) :]:
        panel.set_visible(False)
    drawn[0].set_yticks(range(len(names)), names)
    drawn[0].set_ylim(len(names) - 0.5, -0.5)
    figure.supxlabel(label, fontsize=7)
    return figure
