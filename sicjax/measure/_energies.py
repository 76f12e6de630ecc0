"""Whether strong kernels meet strong ones: a test of ranks, which needs no energies that are log-normal."""

from __future__ import annotations

import itertools
import math
from functools import cache
from typing import NamedTuple

import numpy as np
from jaxtyping import Float
from scipy.special import stdtr
from scipy.stats import rankdata

# Up to so many channels all their orders are tried, 40,320 of eight; beyond, Student's t is as good.
TRIED = 8
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
    """The test, of each channel's energies, or of their logs, on either side; channels that are not finite do not count.

    >>> rank_test(np.array([[1.0, 2, 3, 4, 5], [1, 4, 9, 16, 25]]))
    RankTest(rank=1.0, p=0.016666666666666666)
    """
    known = np.isfinite(energies).all(0)
    n = int(known.sum())
    x, y = (np.asarray(rankdata(side[known])) - (n + 1) / 2 for side in np.asarray(energies, np.float64))
    size = math.sqrt((x @ x) * (y @ y)) if n > 2 else 0.0
    if size == 0:
        return RankTest(math.nan, math.nan)
    rank = float(x @ y / size)
    if n <= TRIED:
        as_large = np.abs(x[_orders(n)] @ y) >= (abs(rank) - ROUNDING) * size
        return RankTest(rank, float(as_large.mean()))
    t = abs(rank) * math.sqrt((n - 2) / max(1 - rank**2, 1e-12))
    return RankTest(rank, float(2 * stdtr(n - 2, -t)))


@cache
def _orders(n: int) -> np.ndarray:
    return np.array(list(itertools.permutations(range(n))), np.int8)
