"""Whether strong kernels meet strong ones: a test of ranks, which needs no energies that are log-normal."""

from __future__ import annotations

import itertools
import math
from functools import cache
from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int
from scipy.special import stdtr

# Up to so many channels all their orders are tried, 40,320 of eight; up to so many a sample of them, always the same;
# beyond, Student's t is as good (at nine channels it calls 1.4 in a hundred where 1 is meant, at 24 it is right).
TRIED, SAMPLED = 8, 24
SAMPLE = 20_000
# Logs that differ by this little are of weights that were normalised and rounded to float32.
ALIKE = 4e-6
# Of correlations of ranks.
ROUNDING = 1e-9


class RankTest(NamedTuple):
    """Spearman's correlation of the energies on either side, and how often random pairing makes one as large.

    Attributes:
        rank: the correlation; NaN where fewer than three channels have energy on both sides, or all as much.
        p: two-sided; NaN as well.
    """

    rank: float
    p: float


def rank_test(energies: Float[np.ndarray, "2 m"]) -> RankTest:
    """The test, of the log of each channel's energy on either side; channels that are not finite do not count.

    >>> rank_test(np.log([[1.0, 2, 3, 4, 5], [1, 4, 9, 16, 25]]))
    RankTest(rank=1.0, p=0.016666666666666666)
    """
    known = np.isfinite(energies).all(0)
    n, logs = int(known.sum()), np.asarray(energies, np.float64)[:, known]
    if n < 3 or logs.std(1).min() <= ALIKE:
        return RankTest(math.nan, math.nan)
    (x, ties), (y, others) = map(_ranks, logs)
    size = math.sqrt((x @ x) * (y @ y))
    rank = float(x @ y / size)
    least = (abs(rank) - ROUNDING) * size
    if n <= SAMPLED and not (ties or others):  # the orders are those of 1 to n
        sizes = _sizes(n)
        return RankTest(rank, float((len(sizes) - np.searchsorted(sizes, least)) / len(sizes)))
    if n <= SAMPLED:
        return RankTest(rank, float((np.abs(x[_orders(n)] @ y) >= least).mean()))
    t = abs(rank) * math.sqrt((n - 2) / max(1 - rank**2, 1e-12))
    return RankTest(rank, float(2 * stdtr(n - 2, -t)))


def _ranks(values: Float[np.ndarray, " n"]) -> tuple[Float[np.ndarray, " n"], bool]:
    """From 1 up, less their mean, and whether some are equal, which have the mean of theirs.

    As `scipy.stats.rankdata`, whose import takes a second.
    """
    order = np.argsort(values)
    ranks = np.empty(len(values))
    ranks[order] = np.arange(len(values)) - (len(values) - 1) / 2
    in_order = values[order]
    if (in_order[1:] > in_order[:-1]).all():
        return ranks, False
    _, places, counts = np.unique(values, return_inverse=True, return_counts=True)
    return (np.bincount(places, ranks) / counts)[places], True


@cache
def _sizes(n: int) -> Float[np.ndarray, " orders"]:
    """The size of the product of the centred ranks 1 to n, in order, with themselves in these orders; sorted."""
    ranks = np.arange(n) - (n - 1) / 2
    return np.sort(np.abs(ranks[_orders(n)] @ ranks))


@cache
def _orders(n: int) -> Int[np.ndarray, "orders n"]:
    """All orders, or a sample with the one that there is."""
    if n <= TRIED:
        return np.array(list(itertools.permutations(range(n))))
    sampled = np.tile(np.arange(n), (SAMPLE, 1))
    sampled[1:] = np.random.default_rng(n).permuted(sampled[1:], axis=1)
    return sampled
