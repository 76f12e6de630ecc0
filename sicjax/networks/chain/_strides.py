"""The strides that a user gives for a file that states none."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from sicjax._errors import InputError


def strides_given(stride: Any) -> tuple[int, ...] | None:
    """What a user gave: one for all, or one for each; None for nothing.

    Raises:
        InputError: anything but positive whole numbers.
    """
    if stride is None:
        return None
    each = tuple(stride) if isinstance(stride, (list, tuple)) else (stride,)
    if not each or not all(isinstance(s, (int, np.integer)) and type(s) is not bool and s > 0 for s in each):
        raise InputError(f"a stride is a positive integer, or one for each convolution, got {stride!r:.60}")
    return tuple(int(s) for s in each)


def one_for_each(path: Path, strides: Sequence[int], convolutions: int) -> list[int]:
    """One stride for each convolution from one for all or one each.

    Raises:
        InputError: another number of them.
    """
    each = list(strides) * (convolutions if len(strides) == 1 else 1)
    if len(each) != convolutions:
        raise InputError(f"{path} has {convolutions} convolutions, but {len(each)} strides were given")
    return each
