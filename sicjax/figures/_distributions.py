"""Ratios of networks, level by level, and what their mean's departure from 1 is made of: Fig. 4, 5, 8 and 9."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import reduce
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

import numpy as np

from sicjax.figures._style import COLOURS, DASHES, MARKERS, PAGE, new, styled
from sicjax.sdr import Histogram

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure, SubFigure

# Width of a bin as drawn; wider where there are too few pathways for it.
WIDTH = 0.02
# Levels side by side; a network of more goes on below.
ACROSS = 4
# Up to this many networks are drawn over one another.
TOGETHER = 4
# Inches: a panel of ratios, the strip below it and what that has for each network, what is written around both, and the
# legend. Points: the letters of names of pairs.
PANEL, STRIP, LINE, AROUND, LEGEND = 1.45, 0.14, 0.13, 1.1, 0.3
SMALL = 5.5
NULL = "taps shuffled (null)"
SINGLE = "thin: single runs"
# Up to so many networks each has its own null and its single runs.
FEW = 2
PARTS = ("marginal", "adaptation")


class Level(NamedTuple):
    """A pair of successive layers in one run of a network.

    Attributes:
        name: of the pair.
        ratios: their histogram.
        shuffled: that with the taps of every kernel shuffled.
        marginal: part of the mean's departure from 1 that any pairing of the kernels shows.
        adaptation: what the real pairing adds.
    """

    name: str
    ratios: Histogram
    shuffled: Histogram
    marginal: float
    adaptation: float


# A run's levels from the finest; a network's runs differ in their seeds alone.
Run: TypeAlias = Sequence[Level]
Group: TypeAlias = Sequence[tuple[str, Sequence[Run]]]


class _Scale(NamedTuple):
    """What all panels of a figure have in common: how many are side by side, and the ranges of what they show."""

    columns: int
    ratios: tuple[float, float]
    parts: tuple[float, float]


@styled
def distributions(*groups: Mapping[str, Sequence[Run]], title: str = "", most: int | None = None) -> Figure:
    """One column a level, from the finest: above the ratios, below their mean's departure from 1 in its two parts.

    Thick are the ratios of all runs together, thin, of up to two networks, the single runs. Dotted is what shuffled
    kernels show; of more than two networks it is a grey band, from the lowest to the highest of them.

    Arguments:
        groups: networks by label, each its runs; up to four networks of a group are drawn over one another, and those
            of several groups too where they are no more.
        title: what kind of network it is, where the labels do not say.
        most: so many levels of networks that have more: those whose ratios are furthest from their null, which the
            figure then says.

    Raises:
        InputError: matplotlib is not installed.
    """
    every = [network for group in groups for network in group.items()]
    if len(every) <= TOGETHER:
        given: list[Group] = [every]
    else:
        apart = [list(group.items()) for group in groups]
        given = [group[k : k + TOGETHER] for group in apart for k in range(0, len(group), TOGETHER)]
    kept = [_furthest(group, most) for group in given]
    levels = [
        run[k] for ks, group in zip(kept, given, strict=True) for _, runs in group for run in runs for k in ks
        if k < len(run)
    ]  # fmt: skip
    scale = _Scale(
        max(1, min(max(map(len, kept)), ACROSS)),
        _range([level.ratios for level in levels]),
        _ends([(level.marginal, level.adaptation) for level in levels]),
    )
    heights = [
        LEGEND + _lines(ks) * (PANEL + STRIP + (LINE + SMALL / 60) * len(group) + AROUND)
        for ks, group in zip(kept, given, strict=True)
    ]
    figure = new(PAGE, sum(heights))
    parts = figure.subfigures(len(given), 1, squeeze=False, height_ratios=heights)[:, 0]
    for ks, group, part in zip(kept, given, parts, strict=True):
        _group(part, group, ks, scale, title)
    return figure


def _depth(group: Group) -> int:
    return max((len(run) for _, runs in group for run in runs), default=0)


def _furthest(group: Group, most: int | None) -> list[int]:
    """Which levels are drawn: all, or those that are furthest from their null in any of the networks."""
    depth = _depth(group)
    if most is None or depth <= most:
        return list(range(depth))

    def far(k: int) -> float:
        levels = [run[k] for _, runs in group for run in runs if len(run) > k]
        return max((level.ratios.distance(level.shuffled) for level in levels if level.ratios.defined), default=0.0)

    return sorted(sorted(range(depth), key=far, reverse=True)[:most])


def _lines(ks: Sequence[int]) -> int:
    return max(1, -(-len(ks) // ACROSS))


def _group(part: SubFigure, group: Group, ks: Sequence[int], scale: _Scale, title: str) -> None:
    """Networks drawn over one another, of the levels `ks`."""
    depth, lines = _depth(group), _lines(ks)
    columns, strip = scale.columns, STRIP + LINE * len(group)
    panels = part.subplots(2 * lines, columns, squeeze=False, height_ratios=[PANEL, strip] * lines)
    for place, (above, below) in enumerate(zip(panels[::2].ravel(), panels[1::2].ravel(), strict=True)):
        k = ks[place] if place < len(ks) else depth
        drawn = {n: [run[k] for run in runs] for n, (_, runs) in enumerate(group) if len(runs[0]) > k}
        for panel in (above, below):
            panel.set_visible(bool(drawn) or depth == 0)
        for n, runs in drawn.items():
            _ratios(above, runs, n, few=len(drawn) <= FEW)
        if len(drawn) > FEW:
            _null_band(above, list(drawn.values()))
        _frame(above, scale, first=place % columns == 0, title=title)
        _head(above, "no pair of layers" if depth == 0 else _place(k, group), drawn.values(), PAGE / columns)
        _parts(below, drawn, len(group), scale)
    several = len(group) <= FEW and any(len(runs) > 1 for _, runs in group)
    said = f"{len(ks)} of {depth:,} pairs: those whose ratios are furthest from the null" if len(ks) < depth else None
    _legend(part, [label for label, _ in group], single=several, band=len(group) > FEW, title=said)


def _frame(panel: Axes, scale: _Scale, *, first: bool, title: str) -> None:
    panel.axvline(1, color="0.55", linewidth=0.7, zorder=0)
    panel.set_xlim(scale.ratios)
    panel.set_ylim(bottom=0)
    panel.set_xlabel("spectral dependency ratio")
    if first:
        panel.set_ylabel(f"{title}: density of pathways" if title else "density of pathways")


def _place(k: int, group: Group) -> str:
    """What a level is called; the coarsest only where it is that of every network."""
    depths = {len(runs[0]) for _, runs in group}
    if depths == {1}:
        return "only level"
    return "finest level" if k == 0 else "coarsest level" if depths == {k + 1} else f"level {k + 1}"


def _head(panel: Axes, place: str, drawn: Any, width: float) -> None:
    """The level's name, and below it in small the pairs, as wide as the panel allows, and their pathways."""
    lines = []
    for runs in drawn:
        count = f"{runs[0].ratios.defined:,}" if len(runs) == 1 else f"{len(runs)} × {runs[0].ratios.defined:,}"
        letters = int(0.85 * width * 72 / (0.55 * SMALL)) - len(count) - 2
        lines.append(f"{_shortened(runs[0].name, letters)}, {count}")
    lines = list(dict.fromkeys(lines))
    panel.set_title(place, pad=4 + 1.25 * SMALL * len(lines))
    panel.annotate(
        "\n".join(lines), (0.5, 1), xytext=(0, 3), xycoords="axes fraction", textcoords="offset points",
        ha="center", va="bottom", fontsize=SMALL,
    )  # fmt: skip


