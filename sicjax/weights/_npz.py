"""NumPy .npz files."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from sicjax._errors import InputError
from sicjax.weights._tensors import Tensors


def read_npz(path: Path) -> Tensors:
    """The arrays of a `.npz` file in the order they were saved; pickled objects are left out."""
    arrays, unread = {}, {}
    with np.load(path, allow_pickle=False) as file:
        for name in file.files:
            try:
                array = file[name]
            except ValueError as error:
                if "allow_pickle" not in str(error):
                    raise InputError(f"{path} is damaged: {name!r:.100}: {str(error)!r:.100}") from error
                unread[name] = "a pickled Python object, which is never loaded"
                continue
            if array.dtype.kind == "V":
                unread[name] = f"dtype {array.dtype}: a type that .npz does not keep; save it as float32"
            else:
                arrays[name] = array
    return Tensors(arrays, unread, ordered=True)
