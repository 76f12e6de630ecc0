"""One table of cases and one of methods: a new way to compute the ratios gets every test by a row here."""

import jax
import jax.numpy as jnp
import numpy as np

import sicjax.sdr as sdr

# Absolute tolerance of a ratio, by the dtype it is computed in.
TOLERANCE = {"float32": 1e-6, "float64": 1e-13}


def kernels(size1, size2, channels=(3, 4, 2), groups=(1, 1), seed=0, scale=1.0):
    """Two random kernels, `(*size1, i / groups, m)` and `(*size2, m / groups, o)`."""
    rng = np.random.default_rng(seed)
    i, m, o = channels
    first = rng.normal(size=(*size1, i // groups[0], m))
    second = rng.normal(size=(*size2, m // groups[1], o))
    return scale * first, scale * second


def with_dead_kernels() -> sdr.Cascade:
    """Some kernels have no energy; one channel has no input left, one no output, one neither."""
    first, second = kernels((4, 4), (4, 4), (5, 7, 6))
    first[..., 1, 2] = first[..., 3, 0] = first[..., :, 4] = first[..., :, 5] = 0
    second[..., 2, 3] = second[..., 0, :] = second[..., 5, :] = 0
    return sdr.generative(first, second, stride=2)


def _case(size1, size2, channels=(3, 4, 2), **settings):
    groups = settings.get("first_groups", 1), settings.get("second_groups", 1)
    return sdr.Cascade(*kernels(size1, size2, channels, groups), **settings)


CASES = {
    "generative 4x4 by 2": _case((4, 4), (4, 4), up=2),
    "extractive 5x5 by 2": _case((5, 5), (5, 5), down=2),
    "turning by 2 and 3": _case((5, 4), (4, 5), down=2, up=3),
    "turning by 3 and 2": _case((6, 5), (4, 4), down=3, up=2),
    "plain 3x3": _case((3, 3), (3, 3)),
    "5x5 at stride 1, 40 lags": _case((5, 5), (5, 5)),
    "1-D, stride 3 and dilation 2": _case((7,), (9,), down=3, second_dilation=2),
    "1-D, coprime dilations": _case((7,), (7,), first_dilation=2, second_dilation=3),
    "1-D, large, from an FFT": _case((300,), (90,), down=2),
    "2-D, a setting for each axis": _case((5, 3), (3, 4), up=(1, 2), first_dilation=(1, 2), second_dilation=(3, 1)),
    "2-D, wide, from a matrix product": _case(
        (8, 7), (9, 6), (4, 6, 2), first_groups=2, down=(1, 2), first_dilation=(3, 2)
    ),
    "1-D, 63 lags of 512 and 64 taps": _case((512,), (64,), down=8),
    "3-D, generative": _case((3, 2, 3), (2, 3, 3), up=2),
    "3-D, plain and dilated": _case((3, 3, 2), (2, 3, 3), first_dilation=2),
    "no shared lag: 2x2 by 2": _case((2, 2), (2, 2), up=2),
    "no shared lag: 1x1": _case((1, 1), (3, 3)),
    "groups in the first": _case((3, 3), (3, 3), (4, 6, 2), first_groups=2),
    "depthwise, then pointwise": _case((3, 3), (3, 3), (6, 6, 4), first_groups=6),
    "groups in both": _case((3, 3), (4, 4), (4, 6, 9), first_groups=2, second_groups=3, up=2),
}

METHODS = {
    "lags": lambda pair: sdr.ratios(pair, method="lags"),
    "fft": lambda pair: sdr.ratios(pair, method="fft"),
    "auto, in jit": jax.jit(sdr.ratios),
    "into memory that is there": lambda pair: sdr.ratios(pair, out=jnp.zeros(pair.shape)),
}
