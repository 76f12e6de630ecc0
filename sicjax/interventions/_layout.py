"""How a kernel lies in its array, and masks of filters laid out likewise."""

from __future__ import annotations

import math
from typing import Literal, TypeAlias

import numpy as np
from jaxtyping import Bool, Float

from sicjax._errors import InputError

Layout: TypeAlias = Literal["HWIO", "OIHW", "IOHW"]
LAYOUTS: tuple[Layout, ...] = ("HWIO", "OIHW", "IOHW")


def as_flax(array: np.ndarray, layout: Layout, groups: int = 1) -> Float[np.ndarray, "*k i m"]:
    """A kernel as `(*k, in / groups, out)`."""
    if layout == "HWIO":
        return array
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


def find_layout(
    name: str, array: np.ndarray, *, layout: Layout | None, reference: np.ndarray | None, groups: int
) -> Layout:
    """The layout in which an array is a known kernel; never a guess.

    Arguments:
        name: of the array; one that ends in `kernel` is laid out as in Flax and Keras.
        array: the kernel.
        layout: as given by the user, if it was; comes before all else.
        reference: the kernel as the measure saw it, some filters of which may have become zero since.
        groups: feature groups of the layer.

    Raises:
        InputError: no layout fits, or more than one and there is no telling.
    """
    ask = "give layout='OIHW' (PyTorch convolution), 'IOHW' (PyTorch transposed) or 'HWIO' (Flax, Keras)"
    if layout in LAYOUTS:
        return layout
    if layout is not None:
        raise InputError(f"layout must be one of {', '.join(LAYOUTS)}, got {layout!r}")
    if reference is None:
        if name.endswith("kernel"):
            return "HWIO"
        raise InputError(f"{name} does not say how its {array.shape} are laid out: pass pair=, or {ask}")
    known: tuple[Layout, ...] = ("HWIO",) if name.endswith("kernel") else LAYOUTS
    seen: dict[Layout, np.ndarray] = {
        each: as_flax(array, each, groups) for each in known if each != "IOHW" or array.shape[0] % groups == 0
    }
    same: list[Layout] = [each for each, kernel in seen.items() if _is_same(kernel, reference)]
    # A fixed filter folded into the kernel changes its taps, but not its channels.
    same = same or [each for each, kernel in seen.items() if _is_folded(kernel, reference)]
    if not same:
        raise InputError(
            f"{name} {array.shape} is not the pair's kernel {reference.shape} in any layout: take the pair from this "
            f"network, or {ask}"
        )
    if len(same) > 1:
        raise InputError(f"{name} {array.shape} may be the pair's kernel in more layouts than one: {ask}")
    return same[0]


def _is_same(kernel: np.ndarray, reference: np.ndarray) -> bool:
    if kernel.shape != reference.shape:
        return False
    kernel = np.asarray(kernel, np.float64)
    there = np.square(kernel).sum(tuple(range(kernel.ndim - 2))) > 0
    return np.allclose(kernel[..., there], np.asarray(reference, np.float64)[..., there], rtol=1e-5, atol=0)


def _is_folded(kernel: np.ndarray, reference: np.ndarray) -> bool:
    taps = math.prod(kernel.shape[:-2]), math.prod(reference.shape[:-2])
    return kernel.shape[-2:] == reference.shape[-2:] and taps[0] < taps[1]
