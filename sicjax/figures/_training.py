"""Ratios and their parts along training: the paper's Fig. 12."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from sicjax.figures._style import COLOURS, DASHES, PAGE, new, styled

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


class Track(NamedTuple):
    """Numbers along the runs of one kind: for every seed `steps` and, by name, a number at each."""

    label: str
    seeds: Sequence[Mapping[str, Sequence[float]]]


@styled
def training(
    levels: Sequence[Sequence[Track]],
    quality: Sequence[Track],
    *,
    number: str = "sliced_wasserstein",
    called: str = "sliced Wasserstein distance",
) -> Figure:
    """One column a level, from the finest: above the ratios, below adaptation; in the last column the images.

    Lines are means over seeds, thin lines the seeds, the shade above holds nine tenths of the ratios.

    Arguments:
        levels: for each level the runs, with `mean`, `low`, `high` and `adaptation`.
        quality: the runs with a number of their images.
        number: its name there.
        called: its name in the figure.

    Raises:
        InputError: matplotlib is not installed.
    """
    figure = new(PAGE, 3.4)
    panels = figure.subplots(2, len(levels) + 1, squeeze=False, sharex=True)
    for k, (tracks, above, below) in enumerate(zip(levels, *panels[:, :-1], strict=True)):
        for each, track in enumerate(tracks):
            _line(above, track, "mean", each, band=True)
            _line(below, track, "adaptation", each)
        above.set_title("finest level" if k == 0 else "coarsest level" if k == len(levels) - 1 else f"level {k + 1}")
        above.axhline(1, color="0.55", linewidth=0.7, zorder=0)
        below.axhline(0, color="0.55", linewidth=0.7, zorder=0)
        below.set_xlabel("training step")
    panels[0, 0].set_ylabel("spectral dependency ratio:\nmean, 5 to 95 %")
    panels[1, 0].set_ylabel("adaptation")
    for k, track in enumerate(quality):
        _line(panels[0, -1], track, number, k)
    panels[0, -1].set_title("images")
    panels[0, -1].set_ylabel(called)
    panels[0, -1].set_xlabel("training step")
    panels[0, -1].tick_params(labelbottom=True)
    handles, labels = panels[0, 0].get_legend_handles_labels()
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    several = any(len(track.seeds) > 1 for tracks in levels for track in tracks)
    explained = [Line2D([], [], color="0.3", linewidth=0.35, label="thin: single seeds")] * several
    explained = [*explained, Patch(color="0.3", alpha=0.12, linewidth=0, label="shaded: 5 to 95 % of ratios")]
    handles, labels = [*handles, *explained], [*labels, *(str(each.get_label()) for each in explained)]
    panels[1, -1].axis("off")
    panels[1, -1].legend(handles, labels, loc="center", handlelength=2.6)
    return figure


def _line(panel: Axes, track: Track, name: str, k: int, *, band: bool = False) -> None:
    look = {"color": COLOURS[k % len(COLOURS)], "linestyle": DASHES[k % len(DASHES)]}
    steps = track.seeds[0]["steps"]
    values = np.array([seed[name] for seed in track.seeds], float)
    count = len(values)
    panel.plot(steps, values.mean(0), label=f"{track.label}, {count} seed{'s' if count > 1 else ''}", **look)
    for one in values if count > 1 else ():
        panel.plot(steps, one, color=look["color"], linewidth=0.35, alpha=0.6)
    if band:
        low, high = (np.mean([seed[end] for seed in track.seeds], axis=0) for end in ("low", "high"))
        panel.fill_between(steps, low, high, color=look["color"], alpha=0.12, linewidth=0)
