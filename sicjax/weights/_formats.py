"""The formats of weights files: one row a format."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from sicjax._errors import InputError
from sicjax._limits import reading
from sicjax.weights._content import Content, look, program_in
from sicjax.weights._npz import read_npz
from sicjax.weights._pytorch import LEGACY_START, read_pytorch
from sicjax.weights._safetensors import read_safetensors
from sicjax.weights._shards import INDEX, read_shards
from sicjax.weights._tensors import Tensors


class Format(NamedTuple):
    """A format of weights files.

    Attributes:
        name: as people call it.
        endings: of its files' names, usually.
        about: the rest of a sentence on it.
        recognises: whether a file is of this format.
        read: a path to its arrays.
    """

    name: str
    endings: tuple[str, ...]
    about: str
    recognises: Callable[[Content], bool]
    read: Callable[[Path], Tensors]


def _is_safetensors(content: Content) -> bool:
    # It starts with the length of its header, which is JSON.
    header = content.start[8:9] == b"{" and int.from_bytes(content.start[:8], "little") < content.size
    return header or (content.path.suffix == ".safetensors" and not content.archive)


def _is_npz(content: Content) -> bool:
    return content.entries is not None and all(name.endswith(".npy") for name in content.entries)


def _is_pytorch(content: Content) -> bool:
    entries = content.entries or ()
    pickled = any(name.rpartition("/")[2] == "data.pkl" for name in entries) and program_in(entries) is None
    return pickled or LEGACY_START in content.start


def _read_part(path: Path) -> Tensors:
    """The arrays of one of several files."""
    content = look(path)
    with reading(path, content.size):
        for format in FORMATS:
            if format.recognises(content):
                return format.read(path)
    raise InputError(f"{path} is damaged, or no weights file: download it again")


FORMATS = (
    Format(
        "sharded weights",
        (),
        "an index *.index.json, and its safetensors or PyTorch files beside it",
        lambda content: content.path.name.endswith(INDEX),
        lambda path: read_shards(path, _read_part),
    ),
    Format(
        "PyTorch weights",
        (".pt", ".pth", ".tar", ".ckpt", ".bin"),
        "of torch.save, old and new, read without PyTorch",
        _is_pytorch,
        read_pytorch,
    ),
    Format("NumPy", (".npz",), "arrays of numpy.savez", _is_npz, read_npz),
    Format(
        "safetensors",
        (".safetensors",),
        "no order: layers go by the numbers in their names",
        _is_safetensors,
        read_safetensors,
    ),
)
