"""Files of `torch.save` without PyTorch and without running anything in them.

A PyTorch file is a pickle, and a pickle is a program. The unpickler here knows the few names a checkpoint of tensors
needs, puts inert objects in the place of others that are known to be harmless company (optimisers, settings), and
refuses any other.
"""

from __future__ import annotations

import collections
import math
import mmap
import pickle
import zipfile
from io import BytesIO
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

import ml_dtypes
import numpy as np

from sicjax._errors import InputError
from sicjax.weights._tensors import Tensors

# How a legacy file starts: the pickled magic number of torch.save.
LEGACY_MAGIC = 0x1950A86A20F9469CFC6C
LEGACY_START = LEGACY_MAGIC.to_bytes(10, "little")

_DTYPES = {
    "float64": ("Double", np.float64),
    "float32": ("Float", np.float32),
    "float16": ("Half", np.float16),
    "bfloat16": ("BFloat16", ml_dtypes.bfloat16),
    "float8_e4m3fn": ("Float8_e4m3fn", ml_dtypes.float8_e4m3fn),
    "float8_e5m2": ("Float8_e5m2", ml_dtypes.float8_e5m2),
    "int64": ("Long", np.int64),
    "int32": ("Int", np.int32),
    "int16": ("Short", np.int16),
    "int8": ("Char", np.int8),
    "uint8": ("Byte", np.uint8),
    "bool": ("Bool", np.bool_),
    "complex64": ("ComplexFloat", np.complex64),
    "complex128": ("ComplexDouble", np.complex128),
}
_BY_STORAGE = {f"{storage}Storage": np.dtype(dtype) for storage, dtype in _DTYPES.values()}
_BY_NAME = {name: np.dtype(dtype) for name, (_, dtype) in _DTYPES.items()}

# Modules whose objects travel in checkpoints beside the tensors. Nothing of them is called; they become `_Inert`.
_HARMLESS = (
    "argparse.Namespace",
    "collections.Counter",
    "collections.defaultdict",
    "datetime.",
    "lightning.",
    "lightning_fabric.",
    "numpy.",
    "omegaconf.",
    "pathlib.",
    "pytorch_lightning.",
    "torch.Generator",
    "torch.device",
    "torch.nn.",
    "torch.optim.",
    "torch.torch_version.",
)


class _Storage(NamedTuple):
    key: str
    dtype: np.dtype | None


class _Tensor(NamedTuple):
    storage: _Storage
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]
    dtype: np.dtype | None


class _Inert:
    """Stands for an object whose code is not run; keeps the state of modules, where their parameters are."""

    state: Any

    def __new__(cls, *args, **kwargs):
        made = object.__new__(cls)
        made.__dict__["state"] = None
        return made

    def __init__(self, *args, **kwargs):
        pass

    def __setstate__(self, state):
        self.__dict__["state"] = state

    def __setitem__(self, key, value):
        pass

    def append(self, item):
        pass

    def extend(self, items):
        pass

    def __hash__(self):
        return id(self)


def read_zip(path: Path, archive: zipfile.ZipFile) -> Tensors:
    """The tensors of the zip format, mapped from the file."""
    entries = {info.filename: info for info in archive.infolist()}
    pickled = next(name for name in entries if name.endswith("data.pkl"))
    root = pickled.removesuffix("data.pkl")
    order = archive.read(f"{root}byteorder").decode() if f"{root}byteorder" in entries else "little"
    found = _unpickle(path, BytesIO(archive.read(pickled)))
    with path.open("rb") as file:
        mapped = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)

    def storage(key: str) -> np.ndarray:
        info = entries.get(f"{root}data/{key}")
        if info is None:
            raise InputError(f"{path} is damaged: it has no data for storage {key}")
        if info.compress_type != zipfile.ZIP_STORED:
            return np.frombuffer(archive.read(info), np.uint8)
        name, extra = np.frombuffer(mapped, "<u2", 2, info.header_offset + 26).tolist()
        return np.frombuffer(mapped, np.uint8, info.file_size, info.header_offset + 30 + name + extra)

    return _resolve(path, found, storage, swap=order == "big")


def read_legacy(path: Path) -> Tensors:
    """The tensors of the format before PyTorch 1.6: several pickles, then the storages one after another."""
    with path.open("rb") as file:
        if _unpickle(path, file) != LEGACY_MAGIC or _unpickle(path, file) != 1001:
            raise InputError(f"{path} is not a PyTorch file of a known version")
        system = _unpickle(path, file)
        types: dict[str, np.dtype | None] = {}
        found = _unpickle(path, file, types)
        keys = _unpickle(path, file)
        start = file.tell()
        mapped = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    little = not isinstance(system, dict) or system.get("little_endian", True)
    storages, at = {}, start
    for key in keys:
        dtype = types.get(key)
        if dtype is None or at + 8 > len(mapped):
            raise InputError(f"{path} is damaged or not complete: no data for storage {key}")
        count = int(np.frombuffer(mapped, "<i8" if little else ">i8", 1, at)[0])
        size = count * dtype.itemsize
        if count < 0 or at + 8 + size > len(mapped):
            raise InputError(f"{path} is damaged or not complete: storage {key} ends beyond the file")
        storages[key] = np.frombuffer(mapped, np.uint8, size, at + 8)
        at += 8 + size

    def storage(key: str) -> np.ndarray:
        if key not in storages:
            raise InputError(f"{path} is damaged: it has no data for storage {key}")
        return storages[key]

    return _resolve(path, found, storage, swap=not little)


