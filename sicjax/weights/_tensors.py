"""What a reader returns."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np


class Tensors(NamedTuple):
    """The arrays of a weights file.

    Attributes:
        arrays: by name, nested containers joined with `/`, in the file's order.
        unread: names of what could not be read, with the reason.
        ordered: whether the file keeps the order in which its writer listed the arrays.
    """

    arrays: dict[str, np.ndarray]
    unread: dict[str, str]
    ordered: bool
