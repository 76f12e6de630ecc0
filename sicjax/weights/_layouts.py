"""How a kernel lies in its array: `HWIO` in Flax and Keras, `OIHW` and, transposed, `IOHW` in PyTorch and ONNX."""

from __future__ import annotations

from typing import Literal, TypeAlias

import numpy as np
from jaxtyping import Bool, Float

Layout: TypeAlias = Literal["HWIO", "OIHW", "IOHW"]
LAYOUTS: tuple[Layout, ...] = ("HWIO", "OIHW", "IOHW")


def to_flax(array: np.ndarray, layout: Layout, groups: int = 1) -> Float[np.ndarray, "*k i o"]:
    """A kernel as `(*k, in / groups, out)`, with one spatial axis or more.

    Raises:
        ValueError: an array that is no kernel, or does not divide into the groups.
    """
    if layout not in LAYOUTS or array.ndim < 3:
        raise ValueError(f"a kernel of shape {array.shape} in the layout {layout!r}")
    if layout == "HWIO":
        return array
    if groups < 1 or array.shape[0] % groups:
        raise ValueError(f"a kernel of shape {array.shape} in {groups} groups")
    if layout == "OIHW":
        return np.moveaxis(array, (0, 1), (-1, -2))
    inputs, per_group, *k = array.shape
    split = array.reshape(groups, inputs // groups, per_group, *k)
    return np.moveaxis(split, (1, 0, 2), (-3, -2, -1)).reshape(*k, inputs // groups, groups * per_group)


def mask_as(mask: Bool[np.ndarray, "i m"], layout: Layout, axes: int, groups: int = 1) -> Bool[np.ndarray, "..."]:
    """A mask of filters as it broadcasts over their array."""
    if layout == "HWIO":
        return mask.reshape((1,) * axes + mask.shape)
    if layout == "OIHW":
        return mask.T.reshape(*mask.T.shape, *(1,) * axes)
    inputs, outputs = mask.shape
    split = mask.reshape(inputs, groups, outputs // groups).swapaxes(0, 1)
    return split.reshape(inputs * groups, outputs // groups, *(1,) * axes)
