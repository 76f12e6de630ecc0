"""The p-value of coupling from random pairings of the channels, where the closed form's few thousandths matter."""

from __future__ import annotations

import math

import numpy as np
from jaxtyping import Bool, Float

from sicjax import sdr

# Numbers held at a time.
HELD = 2**22
# Of sums in float64 over the same numbers in another order.
ROUNDING = 1e-9


def permuted(f: sdr.Features, draws: int) -> float:
    """How often the channels of the two sides, paired at random, couple as much; the real pairing counts among them.

    The orders are always the same for as many channels. The share has a standard error of `sqrt(p (1 - p) / draws)` and
    is at least `1 / (draws + 1)`.

    Arguments:
        f: lag features of a pair, which may be filled up with channels of no energy.
        draws: random pairings.

    Returns:
        The share; NaN where fewer than three channels have a defined pathway, or nothing varies over them.
    """
    alive = np.asarray(f.first_alive), np.asarray(f.second_alive)
    inputs, outputs = alive[0].sum(0), alive[1].sum(1)
    present = (inputs > 0) & (outputs > 0)
    x, y = (
        _axes(np.asarray(values, np.float64).sum(axis) / np.maximum(count, 1), present)
        for values, axis, count in ((f.a, 1, inputs), (f.b, 2, outputs))
    )
    real, channels = np.square(x.T @ y).sum(), len(x)
    if channels < 3 or not real > 0:
        return math.nan
    rng, above, left = np.random.default_rng(channels), 0, draws
    while left:
        count = min(left, max(1, HELD // max(y.size, 1)))
        orders = rng.permuted(np.tile(np.arange(channels), (count, 1)), axis=1)
        coupled = np.square(x.T @ y[orders]).sum((1, 2))
        above, left = above + int((coupled >= real * (1 - ROUNDING)).sum()), left - count
    return (1 + above) / (1 + draws)


def _axes(values: Float[np.ndarray, "n m"], present: Bool[np.ndarray, " m"]) -> Float[np.ndarray, "c k"]:
    """The features over the channels that count, centred, along as many axes as these can differ in."""
    centred = values[:, present].T
    centred = centred - centred.mean(0)
    if centred.shape[1] < len(centred):
        return centred
    left, sizes, _ = np.linalg.svd(centred, full_matrices=False)
    return left * sizes
