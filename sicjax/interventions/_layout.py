"""Which layout an array has that is a known kernel."""

from __future__ import annotations

import math

import numpy as np

from sicjax._errors import InputError
from sicjax.weights import LAYOUTS, Layout, to_flax


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
        each: to_flax(array, each, groups) for each in known if each == "HWIO" or array.shape[0] % groups == 0
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
