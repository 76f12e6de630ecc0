"""What the paper looks at when filters are removed: colour and edges (section 4.2)."""

from __future__ import annotations

from typing import Literal

import jax
import numpy as np
from jaxtyping import Float

from sicjax.quality._samples import as_images, luminance

# The largest that blue and red may differ from the luminance, per unit of the images: chroma is in their range.
_BLUE, _RED = 1.772, 1.402


def chroma_variance(
    images: Float[np.ndarray | jax.Array, "n h w 3"], *, about: Literal["mean", "grey"] = "mean"
) -> Float[np.ndarray, " n"]:
    """Variance of the colour of each image's pixels, brightness aside.

        var(Cb) + var(Cr),   Cb = (B - Y) / 1.772,   Cr = (R - Y) / 1.402,   Y = 0.299 R + 0.587 G + 0.114 B

    Arguments:
        images: RGB in [-1, 1].
        about: `mean` for the variance around the image's own mean colour: how much colour tells its regions apart;
            `grey` for the mean square instead: how far from grey, which a tint of the whole image adds to.

    Returns:
        `(n,)`, in squared units of the images, from 0 for a grey image to about 1.

    Raises:
        ValueError: not RGB images, or another `about`.

    >>> red, grey = np.array([1.0, -1, -1]), np.zeros(3)
    >>> chroma_variance(np.stack([[[red, grey]], [[grey, grey]]])).round(3).tolist()
    [0.278, 0.0]
    """
    if about not in ("mean", "grey"):
        raise ValueError(f"about must be 'mean' or 'grey', got {about!r}")
    images = as_images(images, channels=(3,))
    light = luminance(images)
    blue, red = (images[..., 2] - light) / _BLUE, (images[..., 0] - light) / _RED
    spread = (lambda c: c.var((1, 2))) if about == "mean" else (lambda c: np.square(c).mean((1, 2)))
    return spread(blue) + spread(red)


def edge_energy(images: Float[np.ndarray | jax.Array, "n h w c"]) -> Float[np.ndarray, " n"]:
    """Mean squared difference of the luminance of neighbouring pixels, down plus across.

        mean (Y[k + 1, l] - Y[k, l])^2 + mean (Y[k, l + 1] - Y[k, l])^2

    Arguments:
        images: in [-1, 1], with one or three channels, at least 2 x 2 pixels.

    Returns:
        `(n,)`, in squared units of the images per squared pixel: 0 for a uniform image; blur lowers it, texture, noise
        and artifacts raise it.

    Raises:
        ValueError: not images, or too small.

    >>> edge_energy(np.array([0.0, 0.5, 0.0, 0.5] * 2).reshape(1, 2, 4, 1)).tolist()
    [0.25]
    """
    light = luminance(as_images(images))
    if min(light.shape[1:]) < 2:
        raise ValueError(f"images must have at least 2 x 2 pixels, got {light.shape[1]} x {light.shape[2]}")
    down, across = (np.square(np.diff(light, axis=axis)).mean((1, 2)) for axis in (1, 2))
    return down + across
