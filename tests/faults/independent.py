"""The arrays of a file as its format's own library has them, to compare the kernels of a network with."""

import hashlib
import json
import zipfile
from collections.abc import Iterator
from itertools import permutations
from pathlib import Path

import numpy as np
from safetensors.numpy import load_file

try:
    import torch
except ImportError:
    torch = None


def prepare() -> None:
    """Loads what is loaded once, so that it is not counted to the first file."""
    import h5py
    import onnx.numpy_helper  # noqa: F401

    assert h5py.version.info


def wrong(path: Path, net) -> str:
    """The first layer whose kernel is none of the file's arrays; empty where the file's own library refuses it too."""
    try:
        there = {_digest(np.asarray(array, np.float32)) for array in _arrays(path) if array.dtype.kind in "fV"}
    except Exception:  # it has no word on this file
        return ""
    measured = {layer.path for pair in net.pairs for layer in (pair.first, pair.second)}
    for layer in net.layers:
        if layer.path in measured and not np.isfinite(layer.kernel).all():
            return f"{layer.path} is measured and has weights that are not finite"
        # As formats lay kernels out; in groups they have more ways to.
        ways = [np.moveaxis(layer.kernel, (-1, -2), order) for order in ((0, 1), (1, 0))]
        ways += [layer.kernel, layer.kernel.swapaxes(-1, -2)]
        if layer.groups == 1 and not there.intersection(_digest(np.asarray(way, np.float32)) for way in ways):
            return f"{layer.path} {layer.kernel.shape} is no array of the file"
    return ""


def _digest(array: np.ndarray) -> tuple:
    return array.shape, hashlib.sha256(np.ascontiguousarray(array).tobytes()).digest()


def _arrays(path: Path) -> Iterator[np.ndarray]:
    match path.suffix:
        case ".safetensors":
            yield from load_file(path).values()
        case ".npz":
            yield from np.load(path, allow_pickle=False).values()
        case ".onnx":
            yield from _onnx(path)
        case ".keras":
            with zipfile.ZipFile(path) as archive, archive.open("model.weights.h5") as file:
                yield from _hdf5(file)
        case ".h5":
            yield from _hdf5(path)
        case ".json":
            for shard in set(json.loads(path.read_text())["weight_map"].values()):
                yield from load_file(path.with_name(shard)).values()
        case ".pth" | ".tar" if torch is not None:
            yield from _tensors(torch.load(path, weights_only=True))
        case _:
            raise NotImplementedError(path.suffix)


def _tensors(value) -> Iterator[np.ndarray]:
    if isinstance(value, torch.Tensor):
        yield value.detach().float().numpy()
    elif isinstance(value, dict):
        for part in value.values():
            yield from _tensors(part)
    elif isinstance(value, (list, tuple)):
        for part in value:
            yield from _tensors(part)


def _onnx(path: Path) -> Iterator[np.ndarray]:
    import onnx

    model = onnx.load(path)
    for array in map(onnx.numpy_helper.to_array, model.graph.initializer):
        # The graph may make a kernel of it by another order of its axes.
        orders = permutations(range(array.ndim)) if array.ndim == 4 else [range(array.ndim)]
        yield from (array.transpose(order) for order in orders)


def _hdf5(file) -> Iterator[np.ndarray]:
    import h5py

    found = []

    def visit(_, item) -> None:
        # A few bytes may be compressed zeros without end, which the reader does not unpack.
        if isinstance(item, h5py.Dataset) and item.nbytes < 2**28:
            found.append(item[()])

    with h5py.File(file, "r") as opened:
        opened.visititems(visit)
    yield from (array for array in found if isinstance(array, np.ndarray))
