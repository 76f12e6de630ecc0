"""The lag features `a` and `b`: everything that a ratio depends on, a few numbers a kernel.

    rho = 1 + 2 * sum over n of a[n, i, m] * b[n, m, o]
    a[n, i, m] = r1[down n] / r1[0]        b[n, m, o] = r2[up n] / r2[0]

with `r1`, `r2` the autocorrelations of the two kernels and n over one half of the lags that both reach.
"""

from __future__ import annotations

import math
from typing import NamedTuple, TypeAlias

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float

from sicjax.sdr._cascade import Cascade, as_cascade
from sicjax.sdr._geometry import Lag, tap_pairs

# Up to this many products of two taps they are written out, which runs fastest; beyond, the program would take
# longer to compile than to run, and the autocorrelation comes from a spectrum.
WRITTEN_OUT = 512
# Up to this many taps times frequencies the spectrum is a matrix product, which is several times faster than XLA's FFT.
MATRIX = 2**16
# Up to this many taps come one by one, and up to this many terms are added in a program that names each of them.
FEW_TAPS = 32
FEW_TERMS = 16

# The taps of every kernel, `(taps, x, y)`, or as many arrays `(x, y)`.
Taps: TypeAlias = list[Float[Array, "x y"]] | Float[Array, "taps x y"]


class Features(NamedTuple):
    """Lag features of a pair. A kernel without energy has features 0 and is not alive."""

    a: Float[Array, "n i m"]
    b: Float[Array, "n m o"]
    first_alive: Bool[Array, "i m"]
    second_alive: Bool[Array, "m o"]


def features(pair: Cascade) -> Features:
    """The lag features of a pair and which of its kernels have any energy."""
    return analyse(pair)[0]


def analyse(pair: Cascade) -> tuple[Features, Float[Array, "2 m"]]:
    """The features, and the log of the energy of each channel's kernels together in the first and the second layer.

    Raises:
        TypeError: what is no `Cascade`.
    """
    return _analyse(as_cascade(pair))


@jax.jit
def _analyse(pair: Cascade) -> tuple[Features, Float[Array, "2 m"]]:
    """A program of its own, called before the programs that use it: fused into a loop over pathways XLA would compute
    features again for every pathway (on CPU it also ignores optimization barriers).
    """
    first, second = pair.aligned()
    a, first_alive, of_first = _correlate(first, tuple(lag for lag, _ in pair.lags))
    b, second_alive, of_second = _correlate(second, tuple(lag for _, lag in pair.lags))
    energies = jnp.stack([_log_sum(*of_first, 0), _log_sum(*of_second, 1)])
    return Features(a, b, first_alive, second_alive), energies


def normalise(kernel: Float[Array, "*k x y"]) -> tuple[Taps, Float[Array, "x y"]]:
    """The taps one by one, each kernel scaled to absolute sum 1, so that no square over- or underflows, and that sum.

    A kernel of 0 stays 0. A ratio does not depend on a kernel's scale, so neither does its gradient. A few taps come
    as a list, for programs that name each of them; many stay one array.
    """
    taps = kernel.reshape(-1, *kernel.shape[-2:])
    few = len(taps) <= FEW_TAPS
    size = jax.lax.stop_gradient(sum_first([jnp.abs(tap) for tap in taps] if few else jnp.abs(taps)))
    scale = 1 / jnp.where(size > 0, size, 1)
    return [tap * scale for tap in taps] if few else taps * scale, size


def sum_first(terms: Float[Array, " n *rest"] | list[Float[Array, "*rest"]]) -> Float[Array, "*rest"]:
    """The sum over the first axis, of few terms written out, of many by halves, which keeps the program small.

    On CPU either is ten times faster than a reduction.
    """
    if isinstance(terms, list) or 0 < len(terms) <= FEW_TERMS:
        return _pairwise(list(terms))
    while len(terms) > 1:
        half = len(terms) // 2
        terms = jnp.concatenate([terms[:half] + terms[half : 2 * half], terms[2 * half :]])
    return terms[0] if len(terms) else jnp.zeros(terms.shape[1:], terms.dtype)


