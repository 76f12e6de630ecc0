"""The leading pairs of spectra that meet between two layers, and the channels that carry them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float

from sicjax import sdr
from sicjax.figures._style import COLOURS, PAGE, new, styled

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

POINTS = 65
# Channels that are named in a panel, and the height of a row of panels in inches.
NAMED, HIGH = 4, 1.7


@styled
def coupling(pair: sdr.Cascade, k: int = 3, *, names: tuple[str, str] = ("first", "second")) -> Figure:
    """A row for each of the `k` leading pairs of `sdr.coinertia`: two spectra, and each channel's share of them.

    A spectrum is what a channel with more of its direction passes more of (red) and less of (blue) than the average
    channel, at the resolution between the two layers, zero frequency in the middle. On the right are all intermediate
    channels; where the points lie along a rising line the two spectra meet.

    Arguments:
        pair: two layers of one or two spatial axes.
        k: pairs to draw, at most one a lag.
        names: of the layers.

    Raises:
        InputError: matplotlib is not installed.
        ValueError: three spatial axes, or no shared lag.
    """
    axes = pair.first.ndim - 2
    if axes > 2:
        raise ValueError(f"spectra of {axes} spatial axes cannot be drawn, only of one or two")
    if pair.structural:
        raise ValueError("the two kernels share no lag, so nothing can be coupled")
    found = sdr.coinertia(pair, k)
    spectra = coupled_spectra(pair, found, points=POINTS)
    figure = new(PAGE * 0.75, HIGH * found.share.size)
    for row, share in zip(figure.subplots(found.share.size, 3, squeeze=False), found.share, strict=True):
        n = row[0].get_subplotspec().rowspan.start
        for panel, spectrum, name in zip(row, spectra[n], names, strict=False):
            _draw(panel, spectrum)
            panel.set_title(f"{name}: {share:.0%} of the coupling" if panel is row[0] else name)
        _scatter(row[2], np.asarray(found.first_scores)[:, n], np.asarray(found.second_scores)[:, n])
    return figure


def coupled_spectra(
    pair: sdr.Cascade, found: sdr.Coinertia, *, points: int
) -> list[tuple[Float[np.ndarray, "*f"], Float[np.ndarray, "*f"]]]:
    """The two spectra of each pair of `sdr.coinertia`, as deviations from the average channel's.

    Arguments:
        pair: two layers.
        found: of these layers.
        points: frequencies on an axis, from -0.5 to 0.5 cycles per pixel between the two layers.
    """
    lags = np.array([lag for lag, _ in pair.lags]) * pair.first_dilation / pair.down
    wave = _waves(lags, points)
    sides = [np.asarray(side) for side in (found.first, found.second)]
    return [
        (np.tensordot(wave, sides[0][:, n], 1), np.tensordot(wave, sides[1][:, n], 1)) for n in range(found.share.size)
    ]


def _waves(lags: Float[np.ndarray, "n axes"], points: int) -> Float[np.ndarray, "*f n"]:
    """What one unit of each lag feature adds to a spectrum, twice for a lag and its opposite."""
    frequency = np.linspace(-0.5, 0.5, points)
    grid = np.stack(np.meshgrid(*[frequency] * lags.shape[1], indexing="ij"), -1)
    return 2 * np.cos(2 * np.pi * grid @ lags.T)


def _draw(panel: Axes, spectrum: Float[np.ndarray, "*f"]) -> None:
    panel.set_xlabel("cycles per pixel" if spectrum.ndim == 2 else "cycles per sample")
    panel.set_xticks([-0.5, 0, 0.5])
    if spectrum.ndim == 1:
        panel.axhline(0, color="0.8", linewidth=0.6)
        panel.plot(np.linspace(-0.5, 0.5, len(spectrum)), spectrum, color=COLOURS[0])
        return
    limit = np.abs(spectrum).max()
    panel.imshow(spectrum, cmap="RdBu_r", vmin=-limit, vmax=limit, extent=(-0.5, 0.5, -0.5, 0.5))
    panel.set_yticks([-0.5, 0, 0.5])


def _scatter(panel: Axes, first: Float[np.ndarray, " m"], second: Float[np.ndarray, " m"]) -> None:
    for value in (panel.axhline, panel.axvline):
        value(0, color="0.8", linewidth=0.6)
    panel.scatter(first, second, s=4, color=COLOURS[0], linewidths=0)
    for channel in np.argsort(-np.abs(first * second))[:NAMED]:
        panel.annotate(str(channel), (first[channel], second[channel]), fontsize=5)
    panel.set_xlabel("channel on the first side")
    panel.set_ylabel("on the second")
