"""How many different things a set of samples shows."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from sicjax.quality._samples import Extractor, Samples, as_features


def vendi(
    samples: Samples,
    *,
    features: Extractor | None = None,
    batch: int = 256,
    about: Float[np.ndarray, " d"] | None = None,
) -> float:
    """The Vendi score (Friedman and Dieng, 2023): the effective number of different samples.

        exp( - sum_k l_k log l_k ),   l_k the eigenvalues of K / n,   K the cosines of all pairs

    Arguments:
        samples: features `(n, d)`, or samples `(n, ...)` with `features`; at least two.
        features: from a batch of samples to their features; without it samples are flattened.
        batch: samples given to `features` at once.
        about: taken off all features first, such as the mean of real ones: what all images share makes cosines near 1,
            and every set alike.

    Returns:
        From 1, all equal, to n, all unlike.

    Raises:
        ValueError: fewer than two samples, or values that are not finite.

    >>> vendi(np.eye(4)), vendi(np.ones((4, 3)))
    (4.0, 1.0)
    """
    x = as_features(samples, "the samples", features=features, batch=batch, least=2)
    x = x if about is None else x - about
    x = x / np.maximum(np.linalg.norm(x, axis=1, keepdims=True), np.finfo(float).tiny)
    return _effective(x)


def effective_rank(samples: Samples, *, features: Extractor | None = None, batch: int = 256) -> float:
    """How many directions the samples spread in (Roy and Vetterli, 2007).

        exp( - sum_k l_k log l_k ),   l_k the shares of the covariance's eigenvalues

    Unlike the Vendi score it forgets the mean and how far along each direction the samples lie in all.

    Arguments:
        samples: features `(n, d)`, or samples `(n, ...)` with `features`; at least two.
        features: from a batch of samples to their features; without it samples are flattened.
        batch: samples given to `features` at once.

    Returns:
        From 1 to the smaller of n - 1 and d; 0 where all samples are equal.

    Raises:
        ValueError: fewer than two samples, or values that are not finite.

    >>> round(effective_rank(np.random.default_rng(0).normal(size=(5000, 3))), 1)
    3.0
    """
    x = as_features(samples, "the samples", features=features, batch=batch, least=2)
    return _effective(x - x.mean(0))


def _effective(x: Float[np.ndarray, "n d"]) -> float:
    """The exponential of the entropy of the squared singular values' shares."""
    values = np.linalg.eigvalsh(x @ x.T if len(x) <= x.shape[1] else x.T @ x)
    if not values.sum() > 0:
        return 0.0
    shares = np.clip(values / values.sum(), 0, None)
    shares = shares[shares > np.finfo(float).eps]
    return float(np.round(np.exp(-(shares * np.log(shares)).sum()), 9))
