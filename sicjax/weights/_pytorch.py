"""Files of `torch.save` without PyTorch: the zip format, and the one before PyTorch 1.6."""

from __future__ import annotations

import functools
import math
import zipfile
from collections.abc import Callable, Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np

from sicjax._errors import InputError
from sicjax._limits import make
from sicjax.weights._archive import entry, opened, text
from sicjax.weights._bytes import whole
from sicjax.weights._tensors import Tensors
from sicjax.weights._unpickler import Inert, Storage, Tensor, unpickle

# How a legacy file starts: the pickled magic number of torch.save.
LEGACY_MAGIC = 0x1950A86A20F9469CFC6C
LEGACY_START = LEGACY_MAGIC.to_bytes(10, "little")

# Names can grow far beyond the file that states them; no real file comes near.
_LONGEST_NAME = 1000


def read_pytorch(path: Path) -> Tensors:
    """The tensors of a file of `torch.save`, of either format."""
    with path.open("rb") as file:
        if file.read(2) != b"PK":
            return read_legacy(path)
    with opened(path) as archive:
        pickled = [name for name in archive.namelist() if name.rpartition("/")[2] == "data.pkl"]
        return read_zip(path, archive, pickled[-1])


def read_zip(path: Path, archive: zipfile.ZipFile, pickled: str) -> Tensors:
    """The tensors of the zip format, where the file's bytes are."""
    found = _unpickle(path, BytesIO(text(archive, pickled)))
    return _resolve(path, found, zip_storages(path, archive, pickled.removesuffix("data.pkl")))


def zip_storages(
    path: Path, archive: zipfile.ZipFile, root: str, folder: str = "data"
) -> Callable[[str, np.dtype], np.ndarray]:
    """The storages of the zip format by name, where the file's bytes are."""
    entries = {info.filename: info for info in archive.infolist()}
    order = entries.get(f"{root}byteorder")
    swap = order is not None and entry(archive, order) == b"big"
    content = whole(path)
    again = functools.cache(lambda: zipfile.ZipFile(path))  # the caller may have closed it

    @functools.cache
    def storage(key: str, dtype: np.dtype) -> np.ndarray:
        info = entries.get(f"{root}{folder}/{key}")
        if info is None:
            raise InputError(f"{path} is damaged: it has no data for storage {key!r:.40}")
        if info.compress_type != zipfile.ZIP_STORED or info.flag_bits & 1:
            values = np.frombuffer(entry(again(), info), np.uint8)
        elif info.compress_size != info.file_size:
            raise InputError(f"{path} is damaged: its storage {key!r:.40} has two sizes")
        else:
            name, extra = np.frombuffer(content, "<u2", 2, info.header_offset + 26).tolist()
            values = np.frombuffer(content, np.uint8, info.file_size, info.header_offset + 30 + name + extra)
        return _as(dtype, values).byteswap() if swap else _as(dtype, values)

    return storage


def read_legacy(path: Path) -> Tensors:
    """The tensors of the format before PyTorch 1.6: several pickles, then the storages one after another."""
    content = whole(path)
    stream = BytesIO(content) if isinstance(content, bytes) else content
    dtypes: dict[str, np.dtype] = {}
    magic, version, _ = (_unpickle(path, stream) for _ in range(3))
    if magic != LEGACY_MAGIC or version != 1001:
        raise InputError(f"{path} is not a PyTorch file of a known version")
    found = _unpickle(path, stream, dtypes)
    keys, at, storages = _unpickle(path, stream), stream.tell(), {}
    for key in keys:
        dtype = dtypes.get(key) if isinstance(key, str) else None
        if dtype is None or at + 8 > len(content):
            raise InputError(f"{path} is damaged or not complete: it does not say where its tensors are")
        # Little-endian on every machine, as the values are.
        size = int(np.frombuffer(content, "<i8", 1, at)[0]) * dtype.itemsize
        if size < 0 or at + 8 + size > len(content):
            raise InputError(f"{path} is damaged or not complete: a storage ends beyond the file")
        storages[key] = np.frombuffer(content, np.uint8, size, at + 8)
        at += 8 + size

    def storage(key: str, dtype: np.dtype) -> np.ndarray:
        if key not in storages:
            raise InputError(f"{path} is damaged: it has no data for storage {key!r:.40}")
        return _as(dtype, storages[key])

    return _resolve(path, found, storage)


