"""The strides that a user gives for a file that states none."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from sicjax._errors import InputError


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
