"""One pathway through two layers: its kernels, their spectra on one frequency axis, and their product."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from jaxtyping import Float, Int

from sicjax import sdr
from sicjax.figures._style import COLOURS, PAGE, new, styled

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Frequencies on an axis, or more where kernels are wide.
POINTS = 128
# Of a layer's name above a panel, its last ones.
LETTERS = 18


class Pathway(NamedTuple):
    """What is drawn of a pathway: the mean of the product is its ratio.

    Attributes:
        kernels: of the first and of the second layer.
        spectra: of both, over their means, on one frequency axis with zero in the middle.
        product: of the spectra.
    """

    kernels: tuple[Float[np.ndarray, "*k1"], Float[np.ndarray, "*k2"]]
    spectra: tuple[Float[np.ndarray, "*f"], Float[np.ndarray, "*f"]]
    product: Float[np.ndarray, "*f"]

    @property
    def ratio(self) -> float:
        return float(self.product.mean())


def pathway_parts(pair: sdr.Cascade, i: int, m: int, o: int, *, points: int) -> Pathway:
    """A pathway's kernels, their spectra and the product of these; for the arguments see `pathway`.

    Arguments:
        points: frequencies on an axis, or more where kernels are wide.

    Raises:
        ValueError: three spatial axes, or a kernel that is all zero.
    """
    first, second = (np.asarray(kernel, np.float64) for kernel in pair.aligned())
    kernels = first[..., i, m], second[..., m, o]
    if kernels[0].ndim > 2:
        raise ValueError(f"a pathway of {kernels[0].ndim} spatial axes cannot be drawn, only of one or two")
    if not all(kernel.any() for kernel in kernels):
        raise ValueError(f"the pathway {(i, m, o)} has a kernel that is all zero: its ratio is undefined")
    readings = _readings(pair)
    lags = readings[0].reach(kernels[0]) + readings[1].reach(kernels[1])
    on = np.maximum(points, lags + 1)  # fewer would alias
    spectra = readings[0].power(kernels[0], on), readings[1].power(kernels[1], on)
    return Pathway(kernels, spectra, spectra[0] * spectra[1])


@styled
def pathway(pair: sdr.Cascade, i: int, m: int, o: int, *, names: tuple[str, str] = ("first", "second")) -> Figure:
    """Above the two kernels, below their spectra over their means, and the product, whose mean is the ratio.

    The frequencies are those of the finer side. Along an axis on which the second layer upsamples, the first one's
    spectrum is read at the stride times the frequency, folded before where it also downsamples; where it only
    downsamples, the second one's is read so.

    Arguments:
        pair: two layers of one or two spatial axes.
        i: input channel, counted as in `sdr.ratios`; with `m` and `o` for example of `sdr.extremes`.
        m: intermediate channel.
        o: output channel.
        names: of the layers.

    Raises:
        InputError: matplotlib is not installed.
        ValueError: three spatial axes, or a kernel that is all zero.
    """
    parts = pathway_parts(pair, i, m, o, points=POINTS)
    kernels, spectra, product = parts.kernels, parts.spectra, parts.product
    shown = [name if len(name) <= LETTERS else "…" + name[1 - LETTERS :] for name in names]
    figure = new(PAGE * 0.75, 3.2)
    panels = figure.subplots(2, 3)
    numbers = ((i, m), (m, o))
    for panel, kernel, name, number in zip(panels[0], kernels, shown, numbers, strict=False):
        _draw_kernel(panel, kernel)
        panel.set_title(f"{name} {list(number)}")
    panels[0, 2].set_axis_off()
    said = [
        pair.direction,
        *(f"{name} {value}" for name, value in _settings(pair)),
        f"ratio {product.mean():.3f},",
        "the mean of the product",
    ]
    panels[0, 2].text(0, 0.5, "\n".join(said), va="center", transform=panels[0, 2].transAxes, in_layout=False)
    titles = [f"spectrum of {name}{reading.said()}" for name, reading in zip(shown, _readings(pair), strict=True)]
    for panel, power, title in zip(panels[1], [*spectra, product], [*titles, "product"], strict=True):
        _draw_spectrum(panel, power)
        panel.set_title(title)
    return figure


class _Reading(NamedTuple):
    """How a kernel's spectrum is read, one number an axis: decimated, which folds it, and then at so many times `f`."""

    dilation: tuple[int, ...]
    fold: tuple[int, ...]
    stretch: tuple[int, ...]

    def reach(self, kernel: np.ndarray) -> np.ndarray:
        """The largest lag along each axis."""
        dilation, fold, stretch = map(np.array, self)
        return (np.array(kernel.shape) - 1) * dilation // fold * stretch

    def power(self, kernel: Float[np.ndarray, "*k"], points: Int[np.ndarray, " axes"]) -> Float[np.ndarray, "*f"]:
        """The power spectrum over its mean, frequency zero in the middle."""
        spread = np.zeros([(k - 1) * d + 1 for k, d in zip(kernel.shape, self.dilation, strict=True)])
        spread[tuple(slice(None, None, d) for d in self.dilation)] = kernel / np.abs(kernel).max()
        before = [n * f for n, f in zip(points, self.fold, strict=True)]
        power = np.abs(np.fft.fftn(spread, before, axes=range(spread.ndim))) ** 2
        for axis, (n, fold, stretch) in enumerate(zip(points, self.fold, self.stretch, strict=True)):
            power = power.reshape(*power.shape[:axis], fold, n, *power.shape[axis + 1 :]).mean(axis)
            power = power.take(stretch * np.arange(n) % n, axis)
        return np.fft.fftshift(power / power.mean())

    def said(self) -> str:
        """In words, on a line of its own."""
        by = lambda factors: " x ".join(map(str, factors if len(set(factors)) > 1 else factors[:1]))
        folded = [f"folded by {by(self.fold)}"] * (max(self.fold) > 1)
        return "\n" + ", ".join([*folded, *[f"at {by(self.stretch)} $f$"] * (max(self.stretch) > 1)])


