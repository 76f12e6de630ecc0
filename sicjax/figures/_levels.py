"""Superimposed histograms of ratios, level by level: the paper's Fig. 4, 5, 8 and 9."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from sicjax._errors import missing_package
from sicjax.sdr import Histogram

if TYPE_CHECKING:
    from matplotlib.figure import Figure

# Colours that differ for every kind of colour vision and in grey (Okabe and Ito), and a dash for each.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00", "#000000")
WIDTH = 0.02


class Level(NamedTuple):
    """A network's ratios at one level, and those with the taps of its kernels shuffled."""

    name: str
    ratios: Histogram
    shuffled: Histogram


def levels(files: Mapping[str, Sequence[tuple[str, Sequence[Level]]]], *, together: int = 4) -> Figure:
    """One panel a level, from the finest on the left; solid the ratios, dotted those of shuffled kernels.

    Arguments:
        files: for each file its networks, each a label and its levels from fine to coarse.
        together: up to this many networks are superimposed in one row of panels; more get a row for each file.

    Raises:
        InputError: matplotlib is not installed.
    """
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise missing_package("matplotlib", "plot", "drawing figures") from error

    everything = [network for networks in files.values() for network in networks]
    rows = [everything] if len(everything) <= together else list(files.values())
    columns = max((len(found) for _, found in everything), default=1)
    figure = Figure(figsize=(3.1 * columns + 0.4, 2.7 * len(rows)), layout="constrained")
    panels = figure.subplots(len(rows), columns, squeeze=False)
    low, high = _range([level.ratios for _, found in everything for level in found])
    for networks, row in zip(rows, panels, strict=True):
        for position, panel in enumerate(row):
            drawn = [(label, found[position]) for label, found in networks if position < len(found)]
            _panel(panel, drawn, [label for label, _ in networks])
            panel.set_xlim(low, high)
            panel.set_visible(bool(drawn))
        row[0].set_ylabel("density of pathways", fontsize=8)
    for position, panel in enumerate(panels[0]):
        panel.set_title("finest level" if position == 0 else f"level {position + 1}", fontsize=9)
    for panel in panels[-1]:
        panel.set_xlabel("spectral dependency ratio", fontsize=8)
    return figure


def _panel(panel, drawn: Sequence[tuple[str, Level]], labels: Sequence[str]) -> None:
    panel.axvline(1, color="0.6", linewidth=0.8, zorder=0)
    for label, level in drawn:
        k = labels.index(label)
        colour, dashes = COLOURS[k % len(COLOURS)], "-" if k % 2 == 0 else (0, (5, 1.5))
        _draw(panel, level.ratios, colour, dashes, f"{label}\n{level.name}, {level.ratios.defined:,}", fill=True)
        _draw(panel, level.shuffled, colour, ":", "taps shuffled", fill=False)
    panel.set_ylim(0, 1.35 * panel.get_ylim()[1])
    panel.tick_params(labelsize=7)
    panel.spines[["top", "right"]].set_visible(False)
    if drawn:
        panel.legend(loc="upper right", fontsize=5.5, frameon=False, handlelength=1.6, borderaxespad=0.1)


def _draw(panel, histogram: Histogram, colour: str, dashes, label: str, *, fill: bool) -> None:
    edges, density = _coarse(histogram)
    x, y = np.repeat(edges, 2), np.concatenate([[0], np.repeat(density, 2), [0]])
    panel.plot(x, y, color=colour, linestyle=dashes, linewidth=1.1, label=label)
    if fill:
        panel.fill_between(x, y, color=colour, alpha=0.15, linewidth=0)


def _coarse(histogram: Histogram) -> tuple[np.ndarray, np.ndarray]:
    """Edges and density in bins of about `WIDTH`."""
    edges, counts = histogram.edges, histogram.counts
    together = max(1, round(WIDTH / (edges[1] - edges[0])))
    kept = len(counts) // together * together
    counts = np.add.reduceat(counts, np.arange(0, kept, together))[: kept // together]
    edges = edges[: kept + 1 : together]
    return edges, counts / (max(histogram.defined, 1) * np.diff(edges))


def _range(histograms: Sequence[Histogram]) -> tuple[float, float]:
    """What holds 99 % of every distribution, and 1."""
    ends = [(h.quantile(0.005), h.quantile(0.995)) for h in histograms if h.defined]
    low = min([low for low, _ in ends if np.isfinite(low)], default=0.5)
    high = max([high for _, high in ends if np.isfinite(high)], default=1.5)
    return min(low, 0.8) - 0.05, max(high, 1.2) + 0.05