def _unpickle(path: Path, file: Any, dtypes: dict[str, np.dtype] | None = None) -> Any:
    try:
        return unpickle(file, dtypes)
    except InputError as error:
        raise InputError(f"{path} was not loaded: {error}") from error


def _as(dtype: np.dtype, values: np.ndarray) -> np.ndarray:
    return values[: values.size // dtype.itemsize * dtype.itemsize].view(dtype)


def _resolve(path: Path, found: Any, storage: Callable[[str, np.dtype], np.ndarray]) -> Tensors:
    arrays, unread = {}, {}
    for name, tensor in _flatten(path, found):
        if name in arrays:
            unread[name] = "a second tensor of this name"
        else:
            arrays[name] = strided(path, name, tensor, storage)
    return Tensors(arrays, unread, ordered=True)


def strided(path: Path, name: str, tensor: Tensor, storage: Callable[[str, np.dtype], np.ndarray]) -> np.ndarray:
    """A tensor as its storage has it."""
    offset, shape, strides = tensor.offset, tensor.shape, tensor.strides
    stated = isinstance(tensor.storage, Storage) and isinstance(shape, tuple) and isinstance(strides, tuple)
    # NumPy has 64 axes at most, and numbers of any length would take any time to multiply.
    if not stated or not len(shape) == len(strides) <= 64 or not all(map(_is_index, (offset, *shape, *strides))):
        raise InputError(f"{path} is damaged: {name!r:.100} has no valid storage, shape or strides")
    flat = storage(tensor.storage.key, tensor.dtype or tensor.storage.dtype)
    count = math.prod(shape)
    if count and offset + sum((n - 1) * s for n, s in zip(shape, strides, strict=True)) >= flat.size:
        raise InputError(f"{path} is damaged: {name!r:.100} reaches outside its storage")
    make(count * flat.itemsize, name)  # it may repeat its storage, or share it with others
    steps = tuple(s * flat.itemsize for s in strides)
    return np.ndarray(shape, flat.dtype, flat, offset * flat.itemsize, steps)


def _is_index(value: Any) -> bool:
    return type(value) is int and 0 <= value < 2**63


def _flatten(path: Path, found: Any) -> Iterator[tuple[str, Tensor]]:
    """Named tensors of nested containers, in order; each container once, so a pickle with cycles ends.

    Containers are joined to what they hold with `/`, modules with `.`, as in the keys of a state dict.
    """
    stack, seen = [("", found)], set()
    while stack:
        name, value = stack.pop()
        if isinstance(value, Tensor):
            yield name or "tensor", value
        elif id(value) not in seen:
            seen.add(id(value))
            joint = "." if isinstance(value, Inert) else "/"
            for key, child in reversed(_children(value)):
                full = f"{name}{joint}{key}" if name else str(key)
                if len(full) > _LONGEST_NAME:
                    raise InputError(f"{path} was not loaded: it has containers nested too deep, or names too long")
                stack.append((full, child))


def _children(value: Any) -> list[tuple[Any, Any]]:
    if isinstance(value, Inert):
        state = value.state if isinstance(value.state, dict) else {}
        parts = [state.get(part) for part in ("_parameters", "_buffers", "_modules")]
        return [child for part in parts if isinstance(part, dict) for child in _children(part)]
    if isinstance(value, dict):
        items = enumerate(value.items())
        return [(position if isinstance(key, Inert) else key, child) for position, (key, child) in items]
    if isinstance(value, (list, tuple)):
        return list(enumerate(value))
    return []
