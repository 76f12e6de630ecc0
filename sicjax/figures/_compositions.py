"""Many kernels of two successive layers, and the one pathway that a ratio is of: the paper's Fig. 3c."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from sicjax.figures._style import PAGE, new, styled

if TYPE_CHECKING:
    from matplotlib.figure import Figure

# Channels drawn of each layer, and which of them the pathway goes through, from the top.
DRAWN, AT = 5, (1, 2, 3)
COLOURS = ("tab:blue", "tab:green", "tab:red")


@styled
def compositions(coarse: np.ndarray, fine: np.ndarray, channels: tuple[int, int, int]) -> Figure:
    """Channels of three layers with every kernel between them as a line, the pathway's two kernels drawn.

    Arguments:
        coarse: kernel from the input channel to the intermediate one, `(k, k)`.
        fine: kernel from there to the output channel.
        channels: their numbers.

    Raises:
        InputError: matplotlib is not installed.
    """
    figure = new(PAGE * 0.6, 2.6)
    panel = figure.subplots()
    heights = np.linspace(1, 0, DRAWN)
    for x in (0, 1):
        for a in heights:
            for b in heights:
                panel.plot([x, x + 1], [a, b], color="0.85", linewidth=0.5, zorder=1)
    places = [heights[k] for k in AT]
    for x in (0, 1):
        panel.plot([x, x + 1], places[x : x + 2], color="0.2", linewidth=1.5, zorder=2)
    names = ("input channel", "intermediate channel", "output channel")
    for x, (place, colour, name, channel) in enumerate(zip(places, COLOURS, names, channels, strict=True)):
        panel.scatter([x] * DRAWN, heights, s=60, color="white", edgecolor="0.6", zorder=3)
        panel.scatter([x], [place], s=80, color=colour, zorder=4)
        panel.text(x, 1.14, f"{name} {channel}", color=colour, ha="center", va="bottom")
        panel.text(x, -0.16, "⋮", ha="center", va="center", color="0.5")
    limit = max(np.abs(coarse).max(), np.abs(fine).max())
    for x, (kernel, name) in enumerate(((coarse, "$h$"), (fine, "$g$"))):
        middle = (places[x] + places[x + 1]) / 2
        inset = panel.inset_axes((x + 0.37, middle - 0.17, 0.26, 0.34), transform=panel.transData, zorder=5)
        inset.imshow(kernel, cmap="RdBu_r", vmin=-limit, vmax=limit, aspect="auto")
        inset.set_xticks([])
        inset.set_yticks([])
        panel.text(x + 0.5, middle + 0.2, name, ha="center", va="bottom", zorder=6)
    panel.set_xlim(-0.35, 2.35)
    panel.set_ylim(-0.25, 1.3)
    panel.axis("off")
    return figure
