"""Kernels and layers of JAX for the tests of traces."""

import jax
import jax.numpy as jnp
import numpy as np

RNG = np.random.default_rng(0)
LENGTH = 72


def kernel(*shape):
    return jnp.asarray(RNG.normal(size=shape), jnp.float32)


def conv(x, k, *, stride=1, up=1, dilation=1, groups=1):
    """A convolution with room on both sides, in one dimension or two, channels last."""
    axes = k.ndim - 2
    numbers = {1: ("NWC", "WIO", "NWC"), 2: ("NHWC", "HWIO", "NHWC")}[axes]
    reach = [((n - 1) * dilation, (n - 1) * dilation) for n in k.shape[:-2]]
    return jax.lax.conv_general_dilated(
        x, k, (stride,) * axes, reach, (up,) * axes, (dilation,) * axes, numbers, feature_group_count=groups
    )


def average_pool(x):
    return jax.lax.reduce_window(x, 0.0, jax.lax.add, (1, 2, 1), (1, 2, 1), "VALID")


def resize(method, factor):
    return lambda x: jax.image.resize(x, (x.shape[0], factor * x.shape[1], x.shape[2]), method)
