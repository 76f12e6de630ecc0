"""A path to the reader of its format."""

from __future__ import annotations

import os
from pathlib import Path

from sicjax._errors import InputError
from sicjax._limits import OverLimit, reading
from sicjax.weights._content import Content, look, program_in
from sicjax.weights._formats import FORMATS
from sicjax.weights._tensors import Tensors

_PROGRAMS = {"script": "TorchScript program", "export": "program of torch.export"}


def read(path: str | Path) -> Tensors:
    """Every array of a weights file by name, in the file's order, without running any code in it.

    Reads safetensors, NumPy `.npz` and PyTorch files (`torch.save`, zip and legacy format) without PyTorch.
    Arrays of large files are mapped, where the format allows.

    Raises:
        InputError: no such file, another format, a damaged file, or a pickle that asks for code.
    """
    if not isinstance(path, (str, os.PathLike)):
        raise InputError(f"expected a path, got {type(path).__name__}: arrays in memory need no reading")
    content = look(path)
    if content.folder:
        raise InputError(f"{path} is a folder, expected a weights file")
    try:
        with reading(content.path, content.size):
            for format in FORMATS:
                if format.recognises(content):
                    return format.read(content.path)
    except OverLimit as error:
        raise InputError(f"{path} was not loaded: {error}") from error
    except InputError:
        raise
    except Exception as error:  # what a damaged or hostile file can raise has no end
        detail = f"{type(error).__name__} {str(error)!r:.100}"
        raise InputError(f"{path} is damaged or not complete, save or download it again: {detail}") from error
    raise InputError(f"{path} {_refusal(content)}")


def _refusal(content: Content) -> str:
    """Why a file that no format recognises is not read."""
    if not content.archive:
        expected = ", ".join(f"{format.name} ({' '.join(format.endings)})" for format in FORMATS if format.endings)
        return f"is not a weights file that can be read: expected {expected}"
    if content.entries is None:
        return "is damaged or not complete, save or download it again"
    program = program_in(content.entries)
    if program is not None:
        return f"is a {_PROGRAMS[program]}: sicjax.networks.from_file reads it"
    return "is a zip archive, but neither a PyTorch file nor a NumPy .npz: unpack it first"