def _readings(pair: sdr.Cascade) -> tuple[_Reading, _Reading]:
    """Of the first kernel and of the second one, by axis."""
    axes = [
        # The first layer's side is the finer one, or the second's.
        ((1, 1), (1, down)) if up == 1 else ((down, up), (1, 1))
        for down, up in zip(pair.down, pair.up, strict=True)
    ]
    first, second = zip(*axes, strict=True)
    return (
        _Reading(pair.first_dilation, *zip(*first, strict=True)),
        _Reading(pair.second_dilation, *zip(*second, strict=True)),
    )


def _settings(pair: sdr.Cascade) -> list[tuple[str, str]]:
    named = {"down": pair.down, "up": pair.up, "dilations": (*pair.first_dilation, *pair.second_dilation)}
    return [(name, " x ".join(map(str, value))) for name, value in named.items() if max(value) > 1]


def _draw_kernel(panel: Axes, kernel: Float[np.ndarray, "*k"]) -> None:
    limit = np.abs(kernel).max()
    if kernel.ndim == 1:
        panel.axhline(0, color="0.8", linewidth=0.6)
        panel.plot(kernel, ".-", color=COLOURS[0])
        panel.set_xlabel("tap")
        return
    shown = panel.imshow(kernel, cmap="RdBu_r", vmin=-limit, vmax=limit)
    panel.set_xticks([])
    panel.set_yticks([])
    panel.spines[:].set_visible(False)
    panel.figure.colorbar(shown, ax=panel, shrink=0.7, pad=0.02).ax.tick_params(labelsize=5)


def _draw_spectrum(panel: Axes, power: Float[np.ndarray, "*f"]) -> None:
    panel.set_xlabel("cycles per pixel" if power.ndim == 2 else "cycles per sample")
    panel.set_xticks([-0.5, 0, 0.5])
    if power.ndim == 1:
        panel.axhline(1, color="0.8", linewidth=0.6)
        panel.plot((np.arange(len(power)) - len(power) // 2) / len(power), power, color=COLOURS[0])
        return
    shown = panel.imshow(power, cmap="cividis", vmin=0, vmax=np.quantile(power, 0.995), extent=(-0.5, 0.5, -0.5, 0.5))
    panel.set_yticks([-0.5, 0, 0.5])
    panel.figure.colorbar(shown, ax=panel, shrink=0.7, pad=0.02).ax.tick_params(labelsize=5)
