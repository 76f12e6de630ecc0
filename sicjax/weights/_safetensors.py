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
                except (AttributeError, TypeError):
                    unread[name] = f"dtype {file.get_slice(name).get_dtype()} cannot be read"
    except SafetensorError as error:
        raise InputError(f"{path} is damaged or not a safetensors file: {error}") from error
    return Tensors(arrays, unread, ordered=False)
