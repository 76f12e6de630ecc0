"""Which samples lie among the real ones, and which real ones among the samples: by nearest neighbours."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from sicjax.quality._samples import Extractor, Samples, as_pair


class Neighbours(NamedTuple):
    """How two sets of samples lie in each other.

    Attributes:
        precision: share of the samples that lie within the reach of a real one, its distance to its k-th neighbour.
        recall: share of the real ones that lie within the reach of a sample.
        density: how many real ones have a sample in their reach, over k, the mean over samples; about 1 for equal sets.
        coverage: share of the real ones that have a sample in their reach.
    """

    precision: float
    recall: float
    density: float
    coverage: float


def neighbours(
    samples: Samples, real: Samples, *, features: Extractor | None = None, batch: int = 256, k: int = 5
) -> Neighbours:
    """Precision and recall (Kynkäänniemi et al., 2019), density and coverage (Naeem et al., 2020).

    All four depend on how many samples there are of either: compare equal numbers only.

    Arguments:
        samples: features `(n, d)`, or samples `(n, ...)` with `features`; more than `k`.
        real: the same of real ones.
        features: from a batch of samples to their features; without it samples are flattened.
        batch: samples given to `features` at once.
        k: which neighbour gives the reach.

    Raises:
        ValueError: too few samples, features of different sizes, or values that are not finite.

    >>> x = np.random.default_rng(0).normal(size=(400, 4))
    >>> found = neighbours(x[:200], x[200:])
    >>> found.precision > 0.9, neighbours(x[:200] + 9, x[200:]).precision
    (True, 0.0)
    """
    if k < 1:
        raise ValueError(f"k must be at least 1, got {k}")
    x, y = as_pair(samples, real, features=features, batch=batch, least=k + 1)
    reach_x, reach_y = _reach(x, k), _reach(y, k)
    apart = _squares(x, y)
    within = apart <= reach_y
    return Neighbours(
        precision=float(within.any(1).mean()),
        recall=float((apart <= reach_x[:, None]).any(0).mean()),
        density=float(within.sum(1).mean() / k),
        coverage=float(within.any(0).mean()),
    )


def _reach(x: Float[np.ndarray, "n d"], k: int) -> Float[np.ndarray, " n"]:
    """Squared distance of each to its k-th neighbour."""
    apart = _squares(x, x)
    np.fill_diagonal(apart, np.inf)
    return np.partition(apart, k - 1, axis=1)[:, k - 1]


def _squares(x: Float[np.ndarray, "n d"], y: Float[np.ndarray, "m d"]) -> Float[np.ndarray, "n m"]:
    found = np.square(x).sum(1)[:, None] + np.square(y).sum(1) - 2 * x @ y.T
    return np.clip(found, 0, None)
