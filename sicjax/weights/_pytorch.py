"""Files of `torch.save` without PyTorch: the zip format, and the one before PyTorch 1.6."""

from __future__ import annotations

import functools
import math
import mmap
import zipfile
from collections.abc import Callable, Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np

from sicjax._errors import InputError
from sicjax.weights._tensors import Tensors
from sicjax.weights._unpickler import Inert, Storage, Tensor, unpickle

# How a legacy file starts: the pickled magic number of torch.save.
LEGACY_MAGIC = 0x1950A86A20F9469CFC6C
LEGACY_START = LEGACY_MAGIC.to_bytes(10, "little")

# Names and repeated values can grow far beyond the file that states them; no real file comes near these.
_LONGEST_NAME = 1000
_MOST_REPEATED = 2**28
# PyTorch does not compress. Archives that were packed again do, weights hardly at all.
_MOST_UNPACKED = 2**26
_MOST_TIMES = 100


def read_pytorch(path: Path) -> Tensors:
    """The tensors of a file of `torch.save`, of either format."""
    with path.open("rb") as file:
        if file.read(2) != b"PK":
            return read_legacy(path)
    with zipfile.ZipFile(path) as archive:
        pickled = [name for name in archive.namelist() if name.rpartition("/")[2] == "data.pkl"]
        return read_zip(path, archive, pickled[-1])


def read_zip(path: Path, archive: zipfile.ZipFile, pickled: str) -> Tensors:
    """The tensors of the zip format, mapped from the file."""
    found = _unpickle(path, BytesIO(entry(path, archive, archive.getinfo(pickled))))
    return _resolve(path, found, zip_storages(path, archive, pickled.removesuffix("data.pkl")))


def entry(path: Path, archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> bytes:
    """An entry of an archive, unless it is made to fill the memory.

    Raises:
        InputError: an entry that unpacks to far more than it takes in the file.
    """
    if info.file_size > max(_MOST_UNPACKED, _MOST_TIMES * info.compress_size):
        raise InputError(
            f"{path} was not loaded: {info.filename!r:.100} unpacks to {info.file_size:,} bytes, over {_MOST_TIMES} "
            "times what it takes in the file: unpack it yourself if you trust it"
        )
    return archive.read(info)


def zip_storages(
    path: Path, archive: zipfile.ZipFile, root: str, folder: str = "data"
) -> Callable[[str, np.dtype], np.ndarray]:
    """The storages of the zip format by name, mapped from the file."""
    entries = {info.filename: info for info in archive.infolist()}
    order = entries.get(f"{root}byteorder")
    swap = order is not None and entry(path, archive, order) == b"big"
    mapped = _map(path)

    @functools.cache
    def storage(key: str, dtype: np.dtype) -> np.ndarray:
        info = entries.get(f"{root}{folder}/{key}")
        if info is None:
            raise InputError(f"{path} is damaged: it has no data for storage {key!r:.40}")
        if info.compress_type != zipfile.ZIP_STORED or info.flag_bits & 1:
            with zipfile.ZipFile(path) as again:  # the caller may have closed it
                values = np.frombuffer(entry(path, again, info), np.uint8)
        else:
            name, extra = np.frombuffer(mapped, "<u2", 2, info.header_offset + 26).tolist()
            values = np.frombuffer(mapped, np.uint8, info.file_size, info.header_offset + 30 + name + extra)
        return _as(dtype, values).byteswap() if swap else _as(dtype, values)

    return storage


def read_legacy(path: Path) -> Tensors:
    """The tensors of the format before PyTorch 1.6: several pickles, then the storages one after another."""
    mapped = _map(path)
    dtypes: dict[str, np.dtype] = {}
    magic, version, _ = (_unpickle(path, mapped) for _ in range(3))
    if magic != LEGACY_MAGIC or version != 1001:
        raise InputError(f"{path} is not a PyTorch file of a known version")
    found = _unpickle(path, mapped, dtypes)
    keys, at, storages = _unpickle(path, mapped), mapped.tell(), {}
    for key in keys:
        dtype = dtypes.get(key) if isinstance(key, str) else None
        if dtype is None or at + 8 > len(mapped):
            raise InputError(f"{path} is damaged or not complete: it does not say where its tensors are")
        # Little-endian on every machine, as the values are.
        size = int(np.frombuffer(mapped, "<i8", 1, at)[0]) * dtype.itemsize
        if size < 0 or at + 8 + size > len(mapped):
            raise InputError(f"{path} is damaged or not complete: a storage ends beyond the file")
        storages[key] = np.frombuffer(mapped, np.uint8, size, at + 8)
        at += 8 + size

    def storage(key: str, dtype: np.dtype) -> np.ndarray:
        if key not in storages:
            raise InputError(f"{path} is damaged: it has no data for storage {key!r:.40}")
        return _as(dtype, storages[key])

    return _resolve(path, found, storage)


def _map(path: Path) -> mmap.mmap:
    with path.open("rb") as file:
        return mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)


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
    if count > max(flat.size, _MOST_REPEATED):
        raise InputError(f"{path} was not loaded: {name!r:.100} repeats its storage to over {_MOST_REPEATED} values")
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
