"""Ratios in the causal and the anticausal direction: the paper's Fig. 3b."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float

from sicjax.figures._style import COLOURS, DASHES, PAGE, new, styled

if TYPE_CHECKING:
    from matplotlib.figure import Figure

DIRECTIONS = ("cause → effect", "effect → cause")


@styled
def directions(ratios: Mapping[str, tuple[Float[np.ndarray, " n"], Float[np.ndarray, " n"]]]) -> Figure:
    """One panel for each kind of system: the distribution of the ratio of cause to effect and of effect to cause.

    Arguments:
        ratios: by kind of system, of `n` systems the causal and the anticausal ratio.

    Raises:
        InputError: matplotlib is not installed.
    """
    figure = new(PAGE, 2.3)
    panels = figure.subplots(1, len(ratios), squeeze=False)[0]
    for panel, (name, both) in zip(panels, ratios.items(), strict=True):
        edges = np.linspace(0, 2.5, 51 if len(both[0]) > 2000 else 26)
        for k, (values, label) in enumerate(zip(both, DIRECTIONS, strict=True)):
            density = np.histogram(values, edges)[0] / (len(values) * np.diff(edges))
            x, y = np.repeat(edges, 2), np.concatenate([[0], np.repeat(density, 2), [0]])
            panel.fill_between(x, y, color=COLOURS[k], alpha=0.16, linewidth=0)
            panel.plot(x, y, color=COLOURS[k], linestyle=DASHES[k], label=label)
        panel.axvline(1, color="0.55", linewidth=0.7, zorder=0)
        medians = " and ".join(f"{np.median(values):.2f}" for values in both)
        panel.set_title(f"{name}, n = {len(both[0]):,}\nmedians {medians}")
        panel.set_xlabel("spectral dependency ratio")
        panel.set_xlim(edges[0], edges[-1])
        panel.set_ylim(bottom=0)
    panels[0].set_ylabel("density of systems")
    # Above the panels, in none of which it would have a place free of lines.
    figure.legend(*panels[0].get_legend_handles_labels(), loc="outside upper center", ncols=2, handlelength=2.8)
    return figure
