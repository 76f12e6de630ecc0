"""Whether the kernels that meet fit each other in any way: the dependence that the mean ratio cannot see."""

from __future__ import annotations

from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax.sharding import NamedSharding, PartitionSpec
from jaxtyping import Array, Bool, Float, Key

from sicjax.sdr._cascade import Cascade
from sicjax.sdr._lags import Features, analyse, features
from sicjax.sdr._pairings import central_moments, invariants
from sicjax.sdr._sharding import spread_over

# Up to this skewness the tail of the gamma distribution, of 400 degrees and more, loses digits in float32, and the cube
# root of the variable is normal to 1e-5 (Wilson, Hilferty 1931).
NEARLY_NORMAL = 0.1
# Energies whose relative differences are no more than this many times the rounding of one number are alike.
ALIKE = 32


class Coupling(NamedTuple):
    """The dependence of two layers over their intermediate channels. All NaN where there is nothing to compare.

    Attributes:
        rv: RV coefficient of the lag features of both sides, 0 to 1 (the same as linear CKA over the channels).
        coupling: what of `rv` is beyond chance, at most 1; its mean is 0 when the channels are paired at random,
            whatever their number.
        z: `rv` less its mean under random pairing, over its standard deviation there.
        p: how often random pairing couples as much.
        energy: correlation over the channels of the log energies of the kernels on either side, -1 to 1; NaN too where
            one side's energies are all alike, as with normalised weights.
    """

    rv: Float[Array, ""]
    coupling: Float[Array, ""]
    z: Float[Array, ""]
    p: Float[Array, ""]
    energy: Float[Array, ""]


class Coinertia(NamedTuple):
    """The leading pairs of spectra that meet, strongest first.

    Attributes:
        share: of the squared cross-covariance, each pair's part; all of them sum to at most 1.
        first: each pair's direction in the lag features of the first layer's kernels, a column of unit length.
        second: the same for the second layer.
        first_scores: how much of its direction each intermediate channel has on the first side, in units of the
            features, from their mean.
        second_scores: the same on the second side; where both are large and of one sign the channel carries the pair.
    """

    share: Float[Array, " k"]
    first: Float[Array, "n k"]
    second: Float[Array, "n k"]
    first_scores: Float[Array, "m k"]
    second_scores: Float[Array, "m k"]


class Sides(NamedTuple):
    """Lag features of every channel on either side, centred over the channels that count; 0 in the others."""

    x: Float[Array, "m n"]
    y: Float[Array, "m n"]
    present: Bool[Array, " m"]


def coupling(
    pair: Cascade,
    key: Key[Array, ""] | None = None,
    *,
    draws: int | None = None,
    mesh: jax.sharding.Mesh | None = None,
) -> Coupling:
    """How strongly the kernels that meet in the intermediate channels depend on each other, in closed form.

    With `X`, `Y` the means of the lag features over inputs and over outputs, a row for each of the `M` channels,
    centred,

        RV = |X' Y|^2 / (|X' X| |Y' Y|)        coupling = (RV - E0) / (1 - E0)

    `adaptation` (see `decompose`) is twice the trace of `X' Y / M`: lags that cancel in it, and lags of one side that
    go with other lags of the other, are in RV and not there. `E0` is RV's mean when the channels are paired at
    random; its variance and third moment there are exact too, and `p` is the tail of the Pearson III distribution
    that has them. `energy` is about scale, which no ratio and no RV depends on.

    A channel counts once, with the mean of its kernels that have energy; one without a defined pathway is left out.
    Not in the paper. RV: Escoufier (1973); its moments: Kazi-Aoual, Hitier, Sabatier, Lebreton (1995). No sampling;
    differentiable, but for `p`.

    Arguments:
        pair: the two layers.
        key: random key for `draws` random pairings, from which `p` then comes (with the real pairing among them);
            the approximation is good enough without from 16 channels on.
        draws: how many pairings to sample, 1,000 unless told; needs a key.
        mesh: devices over which the intermediate channels are spread; without it JAX decides.

    Raises:
        ValueError: draws without a key, or fewer than one.

    >>> import numpy as np
    >>> first, second = np.random.default_rng(0).normal(size=(2, 4, 4, 32, 32))
    >>> found = coupling(Cascade(first, second, up=2))
    >>> bool(found.p > 0.01), bool(abs(found.coupling) < 0.2)
    (True, True)
    """
    if key is None and draws is not None:
        raise ValueError("draws need a key: coupling(pair, jax.random.key(0), draws=...); without both p is Pearson's")
    draws = 1000 if draws is None else draws
    if draws < 1:
        raise ValueError(f"draws must be at least 1, got {draws}")
    if mesh is not None:
        pair, _ = spread_over(pair, mesh)
    found, skewness, channels = _compare(*analyse(pair), mesh)
    p = _pearson(found.z, skewness) if key is None else _permuted(channels, key, draws)
    return found._replace(p=p)


