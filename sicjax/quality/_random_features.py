"""Features of a fixed random network, for when no trained one is at hand."""

from __future__ import annotations

from collections.abc import Sequence

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from sicjax.quality._samples import Extractor, as_images


def random_features(seed: int = 0, *, channels: int = 3, widths: Sequence[int] = (32, 64, 128)) -> Extractor:
    """A feature extractor of random convolutions; the same for the same arguments on every machine.

    A 3 x 3 convolution of stride 2 with Gaussian weights of variance `2 / inputs` and a leaky ReLU for each width; the
    features are every layer's means over space. They tell apart colours, edges and textures, not what is shown.

    Distances between them are no FID or KID and cannot be compared with published ones, nor across seeds or widths:
    only between sets of images measured with the same extractor.

    Arguments:
        seed: of the weights.
        channels: of the images.
        widths: channels of each layer; there are as many features as their sum, and each layer halves the sides.

    Returns:
        From images `(n, h, w, channels)` in [-1, 1] to features `(n, sum(widths))`.

    Raises:
        ValueError: no layers, or by the extractor other images.

    >>> random_features(0)(np.zeros((2, 32, 32, 3))).shape
    (2, 224)
    """
    if not widths or min(widths) < 1:
        raise ValueError(f"widths must be positive, at least one, got {tuple(widths)}")
    # NumPy's generator, since its numbers are the same in every version.
    rng, kernels = np.random.default_rng(seed), []
    for inputs, outputs in zip((channels, *widths), widths, strict=False):
        taps = rng.normal(size=(3, 3, inputs, outputs)) * np.sqrt(2 / (9 * inputs))
        kernels.append(taps.astype(np.float32))

    def extract(images: Float[np.ndarray | jax.Array, "n h w c"]) -> Float[Array, "n d"]:
        return _pooled(kernels, jnp.asarray(as_images(images, channels=(channels,)), jnp.float32))

    return extract


@jax.jit
def _pooled(kernels: list[Array], x: Float[Array, "n h w c"]) -> Float[Array, "n d"]:
    means = []
    for kernel in kernels:
        x = jax.lax.conv_general_dilated(
            x, kernel, (2, 2), "SAME", dimension_numbers=("NHWC", "HWIO", "NHWC"), precision=jax.lax.Precision.HIGHEST
        )
        x = jax.nn.leaky_relu(x, 0.2)
        means.append(x.mean((1, 2)))
    return jnp.concatenate(means, axis=1)
