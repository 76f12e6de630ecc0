"""What the names of arrays mean in the frameworks."""

from __future__ import annotations

import re

import numpy as np

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
