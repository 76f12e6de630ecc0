"""Mean and spread over every pathway without visiting any, and the penalties made of them."""

from __future__ import annotations

from typing import Literal, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int

from sicjax.sdr._cascade import Cascade
from sicjax.sdr._coupling import excess
from sicjax.sdr._decompose import split
from sicjax.sdr._lags import Features, features, sum_first
from sicjax.sdr._sharding import spread_over

# Up to this many lags their products are written out; beyond, matrix products compile and run faster.
WRITTEN_OUT = 5


class Moments(NamedTuple):
    """Moments of the ratios over the pathways of a pair.

    Attributes:
        count: defined pathways (an integer; a float beyond 2**31 pathways).
        undefined: pathways with a kernel that has no energy; they are in no other number.
        mean: mean ratio, NaN without any defined pathway.
        std: standard deviation of the ratios.
    """

    count: Int[Array, ""] | Float[Array, ""]
    undefined: Int[Array, ""] | Float[Array, ""]
    mean: Float[Array, ""]
    std: Float[Array, ""]


class Departures(NamedTuple):
    """Defined and undefined pathways, and the mean and variance of `rho - 1` over those defined."""

    count: Array
    undefined: Array
    mean: Array
    variance: Array

    def moments(self) -> Moments:
        spread = self.variance > 0
        std = jnp.where(spread, jnp.sqrt(jnp.where(spread, self.variance, 1)), 0)
        mean, std = (jnp.where(self.count > 0, value, jnp.nan) for value in (1 + self.mean, std))
        return Moments(self.count, self.undefined, mean, std)


def moments(pair: Cascade, *, mesh: jax.sharding.Mesh | None = None) -> Moments:
    """Mean and standard deviation of the ratios over all pathways, exact, at a cost that grows with `i + o`.

    For each intermediate channel, with the means and covariances of the lag features over inputs and outputs,

        mean = 1 + 2 sum_n abar_n bbar_n
        variance = 4 (bbar' Ca bbar + abar' Cb abar + trace(Ca Cb))

    and both are then averaged over the channels. No term is a difference of large numbers.

    Arguments:
        pair: the two layers.
        mesh: devices over which the intermediate channels are spread; without it JAX decides.

    >>> import numpy as np
    >>> first, second = np.random.default_rng(0).normal(size=(2, 4, 4, 3, 3))
    >>> moments(Cascade(first, second, up=2)).count.item()
    27
    """
    if mesh is None:
        return _moments(features(pair))
    spread, added = spread_over(pair, mesh)
    found = _moments(features(spread))
    return found._replace(undefined=found.undefined - added)


def penalty(pair: Cascade, *, kind: Literal["departure", "adaptation", "coupling"] = "departure") -> Float[Array, ""]:
    """How far a pair is from independence, to be added to a training loss; differentiable, no pathway visited.

    It costs little in a step, but its gradient is a long program: the first step compiles for about ten seconds of
    processor time for every geometry (kernel sizes, strides and numbers of channels), whatever the number of pathways;
    with JAX's persistent compilation cache only once.

    Arguments:
        pair: the two layers.
        kind: `departure` is the mean of `(rho - 1)^2` over all pathways; `adaptation` the square of the part of
            the mean that `decompose` calls adaptation, which leaves alone what any pairing of the kernels shows;
            `coupling` the square of what `coupling` finds beyond chance, the lags that cancel in adaptation too.

    Returns:
        A scalar, 0 where no pathway is defined.

    Raises:
        ValueError: an unknown kind.

    >>> import numpy as np
    >>> first, second = np.random.default_rng(0).normal(size=(2, 4, 4, 3, 3))
    >>> bool(penalty(Cascade(first, second, up=2)) > 0)
    True
    """
    if kind == "departure":
        return _departure_penalty(features(pair))
    if kind == "adaptation":
        return _adaptation_penalty(features(pair))
    if kind == "coupling":
        return _coupling_penalty(features(pair))
    raise ValueError(f"kind must be 'departure', 'adaptation' or 'coupling', got {kind!r}")


def first_two(f: Features) -> Departures:
    """How many pathways there are, and the mean and variance of their departures from 1."""
    inputs, outputs = f.first_alive.sum(0), f.second_alive.sum(1)
    count, undefined = count_pathways(inputs, outputs, f.first_alive.size * f.second_alive.shape[1])
    weight = (inputs * outputs) / jnp.maximum(count, 1)
    mean_a = f.a.sum(1) / jnp.maximum(inputs, 1)
    mean_b = f.b.sum(2) / jnp.maximum(outputs, 1)
    in_channel = 2 * sum_first(mean_a * mean_b)
    departure = (weight * in_channel).sum()

    da = jnp.where(f.first_alive, f.a - mean_a[:, None], 0)
    db = jnp.where(f.second_alive, f.b - mean_b[:, :, None], 0)
    of_inputs = (sum_first(da * mean_b[:, None]) ** 2).sum(0) / jnp.maximum(inputs, 1)
    of_outputs = (sum_first(mean_a[:, :, None] * db) ** 2).sum(1) / jnp.maximum(outputs, 1)
    of_both = _interaction(da, db) / jnp.maximum(inputs * outputs, 1)
    within = 4 * (of_inputs + of_outputs + of_both)
    variance = (weight * (within + (in_channel - departure) ** 2)).sum()
    return Departures(count, undefined, departure, variance)


def count_pathways(inputs: Int[Array, " m"], outputs: Int[Array, " m"], possible: int) -> tuple[Array, Array]:
    """Defined and undefined pathways, as integers, or where the possible ones are beyond their range as floats."""
    if possible < 2**31 or jax.dtypes.canonicalize_dtype(np.int64) == np.int64:
        count = jnp.sum(inputs * outputs)
        return count, possible - count
    count = jnp.sum(inputs * outputs.astype(jnp.float32))
    return count, float(possible) - count


@jax.jit
def _departure_penalty(f: Features):
    found = first_two(f)
    return jnp.where(found.count > 0, found.mean**2 + found.variance, 0)


@jax.jit
def _adaptation_penalty(f: Features):
    parts = split(f)
    return jnp.where(parts.channels > 0, parts.adaptation**2, 0)


@jax.jit
def _coupling_penalty(f: Features):
    return excess(f)[1] ** 2


@jax.jit
def _moments(f: Features) -> Moments:
    return first_two(f).moments()


def _interaction(da: Float[Array, "n i m"], db: Float[Array, "n m o"]) -> Float[Array, " m"]:
    """`sum over i, o of (sum over n of da db)^2` for each channel, the cheapest of three ways."""
    lags, i, m = da.shape
    o = db.shape[2]
    exact = jax.lax.Precision.HIGHEST
    if lags <= WRITTEN_OUT:
        terms = [
            (1 if p == q else 2) * (da[p] * da[q]).sum(0) * (db[p] * db[q]).sum(1)
            for p in range(lags)
            for q in range(p, lags)
        ]
        return sum(terms, jnp.zeros(m, da.dtype))
    if lags * (i + o) <= i * o:
        inputs = jnp.einsum("pim,qim->mpq", da, da, precision=exact)
        return (inputs * jnp.einsum("pmo,qmo->mpq", db, db, precision=exact)).sum((1, 2))

    def one_channel(kernels):
        a, b = kernels
        return (jnp.matmul(a.T, b, precision=exact) ** 2).sum()

    batch = int(np.clip(2**24 // (i * o), 1, m))
    return jax.lax.map(one_channel, (jnp.moveaxis(da, 2, 0), jnp.moveaxis(db, 1, 0)), batch_size=batch)
