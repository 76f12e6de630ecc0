"""ONNX files: the model as the `onnx` package parses it, and the arrays of its tensors, in it or in files beside it."""

from __future__ import annotations

import math
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from sicjax._errors import InputError, missing_package
from sicjax._limits import allow, make
from sicjax.weights._bytes import part


def read_onnx(path: Path) -> Any:
    """The model as it lies in the file, an `onnx.ModelProto`.

    Raises:
        InputError: no ONNX file, or not complete.
    """
    try:
        import onnx
        from google.protobuf.message import DecodeError
    except ImportError as error:
        raise missing_package("onnx", "onnx", f"reading {path}") from error
    model = onnx.ModelProto()
    try:
        model.ParseFromString(path.read_bytes())
    except DecodeError as error:
        raise InputError(f"{path} is not an ONNX file, or not complete: export or download it again") from error
    if not model.graph.node:
        raise InputError(f"{path} is an ONNX file without a graph, or not an ONNX file: export or download it again")
    return model


def files_of_onnx(path: Path) -> list[Path]:
    """The file, and those beside it that its weights lie in.

    Raises:
        InputError: a file that is no ONNX file, or not complete; weights outside its folder.
    """
    model = read_onnx(path)
    tensors = [tensor for graph in (model.graph, *model.functions) for tensor in _tensors(graph)]
    beside = {_file_beside(tensor, path) for tensor in tensors if tensor.data_location == tensor.EXTERNAL}
    return [path, *sorted(beside)]


def onnx_array(tensor: Any, path: Path) -> np.ndarray:
    """The array of a `TensorProto`, in the file itself or in one beside it.

    Raises:
        InputError: it cannot be read.
    """
    from onnx import TensorProto, helper, numpy_helper

    try:
        dtype = np.dtype(helper.tensor_dtype_to_np_dtype(tensor.data_type))
        make(math.prod(tensor.dims) * dtype.itemsize, tensor.name)
        if tensor.data_location != TensorProto.EXTERNAL:
            return numpy_helper.to_array(tensor)
        raw = _external(tensor, path)
        if raw.size == math.prod(tensor.dims) * dtype.itemsize:
            return raw.view(dtype).reshape(tuple(tensor.dims))
        # Numbers of less than a byte are packed.
        packed = TensorProto(dims=tensor.dims, data_type=tensor.data_type, raw_data=raw.tobytes())
        return numpy_helper.to_array(packed)
    except InputError:
        raise
    except Exception as error:  # what a damaged file can raise has no end
        detail = f"{type(error).__name__} {str(error)!r:.100}"
        raise InputError(f"{path}: cannot read {tensor.name}, export or download it again: {detail}") from error


def onnx_sparse_array(tensor: Any, path: Path) -> np.ndarray:
    """The array of a `SparseTensorProto`: values, and where they stand in the flattened array or along each axis.

    Raises:
        InputError: it cannot be read.
    """
    values, places = onnx_array(tensor.values, path), onnx_array(tensor.indices, path)
    make(math.prod(tensor.dims) * values.itemsize, tensor.values.name)
    dense = np.zeros(tuple(tensor.dims), values.dtype)
    flat = places if places.ndim == 1 else np.ravel_multi_index(tuple(places.T), dense.shape)
    dense.reshape(-1)[flat] = values
    return dense


def _tensors(graph: Any) -> Iterator[Any]:
    """Every tensor of a graph or function, and of the graphs inside its nodes."""
    yield from getattr(graph, "initializer", ())
    for sparse in getattr(graph, "sparse_initializer", ()):
        yield from (sparse.values, sparse.indices)
    for attribute in (attribute for node in graph.node for attribute in node.attribute):
        yield from (attribute.t, *attribute.tensors)
        for sparse in (attribute.sparse_tensor, *attribute.sparse_tensors):
            yield from (sparse.values, sparse.indices)
        for inner in (attribute.g, *attribute.graphs):
            yield from _tensors(inner)


def _file_beside(tensor: Any, path: Path) -> Path:
    """The file beside the model that a tensor lies in.

    Raises:
        InputError: it is outside the model's folder.
    """
    location = next((entry.value for entry in tensor.external_data if entry.key == "location"), "")
    # By the path as it is written: caches of downloads are folders of links to files elsewhere.
    inside = os.path.normpath(location.replace("\\", "/"))
    if not location or os.path.isabs(inside) or inside.split("/")[0] == ".." or ":" in inside.split("/")[0]:
        raise InputError(
            f"{path}: the weights {tensor.name} are at {location!r}, outside the model's folder; "
            "put them beside the model and export it again"
        )
    return path.parent / inside


def _external(tensor: Any, path: Path) -> np.ndarray:
    """The bytes of a tensor in a file beside the model."""
    file, entries = _file_beside(tensor, path), {entry.key: entry.value for entry in tensor.external_data}
    offset = int(entries.get("offset", 0))
    try:
        size = file.stat().st_size
        allow(file, size)
        length = int(entries.get("length", size - offset))
        if offset < 0 or length < 0 or offset + length > size:
            raise InputError(f"{file} ends before the weights {tensor.name} of {path.name}: download it again")
        return part(file, offset, length)
    except OSError as error:
        where, why = file.relative_to(path.parent), error.strerror or error
        raise InputError(
            f"{path} keeps its weights in {where}, which cannot be read ({why}): put it beside it"
        ) from error
