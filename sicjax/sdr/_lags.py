"""The lag features `a` and `b`: everything that a ratio depends on, a few numbers a kernel.

    rho = 1 + 2 * sum over n of a[n, i, m] * b[n, m, o]
    a[n, i, m] = r1[down n] / r1[0]        b[n, m, o] = r2[up n] / r2[0]

with `r1`, `r2` the autocorrelations of the two kernels and n over one half of the lags that both reach.
"""

from __future__ import annotations

from typing import NamedTuple, TypeAlias

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float

from sicjax.sdr._cascade import Cascade
from sicjax.sdr._geometry import Lag, tap_pairs

# Up to this many products of two taps they are written out, which runs fastest; beyond, the program would take
# longer to compile than to run, and the autocorrelation comes from an FFT.
WRITTEN_OUT = 512
# Up to this many terms are added in a program that names each of them.
FEW = 128

# The taps of every kernel, `(taps, x, y)`, or as many arrays `(x, y)`.
Taps: TypeAlias = list[Float[Array, "x y"]] | Float[Array, "taps x y"]


class Features(NamedTuple):
    """Lag features of a pair. A kernel without energy has features 0 and is not alive."""

    a: Float[Array, "n i m"]
    b: Float[Array, "n m o"]
    first_alive: Bool[Array, "i m"]
    second_alive: Bool[Array, "m o"]


@jax.jit
def features(pair: Cascade) -> Features:
    """The lag features of a pair and which of its kernels have any energy.

    A program of its own, called before the programs that use it: fused into a loop over pathways XLA would compute
    features again for every pathway (on CPU it also ignores optimization barriers).
    """
    first, second = pair.aligned()
    a, first_alive = _correlate(first, tuple(lag for lag, _ in pair.lags))
    b, second_alive = _correlate(second, tuple(lag for _, lag in pair.lags))
    return Features(a, b, first_alive, second_alive)


def normalise(kernel: Float[Array, "*k x y"]) -> Taps:
    """The taps one by one, each kernel scaled to absolute sum 1, so that no square over- or underflows; 0 stays 0.

    A ratio does not depend on a kernel's scale, so neither does its gradient. A few taps come as a list, for programs
    that name each of them; many stay one array.
    """
    taps = kernel.reshape(-1, *kernel.shape[-2:])
    few = len(taps) <= FEW
    size = jax.lax.stop_gradient(sum_first([jnp.abs(tap) for tap in taps] if few else jnp.abs(taps)))
    scale = 1 / jnp.where(size > 0, size, 1)
    return [tap * scale for tap in taps] if few else taps * scale


def sum_first(terms: Float[Array, " n *rest"] | list[Float[Array, "*rest"]]) -> Float[Array, "*rest"]:
    """The sum over the first axis; of few terms written out and pairwise, on CPU ten times faster than a reduction."""
    return _pairwise(list(terms)) if 0 < len(terms) <= FEW else jnp.sum(jnp.asarray(terms), axis=0)


def _pairwise(terms: list[jax.Array]) -> jax.Array:
    while len(terms) > 1:
        terms = [sum(terms[k + 1 : k + 2], terms[k]) for k in range(0, len(terms), 2)]
    return terms[0]


def _correlate(kernel, lags: tuple[Lag, ...]):
    """Autocorrelation of every kernel at these lags, over its energy; and which kernels have any."""
    size = kernel.shape[:-2]
    taps = normalise(kernel)
    at_lags = ((0,) * len(size), *lags)
    products = sum(len(tap_pairs(size, lag)) for lag in lags)
    correlation = (_written_out if products <= WRITTEN_OUT else _from_fft)(taps, size, at_lags)
    alive = correlation[0] > 0
    return correlation[1:] * (1 / jnp.where(alive, correlation[0], 1)), alive


def _written_out(taps, size: Lag, lags: tuple[Lag, ...]):
    return jnp.stack([_pairwise([taps[p] * taps[q] for p, q in tap_pairs(size, lag)]) for lag in lags])


def _from_fft(taps, size: Lag, lags: tuple[Lag, ...]):
    spatial = tuple(range(len(size)))
    points = tuple(2 * k - 1 for k in size)
    spectrum = jnp.fft.rfftn(jnp.asarray(taps).reshape(*size, *taps[0].shape), points, axes=spatial)
    power = spectrum.real**2 + spectrum.imag**2
    correlation = jnp.fft.irfftn(power, points, axes=spatial)
    return correlation[tuple(np.mod(np.array(lags).T, np.array(points)[:, None]))]
