"""Published weights of the same architecture."""

from __future__ import annotations

import re
from collections.abc import Mapping

import jax.numpy as jnp
import numpy as np
from flax import nnx

from sicjax.models._dcgan import Generator


def load_generator(tensors: Mapping[str, np.ndarray]) -> Generator:
    """A generator with the weights of PyTorch's DCGAN tutorial, the layout in which most DCGANs are published.

    Its first transposed convolution, of a 1 x 1 image, is our dense layer; its images are this generator's.

    Arguments:
        tensors: by name, such as the `arrays` of `sicjax.weights.read`: the kernels `(in, out, k, k)` of the transposed
            convolutions, numbered in order, and `weight`, `bias`, `running_mean` and `running_var` of the batch norms.

    Raises:
        ValueError: tensors of another layout.
    """
    names = sorted(
        tensors, key=lambda name: [int(part) if part.isdigit() else part for part in re.split(r"(\d+)", name)]
    )
    kernels = [np.asarray(tensors[name]) for name in names if np.ndim(tensors[name]) == 4]
    norms = [name.removesuffix("running_mean") for name in names if name.endswith("running_mean")]
    if len(kernels) < 2 or len(norms) != len(kernels) - 1:
        raise ValueError(
            f"expected transposed convolutions with a batch norm after each but the last, "
            f"got {len(kernels)} kernels with four axes and {len(norms)} batch norms"
        )
    shapes = [kernel.shape for kernel in kernels]
    if any(a[1] != b[0] for a, b in zip(shapes, shapes[1:], strict=False)):
        raise ValueError(f"the kernels {shapes} do not follow one another as (in, out, k, k)")
    base, side = shapes[0][2], shapes[1][2]
    strides = (2,) * (len(kernels) - 1)
    model = Generator(
        latent=shapes[0][0],
        channels=[shape[1] for shape in shapes[:-1]],
        strides=strides,
        kernel=side,
        size=base * 2 ** len(strides),
        rngs=nnx.Rngs(0),
    )
    model.dense.kernel[...] = jnp.asarray(kernels[0].transpose(0, 2, 3, 1).reshape(shapes[0][0], -1))
    for conv, kernel in zip(model.convs, kernels[1:], strict=True):
        # PyTorch spreads the kernel as it is, JAX flips it.
        conv.kernel[...] = jnp.asarray(kernel.transpose(2, 3, 0, 1)[::-1, ::-1])
    for norm, name in zip(model.norms, norms, strict=True):
        named = {"scale": "weight", "bias": "bias", "mean": "running_mean", "var": "running_var"}
        for attribute, suffix in named.items():
            getattr(norm, attribute)[...] = jnp.asarray(tensors[name + suffix])
    return model
