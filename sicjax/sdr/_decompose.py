"""What a departure from 1 is made of: what any pairing of the kernels shows, and what the real pairing adds."""

from __future__ import annotations

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int

from sicjax.sdr._cascade import Cascade
from sicjax.sdr._lags import Features, features


class Decomposition(NamedTuple):
    """The split of the mean departure from 1: `total = marginal + adaptation`.

    Attributes:
        total: mean ratio minus 1.
        marginal: what is expected when the second layer's kernels are paired at random with the first layer's
            through the intermediate channels: both prefer low frequencies, say.
        adaptation: what is left: the kernels that really meet fit each other.
        z: adaptation over its standard deviation under random pairing; NaN where that is 0 (one channel, or no
            shared lag).
    """

    total: Float[Array, ""]
    marginal: Float[Array, ""]
    adaptation: Float[Array, ""]
    z: Float[Array, ""]


class Split(NamedTuple):
    """The parts of `Decomposition`, the variance behind its `z`, and the channels with a defined pathway."""

    marginal: Float[Array, ""]
    adaptation: Float[Array, ""]
    variance: Float[Array, ""]
    channels: Int[Array, ""]


def decompose(pair: Cascade) -> Decomposition:
    """Splits the mean departure from 1 into a marginal part and adaptation, in closed form.

        mean(rho) - 1 = 2 sum_n <abar_n> <bbar_n>  +  2 sum_n cov_m(abar_n, bbar_n)

    with `abar`, `bbar` the means of the lag features over inputs and outputs and `< . >` the mean over the
    intermediate channels. Under random pairing adaptation has mean 0 and variance
    `(2 / M)^2 sum_{n,n'} Sx Sy / (M - 1)`, with `Sx`, `Sy` the scatter matrices of `abar`, `bbar` over the `M`
    channels. Not in the paper. No sampling; differentiable.

    Channels count by their defined pathways, those without any are left out, and the split stays exact; `z` then is
    first order in how much these counts differ.

    >>> import numpy as np
    >>> first, second = np.random.default_rng(0).normal(size=(2, 4, 4, 3, 3))
    >>> parts = decompose(Cascade(first, second, up=2))
    >>> bool(abs(parts.total - parts.marginal - parts.adaptation) < 1e-6)
    True
    """
    return _decompose(features(pair))


@jax.jit
def _decompose(f: Features) -> Decomposition:
    marginal, adaptation, variance, channels = split(f)
    known = variance > 0
    z = jnp.where(known, adaptation / jnp.sqrt(jnp.where(known, variance, 1)), jnp.nan)
    parts = (marginal + adaptation, marginal, adaptation, z)
    return Decomposition(*(jnp.where(channels > 0, part, jnp.nan) for part in parts))


def split(f: Features) -> Split:
    """The split, with every channel weighed by the pathways through it.

    The statistic is `sum_m U_m . V_m` over pairs of channels that meet; `U` and `V` are the features summed over
    inputs and outputs and centred by their pathways, and two rows more, which vanish when all channels have as
    many pathways.
    """
    return split_sums(f.a.sum(1), f.b.sum(2), f.first_alive.sum(0), f.second_alive.sum(1))


def split_sums(
    x: Float[Array, "n m"], y: Float[Array, "n m"], inputs: Int[Array, " m"], outputs: Int[Array, " m"]
) -> Split:
    """The split of the mean of `2 sum_n a_n b_n` from the sums of `a` over inputs and of `b` over outputs."""
    inputs, outputs = inputs.astype(x.dtype), outputs.astype(x.dtype)
    present = (inputs > 0) & (outputs > 0)
    channels = present.sum()
    x, inputs = jnp.where(present, x, 0), jnp.where(present, inputs, 0)
    y, outputs = jnp.where(present, y, 0), jnp.where(present, outputs, 0)
    mean_x, mean_y = x.sum(1) / jnp.maximum(inputs.sum(), 1), y.sum(1) / jnp.maximum(outputs.sum(), 1)
    x, y = x - mean_x[:, None] * inputs, y - mean_y[:, None] * outputs

    u = jnp.concatenate([x, inputs[None], mean_y[None] @ x])
    v = jnp.concatenate([y, mean_x[None] @ y, outputs[None]])
    pathways = jnp.maximum((inputs * outputs).sum(), 1)
    adaptation = 2 * (u * v).sum() / pathways
    scatter = _scatter(u, present, channels) * _scatter(v, present, channels)
    variance = 4 * scatter.sum() / (jnp.maximum(channels - 1, 1) * pathways**2)
    return Split(2 * (mean_x * mean_y).sum(), adaptation, jnp.where(channels > 1, variance, 0), channels)


def _scatter(u: Float[Array, "n m"], present, channels) -> Float[Array, "n n"]:
    centred = jnp.where(present, u - u.sum(1, keepdims=True) / jnp.maximum(channels, 1), 0)
    return jnp.matmul(centred, centred.T, precision=jax.lax.Precision.HIGHEST)
