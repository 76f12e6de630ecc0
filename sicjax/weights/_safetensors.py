"""safetensors files."""

from __future__ import annotations

from pathlib import Path

from safetensors import SafetensorError, safe_open

from sicjax._errors import InputError
from sicjax.weights._tensors import Tensors


def read_safetensors(path: Path) -> Tensors:
    """The arrays of a safetensors file, which does not keep an order."""
    arrays, unread = {}, {}
    try:
        with safe_open(path, framework="np") as file:
            for name in file.keys():
                try:
                    arrays[name] = file.get_tensor(name)
                except (AttributeError, TypeError, SafetensorError):
                    # The header was checked as the file was opened, so what is left to fail is the dtype.
                    unread[name] = f"dtype {file.get_slice(name).get_dtype()} cannot be read: save it as float32"
    except SafetensorError as error:
        raise InputError(f"{path} is damaged or not a safetensors file: {str(error)!r:.100}") from error
    return Tensors(arrays, unread, ordered=False)
