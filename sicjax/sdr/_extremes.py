"""The pathways of lowest and of highest ratio: every pathway visited, a few kept."""

from __future__ import annotations

from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax.typing import ArrayLike
from jaxtyping import Array, Float, Int

from sicjax.sdr._cascade import Cascade
from sicjax.sdr._lags import Features, features

# Pathways through one channel that are held at once.
PART = 2**22


class Extremes(NamedTuple):
    """The defined pathways at both ends, as many as were asked for or there are.

    Attributes:
        lowest: `(n,)` the lowest ratios, from the lowest.
        lowest_at: `(n, 3)` where they are in `ratios`: input, intermediate channel, output.
        highest: `(n,)` the highest ratios, from the highest.
        highest_at: `(n, 3)` where they are in `ratios`.
    """

    lowest: Float[np.ndarray, " n"]
    lowest_at: Int[np.ndarray, "n 3"]
    highest: Float[np.ndarray, " n"]
    highest_at: Int[np.ndarray, "n 3"]


class _Kept(NamedTuple):
    """The largest so far of `rho - 1`, or of `1 - rho`, from the largest, and where they were."""

    values: Float[Array, " k"]
    channels: Int[Array, " k"]
    places: Int[Array, " k"]


def extremes(pair: Cascade, k: int) -> Extremes:
    """The `k` pathways of the lowest and the `k` of the highest ratio, in bounded memory whatever their number.

    Arguments:
        pair: the two layers.
        k: how many at each end.

    Returns:
        `Extremes`, with NumPy arrays; undefined pathways are not among them, and where fewer than `k` are defined, all
        are at both ends.

    Raises:
        ValueError: `k` is not a positive integer.

    >>> first, second = np.random.default_rng(0).normal(size=(2, 4, 4, 3, 3))
    >>> pair = Cascade(first, second, up=2)
    >>> found = extremes(pair, 2)
    >>> found.highest.shape, found.highest_at.shape
    ((2,), (2, 3))
    """
    if not isinstance(k, (int, np.integer)) or isinstance(k, bool) or k < 1:
        raise ValueError(f"k must be a positive integer, got {k!r}")
    f = features(pair)
    k = min(int(k), pair.pathways)
    inputs = max(1, min(f.a.shape[1], PART // f.b.shape[2]))
    low, high = (_Kept(jnp.full(k, -jnp.inf, f.a.dtype), *jnp.zeros((2, k), jnp.int32)) for _ in range(2))
    for start in range(0, f.a.shape[1], inputs):
        part = f._replace(a=f.a[:, start : start + inputs], first_alive=f.first_alive[start : start + inputs])
        low, high = _largest(part, start * f.b.shape[2], low, high)
    lowest, lowest_at = _found(low, f.b.shape[2])
    highest, highest_at = _found(high, f.b.shape[2])
    return Extremes(1 - lowest, lowest_at, 1 + highest, highest_at)


@partial(jax.jit, donate_argnums=(2, 3))
def _largest(f: Features, offset: ArrayLike, low: _Kept, high: _Kept) -> tuple[_Kept, _Kept]:
    """What is kept, after the channels of `f` one by one; `offset` is the place of its first pathway."""

    def step(kept: tuple[_Kept, _Kept], channel):
        number, a, b, first_alive, second_alive = channel
        departure = 2 * jnp.matmul(a.T, b, precision=jax.lax.Precision.HIGHEST)
        defined = first_alive[:, None] & second_alive
        below, above = (jnp.where(defined, sign * departure, -jnp.inf).ravel() for sign in (-1, 1))
        return (_with(kept[0], below, number, offset), _with(kept[1], above, number, offset)), None

    numbers = jnp.arange(f.a.shape[2], dtype=jnp.int32)
    channels = (numbers, f.a.transpose(2, 0, 1), f.b.transpose(1, 0, 2), f.first_alive.T, f.second_alive)
    return jax.lax.scan(step, (low, high), channels)[0]


def _with(kept: _Kept, values: Float[Array, " pathways"], number: Int[Array, ""], offset: ArrayLike) -> _Kept:
    """What is kept with one more channel, most of which have nothing to add once there are some."""

    def merged() -> _Kept:
        new, places = jax.lax.top_k(values, min(len(kept.values), len(values)))
        both = jnp.concatenate([kept.values, new])
        best, at = jax.lax.top_k(both, len(kept.values))
        channels = jnp.concatenate([kept.channels, jnp.full(len(new), number)])[at]
        return _Kept(best, channels, jnp.concatenate([kept.places, places.astype(jnp.int32) + offset])[at])

    return jax.lax.cond(values.max() > kept.values[-1], merged, lambda: kept)


def _found(kept: _Kept, outputs: int) -> tuple[Float[np.ndarray, " n"], Int[np.ndarray, "n 3"]]:
    """The departures of what is kept, and where they are; without the places that nothing took."""
    values, channels, places = map(np.asarray, kept)
    taken = values > -np.inf
    return values[taken], np.stack([places // outputs, channels, places % outputs], axis=1)[taken]
