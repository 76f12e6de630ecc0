"""How much samples differ from one another."""

from __future__ import annotations

import numpy as np

from sicjax.quality._samples import Extractor, Samples, as_features

# Rows of the distance matrix held at once.
ROWS = 1024


def diversity(samples: Samples, *, features: Extractor | None = None, batch: int = 256) -> float:
    """Mean distance over all pairs of samples.

        mean_{i < j} sqrt( mean_d (s_i - s_j)^2 )

    Arguments:
        samples: images or features, `(n, ...)`, flattened; at least two.
        features: from a batch of samples to their features.
        batch: samples given to `features` at once.

    Returns:
        The root mean square difference of two samples, in the units of their values: 0 when all are equal, about 0.82
        for images of independent uniform noise in [-1, 1].

    Raises:
        ValueError: fewer than two samples, or values that are not finite.

    >>> diversity(np.array([[0.0, 0.0], [1.0, 1.0], [2.0, 2.0]]))
    1.3333333333333333
    """
    x = as_features(samples, "the samples", features=features, batch=batch, least=2)
    # Centred, so that squares that nearly cancel are as small as the spread allows.
    x = (x - x.mean(0)) / np.sqrt(x.shape[1])
    squares = np.square(x).sum(1)
    total = 0.0
    for k in range(0, len(x), ROWS):
        block = squares[k : k + ROWS, None] + squares - 2 * x[k : k + ROWS] @ x.T
        np.clip(block, 0, None, out=block)
        block[np.arange(len(block)), np.arange(k, k + len(block))] = 0
        total += np.sqrt(block).sum()
    return float(total / (len(x) * (len(x) - 1)))
