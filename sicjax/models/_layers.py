"""Layers that the generators and encoders are made of."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from itertools import pairwise

import jax
import jax.numpy as jnp
from flax import nnx
from jax.typing import DTypeLike
from jaxtyping import Array, Float

from sicjax.models._convolutions import conv, conv_transpose

BLOCK = 2**16


def kernel_init(key: Array, shape: Sequence[int], dtype: DTypeLike = jnp.float32) -> Array:
    """The initial weights of the DCGAN paper (Radford et al., 2016): N(0, 0.02).

    Drawn in blocks of one size, because XLA takes longer to compile a random number generator, once for every shape,
    than the generator to run.
    """
    count = math.prod(shape)
    blocks = [_normal(jax.random.fold_in(key, k)) for k in range(-(-count // BLOCK))]
    return 0.02 * jnp.concatenate(blocks)[:count].reshape(shape).astype(dtype)


def scale_init(key: Array, shape: Sequence[int], dtype: DTypeLike = jnp.float32) -> Array:
    """Its initial scales of batch norm: N(1, 0.02)."""
    return 1 + kernel_init(key, shape, dtype)


@jax.jit
def _normal(key: Array) -> Array:
    return jax.random.normal(key, (BLOCK,))


class Convolution(nnx.Module):
    """A strided or transposed convolution with SAME padding; weights in float32, computed in `dtype`."""

    def __init__(
        self, function: Callable, kernel: int, inputs: int, outputs: int, stride: int, bias: bool, *, dtype, rngs
    ):
        self.function, self.stride, self.dtype = function, stride, dtype
        self.kernel = nnx.Param(kernel_init(rngs.params(), (kernel, kernel, inputs, outputs)))
        self.bias = nnx.Param(jnp.zeros(outputs)) if bias else None

    def __call__(self, x: Float[Array, "n h w i"]) -> Float[Array, "n p q o"]:
        y = self.function(x.astype(self.dtype), self.kernel[...].astype(self.dtype), self.stride)
        return y if self.bias is None else y + self.bias[...].astype(self.dtype)


def batch_norm(features: int, *, dtype: DTypeLike, rngs: nnx.Rngs) -> nnx.BatchNorm:
    return nnx.BatchNorm(features, momentum=0.9, epsilon=1e-5, scale_init=scale_init, dtype=dtype, rngs=rngs)


def dense(inputs: int, outputs: int, bias: bool, *, dtype: DTypeLike, rngs: nnx.Rngs) -> nnx.Linear:
    return nnx.Linear(inputs, outputs, use_bias=bias, kernel_init=kernel_init, dtype=dtype, rngs=rngs)


class Up(nnx.Module):
    """From latent variables to images: dense, then transposed convolutions; batch norm and ReLU between, tanh last.

    Attributes:
        latent: number of latent variables.
    """

    def __init__(
        self,
        *,
        latent: int,
        channels: Sequence[int],
        strides: Sequence[int],
        kernel: int,
        size: int,
        dropout: float,
        dtype: DTypeLike,
        rngs: nnx.Rngs,
    ):
        check(channels, strides, kernel, size)
        if not 0 <= dropout < 1:
            raise ValueError(f"dropout must be in [0, 1), got {dropout}")
        self.latent = latent
        base = size // math.prod(strides)
        self.shape = (base, base, channels[0])
        self.dense = dense(latent, base * base * channels[0], False, dtype=dtype, rngs=rngs)
        ends = (*channels, 3)
        self.convs = nnx.List(
            Convolution(conv_transpose, kernel, i, o, stride, k == len(channels), dtype=dtype, rngs=rngs)
            for k, ((i, o), stride) in enumerate(zip(pairwise(ends), strides, strict=True), 1)
        )
        self.norms = nnx.List(batch_norm(features, dtype=dtype, rngs=rngs) for features in channels)
        self.dropout = nnx.Dropout(dropout)

    def __call__(
        self, z: Float[Array, "n latent"], *, train: bool = False, key: Array | None = None
    ) -> Float[Array, "n size size 3"]:
        """Images in [-1, 1].

        Arguments:
            z: latent variables, N(0, 1).
            train: whether batch norm uses the batch's statistics and dropout drops.
            key: randomness of dropout, needed only in training with dropout.
        """
        x = self.dense(z).reshape(-1, *self.shape)
        for layer, norm in zip(self.convs, self.norms, strict=True):
            x = jax.nn.relu(norm(x, use_running_average=not train))
            if layer is self.convs[-1] and self.dropout.rate:
                x = self.dropout(x, deterministic=not train, rngs=key)
            x = layer(x)
        return jnp.tanh(x.astype(jnp.float32))


class Down(nnx.Module):
    """From images to features: strided convolutions, each with an activation, and a dense layer.

    Attributes:
        size: side of the images.
    """

    def __init__(
        self,
        *,
        outputs: int,
        channels: Sequence[int],
        strides: Sequence[int],
        kernel: int,
        size: int,
        first_norm: bool,
        activation: Callable,
        dtype: DTypeLike,
        rngs: nnx.Rngs,
    ):
        check(channels, strides, kernel, size)
        self.size = size
        ends = (3, *channels)
        self.activation = activation
        self.convs = nnx.List(
            Convolution(conv, kernel, i, o, stride, k == 0 and not first_norm, dtype=dtype, rngs=rngs)
            for k, ((i, o), stride) in enumerate(zip(pairwise(ends), strides, strict=True))
        )
        normed = channels if first_norm else channels[1:]
        self.norms = nnx.List(batch_norm(features, dtype=dtype, rngs=rngs) for features in normed)
        base = size // math.prod(strides)
        self.dense = dense(base * base * channels[-1], outputs, True, dtype=dtype, rngs=rngs)

    def features(self, x: Float[Array, "n size size 3"], *, train: bool = False) -> Float[Array, "n outputs"]:
        bare = len(self.convs) - len(self.norms)
        for k, layer in enumerate(self.convs):
            x = layer(x)
            if k >= bare:
                x = self.norms[k - bare](x, use_running_average=not train)
            x = self.activation(x)
        return self.dense(x.reshape(len(x), -1)).astype(jnp.float32)


def check(channels: Sequence[int], strides: Sequence[int], kernel: int, size: int) -> None:
    if len(channels) != len(strides):
        raise ValueError(f"{len(channels)} channels and {len(strides)} strides: give one stride for each layer")
    if size % math.prod(strides):
        raise ValueError(f"size {size} is not a multiple of the product of the strides {tuple(strides)}")
    if kernel < max(strides):
        raise ValueError(f"kernel {kernel} is smaller than the stride {max(strides)}")
