"""The Fréchet distance of two sets of features, each taken as a Gaussian."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from sicjax.quality._samples import Extractor, Samples, as_pair


def frechet_distance(a: Samples, b: Samples, *, features: Extractor | None = None, batch: int = 256) -> float:
    """Squared Fréchet (Wasserstein-2) distance of two Gaussians with the means and covariances of the two sets.

        |mu_a - mu_b|^2 + tr( S_a + S_b - 2 (S_a^1/2 S_b S_a^1/2)^1/2 )

    With the features of `inception` at 10,000 images or more it is the FID of Heusel et al. (2017). It is biased
    upwards at few samples, the more the more features: compare equal numbers only.

    Arguments:
        a, b: features `(n, d)`, or samples `(n, ...)`, images say, with `features`; at least two of each.
        features: from a batch of samples to their features; without it samples are flattened.
        batch: samples given to `features` at once.

    Returns:
        The squared distance, in the squared units of the features; at least 0.

    Raises:
        ValueError: too few samples, features of different sizes, or values that are not finite.

    >>> x = np.random.default_rng(0).normal(size=(100, 3))
    >>> round(frechet_distance(x, x + 2), 6)
    12.0
    """
    x, y = _pair(a, b, features, batch)
    if max(len(x), len(y)) <= x.shape[1]:
        return _of_few(x, y)
    moments = [(x.mean(0), np.cov(x, rowvar=False).reshape(x.shape[1], -1)) for x in (x, y)]
    return frechet_distance_of_moments(*moments[0], *moments[1])


def frechet_distance_of_moments(
    mean_a: Float[np.ndarray, " d"],
    covariance_a: Float[np.ndarray, "d d"],
    mean_b: Float[np.ndarray, " d"],
    covariance_b: Float[np.ndarray, "d d"],
) -> float:
    """The same from means and covariances, such as the `mu` and `sigma` of published FID statistics.

    Raises:
        ValueError: shapes that do not fit.

    >>> frechet_distance_of_moments(np.zeros(2), np.eye(2), np.ones(2), 4 * np.eye(2))
    4.0
    """
    mean_a, covariance_a, mean_b, covariance_b = (
        np.asarray(x, np.float64) for x in (mean_a, covariance_a, mean_b, covariance_b)
    )
    d = mean_a.size
    if [x.shape for x in (mean_a, covariance_a, mean_b, covariance_b)] != [(d,), (d, d)] * 2:
        shapes = f"{mean_a.shape}, {covariance_a.shape}, {mean_b.shape} and {covariance_b.shape}"
        raise ValueError(f"expected means (d,) and covariances (d, d), got {shapes}")
    # The root of the symmetric product has the same trace as that of S_a S_b, and no imaginary part.
    root = _root(covariance_a)
    product = root @ covariance_b @ root
    values = np.linalg.eigvalsh((product + product.T) / 2)
    both = np.sqrt(np.clip(values, 0, None)).sum()
    distance = np.square(mean_a - mean_b).sum() + np.trace(covariance_a) + np.trace(covariance_b) - 2 * both
    return max(float(distance), 0.0)


def _of_few(x: Float[np.ndarray, "n d"], y: Float[np.ndarray, "m d"]) -> float:
    """The same of fewer samples than features, without a matrix of features by features.

    With `A = x / sqrt(n - 1)`, centred, `S_a = A' A`: the trace of the root is the sum of `A B'`'s singular values.
    """
    apart = np.square(x.mean(0) - y.mean(0)).sum()
    a, b = ((z - z.mean(0)) / np.sqrt(len(z) - 1) for z in (x, y))
    both = np.linalg.svd(a @ b.T, compute_uv=False).sum()
    return max(float(apart + np.square(a).sum() + np.square(b).sum() - 2 * both), 0.0)


def _root(covariance: np.ndarray) -> np.ndarray:
    """The symmetric square root of a positive semidefinite matrix."""
    values, vectors = np.linalg.eigh((covariance + covariance.T) / 2)
    return (vectors * np.sqrt(np.clip(values, 0, None))) @ vectors.T


def _pair(a: Samples, b: Samples, features: Extractor | None, batch: int) -> tuple[np.ndarray, np.ndarray]:
    return as_pair(a, b, features=features, batch=batch, least=2)
