"""What the names of arrays mean in the frameworks."""

from __future__ import annotations

import re

import numpy as np

# Weight and spectral normalisation scale whole filters, which no ratio depends on: their raw kernel serves as well.
_KERNEL = re.compile(r"^(?:(.*)[./])?(weight|kernel|weight_v|weight_orig|parametrizations\.weight\.original1?)$")

# As PEFT, diffusers, kohya and LyCORIS name the factors of a low-rank change.
_LOW_RANK = re.compile(r"(?:^|[./_])(?:lora[._](?:A|B|up|down|mid)|(?:hada|lokr)_[wt]\d(?:_[ab])?)(?:[./]|$)")


def is_kernel(name: str, array: np.ndarray) -> bool:
    """Whether an array is named and shaped like the kernel of a convolution."""
    return array.ndim >= 3 and bool(_KERNEL.match(name))


def is_dense(name: str, array: np.ndarray) -> bool:
    """Whether an array is named and shaped like the weights of a dense layer."""
    return array.ndim == 2 and bool(_KERNEL.match(name))


def is_low_rank(name: str) -> bool:
    """Whether an array is a factor of a low-rank change (LoRA) of another network's weights."""
    return bool(_LOW_RANK.search(name))


def is_flax(name: str) -> bool:
    """Whether a kernel is named as Flax and Keras do, and so is laid out `(*k, in, out)`."""
    return name.endswith("kernel")


def layer_name(name: str) -> str:
    """The layer that an array belongs to."""
    match = _KERNEL.match(name)
    return (match[1] or name) if match else name
