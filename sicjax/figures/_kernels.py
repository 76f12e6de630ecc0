"""Two successive kernels and their spectra: the paper's Fig. 3a."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from sicjax.figures._style import PAGE, new, styled

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


class Composition(NamedTuple):
    """A pathway, with kernels at the resolution of the finer layer.

    Attributes:
        coarse: kernel of the upper layer, `(k, k)`.
        fine: kernel of the lower layer, `(k, k)`.
        composed: the coarse one stretched by the stride and convolved with the fine one.
        coarse_power: squared magnitude of the coarse kernel's transform at the stride times the frequency, zero in the
            middle.
        fine_power: of the fine kernel's.
        ratio: the spectral dependency ratio.
        names: of the coarse and the fine layer.
    """

    coarse: np.ndarray
    fine: np.ndarray
    composed: np.ndarray
    coarse_power: np.ndarray
    fine_power: np.ndarray
    ratio: float
    names: tuple[str, str]


@styled
def kernels(composition: Composition) -> Figure:
    """Above the kernels, below their spectra and the product, each over its mean, and the ratio: mean of the product.

    Raises:
        InputError: matplotlib is not installed.
    """
    c = composition
    figure = new(PAGE * 0.75, 3.2)
    panels = figure.subplots(2, 3)
    largest = max(np.abs(c.coarse).max(), np.abs(c.fine).max())
    titles = (f"coarse kernel $h$\n{c.names[0]}", f"fine kernel $g$\n{c.names[1]}", "composed\n$g * h^{\\uparrow s}$")
    for panel, kernel, title in zip(panels[0], (c.coarse, c.fine, c.composed), titles, strict=True):
        limit = largest if kernel is not c.composed else np.abs(kernel).max()
        shown = panel.imshow(kernel, cmap="RdBu_r", vmin=-limit, vmax=limit)
        panel.set_title(title)
        _bare(panel)
        figure.colorbar(shown, ax=panel, shrink=0.7, pad=0.02).ax.tick_params(labelsize=5)
    powers = [power / power.mean() for power in (c.coarse_power, c.fine_power)]
    powers.append(powers[0] * powers[1])
    titles = (
        r"$|\hat h(su, sv)|^2$: fast ripple",
        r"$|\hat g(u, v)|^2$: slow",
        rf"product: mean $\rho$ = {c.ratio:.2f}",
    )
    for panel, power, title in zip(panels[1], powers, titles, strict=True):
        shown = panel.imshow(
            power, cmap="cividis", vmin=0, vmax=np.quantile(power, 0.995), extent=(-0.5, 0.5, -0.5, 0.5)
        )
        panel.set_title(title)
        panel.set_xlabel("cycles per pixel")
        panel.set_xticks([-0.5, 0, 0.5])
        panel.set_yticks([-0.5, 0, 0.5])
        figure.colorbar(shown, ax=panel, shrink=0.7, pad=0.02).ax.tick_params(labelsize=5)
    return figure


def _bare(panel: Axes) -> None:
    panel.set_xticks([])
    panel.set_yticks([])
    panel.spines[:].set_visible(False)
