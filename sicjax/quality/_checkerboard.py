"""The artifact that transposed convolutions leave: energy at the frequencies of their stride."""

from __future__ import annotations

import jax
import numpy as np
from jaxtyping import Float

from sicjax.quality._samples import as_images, luminance

# A Hann window spreads a line over one bin to either side; neighbours are the bins that lie beyond, up to this far.
_LINE, _FAR = 1, 4


def checkerboard_energy(images: Float[np.ndarray | jax.Array, "n h w c"], *, stride: int = 2) -> float:
    """Power at the frequencies of a stride over that of their neighbours.

        mean of P at (p / stride, q / stride)  /  mean of P at 2 to 4 bins from there,   (p, q) != (0, 0)

    with `P` the mean over images of the power spectrum of the luminance under a Hann window. At stride 2 these are the
    Nyquist frequencies (1/2, 0), (0, 1/2) and (1/2, 1/2).

    Arguments:
        images: with one or three channels, in any range: only ratios of power count. Both sides a multiple of
            `stride`, and at least `10 * stride` pixels for neighbours of their own.
        stride: of the transposed convolution; 4 for the artifacts of two at stride 2.

    Returns:
        No unit: 1 where nothing is special at these frequencies (noise, natural images), above for a checkerboard.

    Raises:
        ValueError: not images, sides that do not fit, or no power at the neighbours.

    Footnote 4 of the paper (distill.pub/2016/deconv-checkerboard).

    >>> noise = np.random.default_rng(0).normal(size=(20, 32, 32, 1))
    >>> board = np.indices((32, 32)).sum(0)[:, :, None] % 2
    >>> checkerboard_energy(noise) < 2, checkerboard_energy(noise + board) > 5
    (True, True)
    """
    if stride < 2:
        raise ValueError(f"stride must be at least 2, got {stride}")
    light = luminance(as_images(images))
    sides = light.shape[1:]
    if any(side % stride or side < 10 * stride for side in sides):
        raise ValueError(
            f"sides must be multiples of the stride {stride} and at least {10 * stride}, got {sides[0]} x {sides[1]}"
        )
    light = light - light.mean((1, 2), keepdims=True)
    window = np.outer(*(np.sin(np.pi * np.arange(side) / side) ** 2 for side in sides))
    power = np.square(np.abs(np.fft.fft2(light * window))).mean(0)
    at, around = _places(sides, stride)
    beside = power[around].mean()
    if not beside > 0:
        raise ValueError("the images have no power at the frequencies beside those of the stride")
    return float(power[at].mean() / beside)


def _places(sides: tuple[int, ...], stride: int) -> tuple[np.ndarray, np.ndarray]:
    """Bins of the frequencies of the stride, and of their neighbours."""
    (down, row), (across, column) = (_nearest(side, stride) for side in sides)
    distance = np.maximum(down[:, None], across)
    origin = (row[:, None] == 0) & (column == 0)
    return (distance == 0) & ~origin, (distance > _LINE) & (distance <= _FAR) & ~origin


def _nearest(side: int, stride: int) -> tuple[np.ndarray, np.ndarray]:
    """How far each bin of an axis is from a multiple of `1 / stride`, and from which."""
    step, bins = side // stride, np.arange(side)
    offset = (bins + step // 2) % step - step // 2
    return np.abs(offset), (bins - offset) // step % stride