class _Unpickler(pickle.Unpickler):
    def __init__(self, file: BinaryIO, types: dict[str, np.dtype | None]):
        super().__init__(file, encoding="utf-8")
        self._types = types

    def find_class(self, module: str, name: str) -> Any:
        full = f"{module}.{name}"
        if full in _ALLOWED:
            return _ALLOWED[full]
        if module == "torch" and name in _BY_STORAGE:
            return _BY_STORAGE[name]
        if module == "torch" and name in _BY_NAME:
            return _BY_NAME[name]
        if full.startswith(_HARMLESS):
            return _Inert
        raise InputError(f"it asks for {full}, which is refused: only tensors, numbers, text and containers are loaded")

    def persistent_load(self, pid: Any) -> _Storage:
        kind, dtype, key, *rest = pid
        if kind != "storage" or not (dtype is None or isinstance(dtype, np.dtype)):
            raise InputError(f"it asks for a storage of an unknown kind: {pid!r:.80}")
        if len(rest) > 2 and rest[2] is not None:
            raise InputError("it has views of storages, a form older than PyTorch 0.4: save it again with a newer one")
        self._types[key] = dtype
        return _Storage(key, dtype)


def _unpickle(path: Path, file: BinaryIO, types: dict[str, np.dtype | None] | None = None) -> Any:
    try:
        return _Unpickler(file, {} if types is None else types).load()
    except InputError as error:
        raise InputError(f"{path} was not loaded: {error}") from error
    except Exception as error:  # a damaged or hostile pickle can raise anything; none of it is ours
        raise InputError(f"{path} is damaged or not a PyTorch file: {type(error).__name__}: {error!s:.100}") from error


def _tensor(storage, offset, shape, strides, *rest) -> _Tensor:
    dtype = next((item for item in rest if isinstance(item, np.dtype)), None)
    return _Tensor(storage, offset, tuple(shape), tuple(strides), dtype)


_ALLOWED: dict[str, Any] = {
    "builtins.set": set,
    "__builtin__.set": set,
    "collections.OrderedDict": collections.OrderedDict,
    "torch.Size": tuple,
    "torch.UntypedStorage": None,
    "torch.storage.UntypedStorage": None,
    "torch.storage.TypedStorage": None,
    "torch._utils._rebuild_parameter": lambda tensor, *_: tensor,
    "torch._utils._rebuild_parameter_with_state": lambda tensor, *_: tensor,
    "torch._tensor._rebuild_from_type_v2": lambda rebuild, kind, args, state: rebuild(*args),
    "torch._utils._rebuild_tensor": _tensor,
    "torch._utils._rebuild_tensor_v2": _tensor,
    "torch._utils._rebuild_tensor_v3": _tensor,
    "torch.nn.parameter.Parameter": _Inert,
    "torch.Tensor": _Inert,
}


def _resolve(path: Path, found: Any, storage, swap: bool) -> Tensors:
    arrays, unread = {}, {}
    for name, tensor in _flatten(found):
        dtype = tensor.dtype or tensor.storage.dtype
        if dtype is None:
            unread[name] = "a tensor without a dtype"
            continue
        flat = storage(tensor.storage.key)
        flat = flat[: flat.size // dtype.itemsize * dtype.itemsize].view(dtype)
        flat = flat.byteswap() if swap else flat
        arrays[name] = _strided(path, name, flat, tensor)
    return Tensors(arrays, unread, ordered=True)


def _strided(path: Path, name: str, flat: np.ndarray, tensor: _Tensor) -> np.ndarray:
    numbers = (tensor.offset, *tensor.shape, *tensor.strides)
    whole = len(tensor.shape) == len(tensor.strides) and all(isinstance(n, int) and n >= 0 for n in numbers)
    last = tensor.offset + sum((n - 1) * s for n, s in zip(tensor.shape, tensor.strides, strict=True)) if whole else 0
    if not whole or (math.prod(tensor.shape) and last >= flat.size):
        raise InputError(f"{path} is damaged: {name} reaches outside its storage")
    if not math.prod(tensor.shape):
        return np.zeros(tensor.shape, flat.dtype)
    steps = tuple(s * flat.itemsize for s in tensor.strides)
    return np.lib.stride_tricks.as_strided(flat[tensor.offset :], tensor.shape, steps, writeable=False)


def _flatten(found: Any):
    """Named tensors of nested containers, in order; each container once, so a pickle with cycles ends.

    Containers are joined to what they hold with `/`, modules with `.`, as in the keys of a state dict.
    """
    stack, seen = [("", found)], set()
    while stack:
        name, value = stack.pop()
        if isinstance(value, _Tensor):
            yield name or "tensor", value
            continue
        if id(value) in seen:
            continue
        if isinstance(value, _Inert) and isinstance(value.state, dict):
            parts = [value.state.get(part) for part in ("_parameters", "_buffers", "_modules")]
            children = [item for part in parts if isinstance(part, dict) for item in part.items()]
        elif isinstance(value, dict):
            children = list(value.items())
        elif isinstance(value, (list, tuple)) and not isinstance(value, _Storage):
            children = list(enumerate(value))
        else:
            continue
        seen.add(id(value))
        joint = "." if isinstance(value, _Inert) else "/"
        stack.extend((f"{name}{joint}{key}" if name else str(key), child) for key, child in reversed(children))
