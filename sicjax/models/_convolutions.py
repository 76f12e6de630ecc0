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
# Side of an image from which on CPU the phases of a transposed convolution are computed one by one.
WIDE = 16


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
    if _small(x, kernel):
        quick = _product
    elif stride > 1 and min(x.shape[1:3]) >= WIDE:
        quick = _phases
    else:
        return form(x, kernel)
    return lax.platform_dependent(x, kernel, cpu=partial(quick, stride=stride), default=form)


def _small(x, kernel) -> bool:
    """Whether the image is smaller than the kernel: then XLA's convolution on CPU takes a hundred times as long."""
    return min(x.shape[1:3]) < max(kernel.shape[:2])


def _product(x, kernel, stride: int):
    """The transposed convolution as one matrix product to every value of a pixel's patch, added where they overlap."""
    n, h, w, i = x.shape
    taps, (rows, columns) = _by_phase(kernel, stride)
    o = kernel.shape[3]
    values = x.reshape(-1, i) @ taps.transpose(4, 0, 2, 1, 3, 5).reshape(i, -1)
    values = values.reshape(n, h, w, rows, columns, stride, stride, o)
    total = jnp.zeros((n, (h + rows - 1) * stride, (w + columns - 1) * stride, o), values.dtype)
    for a in range(rows):
        for b in range(columns):
            part = values[:, :, :, a, b].transpose(0, 1, 3, 2, 4, 5).reshape(n, h * stride, w * stride, o)
            after = (rows - 1 - a, columns - 1 - b)
            total += jnp.pad(part, [(0, 0), (a * stride, after[0] * stride), (b * stride, after[1] * stride), (0, 0)])
    return _cropped(total, x, kernel, stride)


def _phases(x, kernel, stride: int):
    """The transposed convolution as one of stride 1 to the `stride * stride` phases of its result, interleaved.

    XLA on CPU multiplies the zeros between the pixels too, four times the work at stride 2.
    """
    n, i, o = len(x), x.shape[3], kernel.shape[3]
    taps, (rows, columns) = _by_phase(kernel, stride)
    phases = taps[::-1, :, ::-1].transpose(0, 2, 4, 1, 3, 5).reshape(rows, columns, i, -1)
    padding = [(rows - 1, rows - 1), (columns - 1, columns - 1)]
    values = lax.conv_general_dilated(x, phases, (1, 1), padding, dimension_numbers=NHWC)
    h, w = values.shape[1:3]
    values = values.reshape(n, h, w, stride, stride, o).transpose(0, 1, 3, 2, 4, 5)
    return _cropped(values.reshape(n, h * stride, w * stride, o), x, kernel, stride)


def _by_phase(kernel, stride: int):
    """The kernel as it is laid on the result, `(rows, stride, columns, stride, i, o)`, and its rows and columns."""
    height, width, i, o = kernel.shape
    rows, columns = -(-height // stride), -(-width // stride)
    spread = [(0, rows * stride - height), (0, columns * stride - width), (0, 0), (0, 0)]
    return jnp.pad(kernel[::-1, ::-1], spread).reshape(rows, stride, columns, stride, i, o), (rows, columns)


def _cropped(total, x, kernel, stride: int):
    """Of the whole result what SAME padding keeps."""
    top, left = ((size - stride) // 2 for size in kernel.shape[:2])
    return total[:, top : top + x.shape[1] * stride, left : left + x.shape[2] * stride]


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
