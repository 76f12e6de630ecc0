"""Rank correlations, also given other numbers; their permutation tests, and Holm's correction of several."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int
from scipy.stats import rankdata

# Of permutations computed at a time.
CHUNK = 10_000
# Of ranks, which are whole or half numbers.
ROUNDING = 1e-9


class Partial(NamedTuple):
    """A partial rank correlation.

    Attributes:
        rho: the correlation; NaN where it is not defined, because nothing is left of one side.
        p: of it, two-sided, by permutation; NaN as well.
    """

    rho: float
    p: float


def spearman(one: Sequence[float], other: Sequence[float]) -> float:
    """Spearman's correlation; of a constant it is not defined, and NaN.

    >>> spearman([1, 2, 3], [1, 4, 9])
    1.0
    """
    return float(_correlation(*(np.asarray(rankdata(each)) - (len(each) + 1) / 2 for each in (one, other))))


def partial(
    one: Sequence[float],
    other: Sequence[float],
    given: Sequence[Sequence[float]],
    *,
    permutations: int,
    groups: Sequence[int] | None = None,
    seed: int = 0,
) -> Partial:
    """Spearman's correlation of what the ranks of other numbers leave of two, with its permutation test.

    Ranks of both less what a constant and the ranks of `given` explain by least squares; the correlation of these
    residuals. In the test those of `one` are permuted and, being no residuals any more, taken again (Freedman and
    Lane, 1983). With groups their means are explained too, and only units of one group are exchanged.

    Arguments:
        one: a number for each unit.
        other: another.
        given: others still.
        permutations: how many; the real order counts as one more.
        groups: of each unit.
        seed: of the permutations.
    """
    n = len(one)
    of = np.zeros(n, int) if groups is None else np.unique(groups, return_inverse=True)[1]
    explained, _ = np.linalg.qr(np.column_stack([np.eye(of.max() + 1)[of], *(rankdata(each) for each in given)]))
    left = lambda ranks: ranks - ranks @ explained @ explained.T
    x, y = (left(np.asarray(rankdata(each))) for each in (one, other))
    rho = float(_correlation(x, y))
    if np.isnan(rho):
        return Partial(rho, rho)
    rng, beyond, remaining = np.random.default_rng(seed), 1, permutations
    while remaining:
        count = min(CHUNK, remaining)
        found = _correlation(left(x[_orders(rng, of, count)]), y)
        # An order that differs from the real one by rounding alone is as far.
        beyond += int((np.abs(found) >= abs(rho) - ROUNDING).sum())
        remaining -= count
    return Partial(rho, beyond / (permutations + 1))


def _orders(rng: np.random.Generator, of: Int[np.ndarray, " n"], count: int) -> Int[np.ndarray, "count n"]:
    """Random orders that keep every unit in its group."""
    orders = np.tile(np.arange(len(of)), (count, 1))
    for group in range(of.max() + 1):
        (members,) = np.nonzero(of == group)
        orders[:, members] = rng.permuted(orders[:, members], axis=1)
    return orders


def _correlation(x: Float[np.ndarray, "*k n"], y: Float[np.ndarray, " n"]) -> Float[np.ndarray, "*k"]:
    """Of numbers with mean 0; NaN where one side is nothing but rounding."""
    size = np.sqrt((x * x).sum(-1) * (y @ y))
    return np.where(size > ROUNDING, x @ y / np.maximum(size, ROUNDING), np.nan)


def holm(p: Sequence[float]) -> list[float]:
    """p-values of tests made together, corrected by Holm's method; those that are NaN count and stay.

    >>> holm([0.01, 0.04, 0.03])
    [0.03, 0.06, 0.06]
    """
    order = np.argsort(p, kind="stable")
    stepped = np.maximum.accumulate(np.asarray(p)[order] * np.arange(len(p), 0, -1))
    corrected = np.empty(len(p))
    corrected[order] = np.minimum(stepped, 1)
    return corrected.tolist()
