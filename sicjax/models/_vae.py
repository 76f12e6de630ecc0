"""The paper's VAE, as in the code it names, https://github.com/yzwxx/vae-celebA."""

from __future__ import annotations

from collections.abc import Sequence

import jax
import jax.numpy as jnp
from flax import nnx
from jax.typing import DTypeLike
from jaxtyping import Array, Float

from sicjax.models._layers import Down, Up


class Encoder(Down):
    """Images to the mean and log variance of their latent variables.

    Arguments:
        latent: number of latent variables.
        channels: of the convolutions, from fine to coarse.
        strides: of the convolutions.
        kernel: their side.
        size: side of the images.
        dtype: of the computation; weights stay float32.
        rngs: randomness of the first weights.

    Raises:
        ValueError: sizes that do not fit together.

    >>> mean, log_variance = Encoder(size=32, channels=(4, 4, 8, 16), rngs=nnx.Rngs(0))(jnp.zeros((2, 32, 32, 3)))
    >>> mean.shape, log_variance.shape
    ((2, 128), (2, 128))
    """

    def __init__(
        self,
        *,
        latent: int = 128,
        channels: Sequence[int] = (64, 128, 256, 512),
        strides: Sequence[int] = (2, 2, 2, 2),
        kernel: int = 5,
        size: int = 64,
        dtype: DTypeLike = jnp.float32,
        rngs: nnx.Rngs,
    ):
        super().__init__(
            outputs=2 * latent, channels=channels, strides=strides, kernel=kernel, size=size, first_norm=True,
            activation=jax.nn.relu, dtype=dtype, rngs=rngs,
        )  # fmt: skip

    def __call__(
        self, x: Float[Array, "n size size 3"], *, train: bool = False
    ) -> tuple[Float[Array, "n latent"], Float[Array, "n latent"]]:
        """Mean and log variance; in training batch norm uses the batch's statistics."""
        mean, log_variance = jnp.split(self.features(x, train=train), 2, axis=1)
        return mean, log_variance


class Decoder(Up):
    """Latent variables to images.

    Arguments:
        latent: number of latent variables.
        channels: of the dense layer's images and of every transposed convolution but the last, from coarse to fine;
            64 for the last is the paper's wide variant.
        strides: of the transposed convolutions.
        kernel: their side.
        size: side of the images: the strides' product times the side of the dense layer's images.
        dropout: rate between the two finest layers.
        dtype: of the computation; weights stay float32.
        rngs: randomness of the first weights.

    Raises:
        ValueError: sizes that do not fit together.

    >>> Decoder(size=32, channels=(16, 8, 4, 4), rngs=nnx.Rngs(0))(jnp.zeros((2, 128))).shape
    (2, 32, 32, 3)
    """

    def __init__(
        self,
        *,
        latent: int = 128,
        channels: Sequence[int] = (256, 256, 128, 32),
        strides: Sequence[int] = (2, 2, 2, 1),
        kernel: int = 5,
        size: int = 64,
        dropout: float = 0.0,
        dtype: DTypeLike = jnp.float32,
        rngs: nnx.Rngs,
    ):
        super().__init__(
            latent=latent, channels=channels, strides=strides, kernel=kernel, size=size, dropout=dropout,
            dtype=dtype, rngs=rngs,
        )  # fmt: skip
