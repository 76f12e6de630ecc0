"""The distribution of the ratios: every pathway visited, none kept."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax.sharding import PartitionSpec as P
from jax.typing import ArrayLike
from jaxtyping import Array, Float, Int

from sicjax.sdr._cascade import Cascade
from sicjax.sdr._html import facts
from sicjax.sdr._lags import Features, features
from sicjax.sdr._moments import moments
from sicjax.sdr._sharding import spread_over

# Default bins: 4,000 of width 0.001 (or 0.002, 0.004 ... for wide distributions) from 0.
BINS = 4000
# Pathways through one channel held at once, and those handled in one step, whose cells stay in a processor's cache.
PART = 2**22
BLOCK = 2**18
# Two pathways are counted with one update of a joint histogram while that fits a processor's cache.
JOINT_CELLS = 2**17
# Up to this many lags their sum is one fused elementwise loop; beyond, a matrix product runs as fast and compiles
# faster.
ELEMENTWISE = 16


class Histogram(NamedTuple):
    """Counts of ratios in bins, those outside, and those undefined. Histograms with equal edges can be merged.

    Attributes:
        counts: `(bins,)` pathways in each bin, its lower edge included, its upper not.
        edges: `(bins + 1,)` edges of the bins.
        below: pathways under the first edge.
        above: pathways at or over the last edge.
        undefined: pathways with a kernel that has no energy; in no other number.
    """

    counts: Int[np.ndarray, " bins"]
    edges: Float[np.ndarray, " edges"]
    below: int
    above: int
    undefined: int

    @property
    def defined(self) -> int:
        """Pathways with a ratio."""
        return int(self.counts.sum()) + self.below + self.above

    def merge(self, other: Histogram) -> Histogram:
        """Both together.

        Raises:
            ValueError: different edges.
        """
        if not np.array_equal(self.edges, other.edges):
            raise ValueError("only histograms with the same edges can be merged; pass the same edges= to both")
        return Histogram(
            self.counts + other.counts,
            self.edges,
            self.below + other.below,
            self.above + other.above,
            self.undefined + other.undefined,
        )

    def quantile(self, q: float) -> float:
        """The ratio below which a share `q` of the defined pathways lies, linear within a bin.

        Infinite where it lies outside the edges, NaN without any defined pathway.
        """
        return self.quantiles([q])[0]

    def quantiles(self, qs: Sequence[float]) -> list[float]:
        """`quantile` of several shares at once."""
        if wrong := [q for q in qs if not 0 <= q <= 1]:
            raise ValueError(f"q must be between 0 and 1, got {wrong[0]}")
        upto = self.below + np.concatenate([[0], np.cumsum(self.counts)])
        defined = int(upto[-1]) + self.above
        if not defined:
            return [float("nan")] * len(qs)
        targets = np.asarray(qs) * defined
        k = np.clip(np.searchsorted(upto, targets), 1, len(self.counts))
        inside = (targets - upto[k - 1]) / np.maximum(self.counts[k - 1], 1)
        found = self.edges[k - 1] + inside * (self.edges[k] - self.edges[k - 1])
        return np.where(targets < self.below, -np.inf, np.where(targets > upto[-1], np.inf, found)).tolist()

    def share(self, low: float, high: float) -> float:
        """Share of the defined pathways with a ratio in `[low, high]`, linear within a bin; NaN without any."""
        if not self.defined:
            return float("nan")
        upto = self.below + np.concatenate([[0], np.cumsum(self.counts)])
        return float(np.diff(np.interp([low, high], self.edges, upto))[0] / self.defined)

    def distance(self, other: Histogram) -> float:
        """Wasserstein-1 distance (the earth mover's) of the two distributions, in units of the ratio.

            integral of | F(x) - G(x) | dx

        with `F`, `G` the shares of the defined pathways below x, linear within a bin, over the edges of both. What lies
        outside them counts as lying at their end. NaN where either has no defined pathway.

        >>> one = Histogram(np.array([4, 0, 0]), np.array([0.0, 1, 2, 3]), 0, 0, 0)
        >>> one.distance(one._replace(counts=np.array([0, 2, 0])))
        1.0
        """
        if not (self.defined and other.defined):
            return float("nan")
        edges = np.union1d(self.edges, other.edges)
        apart = self._below(edges) - other._below(edges)
        left, right = apart[:-1], apart[1:]
        # Between two edges the difference is a line; where it crosses 0 its two triangles count one by one.
        size = np.abs(left) + np.abs(right)
        crossed = (left**2 + right**2) / np.where(size > 0, size, 1)
        return float(np.where(left * right < 0, crossed, size) @ np.diff(edges) / 2)

    def _below(self, x: Float[np.ndarray, " n"]) -> Float[np.ndarray, " n"]:
        """Share of the defined pathways below each `x`: outside the edges none, or all."""
        upto = (self.below + np.concatenate([[0], np.cumsum(self.counts)])) / self.defined
        return np.interp(x, self.edges, upto, left=0, right=1)

    def _repr_html_(self) -> str:
        quantiles = (f"{self.quantile(q):.3f}" for q in (0.05, 0.5, 0.95))
        stated = {"5 %, median, 95 %": ", ".join(quantiles), "defined": f"{self.defined:,}"}
        outside = {"undefined": self.undefined, "below the edges": self.below, "above the edges": self.above}
        stated |= {name: f"{count:,}" for name, count in outside.items() if count}
        bins = f"{len(self.counts):,} bins from {self.edges[0]:g} to {self.edges[-1]:g}"
        return facts("Ratios of pathways", {**stated, "bins": bins})


def histogram(
    pair: Cascade, *, edges: Float[np.ndarray, " edges"] | None = None, mesh: jax.sharding.Mesh | None = None
) -> Histogram:
    """Histogram of the ratios of every pathway, in bounded memory whatever their number.

    Arguments:
        pair: the two layers.
        edges: increasing edges of the bins, evenly spaced (fastest) or not; without them 4,000 bins of width 0.001
            from 0, doubled until they reach twelve standard deviations beyond the mean.
        mesh: devices over which the intermediate channels are spread.

    Returns:
        `Histogram`, with NumPy arrays and Python integers.

    Raises:
        ValueError: edges that are not increasing and finite.

    >>> first, second = np.random.default_rng(0).normal(size=(2, 4, 4, 3, 3))
    >>> counted = histogram(Cascade(first, second, up=2), edges=np.linspace(0, 4, 201))
    >>> counted.defined, counted.counts.shape
    (27, (200,))
    """
    edges = default_edges(moments(pair)) if edges is None else np.asarray(edges, np.float64)
    if edges.ndim != 1:
        raise ValueError(f"edges must be one-dimensional, got shape {edges.shape}")
    spread, added = (pair, 0) if mesh is None else spread_over(pair, mesh)
    bins = _bins(edges.tobytes())
    cells, defined = np.zeros(len(edges) + 1, np.int64), 0
    for part in _parts(features(spread)):
        counted, inputs, outputs = _count(part, bins, mesh)
        cells += np.asarray(counted, np.int64).reshape(-1, len(cells)).sum(0)
        defined += int(np.asarray(inputs, np.int64) @ np.asarray(outputs, np.int64))
    # Kernels without energy, and those that fill up a block, have features 0: they were counted as ratio 1.
    cells[bins.of_one()] -= cells.sum() - defined
    return Histogram(cells[1:-1], edges, int(cells[0]), int(cells[-1]), spread.pathways - added - defined)


def default_edges(found) -> Float[np.ndarray, " edges"]:
    """The edges of `histogram` without edges, from the moments of the ratios."""
    reach, top = float(found.mean + 12 * found.std), 4
    while top < reach:
        top *= 2
    return np.linspace(0, top, BINS + 1)


@jax.tree_util.register_dataclass
@dataclasses.dataclass(frozen=True)
class _Bins:
    """How a ratio gets its cell: 0 is below the first edge, then the bins, and one more above the last edge.

    With even bins the cell is the whole part of `origin + scale * (rho - 1)`, else a search among the edges.
    """

    origin: ArrayLike
    scale: ArrayLike
    edges: ArrayLike
    bins: int = dataclasses.field(metadata={"static": True})
    even: bool = dataclasses.field(metadata={"static": True})

    def cells(self, a: Float[Array, "n i"], b: Float[Array, "n o"]) -> Float[Array, "i o"]:
        """Cells of the pathways through one channel, whole numbers in float32."""
        start = self.origin if self.even else 1.0
        scale = 2 * self.scale if self.even else 2.0
        if len(a) <= ELEMENTWISE:
            position = sum((a[n][:, None] * (scale * b[n])[None] for n in range(len(a))), start)
        else:
            position = start + jnp.matmul(a.T, scale * b, precision=jax.lax.Precision.HIGHEST)
        position = jnp.broadcast_to(position, (a.shape[1], b.shape[1])).astype(jnp.float32)
        if not self.even:
            return jnp.searchsorted(self.edges, position, side="right").astype(jnp.float32)
        position = jnp.where(position > 0, position, 0.0)
        return jnp.floor(jnp.where(position < self.bins + 1, position, self.bins + 1.0))

    def of_one(self) -> int:
        """The cell of ratio 1."""
        if not self.even:
            return int(np.searchsorted(self.edges, np.float32(1), side="right"))
        return int(np.clip(np.floor(self.origin), 0, self.bins + 1))


@lru_cache(maxsize=8)
def _bins(edges: bytes) -> _Bins:
    """For edges as the bytes of float64; kept, because most pairs have the same."""
    found = np.frombuffer(edges)
    if len(found) < 2 or not np.isfinite(found).all() or not (np.diff(found) > 0).all():
        raise ValueError("edges must be at least two finite numbers in increasing order")
    bins, width = len(found) - 1, (found[-1] - found[0]) / (len(found) - 1)
    level = np.abs(found - np.linspace(found[0], found[-1], bins + 1)).max() <= 1e-4 * width
    even = bool(level) and bins < 2**16
    kept = np.zeros(0, np.float32) if even else found.astype(np.float32)
    return _Bins(np.float32((1 - found[0]) / width + 1), np.float32(1 / width), kept, bins, even)


def _parts(f: Features):
    """The features in parts by inputs, each small enough to hold one channel's pathways and to count in 32 bits."""
    (i, m), o = f.first_alive.shape, f.b.shape[2]
    size = min(i, max(1, min(PART // o, 2**30 // (m * o))))
    if size == i:
        yield f
        return
    missing = -i % size
    a = jnp.pad(f.a, [(0, 0), (0, missing), (0, 0)])
    alive = jnp.pad(f.first_alive, [(0, missing), (0, 0)])
    for start in range(0, i, size):
        yield f._replace(a=a[:, start : start + size], first_alive=alive[start : start + size])


def _count(f: Features, bins: _Bins, mesh):
    if mesh is None:
        return _count_on_one(f, bins)
    axes = mesh.axis_names
    by_channel = (P(None, None, axes), P(None, axes, None), P(None, axes), P(axes, None))
    count = jax.shard_map(
        lambda f, bins: _count_on_one(Features(*f), bins),
        mesh=mesh,
        in_specs=(by_channel, P()),
        out_specs=(P(axes),) * 3,
        check_vma=False,
    )
    return jax.jit(count)(tuple(f), bins)


@jax.jit
def _count_on_one(f: Features, bins: _Bins):
    """Pathways in each cell, and the living inputs and outputs of each channel.

    A scan over blocks of channels, as a pipeline: each step counts the cells of the block before last, finds those
    of the last block, and fetches the next. What passes through the carry XLA writes to memory once, in cache;
    it would fuse what does not into the scatter and compute it again, unvectorised, for every pathway.
    """
    (i, m), o = f.first_alive.shape, f.b.shape[2]
    width = bins.bins + 2
    joint = 2 if width**2 <= JOINT_CELLS else 1
    lanes = 2
    together = max(1, min(BLOCK // (i * o), -(-m // (joint * lanes))))
    blocks = -(-m // (together * joint * lanes))

    def in_blocks(x):
        padded = jnp.pad(x, [(0, blocks * lanes * together * joint - m), (0, 0), (0, 0)])
        return padded.reshape(blocks, lanes, together, joint, *padded.shape[1:])

    def number(a, b):
        cell = bins.cells(a[0], b[0])
        for k in range(1, joint):
            cell = cell * width + bins.cells(a[k], b[k])
        return cell.astype(jnp.int32)

    numbers = jax.vmap(jax.vmap(number))

    def add(counts, cells):
        return tuple(
            count.at[cell.ravel()].add(1, mode="promise_in_bounds", wrap_negative_indices=False)
            for count, cell in zip(counts, cells, strict=True)
        )

    def step(carry, upcoming):
        counts, cells, block = carry
        return (add(counts, cells), numbers(*block), upcoming), None

    a, b = in_blocks(f.a.transpose(2, 0, 1)), in_blocks(f.b.transpose(1, 0, 2))
    counts = tuple(jnp.zeros(width**joint, jnp.int32) for _ in range(lanes))
    cells = numbers(a[0], b[0])
    if blocks > 1:
        carry = counts, cells, (a[1], b[1])
        if blocks > 2:  # without compiling there is no loop of no steps
            carry, _ = jax.lax.scan(step, carry, (a[2:], b[2:]))
        counts, cells = add(carry[0], carry[1]), numbers(*carry[2])
    both = jnp.stack(add(counts, cells)).sum(0).reshape((width,) * joint)
    cells = sum(both.sum([axis for axis in range(joint) if axis != k]) for k in range(joint))
    return cells, f.first_alive.sum(0), f.second_alive.sum(1)
