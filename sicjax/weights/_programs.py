"""Programs that PyTorch saves, TorchScript and `torch.export`, as text, JSON and arrays: nothing in them is run.

PyTorch's own loaders run code that a file brings: `torch.jit.load` the `__setstate__` of its classes,
`torch.export.load` pickles, expressions and libraries. So they are not used.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from sicjax._errors import InputError
from sicjax._limits import OF_CODE
from sicjax.weights._archive import opened, text
from sicjax.weights._pytorch import strided, zip_storages
from sicjax.weights._unpickler import DTYPES, Inert, Storage, Tensor, unpickle


class Script(NamedTuple):
    """A TorchScript program.

    Attributes:
        module: the network, an object whose `kind` names its class and whose `state` has its attributes.
        constants: tensors that the code names by number.
        sources: the code by its file, `__torch__/torch/nn/modules/conv.py`.
        array: the values of a tensor.
    """

    module: Inert
    constants: list[Any]
    sources: dict[str, str]
    array: Callable[[str, Tensor], np.ndarray]


class Exported(NamedTuple):
    """A program of `torch.export`.

    Attributes:
        program: what it does, as PyTorch writes it in JSON.
        arrays: parameters, buffers and constants by name.
    """

    program: dict[str, Any]
    arrays: dict[str, np.ndarray]


def read_script(path: Path) -> Script:
    """A TorchScript program.

    Raises:
        InputError: an archive without its parts, or a pickle that asks for more than modules and tensors.
    """
    with opened(path) as archive:
        names = archive.namelist()
        root = next((name.removesuffix("data.pkl") for name in names if name.count("/") == 1 and _is_data(name)), None)
        if root is None:
            raise InputError(f"{path} is a TorchScript program of before PyTorch 1.4: save it again with a newer one")
        pickles = [name for name in (f"{root}data.pkl", f"{root}constants.pkl") if name in names]
        module, *constants = [_unpickled(path, text(archive, name)) for name in pickles]
        code = [name for name in names if name.startswith(f"{root}code/") and name.endswith(".py")]
        sources = {name.removeprefix(f"{root}code/"): text(archive, name, OF_CODE).decode() for name in code}
        storages = [zip_storages(path, archive, root, folder) for folder in ("data", "constants")]
    if not isinstance(module, Inert) or not module.kind:
        raise InputError(f"{path} is damaged: it holds no module")
    held = list(constants[0]) if constants and isinstance(constants[0], (list, tuple)) else []
    ids = {id(tensor) for tensor in held}
    array = lambda name, tensor: strided(path, name, tensor, storages[id(tensor) in ids])
    return Script(module, held, sources, array)


def read_exported(path: Path) -> Exported:
    """A program of `torch.export`.

    Raises:
        InputError: an archive of before PyTorch 2.8 or without its parts.
    """
    with opened(path) as archive:
        names = set(archive.namelist())
        model = next((name for name in sorted(names) if name.endswith("models/model.json")), None)
        if model is None:
            raise InputError(
                f"{path} is a program of torch.export of before PyTorch 2.8: save it again with a newer one"
            )
        root = model.removesuffix("models/model.json")
        arrays = {}
        for folder, kind in (("weights", "weights"), ("constants", "constants")):
            listed = f"{root}data/{folder}/model_{kind}_config.json"
            if listed in names:
                storage = zip_storages(path, archive, root, f"data/{folder}")
                for name, entry in json.loads(text(archive, listed))["config"].items():
                    if not entry.get("use_pickle") and entry.get("tensor_meta"):
                        arrays[name] = strided(path, name, _stated(entry), storage)
        return Exported(json.loads(text(archive, model)), arrays)


def _stated(entry: dict[str, Any]) -> Tensor:
    meta = entry["tensor_meta"]
    dtype = DTYPES.get(meta["dtype"])
    if dtype is None:
        raise InputError(f"its tensor {entry['path_name']!r:.60} has a dtype that is not known")
    sizes, strides = (tuple(n.get("as_int") for n in meta[key]) for key in ("sizes", "strides"))
    return Tensor(Storage(entry["path_name"], dtype), meta["storage_offset"].get("as_int"), sizes, strides, dtype)


def _is_data(name: str) -> bool:
    return name.endswith("/data.pkl")


def _unpickled(path: Path, data: bytes) -> Any:
    try:
        return unpickle(BytesIO(data), scripted=True)
    except InputError as error:
        raise InputError(f"{path} was not loaded: {error}") from error
