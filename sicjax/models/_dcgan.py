"""The paper's GAN, a DCGAN (Radford et al., 2016; the paper's Fig. 2)."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import jax
import jax.numpy as jnp
from flax import nnx
from jax.typing import DTypeLike
from jaxtyping import Array, Float

from sicjax.models._layers import Down, Up


class Generator(Up):
    """Latent variables to images.

    Arguments:
        latent: number of latent variables.
        channels: of the dense layer's images and of every transposed convolution but the last, from coarse to fine.
        strides: of the transposed convolutions.
        kernel: their side.
        size: side of the images: the strides' product times the side of the dense layer's images.
        dropout: rate between the two finest layers.
        dtype: of the computation; weights stay float32.
        rngs: randomness of the first weights.

    Raises:
        ValueError: sizes that do not fit together.

    >>> Generator(size=32, channels=(16, 8, 4, 4), rngs=nnx.Rngs(0))(jnp.zeros((2, 100))).shape
    (2, 32, 32, 3)
    """

    def __init__(
        self,
        *,
        latent: int = 100,
        channels: Sequence[int] = (512, 256, 128, 64),
        strides: Sequence[int] = (2, 2, 2, 2),
        kernel: int = 4,
        size: int = 64,
        dropout: float = 0.0,
        dtype: DTypeLike = jnp.float32,
        rngs: nnx.Rngs,
    ):
        super().__init__(
            latent=latent, channels=channels, strides=strides, kernel=kernel, size=size, dropout=dropout,
            dtype=dtype, rngs=rngs,
        )  # fmt: skip


class Discriminator(Down):
    """Images to one logit each: above 0 for real.

    Arguments:
        channels: of the convolutions, from fine to coarse.
        strides: of the convolutions.
        kernel: their side.
        size: side of the images.
        dtype: of the computation; weights stay float32.
        rngs: randomness of the first weights.

    Raises:
        ValueError: sizes that do not fit together.

    >>> Discriminator(size=32, channels=(4, 4, 8, 16), rngs=nnx.Rngs(0))(jnp.zeros((2, 32, 32, 3))).shape
    (2,)
    """

    def __init__(
        self,
        *,
        channels: Sequence[int] = (64, 128, 256, 512),
        strides: Sequence[int] = (2, 2, 2, 2),
        kernel: int = 4,
        size: int = 64,
        dtype: DTypeLike = jnp.float32,
        rngs: nnx.Rngs,
    ):
        activation = partial(jax.nn.leaky_relu, negative_slope=0.2)
        super().__init__(
            outputs=1, channels=channels, strides=strides, kernel=kernel, size=size, first_norm=False,
            activation=activation, dtype=dtype, rngs=rngs,
        )  # fmt: skip

    def __call__(self, x: Float[Array, "n size size 3"], *, train: bool = False) -> Float[Array, " n"]:
        """Logits, above 0 for real images; in training batch norm uses the batch's statistics."""
        return self.features(x, train=train)[:, 0]