def _shortened(name: str, letters: int) -> str:
    """A pair's name of so many letters at most: without what its layers' names begin with, the longest first."""
    layers = name.split(" to ")
    while len(" to ".join(layers)) > letters and any("." in layer for layer in layers):
        head = max((layer.partition(".")[0] for layer in layers if "." in layer), key=len)
        layers = [layer.removeprefix(f"{head}.") for layer in layers]
    text = " to ".join(layers)
    return text if len(text) <= letters else "…" + text[1 - letters :]


def _ratios(panel: Axes, runs: Sequence[Level], n: int, *, few: bool) -> None:
    colour, dashes = COLOURS[n % len(COLOURS)], DASHES[n % len(DASHES)]
    ratios = reduce(Histogram.merge, [run.ratios for run in runs])
    together = _together(ratios)
    x, y = _steps(ratios, together)
    if few:
        panel.fill_between(x, y, color=colour, alpha=0.16, linewidth=0)
    panel.plot(x, y, color=colour, linestyle=dashes)
    if few and len(runs) > 1:
        for run in runs:
            panel.plot(*_steps(run.ratios, together), color=colour, linewidth=0.35, alpha=0.6)
    if few:
        shuffled = reduce(Histogram.merge, [run.shuffled for run in runs])
        panel.plot(*_steps(shuffled, _together(shuffled)), color=colour, linestyle=":", linewidth=0.8)


