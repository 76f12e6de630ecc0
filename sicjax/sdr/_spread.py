"""What the spread of the ratios is made of: what any pairing of the kernels shows, and what the real pairing adds."""

from __future__ import annotations

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from sicjax.sdr._cascade import Cascade
from sicjax.sdr._decompose import split, split_sums
from sicjax.sdr._lags import Features, features


class Spread(NamedTuple):
    """The split of the variance of the ratios: `variance = marginal + pairing`. NaN without a defined pathway.

    Attributes:
        variance: of the ratios over all pathways.
        marginal: what is expected when the second layer's kernels are paired at random with the first layer's
            through the intermediate channels.
        pairing: what the real pairing adds.
        z: the part of the mean square of `rho - 1` that the real pairing adds, over its standard deviation under
            random pairing; NaN where that is 0.
    """

    variance: Float[Array, ""]
    marginal: Float[Array, ""]
    pairing: Float[Array, ""]
    z: Float[Array, ""]


def spread(pair: Cascade) -> Spread:
    """Splits the variance of the ratios into a marginal part and what the pairing adds, in closed form.

        mean (rho - 1)^2 = 4 sum_{n,n'} <Pa Pb>  =  4 sum <Pa> <Pb>  +  4 sum cov_m(Pa, Pb)

    with `Pa[n, n']`, `Pb[n, n']` the means of `a_n a_n'` over inputs and of `b_n b_n'` over outputs: `decompose` on
    products of two lag features. The squares of the two parts of the mean are taken off, each from its own. Not in
    the paper. No sampling; differentiable.

    Of the coupling's cross-covariance `C`, whose trace is half of adaptation, the spread holds `tr(C)^2 + tr(C C)` for
    features that are jointly normal (Isserlis), and `|C|^2` is the coupling: where `C` is not symmetric most of it is
    in neither.

    >>> import numpy as np
    >>> first, second = np.random.default_rng(0).normal(size=(2, 4, 4, 8, 8))
    >>> found = spread(Cascade(first, second, up=2))
    >>> bool(abs(found.marginal + found.pairing - found.variance) < 1e-6)
    True
    """
    return _spread(features(pair))


@jax.jit
def _spread(f: Features) -> Spread:
    # Products of two lags, each two once; the mean square is 4 times their sum, `split_sums` has a 2 already.
    p, q = np.triu_indices(len(f.a))
    twice = jnp.asarray(np.where(p == q, 2.0, 4.0)[:, None], f.a.dtype)
    exact = jax.lax.Precision.HIGHEST
    of_first = jnp.einsum("pim,qim->pqm", f.a, f.a, precision=exact)[p, q]
    of_second = jnp.einsum("pmo,qmo->pqm", f.b, f.b, precision=exact)[p, q]
    square = split_sums(twice * of_first, of_second, f.first_alive.sum(0), f.second_alive.sum(1))
    mean = split(f)
    marginal = square.marginal - mean.marginal**2
    pairing = square.adaptation - mean.adaptation * (2 * mean.marginal + mean.adaptation)
    known = square.variance > 0
    z = jnp.where(known, square.adaptation / jnp.sqrt(jnp.where(known, square.variance, 1)), jnp.nan)
    parts = (marginal + pairing, marginal, pairing, z)
    return Spread(*(jnp.where(mean.channels > 0, part, jnp.nan) for part in parts))
