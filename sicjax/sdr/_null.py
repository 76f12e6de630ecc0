"""What the kernels' values alone would show: the taps of every kernel shuffled."""

from __future__ import annotations

import math
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Key

from sicjax.sdr._cascade import Cascade, as_cascade
from sicjax.sdr._geometry import Lag, tap_pairs
from sicjax.sdr._lags import features, normalise, sum_first
from sicjax.sdr._moments import Departures, Moments, count_pathways, first_two


def null(pair: Cascade, key: Key[Array, ""] | None = None, *, draws: int | None = None) -> Moments:
    """Moments of the ratios when the taps of every kernel are shuffled: same values, no spatial arrangement.

    Arguments:
        pair: the two layers.
        key: random key for `draws` shuffles; without it the moments are exact, over all shuffles.
        draws: how many shuffles to sample, 16 unless told; needs a key.

    Returns:
        `Moments` over the pathways of all shuffles together; `count` and `undefined` are those of one.

    Raises:
        ValueError: draws without a key, or fewer than one.

    >>> import numpy as np
    >>> first, second = np.random.default_rng(0).normal(size=(2, 4, 4, 3, 3))
    >>> pair = Cascade(first, second, up=2)
    >>> exact, sampled = null(pair), null(pair, jax.random.key(0), draws=500)
    >>> bool(abs(exact.mean - sampled.mean) < 0.02)
    True
    """
    if key is None:
        if draws is not None:
            raise ValueError("draws need a key: null(pair, jax.random.key(0), draws=...); without both it is exact")
        return _expected(as_cascade(pair))
    draws = 16 if draws is None else draws
    if draws < 1:
        raise ValueError(f"draws must be at least 1, got {draws}")
    return _sampled(as_cascade(pair), key, draws)


def shuffle_taps(pair: Cascade, key: Key[Array, ""]) -> Cascade:
    """The pair with the taps of each kernel in a random order of its own.

    >>> import numpy as np
    >>> pair = Cascade(np.arange(4.0).reshape(4, 1, 1), np.ones((4, 1, 1)))
    >>> sorted(shuffle_taps(pair, jax.random.key(0)).first.ravel().tolist())
    [0.0, 1.0, 2.0, 3.0]
    """

    def shuffled(kernel, key):
        taps = kernel.reshape(-1, *kernel.shape[-2:])
        return jax.random.permutation(key, taps, independent=True).reshape(kernel.shape)

    of_first, of_second = jax.random.split(key)
    settings = jax.tree.structure(pair)
    return jax.tree.unflatten(settings, [shuffled(pair.first, of_first), shuffled(pair.second, of_second)])


@partial(jax.jit, static_argnames="draws")
def _sampled(pair: Cascade, key, draws: int) -> Moments:
    def one(key):
        return first_two(features(shuffle_taps(pair, key)))

    count, undefined, means, variances = jax.lax.map(one, jax.random.split(key, draws))
    mean = means.mean()
    return Departures(count[0], undefined[0], mean, (variances + (means - mean) ** 2).mean()).moments()


@jax.jit
def _expected(pair: Cascade) -> Moments:
    """Expectations over all orders of the taps, from power sums: no draw, the same every time.

    The mean of a product of taps at different places depends only on which places coincide; how often that happens
    among two lags is a matter of geometry, `_coincidences`.
    """
    first, second = pair.aligned()
    one_a, two_a, first_alive = _tap_products(first)
    one_b, two_b, second_alive = _tap_products(second)
    inputs, outputs = first_alive.sum(0), second_alive.sum(1)
    count, undefined = count_pathways(inputs, outputs, pair.pathways)
    weight = (inputs * outputs) / jnp.maximum(count, 1)

    at_first = _coincidences(first.shape[:-2], tuple(lag for lag, _ in pair.lags))
    at_second = _coincidences(second.shape[:-2], tuple(lag for _, lag in pair.lags))
    mean_a = one_a.sum(0) / jnp.maximum(inputs, 1)
    mean_b = one_b.sum(1) / jnp.maximum(outputs, 1)
    departure = 2 * (at_first[0] @ at_second[0]) * (weight * mean_a * mean_b).sum()

    two_a = two_a.sum(1) / jnp.maximum(inputs, 1)
    two_b = two_b.sum(2) / jnp.maximum(outputs, 1)
    meets = np.einsum("pnk,qnk->pq", at_first[1], at_second[1]).astype(one_a.dtype)
    square = 4 * (meets[:, :, None] * (weight * two_a)[:, None] * two_b).sum()
    return Departures(count, undefined, departure, square - departure**2).moments()


def _tap_products(kernel: Float[Array, "*k x y"]):
    """Mean over orders of the taps of `g_p g_q`, and of `g_p^2 g_q^2`, `g_p^2 g_q g_r`, `g_p g_q g_r g_s`.

    All places are different; products of two are over the kernel's energy, products of four over its square.
    """
    taps, _ = normalise(kernel)
    raised = [[tap**k for tap in taps] if isinstance(taps, list) else taps**k for k in (1, 2, 3, 4)]
    power = jnp.stack([sum_first(terms) for terms in raised])
    alive = power[1] > 0
    scale = jnp.where(alive, 1 / jnp.sqrt(jnp.where(alive, power[1], 1)), 0)
    p1, p2, p3, p4 = (p * scale**k for k, p in enumerate(power, 1))
    k = len(taps)
    ordered = [float(max(math.perm(k, n), 1)) for n in (2, 3, 4)]
    pair = (p1**2 - p2) / ordered[0]
    same = (p2**2 - p4) / ordered[0]
    shared = (p2 * p1**2 - p2**2 - 2 * p1 * p3 + 2 * p4) / ordered[1]
    apart = (p1**4 - 6 * p1**2 * p2 + 3 * p2**2 + 8 * p1 * p3 - 6 * p4) / ordered[2]
    return pair, jnp.stack([same, shared, apart]), alive


def _coincidences(size: Lag, lags: tuple[Lag, ...]) -> tuple[np.ndarray, np.ndarray]:
    """Pairs of taps at each lag; and for each two lags how many of their pairs share both taps, one, none."""
    touches = np.zeros((len(lags), int(np.prod(size))))
    for row, lag in zip(touches, lags, strict=True):
        np.add.at(row, np.array(tap_pairs(size, lag), int).ravel(), 1)
    pairs = touches.sum(1) / 2
    both = np.diag(pairs)
    one = touches @ touches.T - 2 * both
    return pairs, np.stack([both, one, np.outer(pairs, pairs) - both - one])
