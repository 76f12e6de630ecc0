"""Every pathway's ratio, and each filter's mean over outputs."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Literal

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from sicjax.sdr._cascade import Cascade
from sicjax.sdr._lags import Features, features, sum_first
from sicjax.sdr._spectrum import ratios_from_spectra

# Up to this many lags the sum is one fused elementwise loop at the speed of writing the result; beyond, a matrix
# product for each intermediate channel is faster.
ELEMENTWISE = 48


def ratios(
    pair: Cascade,
    *,
    method: Literal["auto", "lags", "fft"] = "auto",
    out: Float[Array, "i m o"] | None = None,
) -> Float[Array, "i m o"]:
    """Spectral Dependency Ratio of every pathway.

        rho[i, m, o] = < |A_im|^2 |B_mo|^2 > / ( < |A_im|^2 > < |B_mo|^2 > )

    with `A`, `B` the Fourier transforms of the two kernels as they act where both live, and `< . >` the mean over
    the unit frequency square (paper, equations 3 and 4).

    Arguments:
        pair: the two layers.
        method: `lags` is the exact closed form; `fft` the paper's definition on a zero-padded grid large enough to
            be exact, an independent check. `auto` is `lags`, which never needs more terms.
        out: an array of the result's shape and dtype whose memory the result takes over; it must not be used
            afterwards. Writing into memory that is already there is several times faster than into fresh pages.

    Returns:
        `(i, m, o)`, no unit, at least 0: 1 is independence, above positive, below negative dependence. NaN where a
        kernel has no energy. With groups, see `Cascade`.

    Raises:
        ValueError: an unknown method, or an `out` that does not fit.

    >>> import numpy as np
    >>> first, second = np.random.default_rng(0).normal(size=(2, 4, 4, 3, 3))
    >>> ratios(Cascade(first, second, up=2)).shape
    (3, 3, 3)
    """
    if method not in ("auto", "lags", "fft"):
        raise ValueError(f"method must be 'auto', 'lags' or 'fft', got {method!r}")
    if out is not None and (out.shape, out.dtype) != (pair.shape, pair.first.dtype):
        raise ValueError(f"out must be {pair.shape} {pair.first.dtype}, got {out.shape} {out.dtype}")
    compute, given = (ratios_from_spectra, pair) if method == "fft" else (_from_lags, features(pair))
    return _fresh(compute, given) if out is None else _into(compute, given, out)


def filter_ratios(pair: Cascade) -> Float[Array, "i m"]:
    """Mean ratio of each filter of the first layer over the outputs it feeds, in closed form.

        1 + 2 * sum over n of a[n, i, m] * mean over o of b[n, m, o]

    It is the number the paper removes filters by (section 4.2). No pathway is visited.

    Returns:
        `(i, m)`; means over the defined pathways, NaN where there is none.

    >>> import numpy as np
    >>> first, second = np.random.default_rng(0).normal(size=(2, 4, 4, 3, 3))
    >>> filter_ratios(Cascade(first, second, up=2)).shape
    (3, 3)
    """
    return _filter_ratios(features(pair))


def _from_lags(f: Features) -> Float[Array, "i m o"]:
    if len(f.a) <= ELEMENTWISE:
        terms = (f.a[n, :, :, None] * f.b[n] for n in range(len(f.a)))
        half = sum(terms, jnp.zeros((*f.a.shape[1:], f.b.shape[2]), f.a.dtype))
    else:
        half = jnp.einsum("nim,nmo->imo", f.a, f.b, precision=jax.lax.Precision.HIGHEST)
    undefined = jnp.where(f.first_alive, 0, jnp.nan)[:, :, None] + jnp.where(f.second_alive, 0, jnp.nan)
    return 1 + 2 * half + undefined.astype(half.dtype)


@partial(jax.jit, static_argnums=0)
def _fresh(compute: Callable, given):
    return compute(given)


@partial(jax.jit, static_argnums=0, donate_argnames="out", keep_unused=True)
def _into(compute: Callable, given, out):
    return compute(given)


@jax.jit
def _filter_ratios(f: Features) -> Float[Array, "i m"]:
    outputs = f.second_alive.sum(1)
    mean_b = f.b.sum(2) / jnp.maximum(outputs, 1)
    departure = sum_first(2 * f.a * mean_b[:, None])
    return jnp.where(f.first_alive & (outputs > 0), 1 + departure, jnp.nan)
