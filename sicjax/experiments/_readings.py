"""What the paper's formula can be read to say, computed at its word: does any reading give its Fig. 5?

The text, equation 4 and the figure swap names, its Fourier transforms may have been taken with few points, and section
2.3 has two ratios. Every reading multiplies power spectra on one grid; the same with the taps of every kernel shuffled
tells whether what it shows is in the kernels at all.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import Literal, NamedTuple

import numpy as np
from jaxtyping import Float

from sicjax import networks, sdr
from sicjax.experiments._measured import mode

# Channels on each axis that are looked at: up to 32,768 pathways a level.
SAMPLED = 32
# Enough that nothing aliases, for kernels up to 8 x 8 at stride 2.
PADDED = 32


class Reading(NamedTuple):
    """One way to read the formula.

    Attributes:
        name: in words.
        stretched: which of the kernels' frequencies are multiplied by the stride.
        points: of the Fourier transform along an axis; 0 for as many as the larger kernel has.
        input: power of what enters the first layer: `white`, as the paper assumes, or that of natural images, `1/f^2`.
        power: of the spectra: 2, or 1 for amplitudes.
        extractive: what is different for layers that downsample: nothing; `energy` for the energy that one pixel leaves
            at the output, of which decimation keeps a part, over the kernels' energies; `inverse` for the ratio of the
            anticausal direction of section 2.3, that of the inverse of the second filter.
    """

    name: str
    stretched: Literal["coarse", "fine", "none"] = "coarse"
    points: int = PADDED
    input: Literal["white", "image"] = "white"
    power: int = 2
    extractive: Literal["same", "energy", "inverse"] = "same"


READINGS = (
    Reading("coarse kernel stretched (exact; Fig. 3a)"),
    Reading("fine kernel stretched (the letters of equation 4)", "fine"),
    Reading("no kernel stretched", "none"),
    Reading("coarse stretched, unpadded transform", points=0),
    Reading("fine stretched, unpadded transform", "fine", 0),
    Reading("none stretched, unpadded transform", "none", 0),
    Reading("coarse stretched, amplitudes for powers", power=1),
    Reading("coarse stretched, input with the spectrum of images", input="image"),
    Reading("fine stretched, input with the spectrum of images", "fine", input="image"),
    Reading("energy of one pixel, decimation in the encoder a loss", extractive="energy"),
    Reading("encoder by the anticausal ratio of section 2.3", extractive="inverse"),
)


def read(path: Path) -> dict[str, dict[str, list[dict[str, float]]]]:
    """For every reading and network of a run or weights file the numbers of each level, the finest first."""
    net = networks.from_file(path)
    found: dict[str, dict[str, list[dict[str, float]]]] = {reading.name: {} for reading in READINGS}
    for name in dict.fromkeys(pair.network for pair in net.pairs if pair.network != "average"):
        cascades = [pair.cascade for pair in net.pairs if pair.network == name]
        if "generative" in [cascade.direction for cascade in cascades]:
            cascades = cascades[::-1]
        for reading in READINGS:
            found[reading.name][name] = [_numbers(cascade, reading) for cascade in cascades]
    return found


def ratios(pair: sdr.Cascade, reading: Reading, shuffle: bool = False) -> Float[np.ndarray, "i m o"]:
    """The ratios of a sample of pathways under a reading; NaN where a kernel has no energy."""
    first, second = (np.asarray(kernel, np.float64) for kernel in pair.aligned())
    if first.ndim != 4:
        raise ValueError(f"readings are of two-dimensional kernels, got {first.shape}")
    i, m, o = (np.unique(np.linspace(0, n - 1, SAMPLED).round().astype(int)) for n in pair.shape)
    first, second = first[:, :, i][..., m], second[:, :, m][..., o]
    if shuffle:
        rng = np.random.default_rng(0)
        first, second = (_shuffled(kernel, rng) for kernel in (first, second))
    points = reading.points or max(*first.shape[:2], *second.shape[:2])
    stride = max(*pair.up, *pair.down)
    # Of a generative pair the first layer is the coarse one, of an extractive pair the second.
    extractive = pair.direction == "extractive"
    of_first = (reading.stretched == "coarse") != extractive
    stretch = (1, 1) if reading.stretched == "none" else (stride, 1) if of_first else (1, stride)
    a, b = (
        _power(kernel, points, factor, reading.power) for kernel, factor in zip((first, second), stretch, strict=True)
    )
    if reading.input == "image":
        a = a * _of_images(points)[:, None, None]
    with np.errstate(invalid="ignore", divide="ignore"):
        a, b = a / a.mean(0), b / b.mean(0)
        rho = np.einsum("fim,fmo->imo", a, b) / len(a)
        if extractive and reading.extractive == "energy":
            return rho / math.prod(pair.down)
        if extractive and reading.extractive == "inverse":
            # <S_x> / (<S_y> <S_x / S_y>), with S_x and the kernel's power scaled to mean 1.
            return 1 / (rho * (1 / b).mean(0))
        return rho


def _shuffled(kernel: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    return rng.permuted(kernel.reshape(-1, *kernel.shape[2:]), axis=0).reshape(kernel.shape)


def _power(kernel: np.ndarray, points: int, stretch: int, power: int) -> Float[np.ndarray, "f x y"]:
    """The power spectrum at `stretch` times each frequency of the grid, which is periodic."""
    spectrum = np.abs(np.fft.fft2(kernel, (points, points), axes=(0, 1))) ** power
    places = np.arange(points) * stretch % points
    return spectrum[places][:, places].reshape(points**2, *kernel.shape[2:])


def _of_images(points: int) -> Float[np.ndarray, " f"]:
    """1/f^2, flat below the lowest frequency of an image of 64 pixels."""
    f = np.fft.fftfreq(points)
    return (1 / np.maximum(f[:, None] ** 2 + f**2, 64.0**-2)).ravel()


def _numbers(pair: sdr.Cascade, reading: Reading) -> dict[str, float]:
    found = {}
    for prefix, shuffle in (("", False), ("null_", True)):
        rho = ratios(pair, reading, shuffle)
        given = rho[np.isfinite(rho)]
        top = max(4.0, float(given.max(initial=0)) * 1.001)
        counts, edges = np.histogram(given, np.linspace(0, top, 4001))
        found[f"{prefix}mode"] = mode(sdr.Histogram(counts, edges, 0, 0, rho.size - given.size))
        found[f"{prefix}median"] = float(np.median(given))
        found[f"{prefix}mean"] = float(given.mean())
    return found
