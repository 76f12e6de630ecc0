"""NumPy .npz files."""

from __future__ import annotations

import math
from io import BytesIO
from pathlib import Path

import numpy as np
from numpy.lib import format as npy

from sicjax._errors import InputError
from sicjax.weights._archive import entry, opened
from sicjax.weights._tensors import Tensors


def read_npz(path: Path) -> Tensors:
    """The arrays of a `.npz` file in the order they were saved; pickled objects are left out."""
    arrays, unread = {}, {}
    with opened(path) as archive:
        for info in archive.infolist():
            name = info.filename.removesuffix(".npy")
            array = _array(path, name, entry(archive, info))
            if array is None:
                unread[name] = "a pickled Python object, which is never loaded"
            elif array.dtype.kind == "V":
                unread[name] = f"dtype {array.dtype}: a type that .npz does not keep; save it as float32"
            else:
                arrays[name] = array
    return Tensors(arrays, unread, ordered=True)


def _array(path: Path, name: str, data: bytes) -> np.ndarray | None:
    """An array as `numpy.save` writes it, where it lies in memory; None of objects."""
    start = BytesIO(data)
    try:
        version = npy.read_magic(start)
        headers = {(1, 0): npy.read_array_header_1_0, (2, 0): npy.read_array_header_2_0}
        shape, by_columns, dtype = headers[version](start)
        if dtype.hasobject:
            return None
        count, there = math.prod(shape), len(data) - start.tell()
        if min(shape, default=0) < 0 or count * dtype.itemsize > there:
            raise ValueError(f"it states {shape} of {dtype}, and has {there} bytes")
        return np.frombuffer(data, dtype, count, start.tell()).reshape(shape, order="F" if by_columns else "C")
    except (ValueError, KeyError) as error:
        raise InputError(f"{path} is damaged: {name!r:.100}: {str(error)!r:.100}") from error
