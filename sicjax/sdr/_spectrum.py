"""The paper's definition: power spectra of zero-padded kernels on one frequency grid, multiplied and averaged."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from sicjax.sdr._cascade import Cascade
from sicjax.sdr._lags import normalise

# Numbers held at once while the intermediate channels are worked through in batches.
WORKING_SET = 2**24


def ratios_from_spectra(pair: Cascade) -> Float[Array, "i m o"]:
    """Every pathway's ratio from real FFTs of each kernel, on the smallest grid without aliasing.

    Between the layers, decimating by `down` folds the power spectrum of the first kernel, and reading it at `up`
    times the frequency is the same in the mean as folding the second kernel's by `up`. The folded spectra have
    the lags `r1[down n]` and `r2[up n]`; the grid holds the lags of their product.
    """
    first, second = pair.aligned()
    size1, size2 = first.shape[:-2], second.shape[:-2]
    points = tuple(
        (k1 - 1) * d1 // down + (k2 - 1) * d2 // up + 1
        for k1, k2, d1, d2, down, up in zip(
            size1, size2, pair.first_dilation, pair.second_dilation, pair.down, pair.up, strict=True
        )
    )
    weights = _half_weights(points)

    def one_channel(kernels):
        a, b = kernels
        s1, alive1 = _folded_power(a, pair.first_dilation, pair.down, points)
        s2, alive2 = _folded_power(b, pair.second_dilation, pair.up, points)
        product = jnp.matmul((s1 * weights[:, None]).T, s2, precision=jax.lax.Precision.HIGHEST)
        return jnp.where(alive1[:, None] & alive2[None], 1 + product, jnp.nan)

    i, m, o = pair.shape
    held = np.prod(points) * (np.prod(pair.down) * i + np.prod(pair.up) * o)
    batch = int(np.clip(WORKING_SET // held, 1, m))
    kernels = jnp.moveaxis(first, -1, 0), jnp.moveaxis(second, -2, 0)
    return jnp.moveaxis(jax.lax.map(one_channel, kernels, batch_size=batch), 0, 1)


def _folded_power(kernel: Float[Array, "*k x"], dilation, fold, points):
    """Departure from 1 of the power spectrum over its mean, decimated by `fold`: `(half grid, x)`; and which live."""
    axes = tuple(range(kernel.ndim - 1))
    taps, _ = normalise(kernel[..., None])
    stretched = jax.lax.pad(
        jnp.asarray(taps).reshape(kernel.shape),
        jnp.zeros((), kernel.dtype),
        [(0, 0, d - 1) for d in dilation] + [(0, 0, 0)],
    )
    fine = tuple(n * f for n, f in zip(points, fold, strict=True))
    spectrum = jnp.fft.rfftn(stretched, fine, axes=axes)
    power = spectrum.real**2 + spectrum.imag**2
    if max(fold) > 1:
        power = _mirrored(power, fine)
        for axis, (n, f) in enumerate(zip(points, fold, strict=True)):
            power = power.reshape(*power.shape[:axis], f, n, *power.shape[axis + 1 :]).mean(axis)
        power = power[tuple(slice(None) for _ in axes[:-1]) + (slice(points[-1] // 2 + 1),)]
    power = power.reshape(-1, kernel.shape[-1])
    mean = jnp.sum(power * _half_weights(points)[:, None], 0)
    alive = mean > 0
    return power / jnp.where(alive, mean, 1) - 1, alive


def _mirrored(half: Array, points) -> Array:
    """The whole grid from the half that a real FFT keeps: power at `-f` is power at `f`."""
    rest = half
    for axis, n in enumerate(points[:-1]):
        rest = jnp.take(rest, -np.arange(n) % n, axis=axis)
    last = len(points) - 1
    rest = jnp.take(rest, np.arange(points[-1] - half.shape[last], 0, -1), axis=last)
    return jnp.concatenate([half, rest], axis=last)


def _half_weights(points) -> np.ndarray:
    """Weights that make a sum over the half grid the mean over the whole grid."""
    n = points[-1]
    both = np.full(n // 2 + 1, 2.0)
    both[0] = 1
    if n % 2 == 0:
        both[-1] = 1
    return np.tile(both, int(np.prod(points[:-1]))).astype(np.float32) / np.prod(points)
