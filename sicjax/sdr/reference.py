"""The literal equation in float64 NumPy: slow and obvious, the oracle of the tests."""

from __future__ import annotations

import itertools

import numpy as np
from jaxtyping import Float

from sicjax.sdr._cascade import Cascade

__all__ = ["ratios"]


def ratios(pair: Cascade) -> Float[np.ndarray, "i m o"]:
    """Every pathway's ratio, one at a time, from zero-padded FFTs of the stretched kernels.

        rho = < |A|^2 |B|^2 > / ( < |A|^2 > < |B|^2 > )

    On the grid of the undecimated signal `|A|^2` is read at `up` times the frequency and `|B|^2` at `down` times
    (paper, equation 4); a decimated `|A|^2` also holds its aliases, the `down` shifts averaged here.

    Returns:
        `(i, m, o)` float64, NaN where a kernel has no energy.

    >>> pair = Cascade(np.eye(3)[:, None, None, 0], np.eye(3)[:, None, None, 0])
    >>> ratios(pair)
    array([[[1.]]])
    """
    first, second = (np.asarray(kernel, np.float64) for kernel in pair.aligned())
    axes = range(first.ndim - 2)
    reach1 = [(first.shape[x] - 1) * pair.first_dilation[x] * pair.up[x] for x in axes]
    reach2 = [(second.shape[x] - 1) * pair.second_dilation[x] * pair.down[x] for x in axes]
    points = [pair.down[x] * pair.up[x] * (reach1[x] + reach2[x] + 1) for x in axes]

    def power(kernel, dilation):
        scaled = kernel / (np.abs(kernel).max() or 1)
        stretched = np.zeros(points)
        stretched[tuple(slice(0, k * d, d) for k, d in zip(kernel.shape, dilation, strict=True))] = scaled
        return np.abs(np.fft.fftn(stretched)) ** 2

    def read(spectrum, step, shift):
        return spectrum[np.ix_(*((step[x] * np.arange(points[x]) + shift[x]) % points[x] for x in axes))]

    aliases = list(itertools.product(*(range(0, points[x], points[x] // pair.down[x]) for x in axes)))
    result = np.full(pair.shape, np.nan)
    for i, m, o in np.ndindex(*pair.shape):
        a = power(first[..., i, m], pair.first_dilation)
        b = read(power(second[..., m, o], pair.second_dilation), pair.down, [0] * first.ndim)
        a = np.mean([read(a, pair.up, shift) for shift in aliases], axis=0)
        if a.any() and b.any():
            result[i, m, o] = (a * b).mean() / (a.mean() * b.mean())
    return result