def energy(pair: Cascade) -> Float[Array, ""]:
    """Correlation over the channels of the log energies of the kernels on either side: `energy` of `coupling` alone.

    >>> import numpy as np
    >>> first, second = np.random.default_rng(0).normal(size=(2, 1, 1, 32, 32))
    >>> bool(abs(energy(Cascade(first, second))) < 0.6)
    True
    """
    return _correlation(analyse(pair)[1])


def energies(pair: Cascade) -> Float[Array, "2 m"]:
    """Log of the energy of each channel's kernels together, in the first and in the second layer; -inf without any.

    >>> import numpy as np
    >>> energies(Cascade(np.ones((1, 1, 4, 2)), np.zeros((1, 1, 2, 3)))).tolist()
    [[1.3862943649291992, 1.3862943649291992], [-inf, -inf]]
    """
    return analyse(pair)[1]


def coinertia(pair: Cascade, k: int = 3) -> Coinertia:
    """Which shapes of spectrum meet: the `k` leading singular vectors of the cross-covariance behind `coupling`.

    The co-inertia axes of the two sets of lag features (Doledec and Chessel 1994), each pair with one sign for both:
    that in which the first side's largest entry is positive. There are as many as lags, `len(pair.lags)`, at most.

    Raises:
        ValueError: `k` less than one.

    >>> import numpy as np
    >>> first, second = np.random.default_rng(0).normal(size=(2, 4, 4, 8, 8))
    >>> coinertia(Cascade(first, second, up=2), 2).first.shape
    (4, 2)
    """
    if k < 1:
        raise ValueError(f"k must be at least 1, got {k}")
    return _coinertia(features(pair), min(k, len(pair.lags)))


def sides(f: Features) -> Sides:
    """Means of the features over the inputs and over the outputs, in the channels that have a defined pathway."""
    inputs, outputs = f.first_alive.sum(0), f.second_alive.sum(1)
    present = (inputs > 0) & (outputs > 0)
    x, y = f.a.sum(1) / jnp.maximum(inputs, 1), f.b.sum(2) / jnp.maximum(outputs, 1)
    return Sides(_centred(x, present).T, _centred(y, present).T, present)


def excess(f: Features) -> tuple[Float[Array, ""], Float[Array, ""]]:
    """`rv` and `coupling`, 0 where they are undefined."""
    x, y, present = sides(f)
    return _excess(x, y, present.sum())[:2]


@jax.jit
def _pearson(z: Float[Array, ""], skewness: Float[Array, ""]) -> Float[Array, ""]:
    """How often a Pearson III variable of mean 0, variance 1 and this skewness is above `z`."""
    z, skewness = jax.lax.stop_gradient((z, skewness))
    skewed = jnp.abs(skewness) > NEARLY_NORMAL
    g = jnp.where(skewed, skewness, 1)
    shape = 4 / g**2
    at = jnp.maximum(shape + 2 * z / g, 0)
    tail = jnp.where(g > 0, jax.scipy.special.gammaincc(shape, at), jax.scipy.special.gammainc(shape, at))
    g = jnp.where(jnp.abs(skewness) < 1e-4, 1e-4, skewness)
    root = jnp.expm1(jnp.log1p(jnp.maximum(g * z / 2, -0.999)) / 3)
    return jnp.where(skewed, tail, jax.scipy.stats.norm.sf(6 / g * root + g / 6))


@partial(jax.jit, static_argnames="mesh")
def _compare(f: Features, energies: Float[Array, "2 m"], mesh: jax.sharding.Mesh | None):
    """All but `p`, the skewness of the null, and what was compared."""
    compared = sides(f)
    if mesh is not None:  # a few numbers a channel, and from here on each is compared with all
        compared, energies = jax.device_put((compared, energies), NamedSharding(mesh, PartitionSpec()))
    x, y, present = compared
    channels = present.sum()
    rv, beyond, defined = _excess(x, y, channels)
    # Moments of the statistic for features of trace 1 on either side, so that nothing underflows.
    x, y = (side * jax.lax.rsqrt(jnp.where(defined, (side**2).sum(), 1)) for side in (x, y))
    (x2, x3), (y2, y3) = invariants(x), invariants(y)
    of_second, of_third = central_moments(len(x))
    exact = jax.lax.Precision.HIGHEST
    moment = lambda table, u, v: jnp.dot(
        u, jnp.matmul(jnp.asarray(table, u.dtype)[channels], v, precision=exact), precision=exact
    )
    variance = moment(of_second, x2, y2)
    defined = defined & (channels > 2) & (variance > 0)
    deviation = jnp.sqrt(jnp.where(defined, variance, 1))
    statistic = _squared(x, y)
    z = (statistic - 1 / jnp.maximum(channels - 1, 1)) / deviation
    skewness = moment(of_third, x3, y3) / deviation**3
    rv, beyond, z, skewness = (jnp.where(defined, value, jnp.nan) for value in (rv, beyond, z, skewness))
    return Coupling(rv, beyond, z, jnp.full_like(z, jnp.nan), _correlation(energies)), skewness, compared


