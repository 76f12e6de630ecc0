"""What a statistic of two sets of features is when their rows are paired at random: its first three moments, exactly.

With `A`, `B` the Gram matrices of two centred sets of features over the same `n` rows, the statistic is

    t = sum over i, j of A[i, j] B[p(i), p(j)]        (that is |X' Y|^2)

for an order `p` of the rows. The mean over all orders of `t^k` is a sum over the partitions of its `2 k` indices into
indices that are equal; where all different ones are summed over freely, a sum with an index that stands once is 0,
because rows and columns of `A` and `B` sum to 0. What is left are few invariants of either matrix: see `invariants`.

Kazi-Aoual, Hitier, Sabatier, Lebreton (1995) give the same moments as polynomials in `n`; here their coefficients are
counted, which holds for the smallest `n` as well.
"""

from __future__ import annotations

import itertools
import math
from collections import Counter
from collections.abc import Iterator
from functools import cache

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

Blocks = tuple[int, ...]


def invariants(x: Float[Array, "n d"]) -> tuple[Float[Array, "3"], Float[Array, "8"]]:
    """All that the second and the third moment depend on, of the Gram matrix `A` of centred features.

    Returns:
        `tr(A)^2, tr(A^2), sum A_ii^2` and `tr(A)^3, tr(A) tr(A^2), tr(A^3), tr(A) sum A_ii^2, sum A_ii (A^2)_ii,
        sum A_ii A_ij A_jj, sum A_ij^3, sum A_ii^3`.
    """
    exact = jax.lax.Precision.HIGHEST
    gram = jnp.matmul(x, x.T, precision=exact)
    smaller = gram if len(x) <= x.shape[1] else jnp.matmul(x.T, x, precision=exact)
    cubed = (jnp.matmul(smaller, smaller, precision=exact) * smaller).sum()
    size = (x**2).sum(1)
    trace, trace2, squares = size.sum(), (smaller**2).sum(), (size**2).sum()
    between = (size * jnp.matmul(gram, size, precision=exact)).sum()
    second = [trace**2, trace2, squares]
    third = [
        trace**3,
        trace * trace2,
        cubed,
        trace * squares,
        (size * (gram**2).sum(1)).sum(),
        between,
        (gram**3).sum(),
        (size**3).sum(),
    ]
    return jnp.stack(second), jnp.stack(third)


@cache
def central_moments(largest: int) -> tuple[np.ndarray, np.ndarray]:
    """For every number of rows up to `largest` the matrices that make central moments of the invariants of `A`, `B`.

    Returns:
        `(largest + 1, 3, 3)` for the second and `(largest + 1, 8, 8)` for the third moment.
    """
    n = np.arange(largest + 1.0)
    mean = 1 / np.maximum(n - 1, 1)
    second, third = _raw(2, _SECOND, n), _raw(3, _THIRD, n)
    # t^2 less the mean squared, and t^3 less three times the variance times the mean and the mean cubed
    second[:, 0, 0] -= mean**2
    of_second = np.ix_(range(len(n)), _TIMES_TRACE, _TIMES_TRACE)
    third[of_second] -= 3 * mean[:, None, None] * second
    third[:, 0, 0] -= mean**3
    return second, third


# The graphs of what does not vanish: an edge for each factor A_ij, a vertex for each index that differs.
_SECOND = ("ii jj", "ij ij", "ii ii")
_THIRD = ("ii jj kk", "ii jk jk", "ij jk ki", "ii ii jj", "ii ij ij", "ii ij jj", "ij ij ij", "ii ii ii")
# Where the second moment's invariants stand among the third's once multiplied by the trace.
_TIMES_TRACE = (0, 1, 3)


def _raw(power: int, graphs: tuple[str, ...], n: np.ndarray) -> np.ndarray:
    """The mean of `t^power` over all orders, as a matrix of coefficients for each `n`."""
    partitions = list(_partitions(2 * power))
    place = {_graph(_blocks(graph.replace(" ", ""))): k for k, graph in enumerate(graphs)}
    places = {blocks: place[_graph(blocks)] for blocks in partitions if min(Counter(blocks).values()) > 1}
    moment = np.zeros((len(n), len(graphs), len(graphs)))
    for fine in partitions:
        # the sum over indices that differ, from sums over all: Moebius inversion on partitions
        distinct = np.zeros(len(graphs))
        for coarse, k in places.items():
            if joined := _joined(fine, coarse):
                distinct[k] += math.prod((-1) ** (j - 1) * math.factorial(j - 1) for j in joined)
        size = max(fine) + 1
        ways = np.prod([n - k for k in range(size)], axis=0)
        share = np.where(n >= size, 1 / np.where(n >= size, ways, 1), 0)
        moment += share[:, None, None] * np.outer(distinct, distinct)
    return moment


def _partitions(size: int, blocks: Blocks = ()) -> Iterator[Blocks]:
    """All partitions of `size` indices, each as the number of the block in which each index is."""
    if len(blocks) == size:
        yield blocks
        return
    for block in range(max(blocks, default=-1) + 2):
        yield from _partitions(size, (*blocks, block))


def _joined(fine: Blocks, coarse: Blocks) -> list[int] | None:
    """How many blocks of `fine` each block of `coarse` is made of; None where it is not made of them."""
    inside = set(zip(fine, coarse, strict=True))
    return list(Counter(block for _, block in inside).values()) if len(inside) == max(fine) + 1 else None


def _blocks(labels) -> Blocks:
    """Blocks numbered as they come."""
    order = list(dict.fromkeys(labels))
    return tuple(order.index(label) for label in labels)


def _graph(blocks: Blocks) -> tuple[tuple[int, ...], ...]:
    """The graph of a partition, the same however its edges and vertices are named."""
    edges = list(zip(blocks[::2], blocks[1::2], strict=True))
    names = itertools.permutations(range(max(blocks) + 1))
    return min(tuple(sorted(tuple(sorted((name[i], name[j]))) for i, j in edges)) for name in names)
