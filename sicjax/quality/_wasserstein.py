"""The sliced Wasserstein distance, and patches of images for it."""

from __future__ import annotations

from typing import Literal

import jax
import numpy as np
from jaxtyping import Float

from sicjax.quality._samples import Extractor, Samples, as_images, as_pair


def sliced_wasserstein(
    a: Samples,
    b: Samples,
    *,
    features: Extractor | None = None,
    batch: int = 256,
    projections: int = 256,
    order: Literal[1, 2] = 2,
    seed: int = 0,
) -> float:
    """Wasserstein distance along random directions, averaged.

        ( mean_u  W_p( <a, u>, <b, u> )^p )^1/p,   u uniform on the unit sphere

    Each one-dimensional distance is exact, also for sets of different sizes.

    Arguments:
        a, b: images, `patches` of images, or features: `(n, ...)`, flattened.
        features: from a batch of samples to their features.
        batch: samples given to `features` at once.
        projections: how many directions.
        order: `p`, 1 or 2.
        seed: of the directions: the same for the same seed and number of features.

    Returns:
        The distance along one direction, in the units of the values: a shift of all of the `d` values by `s` gives
        about `s`, whatever `d` is.

    Raises:
        ValueError: no samples, features of different sizes, values that are not finite, another order.

    >>> x = np.random.default_rng(0).normal(size=(50, 3))
    >>> sliced_wasserstein(x, x), 0.5 < sliced_wasserstein(x, x + 1) < 1.5
    (0.0, True)
    """
    if order not in (1, 2):
        raise ValueError(f"order must be 1 or 2, got {order!r}")
    if projections < 1:
        raise ValueError(f"projections must be at least 1, got {projections}")
    x, y = as_pair(a, b, features=features, batch=batch)
    directions = np.random.default_rng(seed).normal(size=(x.shape[1], projections))
    directions /= np.linalg.norm(directions, axis=0)
    x, y = np.sort(x @ directions, axis=0), np.sort(y @ directions, axis=0)
    # The quantile functions are steps: constant between neighbours among the multiples of 1/n and of 1/m.
    n, m = len(x), len(y)
    ends = np.union1d(np.arange(1, n + 1) * m, np.arange(1, m + 1) * n)
    weights = np.diff(ends, prepend=0) / (n * m)
    apart = np.abs(x[(ends - 1) // m] - y[(ends - 1) // n]) ** order
    return float((weights @ apart).mean() ** (1 / order))


def patches(
    images: Float[np.ndarray | jax.Array, "n h w c"], *, size: int = 7, per_image: int = 16, seed: int = 0
) -> Float[np.ndarray, "n_per_image size size c"]:
    """Square patches at random places of every image, for a distance that asks for texture alone.

    Arguments:
        images: in any range.
        size: of a side, in pixels.
        per_image: patches of each image.
        seed: of the places.

    Raises:
        ValueError: not images, or patches larger than they are.

    >>> patches(np.zeros((2, 8, 8, 3)), size=5, per_image=4).shape
    (8, 5, 5, 3)
    """
    images = as_images(images)
    n, height, width, _ = images.shape
    if not 1 <= size <= min(height, width):
        raise ValueError(f"patches of {size} x {size} do not fit in images of {height} x {width}")
    rng = np.random.default_rng(seed)
    top = rng.integers(0, height - size + 1, size=(n, per_image, 1, 1))
    left = rng.integers(0, width - size + 1, size=(n, per_image, 1, 1))
    along = np.arange(size)
    found = images[np.arange(n)[:, None, None, None], top + along[:, None], left + along]
    return found.reshape(n * per_image, size, size, -1)
