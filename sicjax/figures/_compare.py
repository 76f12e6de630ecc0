"""Kinds of runs side by side, number by number."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from sicjax.figures._style import COLOURS, MARKERS, PAGE, new, styled

if TYPE_CHECKING:
    from matplotlib.figure import Figure


class Dots(NamedTuple):
    """A kind of run: for every number its values, one a seed."""

    label: str
    numbers: Mapping[str, Sequence[float]]


@styled
def compare(dots: Sequence[Dots]) -> Figure:
    """A panel for each number, a row for each kind: the seeds as dots, their mean as a bar; the first kind as a line.

    Raises:
        InputError: matplotlib is not installed.
    """
    names = list(dots[0].numbers)
    figure = new(PAGE, 0.75 + 0.22 * len(dots))
    panels = figure.subplots(1, len(names), squeeze=False, sharey=True)[0]
    for panel, name in zip(panels, names, strict=True):
        panel.axvline(float(np.mean(dots[0].numbers[name])), color="0.55", linewidth=0.7, zorder=0)
        for row, each in enumerate(dots):
            k = 0 if row == 0 else 1 + (row - 1) % (len(COLOURS) - 1)
            values = each.numbers[name]
            panel.plot(
                values, np.full(len(values), row), MARKERS[k % len(MARKERS)], markersize=3, color=COLOURS[k],
                markerfacecolor="white", markeredgewidth=0.7, clip_on=False,
            )  # fmt: skip
            panel.plot([np.mean(values)] * 2, [row - 0.28, row + 0.28], color=COLOURS[k], linewidth=1.6)
        panel.set_xlabel(name)
        panel.margins(x=0.15)
        panel.spines["left"].set_visible(False)
        panel.tick_params(axis="y", length=0)
    panels[0].set_yticks(range(len(dots)), [each.label for each in dots])
    panels[0].set_ylim(len(dots) - 0.5, -0.5)
    return figure


class Row(NamedTuple):
    """A pair of layers of a network.

    Attributes:
        network: which file and network.
        level: which level, 1 the finest.
        low: below which 5 % of the ratios are.
        median: of the ratios.
        high: above which 5 % are.
        marginal: part of the mean's departure from 1.
        adaptation: the other part.
        z: of adaptation.
        null: interval of two standard deviations around the mean with shuffled taps.
    """

    network: str
    level: int
    low: float
    median: float
    high: float
    marginal: float
    adaptation: float
    z: float
    null: tuple[float, float]


@styled
def forest(rows: Sequence[Row]) -> Figure:
    """Every pair of many networks: on the left its ratios, on the right what their mean's departure is made of.

    Raises:
        InputError: matplotlib is not installed.
    """
    figure = new(PAGE, 0.55 + 0.155 * len(rows))
    left, right = figure.subplots(1, 2, sharey=True, width_ratios=(1.2, 1))
    for y, row in enumerate(rows):
        left.fill_between(row.null, y - 0.38, y + 0.38, color="0.88", linewidth=0)
        left.plot([row.low, row.high], [y, y], color=COLOURS[0], linewidth=1)
        left.plot([row.median], [y], "o", markersize=3, color=COLOURS[0])
        right.plot([row.marginal], [y], "o", markersize=3.2, color=COLOURS[0], markerfacecolor="white")
        certain = abs(row.z) > 1.96
        right.plot([row.adaptation], [y], "s", markersize=3, color=COLOURS[2] if certain else "0.6")
        if y and row.network != rows[y - 1].network:
            for panel in (left, right):
                panel.axhline(y - 0.5, color="0.8", linewidth=0.5)
    left.axvline(1, color="0.55", linewidth=0.7, zorder=0)
    right.axvline(0, color="0.55", linewidth=0.7, zorder=0)
    headings = [
        f"{row.network}  {row.level}" if k == 0 or rows[k - 1].network != row.network else f"{row.level}"
        for k, row in enumerate(rows)
    ]
    left.set_yticks(range(len(rows)), headings)
    left.set_ylim(len(rows) - 0.5, -0.5)
    left.tick_params(axis="y", length=0)
    right.tick_params(axis="y", length=0)
    left.set_xlabel("spectral dependency ratio: 5 %, median, 95 %\n(grey: taps shuffled, mean ± 2 std)")
    right.set_xlabel("mean − 1: ○ marginal, ■ adaptation\n(grey squares: |z| < 1.96)")
    return figure
