"""What array names and layouts of the frameworks mean."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from jaxtyping import Float

from sicjax._errors import InputError

# Weight and spectral normalisation scale whole filters, which no ratio depends on: their raw kernel serves as well.
_KERNEL = re.compile(r"^(?:(.*)[./])?(weight|kernel|weight_v|weight_orig|parametrizations\.weight\.original1?)$")


def is_kernel(name: str, array: np.ndarray) -> bool:
    """Whether an array is named and shaped like the kernel of a convolution."""
    return array.ndim >= 3 and bool(_KERNEL.match(name))


def is_dense(name: str, array: np.ndarray) -> bool:
    """Whether an array is named and shaped like the weights of a dense layer."""
    return array.ndim == 2 and bool(_KERNEL.match(name))


def is_flax(name: str) -> bool:
    """Whether a kernel is named as Flax and Keras do, and so is laid out `(*k, in, out)`."""
    return name.endswith("kernel")


def layer_name(name: str) -> str:
    """The layer that an array belongs to."""
    match = _KERNEL.match(name)
    return (match[1] or name) if match else name


def one_for_each(path: Path, strides: Sequence[int], convolutions: int) -> list[int]:
    """One stride for each convolution from one for all or one each.

    Raises:
        InputError: another number of them, or one that is not a positive integer.
    """
    each = list(strides) * (convolutions if len(strides) == 1 else 1)
    if len(each) != convolutions:
        raise InputError(f"{path} has {convolutions} convolutions, but {len(each)} strides were given")
    if not all(isinstance(s, int) and s > 0 for s in each):
        raise InputError(f"strides must be positive integers, got {','.join(map(str, strides))}")
    return each


def to_flax(array: np.ndarray, layout: str, groups: int = 1) -> Float[np.ndarray, "*k i o"]:
    """A kernel as `(*k, in / groups, out)` from `OIHW` (PyTorch convolution), `IOHW` (transposed) or `HWIO`."""
    if layout == "HWIO":
        return array
    if layout == "OIHW":
        return np.moveaxis(array, (0, 1), (-1, -2))
    inputs, per_group, *k = array.shape
    if inputs % groups:
        return np.moveaxis(array, (0, 1), (-2, -1))
    split = array.reshape(groups, inputs // groups, per_group, *k)
    return np.moveaxis(split, (1, 0, 2), (-3, -2, -1)).reshape(*k, inputs // groups, groups * per_group)
