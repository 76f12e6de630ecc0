"""Files of Keras, opened with h5py alone: the description of a model, and the arrays, none from another file."""

from __future__ import annotations

import io
import json
import math
import mmap
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import ml_dtypes
import numpy as np

from sicjax._errors import InputError, missing_package
from sicjax._limits import OF_TEXT, make
from sicjax.weights._archive import entry, opened, text
from sicjax.weights._bytes import whole

_AGAIN = "save it again with model.save('name.keras')"


class KerasArrays:
    """The arrays in a group of an HDF5 file by name. None is read before it is asked for.

    Attributes:
        path: of the file.
        by_name: whether arrays are named (`.h5`) rather than numbered (`.keras`).
        shapes: of every array.
        folders: of each layer by its name, where the file states it.

    Raises:
        InputError: a link, which could lead out of the file; on reading, an array outside the file or too large for it.
    """

    def __init__(self, path: Path, root: Any, *, by_name: bool) -> None:
        self.path, self.by_name = path, by_name
        self.folders: dict[str, list[str]] = {}
        self._arrays: dict[str, Any] = {}
        self._find(root)
        self.shapes: dict[str, tuple[int, ...]] = {name: array.shape or () for name, array in self._arrays.items()}

    def _find(self, root: Any) -> None:
        import h5py
        from h5py.h5o import get_info

        groups, seen = [("", root)], {get_info(root.id).addr}
        while groups:
            prefix, group = groups.pop()
            for name in group:
                full = f"{prefix}{name}"
                if not isinstance(group.get(name, getlink=True), h5py.HardLink):
                    raise InputError(f"{self.path}: {full} is a link, which could lead out of the file: {_AGAIN}")
                item = group[name]
                if isinstance(item, h5py.Dataset):
                    self._arrays[full] = item
                elif isinstance(item, h5py.Group):
                    address = get_info(item.id).addr
                    if address in seen:
                        raise InputError(f"{self.path}: {full} is a link to a group with another name: {_AGAIN}")
                    seen.add(address)
                    groups.append((f"{full}/", item))
                    label = _attribute(item, "name") if name == "vars" else None
                    if label is not None:
                        self.folders.setdefault(label, []).append(prefix.rstrip("/"))

    def read(self, name: str) -> np.ndarray:
        """An array of floating-point numbers.

        Raises:
            ValueError: numbers of another kind.
        """
        array = self._arrays[name]
        if array.is_virtual or array.external:
            raise InputError(f"{self.path}: {name} lies in another file, which is not read: {_AGAIN}")
        # bfloat16, which HDF5 does not know.
        half = array.dtype.kind == "V" and array.dtype.itemsize == 2 and array.dtype.names is None
        if not half and (array.dtype.kind != "f" or array.dtype.itemsize not in (2, 4, 8)):
            raise ValueError(f"it is stored as {array.dtype}: save the model in float32")
        make(math.prod(array.shape) * array.dtype.itemsize, name)
        value = np.asarray(array[()])
        if half:
            return value.view(ml_dtypes.bfloat16).astype(np.float32)
        return value.astype(value.dtype.newbyteorder("="), copy=False)


@contextmanager
def open_keras(path: Path) -> Iterator[tuple[dict, KerasArrays]]:
    """The description of the model in a file, and its arrays.

    Raises:
        InputError: a file that is not Keras's, has no model in it, or is damaged.
    """
    try:
        import h5py
    except ImportError as error:
        raise missing_package("h5py", "keras", f"reading {path}") from error
    with path.open("rb") as stream:
        start = stream.read(16)
    if start.startswith(b"PK"):
        stated, data = _unzipped(path)
        _check_texts(path, data)
        with h5py.File(io.BytesIO(data), "r") as file:
            yield _described(path, stated), KerasArrays(path, file, by_name=False)
    elif h5py.is_hdf5(path):
        _check_texts(path, whole(path))
        with h5py.File(path, "r") as file:
            stated = _attribute(file, "model_config")
            if stated is None or not isinstance(file.get("model_weights", getlink=True), h5py.HardLink):
                raise InputError(
                    f"{path} holds weights alone, not the layers' order and strides: save the whole model with "
                    "model.save('name.keras'), or its kernels in a .safetensors or .npz file with a JSON sidecar"
                )
            make(OF_TEXT * len(stated), "its description")
            yield _described(path, stated), KerasArrays(path, file["model_weights"], by_name=True)
    else:
        raise InputError(f"{path} is not an HDF5 file or a .keras archive, or not complete: save or download it again")


def _check_texts(path: Path, data: bytes | mmap.mmap) -> None:
    """Refuses a damaged heap of texts (`GCOL`): HDF5 never comes back from reading a part of it that has no size."""
    start = data.find(b"GCOL\x01")
    while start >= 0:
        place, end = start + 16, start + int.from_bytes(data[start + 8 : start + 16], "little")
        while place + 16 <= min(end, len(data)):
            number, size = data[place : place + 2], int.from_bytes(data[place + 8 : place + 16], "little")
            step = 16 + -(-size // 8) * 8 if any(number) else size
            if not 16 <= step <= end - place:
                raise InputError(f"{path} is damaged: save or download it again")
            place += step
        start = data.find(b"GCOL\x01", start + 1)


def _unzipped(path: Path) -> tuple[bytes, bytes]:
    with opened(path) as archive:
        missing = {"config.json", "model.weights.h5"} - set(archive.namelist())
        if missing:
            raise InputError(f"{path} has no {' and no '.join(sorted(missing))}: {_AGAIN}")
        return text(archive, "config.json"), entry(archive, archive.getinfo("model.weights.h5"))


def _described(path: Path, stated: Any) -> dict:
    try:
        config = json.loads(stated)
    except ValueError as error:
        raise InputError(f"{path}: its description of the model is damaged, {_AGAIN}: {error}") from error
    if not isinstance(config, dict) or not isinstance(config.get("config"), (dict, list)) or "class_name" not in config:
        raise InputError(f"{path}: its description of the model is not Keras's: {_AGAIN}")
    return config


def _attribute(item: Any, name: str) -> str | None:
    """A text beside a group; None where there is none. Of damaged types HDF5 may not survive the reading."""
    from h5py.h5t import TypeStringID

    if name not in item.attrs:
        return None
    stored = item.attrs.get_id(name)
    if not isinstance(stored.get_type(), TypeStringID) or stored.shape != ():
        return None
    value = item.attrs[name]
    return value.decode(errors="replace") if isinstance(value, bytes) else str(value)