def _excess(x, y, channels):
    """`rv` and `coupling`, and whether there are any."""
    of_x, of_y = _squared(x, x), _squared(y, y)
    defined = (of_x > 0) & (of_y > 0) & (channels > 2)
    size = jnp.sqrt(jnp.where(defined, of_x, 1)) * jnp.sqrt(jnp.where(defined, of_y, 1))
    rv = jnp.where(defined, _squared(x, y) / size, 0)
    chance = (x**2).sum() * (y**2).sum() / (size * jnp.maximum(channels - 1, 1))
    defined = defined & (chance < 1)
    return rv, jnp.where(defined, (rv - chance) / jnp.where(defined, 1 - chance, 1), 0), defined


def _squared(x, y) -> Float[Array, ""]:
    """`|X' Y|^2`."""
    return (jnp.matmul(x.T, y, precision=jax.lax.Precision.HIGHEST) ** 2).sum()


def _centred(values: Float[Array, "n m"], present: Bool[Array, " m"]) -> Float[Array, "n m"]:
    """From their mean over the channels that count; 0 where all differences are rounding."""
    values = jnp.where(present, values, 0)
    centred = jnp.where(present, values - values.sum(1, keepdims=True) / jnp.maximum(present.sum(), 1), 0)
    rounding = 8 * jnp.finfo(values.dtype).eps
    return jnp.where((centred**2).sum() > rounding**2 * (values**2).sum(), centred, 0)


@jax.jit
def _correlation(energies: Float[Array, "2 m"]) -> Float[Array, ""]:
    """Of the two rows, over the channels in which both have any energy.

    A relative error of an energy is an absolute one of its log: where a side's logs are apart by no more, as those of
    kernels with normalised weights are, its differences are rounding, and there is no correlation.
    """
    present = jnp.isfinite(energies).all(0)
    u, v = (_centred(log[None], present)[0] for log in energies)
    spread = jnp.stack([(u**2).sum(), (v**2).sum()])
    rounding = ALIKE * jnp.finfo(energies.dtype).eps
    defined = (spread > rounding**2 * present.sum()).all() & (present.sum() > 2)
    size = jnp.sqrt(jnp.where(defined, spread, 1)).prod()
    return jnp.where(defined, (u * v).sum() / size, jnp.nan)


@partial(jax.jit, static_argnames="draws")
def _permuted(sides: Sides, key: Key[Array, ""], draws: int) -> Float[Array, ""]:
    """How often random pairing couples as much, the real pairing counted among them."""
    x, y, present = sides
    real = _squared(x, y)
    counting = jnp.argsort(~present)  # stable: the channels that count, then the others

    def one(key):
        order = jnp.argsort(jnp.where(present, jax.random.uniform(key, present.shape), 2))
        return _squared(x[counting], y[order]) >= real * (1 - 1e-6)

    above = jax.lax.map(one, jax.random.split(key, draws), batch_size=16).sum()
    return jnp.where((present.sum() > 2) & (real > 0), (1 + above) / (1 + draws), jnp.nan)


@partial(jax.jit, static_argnames="k")
def _coinertia(f: Features, k: int) -> Coinertia:
    x, y, _ = sides(f)
    exact = jax.lax.Precision.HIGHEST
    left, strengths, right = jnp.linalg.svd(jnp.matmul(x.T, y, precision=exact), full_matrices=False)
    left, right = left[:, :k], right[:k].T
    largest = jnp.take_along_axis(left, jnp.abs(left).argmax(0, keepdims=True), 0)
    left, right = (jnp.where(largest < 0, -axes, axes) for axes in (left, right))
    total = (strengths**2).sum()
    share = jnp.where(total > 0, strengths[:k] ** 2 / jnp.where(total > 0, total, 1), jnp.nan)
    scores = (jnp.matmul(side, axes, precision=exact) for side, axes in ((x, left), (y, right)))
    return Coinertia(share, left, right, *scores)
