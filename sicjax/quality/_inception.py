"""The Inception network that published FIDs are made with, from a user's own file of its weights.

It is Inception V3 with three changes that the TensorFlow network of 2015 has and later ones do not: average pools leave
the padding out, the last of them is a maximum, and there are 1,008 classes (which the features do not reach).
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import TypeAlias

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from sicjax._errors import InputError
from sicjax.quality._samples import Extractor, as_images

FILE = "pt_inception-2015-12-05-6726825d.pth"
SIDE, CLASSES = 299, 1008
_EPSILON = 1e-3
_UNPADDED = {"Conv2d_2a_3x3", "Conv2d_4a_3x3"}
_HALVING = {
    "Conv2d_1a_3x3",
    "Mixed_6a.branch3x3",
    "Mixed_6a.branch3x3dbl_3",
    "Mixed_7a.branch3x3_2",
    "Mixed_7a.branch7x7x3_4",
}

# Every convolution by name, with the batch norm after it folded in: kernel and bias.
Weights: TypeAlias = dict[str, tuple[Float[np.ndarray, "kh kw i o"], Float[np.ndarray, " o"]]]
Maps: TypeAlias = Float[Array, "n h w c"]


def inception(arrays: Mapping[str, np.ndarray]) -> Extractor:
    """The feature extractor of the Fréchet Inception Distance, from the weights that PyTorch users know.

    `pt_inception-2015-12-05-6726825d.pth` of pytorch-fid, or the file of the same name and weights that torch-fidelity
    uses. The features are those of pytorch-fid: images are resized to 299 x 299 by bilinear interpolation without
    antialiasing (torch-fidelity's resize is TensorFlow's, and so its scores differ a little), and the 2,048 features
    are the means over space of the last layer.

    Arguments:
        arrays: `weights.read(path).arrays`.

    Returns:
        From RGB images `(n, h, w, 3)` in [-1, 1] to features `(n, 2048)`; a batch of 32 suits it. Published scores
        round images to 256 levels before.

    Raises:
        InputError: weights that are not this network's.

    >>> inception({})  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    sicjax._errors.InputError: these are not the weights of pt_inception-...: Conv2d_1a_3x3 is missing
    """
    weights = _folded(arrays)
    try:
        shape = jax.eval_shape(_network, weights, jax.ShapeDtypeStruct((1, SIDE, SIDE, 3), jnp.float32)).shape
    except KeyError as error:
        raise InputError(f"these are not the weights of {FILE}: {error.args[0]} is missing") from None
    except (TypeError, ValueError) as error:
        raise InputError(f"these are not the weights of {FILE}: {str(error).splitlines()[0]}") from None
    classes = next((array.shape[0] for name, array in arrays.items() if name.endswith("fc.weight")), CLASSES)
    if shape != (1, 2048) or classes != CLASSES:
        raise InputError(
            f"these are not the weights of {FILE}: they end in {shape[1]} features and {classes} classes, expected "
            f"2048 and {CLASSES}; no published FID is made with another Inception network"
        )

    def extract(images: Float[np.ndarray | jax.Array, "n h w 3"]) -> Float[Array, "n 2048"]:
        return _features(weights, jnp.asarray(as_images(images, channels=(3,)), jnp.float32))

    return extract


def _folded(arrays: Mapping[str, np.ndarray]) -> Weights:
    """Kernels and biases in float32; no other difference to a batch norm of its own than its rounding."""
    weights = {}
    for name, kernel in arrays.items():
        if not name.endswith(".conv.weight"):
            continue
        base = name.removesuffix(".conv.weight")
        parts = [arrays.get(f"{base}.bn.{part}") for part in ("weight", "bias", "running_mean", "running_var")]
        if kernel.ndim != 4 or any(part is None for part in parts):
            raise InputError(f"these are not the weights of {FILE}: {base} lacks its batch norm")
        scale, bias, mean, variance = (np.asarray(part, np.float64) for part in parts)
        scale = scale / np.sqrt(variance + _EPSILON)
        taps = np.moveaxis(np.asarray(kernel, np.float64), (0, 1), (-1, -2)) * scale
        weights[base.rpartition("/")[2]] = taps.astype(np.float32), (bias - mean * scale).astype(np.float32)
    return weights


@jax.jit
def _features(weights: Weights, images: Maps) -> Float[Array, "n 2048"]:
    resized = jax.image.resize(images, (len(images), SIDE, SIDE, 3), "bilinear", antialias=False)
    return _network(weights, resized)


def _network(weights: Weights, x: Maps) -> Float[Array, "n 2048"]:
    conv = partial(_conv, weights)
    for name in ("Conv2d_1a_3x3", "Conv2d_2a_3x3", "Conv2d_2b_3x3"):
        x = conv(name, x)
    x = conv("Conv2d_4a_3x3", conv("Conv2d_3b_1x1", _maximum(x, 2)))
    x = _maximum(x, 2)
    for name in ("Mixed_5b", "Mixed_5c", "Mixed_5d"):
        x = _block_a(weights, name, x)
    x = _block_b(weights, "Mixed_6a", x)
    for name in ("Mixed_6b", "Mixed_6c", "Mixed_6d", "Mixed_6e"):
        x = _block_c(weights, name, x)
    x = _block_d(weights, "Mixed_7a", x)
    x = _block_e(weights, "Mixed_7b", x, _average(x))
    x = _block_e(weights, "Mixed_7c", x, _maximum(x, 1, "SAME"))
    return x.mean((1, 2))


def _block_a(weights: Weights, block: str, x: Maps) -> Maps:
    branch = partial(_branch, weights, block)
    return _joined(
        branch(x, "1x1"),
        branch(x, "5x5_1", "5x5_2"),
        branch(x, "3x3dbl_1", "3x3dbl_2", "3x3dbl_3"),
        branch(_average(x), "_pool"),
    )


def _block_b(weights: Weights, block: str, x: Maps) -> Maps:
    branch = partial(_branch, weights, block)
    return _joined(branch(x, "3x3"), branch(x, "3x3dbl_1", "3x3dbl_2", "3x3dbl_3"), _maximum(x, 2))


def _block_c(weights: Weights, block: str, x: Maps) -> Maps:
    branch = partial(_branch, weights, block)
    return _joined(
        branch(x, "1x1"),
        branch(x, "7x7_1", "7x7_2", "7x7_3"),
        branch(x, "7x7dbl_1", "7x7dbl_2", "7x7dbl_3", "7x7dbl_4", "7x7dbl_5"),
        branch(_average(x), "_pool"),
    )


def _block_d(weights: Weights, block: str, x: Maps) -> Maps:
    branch = partial(_branch, weights, block)
    return _joined(branch(x, "3x3_1", "3x3_2"), branch(x, "7x7x3_1", "7x7x3_2", "7x7x3_3", "7x7x3_4"), _maximum(x, 2))


def _block_e(weights: Weights, block: str, x: Maps, pooled: Maps) -> Maps:
    branch = partial(_branch, weights, block)
    once, twice = branch(x, "3x3_1"), branch(x, "3x3dbl_1", "3x3dbl_2")
    return _joined(
        branch(x, "1x1"),
        branch(once, "3x3_2a"),
        branch(once, "3x3_2b"),
        branch(twice, "3x3dbl_3a"),
        branch(twice, "3x3dbl_3b"),
        branch(pooled, "_pool"),
    )


def _branch(weights: Weights, block: str, x: Maps, *names: str) -> Maps:
    for name in names:
        x = _conv(weights, f"{block}.branch{name}", x)
    return x


def _conv(weights: Weights, name: str, x: Maps) -> Maps:
    kernel, bias = weights[name]
    stride = 2 if name in _HALVING else 1
    padding = "VALID" if name in _HALVING or name in _UNPADDED else "SAME"
    x = jax.lax.conv_general_dilated(
        x,
        jnp.asarray(kernel),
        (stride, stride),
        padding,
        dimension_numbers=("NHWC", "HWIO", "NHWC"),
        precision=jax.lax.Precision.HIGHEST,
    )
    return jax.nn.relu(x + bias)


def _maximum(x: Maps, stride: int, padding: str = "VALID") -> Maps:
    return jax.lax.reduce_window(x, -jnp.inf, jax.lax.max, (1, 3, 3, 1), (1, stride, stride, 1), padding)


def _average(x: Maps) -> Maps:
    """Over 3 x 3 places, those beyond the border left out."""
    add = lambda y: jax.lax.reduce_window(y, 0.0, jax.lax.add, (1, 3, 3, 1), (1, 1, 1, 1), "SAME")
    return add(x) / add(jnp.ones((1, *x.shape[1:3], 1), x.dtype))


def _joined(*branches: Maps) -> Maps:
    return jnp.concatenate(branches, axis=-1)