def _null_band(panel: Axes, networks: Sequence[Sequence[Level]]) -> None:
    """What shuffled kernels show in any of many networks, whose own lines could not be told apart."""
    merged = [reduce(Histogram.merge, [run.shuffled for run in runs]) for runs in networks]
    together = max(map(_together, merged))
    outlines = [_steps(histogram, together) for histogram in merged]
    heights = np.array([height for _, height in outlines])
    # With an edge, or steps that do not overlap would fall apart.
    panel.fill_between(outlines[0][0], heights.min(0), heights.max(0), color="0.8", linewidth=0.8, zorder=0)


def _parts(strip: Axes, drawn: Mapping[int, Sequence[Level]], count: int, scale: _Scale) -> None:
    """Marginal (open) and adaptation (filled) of every run, and the mean of each as a bar; a line for each network."""
    strip.axvline(0, color="0.55", linewidth=0.7, zorder=0)
    for n, runs in drawn.items():
        colour, marker = COLOURS[n % len(COLOURS)], MARKERS[n % len(MARKERS)]
        marginal, adaptation = [run.marginal for run in runs], [run.adaptation for run in runs]
        for values, face, height in ((marginal, "white", n - 0.17), (adaptation, colour, n + 0.17)):
            strip.plot(
                values, np.full(len(values), height), marker, markersize=2.6, markerfacecolor=face, color=colour,
                markeredgewidth=0.7, clip_on=False,
            )  # fmt: skip
            if len(values) > 1:
                strip.plot([np.mean(values)] * 2, [height - 0.14, height + 0.14], color=colour, linewidth=1.2)
    strip.set_xlim(scale.parts)
    # More of their labels, or longer ones, run into each other.
    strip.locator_params(axis="x", nbins=3, steps=[1, 2, 5, 10])
    strip.set_ylim(max(count, 1) - 0.5, -0.5)
    strip.set_yticks([])
    strip.set_xlabel("mean − 1, in two parts")
    strip.spines["left"].set_visible(False)


def _legend(part: SubFigure, labels: Sequence[str], *, single: bool, band: bool, title: str | None) -> None:
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    handles: list[Patch | Line2D] = [
        Line2D(
            [], [], color=COLOURS[n % len(COLOURS)], linestyle=DASHES[n % len(DASHES)], label=label,
            marker=MARKERS[n % len(MARKERS)], markersize=3,
        )
        for n, label in enumerate(labels)
    ]  # fmt: skip
    if single:
        handles.append(Line2D([], [], color="0.3", linewidth=0.35, label=SINGLE))
    null = (
        Patch(color="0.8", label=NULL)
        if band
        else Line2D([], [], color="0.3", linestyle=":", linewidth=0.8, label=NULL)
    )
    handles.append(null)
    for face, label in zip(("white", "0.3"), PARTS, strict=True):
        look = {"marker": "o", "markersize": 2.6, "markeredgewidth": 0.7, "markerfacecolor": face}
        handles.append(Line2D([], [], color="0.3", linestyle="", label=label, **look))
    # About 130 letters fit beside one another, and each handle takes the place of ten.
    widths = [10 + len(label) for label in (*labels, *[SINGLE] * single, NULL, *PARTS)]
    columns = len(widths) if sum(widths) <= 130 else max(1, 130 // max(widths))
    part.legend(handles=handles, loc="outside upper center", ncols=columns, handlelength=2.8, title=title)


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
    """What holds 99 % of every distribution, and 1; a tail above is cut where it is longer than a normal one's."""
    quantiles = np.array([[h.quantile(q) for q in (0.005, 0.5, 0.75, 0.99)] for h in histograms if h.defined]).reshape(
        -1, 4
    )
    # What lies outside the bins has no quantile.
    if not np.isfinite(quantiles[:, :3]).all() or not len(quantiles):
        return 0.0, max([h.edges[-1] for h in histograms], default=2.0)
    lowest, median, upper, highest = quantiles.T
    low, high = lowest.min(), np.minimum(highest, upper + 3 * (upper - median)).max()
    return max(min(low, 0.8) - 0.05, 0), max(high, 1.2) + 0.05


def _ends(values: Sequence[tuple[float, float]]) -> tuple[float, float]:
    """What holds all numbers that are finite, and 0."""
    finite = [value for both in values for value in both if np.isfinite(value)]
    low, high = min(finite, default=0.0), max(finite, default=0.0)
    low, high = min(low, 0.0), max(high, 0.0)
    margin = 0.12 * (high - low) or 0.01
    return low - margin, high + margin
