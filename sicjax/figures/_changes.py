"""Versions of one network: every pair and every layer in each, and pairs against the step of a training."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from sicjax.figures._style import COLOURS, DASHES, MARKERS, PAGE, new, styled

if TYPE_CHECKING:
    from matplotlib.figure import Figure, SubFigure

# Inches: a line, and what is around the lines; the legend.
LINE, AROUND, LEGEND = 0.155, 0.5, 0.3
# Panels of steps side by side, and the height of one in inches.
ACROSS, HIGH = 3, 1.7
# Letters of a name that are shown.
LETTERS = 38
# What a number is where nothing is adapted, or nothing has changed.
NEUTRAL = {"mean": 1.0, "cosine": 1.0}


class Change(NamedTuple):
    """A pair of layers, or a layer, in several versions of a network.

    Attributes:
        name: of the pair or layer.
        numbers: by what they are, a number for each version; NaN where there is none.
    """

    name: str
    numbers: Mapping[str, Sequence[float]]


@styled
def changes(versions: Sequence[str], *groups: Sequence[Change]) -> Figure:
    """A line for each pair or layer, a panel for each of its numbers, a marker for each version.

    Arguments:
        versions: what they are called, from the first.
        groups: pairs, layers; those of a group have the same numbers.

    Raises:
        InputError: matplotlib is not installed.
    """
    given = [group for group in groups if group]
    heights = [AROUND + LINE * len(group) for group in given]
    heights[0] += LEGEND
    figure = new(PAGE, sum(heights))
    parts = figure.subfigures(len(given), 1, squeeze=False, height_ratios=heights)[:, 0]
    for part, group in zip(parts, given, strict=True):
        _group(part, group)
    _legend(parts[0], versions)
    return figure


def _group(part: SubFigure, group: Sequence[Change]) -> None:
    numbers = list(group[0].numbers)
    panels = part.subplots(1, len(numbers), squeeze=False, sharey=True)[0]
    for panel, name in zip(panels, numbers, strict=True):
        panel.axvline(NEUTRAL.get(name, 0.0), color="0.55", linewidth=0.7, zorder=0)
        for y, change in enumerate(group):
            values = np.asarray(change.numbers[name], float)
            finite = values[np.isfinite(values)]
            if len(finite):
                panel.plot([finite.min(), finite.max()], [y, y], color="0.75", linewidth=0.8, zorder=1)
            for k, value in enumerate(values):
                panel.plot([value], [y], color=COLOURS[k % len(COLOURS)], **_marker(k))
        panel.set_xlabel(name)
        panel.margins(x=0.1)
        panel.tick_params(axis="y", length=0)
    panels[0].set_yticks(range(len(group)), [_shortened(change.name) for change in group])
    panels[0].set_ylim(len(group) - 0.5, -0.5)


def _marker(k: int) -> dict:
    """Open for the first version, so that one that has not moved is seen behind the next."""
    size = {"markersize": 4.2, "markerfacecolor": "white"} if k == 0 else {"markersize": 3.2}
    return {"marker": MARKERS[k % len(MARKERS)], "linestyle": "", "markeredgewidth": 0.8, "zorder": 2 + k, **size}


def _legend(part: SubFigure, versions: Sequence[str]) -> None:
    from matplotlib.lines import Line2D

    handles = [
        Line2D([], [], color=COLOURS[k % len(COLOURS)], label=_shortened(name), **_marker(k))
        for k, name in enumerate(versions)
    ]
    part.legend(handles=handles, loc="outside upper center", ncols=min(len(handles), 3))


class Course(NamedTuple):
    """A pair of layers in the course of a training, or of versions: at each of `steps` the parts of its mean less 1."""

    steps: list[int]
    marginal: list[float]
    adaptation: list[float]


@styled
def courses(pairs: Mapping[str, Mapping[str, Course]], along: str = "training step") -> Figure:
    """A panel for each pair: its mean ratio less 1 and the two parts of that against the step.

    Arguments:
        pairs: by name, for each run, by what it is called, its course.
        along: what the steps are.

    Raises:
        InputError: matplotlib is not installed.
    """
    from matplotlib.lines import Line2D

    runs = list(dict.fromkeys(run for courses in pairs.values() for run in courses))
    lines = -(-len(pairs) // ACROSS)
    figure = new(PAGE, LEGEND + HIGH * lines)
    panels = figure.subplots(lines, ACROSS, squeeze=False, sharex=True).ravel()
    for panel, (pair, courses) in zip(panels, pairs.items(), strict=False):
        panel.axhline(0, color="0.55", linewidth=0.7, zorder=0)
        for run, (steps, marginal, adaptation) in courses.items():
            total = np.add(marginal, adaptation)
            for values, dashes in zip((total, marginal, adaptation), DASHES, strict=False):
                marker = "o" if len(steps) < 12 else ""
                look = {"color": COLOURS[runs.index(run) % len(COLOURS)], "linestyle": dashes}
                panel.plot(steps, values, marker=marker, markersize=2, **look)
        panel.set_title(_shortened(pair))
        panel.tick_params(labelbottom=True)
    for panel in panels[len(pairs) :]:
        panel.axis("off")
    for panel in panels[max(0, len(pairs) - ACROSS) : len(pairs)]:
        panel.set_xlabel(along)
    for panel in panels[::ACROSS]:
        panel.set_ylabel("mean − 1")
    handles = [Line2D([], [], color=COLOURS[k % len(COLOURS)], label=_shortened(run)) for k, run in enumerate(runs)]
    parts = zip(("mean − 1", "marginal", "adaptation"), DASHES, strict=False)
    handles += [Line2D([], [], color="0.3", linestyle=dashes, label=name) for name, dashes in parts]
    figure.legend(handles=handles, loc="outside upper center", ncols=min(len(handles), 5), handlelength=2.8)
    return figure


def _shortened(name: str) -> str:
    """The end of a name, which tells layers apart."""
    return name if len(name) <= LETTERS else "…" + name[1 - LETTERS :]
