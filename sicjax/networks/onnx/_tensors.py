"""Constants of an ONNX file: initializers and what a graph computes from them, read when they are asked for."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from sicjax._errors import InputError

# A constant up to this many numbers may be a shape, an axis or a scale, and is computed at once.
SMALL = 4096
# More numbers than a kernel can have: a graph can ask for any size in a few bytes.
_LARGEST = 2**28


class Constant:
    """An array that no input of the network changes.

    Attributes:
        name: of the initializer it is or is computed from.
        shape: known without reading it.
        elem: its ONNX element type, 0 if not known.
    """

    def __init__(self, name: str, shape: Sequence[int], elem: int, load: Callable[[], np.ndarray]) -> None:
        self.name = name
        self.shape = tuple(shape)
        self.elem = elem
        self._load = load

    @property
    def small(self) -> bool:
        return math.prod(self.shape) <= SMALL

    @cached_property
    def value(self) -> np.ndarray:
        """What it is.

        Raises:
            ValueError: it cannot be computed.
            InputError: it cannot be read.
        """
        return self._load()


def numbers(array: Any, name: str = "") -> Constant:
    """What is known already."""
    from onnx import helper

    array = np.asarray(array)
    return Constant(name, array.shape, helper.np_dtype_to_tensor_dtype(array.dtype), lambda: array)


def stored(tensor: Any, path: Path) -> Constant:
    """A `TensorProto`, in the file itself or in one beside it."""
    return Constant(tensor.name, tensor.dims, tensor.data_type, lambda: _read(tensor, path))


def stored_sparse(tensor: Any, path: Path) -> Constant:
    """A `SparseTensorProto`: values, and where they stand in the flattened array or along each axis."""

    def load() -> np.ndarray:
        values, places = _read(tensor.values, path), _read(tensor.indices, path)
        dense = np.zeros(tuple(tensor.dims), values.dtype)
        flat = places if places.ndim == 1 else np.ravel_multi_index(tuple(places.T), dense.shape)
        dense.reshape(-1)[flat] = values
        return dense

    return Constant(tensor.values.name, tensor.dims, tensor.values.data_type, load)


def of_node(node: Any, path: Path) -> Constant | None:
    """What a `Constant` node gives, None for text and the like."""
    from onnx import helper

    for attribute in node.attribute:
        value = helper.get_attribute_value(attribute)
        match attribute.name:
            case "value":
                held = stored(value, path)
                held.name = held.name or node.output[0]
                return held
            case "sparse_value":
                return stored_sparse(value, path)
            case "value_int" | "value_ints":
                return numbers(np.asarray(value, np.int64), node.output[0])
            case "value_float" | "value_floats":
                return numbers(np.asarray(value, np.float32), node.output[0])
    return None


def computed(
    node: Any, output: str, shape: Sequence[int], elem: int, inputs: Mapping[str, Constant], opsets: Mapping[str, int]
) -> Constant:
    """What a node makes of constants, by ONNX's reference implementation."""

    def load() -> np.ndarray:
        try:
            return run()
        except InputError:
            raise
        except Exception as error:  # the reference implementation raises what it likes
            raise ValueError(f"{node.op_type}: {str(error) or type(error).__name__:.100}") from error

    def run() -> np.ndarray:
        from onnx import TensorProto, helper
        from onnx.reference import ReferenceEvaluator

        if math.prod(shape) > _LARGEST:
            raise ValueError(f"{math.prod(shape):,} numbers")
        plain, imported = node, dict(opsets)
        if node.op_type in ("QuantizeLinear", "DequantizeLinear"):
            # Of these the reference has no old version; the new ones only add to them.
            plain = helper.make_node(node.op_type, node.input, [output])
            plain.attribute.extend(node.attribute)
            imported[""] = max(imported.get("", 0), 21)
        untyped = [helper.make_tensor_value_info(name, TensorProto.UNDEFINED, None) for name in (*inputs, output)]
        graph = helper.make_graph([plain], "constant", untyped[:-1], untyped[-1:])
        imports = [helper.make_opsetid(domain, version) for domain, version in imported.items()]
        model = ReferenceEvaluator(helper.make_model(graph, opset_imports=imports))
        with np.errstate(all="ignore"):
            found = model.run(None, {name: constant.value for name, constant in inputs.items()})
            return np.asarray(next(iter(found)))

    largest = max(inputs.values(), key=lambda constant: math.prod(constant.shape), default=None)
    return Constant(largest.name if largest else output, shape, elem, load)


def _read(tensor: Any, path: Path) -> np.ndarray:
    from onnx import TensorProto, helper, numpy_helper

    try:
        if tensor.data_location != TensorProto.EXTERNAL:
            return numpy_helper.to_array(tensor)
        raw = _external(tensor, path)
        dtype = np.dtype(helper.tensor_dtype_to_np_dtype(tensor.data_type))
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


def file_beside(tensor: Any, path: Path) -> Path:
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
    """The bytes of a tensor in a file beside the model, mapped."""
    file, entries = file_beside(tensor, path), {entry.key: entry.value for entry in tensor.external_data}
    offset = int(entries.get("offset", 0))
    try:
        size = file.stat().st_size
        length = int(entries.get("length", size - offset))
        if offset < 0 or length < 0 or offset + length > size:
            raise InputError(f"{file} ends before the weights {tensor.name} of {path.name}: download it again")
        return np.memmap(file, np.uint8, "r", offset, (length,)) if length else np.zeros(0, np.uint8)
    except OSError as error:
        where, why = file.relative_to(path.parent), error.strerror or error
        raise InputError(
            f"{path} keeps its weights in {where}, which cannot be read ({why}): put it beside it"
        ) from error
