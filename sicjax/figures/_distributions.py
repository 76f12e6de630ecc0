"""Ratios of several networks, level by level, and what their departure from 1 is made of: Fig. 4, 5, 8 and 9."""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from sicjax.figures._style import COLOURS, DASHES, MARKERS, PAGE, new, styled
from sicjax.sdr import Histogram

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Width of a bin as drawn; wider where there are too few pathways for it.
WIDTH = 0.02


class Curve(NamedTuple):
    """A network's ratios at one level; every field has an entry for each seed.

    Attributes:
        label: of the network.
        ratios: histograms.
        shuffled: those with the taps of every kernel shuffled.
        mean: mean ratios.
        marginal: parts of the mean's departure from 1 that any pairing of the kernels shows.
        adaptation: what the real pairing adds.
    """

    label: str
    ratios: Sequence[Histogram]
    shuffled: Sequence[Histogram]
    mean: Sequence[float]
    marginal: Sequence[float]
    adaptation: Sequence[float]


@styled
def distributions(levels: Sequence[Sequence[Curve]], *, title: str = "") -> Figure:
    """One column a level, from the finest: above the ratios, below their mean's departure from 1 in its two parts.

    Thick are the ratios of all seeds together, thin, of up to two networks, the single seeds, dotted what shuffled
    kernels show.

    Arguments:
        levels: for each level its networks.
        title: what kind of network it is, where the labels do not say.

    Raises:
        InputError: matplotlib is not installed.
    """
    labels = list(dict.fromkeys(curve.label for level in levels for curve in level))
    height = 0.55 + 0.13 * len(labels)
    figure = new(PAGE, 2.1 + height)
    panels = figure.subplots(2, len(levels), squeeze=False, height_ratios=(2.1, height), sharex="row")
    low, high = _range([histogram for level in levels for curve in level for histogram in curve.ratios])
    for k, (level, panel, strip) in enumerate(zip(levels, *panels, strict=True)):
        for curve in level:
            _draw(panel, curve, labels.index(curve.label), fill=len(level) <= 2)
        _frame(panel, level, k, len(levels))
        panel.set_xlim(low, high)
        _parts(strip, level, labels)
    panels[0, 0].set_ylabel(f"{title}: density of pathways" if title else "density of pathways")
    panels[1, 0].set_yticks(range(len(labels)), labels)
    _legend(figure, panels[0, 0], labels)
    return figure


def _frame(panel: Axes, level: Sequence[Curve], k: int, count: int) -> None:
    panel.axvline(1, color="0.55", linewidth=0.7, zorder=0)
    where = "finest level" if k == 0 else "coarsest level" if k == count - 1 else f"level {k + 1}"
    panel.set_title(where if count > 1 else "only level")
    panel.set_ylim(bottom=0)
    panel.set_xlabel("spectral dependency ratio")
    sizes = dict.fromkeys(f"{len(c.ratios)} × {c.ratios[0].defined:,}" for c in level)
    panel.text(
        0.98, 0.97, "pathways\n" + "\n".join(sizes), transform=panel.transAxes, ha="right", va="top", fontsize=5.5
    )


def _draw(panel: Axes, curve: Curve, k: int, *, fill: bool) -> None:
    colour, dashes = COLOURS[k % len(COLOURS)], DASHES[k % len(DASHES)]
    merged, shuffled = (reduce(Histogram.merge, each) for each in (curve.ratios, curve.shuffled))
    together = _together(merged)
    x, y = _steps(merged, together)
    if fill:
        panel.fill_between(x, y, color=colour, alpha=0.16, linewidth=0)
    panel.plot(x, y, color=colour, linestyle=dashes)
    if fill and len(curve.ratios) > 1:
        for one in curve.ratios:
            panel.plot(*_steps(one, together), color=colour, linewidth=0.35, alpha=0.6)
    panel.plot(*_steps(shuffled, _together(shuffled)), color=colour, linestyle=":", linewidth=0.8)


def _parts(strip: Axes, level: Sequence[Curve], labels: Sequence[str]) -> None:
    """Marginal (open) and adaptation (filled) of every seed, and the mean of each as a bar."""
    strip.axvline(0, color="0.55", linewidth=0.7, zorder=0)
    for curve in level:
        k = labels.index(curve.label)
        colour, marker = COLOURS[k % len(COLOURS)], MARKERS[k % len(MARKERS)]
        for values, filled, shift in ((curve.marginal, False, -0.17), (curve.adaptation, True, 0.17)):
            height = np.full(len(values), k + shift)
            face = colour if filled else "white"
            strip.plot(
                values, height, marker, markersize=2.6, markerfacecolor=face, color=colour, markeredgewidth=0.7,
                clip_on=False,
            )  # fmt: skip
            strip.plot([np.mean(values)] * 2, [k + shift - 0.14, k + shift + 0.14], color=colour, linewidth=1.2)
    strip.set_ylim(len(labels) - 0.5, -0.5)
    strip.set_yticks([])
    strip.margins(x=0.12)
    strip.set_xlabel("mean − 1: ○ marginal, ● adaptation")
    strip.spines["left"].set_visible(False)
    strip.tick_params(axis="y", length=0)


def _legend(figure: Figure, panel: Axes, labels: Sequence[str]) -> None:
    from matplotlib.lines import Line2D

    handles = [
        Line2D([], [], color=COLOURS[k % len(COLOURS)], linestyle=DASHES[k % len(DASHES)], label=label)
        for k, label in enumerate(labels)
    ]
    handles.append(Line2D([], [], color="0.3", linestyle=":", linewidth=0.8, label="taps shuffled (null)"))
    figure.legend(handles=handles, loc="outside upper center", ncols=len(handles), handlelength=2.2)


def _together(histogram: Histogram) -> int:
    """How many bins are drawn as one: by the rule of Freedman and Diaconis, at least `WIDTH`."""
    spread = histogram.quantile(0.75) - histogram.quantile(0.25) if histogram.defined else 0.0
    wanted = 2 * spread * max(histogram.defined, 1) ** (-1 / 3) if np.isfinite(spread) else WIDTH
    return max(1, round(max(wanted, WIDTH) / (histogram.edges[1] - histogram.edges[0])))


def _steps(histogram: Histogram, together: int) -> tuple[np.ndarray, np.ndarray]:
    """The outline of the density, in steps."""
    kept = len(histogram.counts) // together * together
    counts = histogram.counts[:kept].reshape(-1, together).sum(1)
    edges = histogram.edges[: kept + 1 : together]
    density = counts / (max(histogram.defined, 1) * np.diff(edges))
    return np.repeat(edges, 2), np.concatenate([[0], np.repeat(density, 2), [0]])


def _range(histograms: Sequence[Histogram]) -> tuple[float, float]:
    """What holds 99 % of every distribution, and 1."""
    ends = [(h.quantile(0.005), h.quantile(0.99)) for h in histograms if h.defined]
    low = min([low for low, _ in ends if np.isfinite(low)], default=0.5)
    high = max([high for _, high in ends if np.isfinite(high)], default=1.5)
    return max(min(low, 0.8) - 0.05, 0), min(max(high, 1.2) + 0.05, 4)