def _pairwise(terms: list[jax.Array]) -> jax.Array:
    while len(terms) > 1:
        terms = [sum(terms[k + 1 : k + 2], terms[k]) for k in range(0, len(terms), 2)]
    return terms[0]


def _correlate(kernel, lags: tuple[Lag, ...]):
    """Autocorrelation of every kernel at these lags, over its energy; which kernels have any; the energy and scale."""
    size = kernel.shape[:-2]
    taps, scale = normalise(kernel)
    at_lags = ((0,) * len(size), *lags)
    products = sum(math.prod(k - abs(n) for k, n in zip(size, lag, strict=True)) for lag in lags)
    correlation = (_written_out if products <= WRITTEN_OUT else _from_spectrum)(taps, size, at_lags)
    alive = correlation[0] > 0
    return correlation[1:] * (1 / jnp.where(alive, correlation[0], 1)), alive, (correlation[0], scale)


def _log_sum(energy: Float[Array, "x y"], scale: Float[Array, "x y"], axis: int) -> Float[Array, " m"]:
    """Log of the sum over an axis of energies of scaled kernels, no square of a scale taken; -inf without any."""
    unit = scale.max(axis)
    unit = jnp.where(unit > 0, unit, 1)
    total = (energy * (scale / jnp.expand_dims(unit, axis)) ** 2).sum(axis)
    known = total > 0
    return jnp.where(known, jnp.log(jnp.where(known, total, 1)) + 2 * jnp.log(unit), -jnp.inf)


def _written_out(taps: Taps, size: Lag, lags: tuple[Lag, ...]):
    taps = list(taps)
    return jnp.stack([_pairwise([taps[p] * taps[q] for p, q in tap_pairs(size, lag)]) for lag in lags])


def _from_spectrum(taps: Taps, size: Lag, lags: tuple[Lag, ...]):
    """From the power spectrum on the smallest grid on which no lag that is asked for meets another."""
    taps = jnp.stack(taps) if isinstance(taps, list) else taps
    reach = np.abs(lags).max(0)
    points = tuple(int(k + n) for k, n in zip(size, reach, strict=True))
    if math.prod(size) * math.prod(points) <= 2 * MATRIX:
        return _from_matrices(taps, size, lags, points)
    spatial = tuple(range(len(size)))
    spectrum = jnp.fft.rfftn(taps.reshape(*size, *taps.shape[1:]), points, axes=spatial)
    power = spectrum.real**2 + spectrum.imag**2
    correlation = jnp.fft.irfftn(power, points, axes=spatial)
    return correlation[tuple(np.mod(np.array(lags).T, np.array(points)[:, None]))]


def _from_matrices(taps: Float[Array, "taps x y"], size: Lag, lags: tuple[Lag, ...], points: Lag):
    """The same with the two Fourier transforms as products with their matrices."""
    every = np.arange(math.prod(points))
    grid = np.stack(np.unravel_index(every, points))
    opposite = np.ravel_multi_index(tuple(-grid % np.array(points)[:, None]), points)
    # Power at -f is power at f, so one of the two is computed and counts twice.
    kept = every <= opposite
    share = np.where(every == opposite, 1, 2)[kept] / len(every)
    frequencies = 2 * np.pi * grid[:, kept].T / np.array(points)
    at_taps = frequencies @ np.stack(np.unravel_index(np.arange(len(taps)), size))
    exact = jax.lax.Precision.HIGHEST
    real, imaginary = (
        jnp.tensordot(jnp.asarray(wave, taps.dtype), taps, 1, precision=exact)
        for wave in (np.cos(at_taps), np.sin(at_taps))
    )
    back = jnp.asarray(share * np.cos(np.array(lags) @ frequencies.T), taps.dtype)
    return jnp.tensordot(back, real**2 + imaginary**2, 1, precision=exact)
