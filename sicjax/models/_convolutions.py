"""Strided convolutions and transposed convolutions, with gradients that run at the speed of the forward pass.

The two are each other's transpose, so two of the four gradients are again one or the other, and the two of the kernels
are one: that of a strided convolution. XLA instead differentiates a transposed convolution into a convolution with
dilated windows, which on CPU takes ten times as long.
"""

from __future__ import annotations

from functools import partial

import jax
import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Float

NHWC = ("NHWC", "HWIO", "NHWC")


@partial(jax.custom_vjp, nondiff_argnums=(2,))
def conv(x: Float[Array, "n h w i"], kernel: Float[Array, "k l i o"], stride: int) -> Float[Array, "n p q o"]:
    """`lax.conv_general_dilated` with SAME padding.

    Arguments:
        x: images, each side a multiple of the stride.
        kernel: at least as large as the stride.
        stride: of both axes.

    Returns:
        `(n, h / stride, w / stride, o)`.

    >>> conv(jnp.ones((1, 8, 8, 3)), jnp.ones((4, 4, 3, 5)), 2).shape
    (1, 4, 4, 5)
    """
    return _strided(x, kernel, stride)


@partial(jax.custom_vjp, nondiff_argnums=(2,))
def conv_transpose(x: Float[Array, "n h w i"], kernel: Float[Array, "k l i o"], stride: int) -> Float[Array, "n p q o"]:
    """`lax.conv_transpose` with SAME padding.

    Arguments:
        x: images.
        kernel: at least as large as the stride.
        stride: of both axes.

    Returns:
        `(n, h * stride, w * stride, o)`.

    >>> conv_transpose(jnp.ones((1, 4, 4, 5)), jnp.ones((4, 4, 5, 3)), 2).shape
    (1, 8, 8, 3)
    """
    return _expanded(x, kernel, stride)


def _strided(x, kernel, stride: int):
    # As many zeros before as XLA's SAME puts there: the smaller half.
    before = [(size - stride) // 2 for size in kernel.shape[:2]]
    padding = [(low, size - stride - low) for low, size in zip(before, kernel.shape[:2], strict=True)]
    form = lambda x, kernel: lax.conv_general_dilated(x, kernel, (stride, stride), padding, dimension_numbers=NHWC)
    if not _small(x, kernel):
        return form(x, kernel)
    image = jax.ShapeDtypeStruct((len(x), x.shape[1] // stride, x.shape[2] // stride, kernel.shape[3]), x.dtype)
    product = lambda x, kernel: jax.linear_transpose(lambda y: _product(y, _adjoint(kernel), stride), image)(x)[0]
    return lax.platform_dependent(x, kernel, cpu=product, default=form)


def _expanded(x, kernel, stride: int):
    form = lambda x, kernel: lax.conv_transpose(x, kernel, (stride, stride), "SAME", dimension_numbers=NHWC)
    if not _small(x, kernel):
        return form(x, kernel)
    return lax.platform_dependent(x, kernel, cpu=partial(_product, stride=stride), default=form)


def _small(x, kernel) -> bool:
    """Whether the image is smaller than the kernel: then XLA's convolution on CPU takes a hundred times as long."""
    return min(x.shape[1:3]) < max(kernel.shape[:2])


def _product(x, kernel, stride: int):
    """The transposed convolution as one matrix product to `k l o` values for each pixel, added where they overlap."""
    n, h, w, i = x.shape
    height, width, _, o = kernel.shape
    rows, columns = -(-height // stride), -(-width // stride)
    spread = [(0, rows * stride - height), (0, columns * stride - width), (0, 0), (0, 0)]
    taps = jnp.pad(kernel[::-1, ::-1], spread).transpose(2, 0, 1, 3).reshape(i, -1)
    values = (x.reshape(-1, i) @ taps).reshape(n, h, w, rows, stride, columns, stride, o)
    total = jnp.zeros((n, (h + rows - 1) * stride, (w + columns - 1) * stride, o), values.dtype)
    for a in range(rows):
        for b in range(columns):
            part = values[:, :, :, a, :, b].transpose(0, 1, 3, 2, 4, 5).reshape(n, h * stride, w * stride, o)
            after = (rows - 1 - a, columns - 1 - b)
            total += jnp.pad(part, [(0, 0), (a * stride, after[0] * stride), (b * stride, after[1] * stride), (0, 0)])
    top, left = (height - stride) // 2, (width - stride) // 2
    return total[:, top : top + h * stride, left : left + w * stride]


def _adjoint(kernel):
    """The kernel with which the other of the two functions is this one's transpose."""
    return jnp.swapaxes(kernel[::-1, ::-1], 2, 3)


def _kernel_gradient(x, kernel, stride: int, g):
    """Of the strided convolution; it is linear in its kernel."""
    (found,) = jax.linear_transpose(lambda kernel: _strided(x, kernel, stride), kernel)(g)
    return found


def _conv_forward(x, kernel, stride: int):
    return conv(x, kernel, stride), (x, kernel)


def _conv_backward(stride: int, saved, g):
    x, kernel = saved
    return conv_transpose(g, _adjoint(kernel), stride), _kernel_gradient(x, kernel, stride, g)


def _conv_transpose_forward(x, kernel, stride: int):
    return conv_transpose(x, kernel, stride), (x, kernel)


def _conv_transpose_backward(stride: int, saved, g):
    x, kernel = saved
    adjoint = _adjoint(kernel)
    return conv(g, adjoint, stride), _adjoint(_kernel_gradient(g, adjoint, stride, x))


conv.defvjp(_conv_forward, _conv_backward)
conv_transpose.defvjp(_conv_transpose_forward, _conv_transpose_backward)
