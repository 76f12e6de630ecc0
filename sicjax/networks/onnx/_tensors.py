"""Constants of an ONNX file: initializers and what a graph computes from them, read when they are asked for."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from sicjax._errors import InputError
from sicjax._limits import make
from sicjax.weights import onnx_array, onnx_sparse_array

# A constant up to this many numbers may be a shape, an axis or a scale, and is computed at once.
SMALL = 4096
# Operators of which the reference implementation is NumPy's. Others go from number to number in Python, which takes as
# long as it takes to make so many times their size.
_FAST = frozenset(
    """Abs Add ArgMax ArgMin BatchNormalization Cast CastLike Ceil Clip Concat ConstantOfShape CumSum DequantizeLinear
    Div Equal Erf Exp Expand Flatten Floor Gather GatherElements Greater GreaterOrEqual Identity Less LessOrEqual
    Log Max Mean Min Mod Mul Neg Not Pad Pow QuantizeLinear Range Reciprocal ReduceL1 ReduceL2 ReduceMax ReduceMean
    ReduceMin ReduceProd ReduceSum ReduceSumSquare Reshape Round Sigmoid Sign Slice Softmax Split Sqrt Squeeze Sub
    Sum Tanh Tile Transpose Trilu Unsqueeze Where""".split()
)
_SLOWER = 256


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
    """A `TensorProto`."""
    return Constant(tensor.name, tensor.dims, tensor.data_type, lambda: onnx_array(tensor, path))


def stored_sparse(tensor: Any, path: Path) -> Constant:
    """A `SparseTensorProto`."""
    values = tensor.values
    return Constant(values.name, tensor.dims, values.data_type, lambda: onnx_sparse_array(tensor, path))


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
            case "value_int" | "value_ints" | "value_float" | "value_floats":
                return numbers(np.asarray(value, np.int64 if "int" in attribute.name else np.float32), node.output[0])
    return None


def computed(
    node: Any, output: str, shape: Sequence[int], elem: int, inputs: Mapping[str, Constant], opsets: Mapping[str, int]
) -> Constant:
    """What a node makes of constants, by ONNX's reference implementation."""

    def load() -> np.ndarray:
        taken = sum(math.prod(constant.shape) for constant in inputs.values())
        make(4 * (math.prod(shape) + taken) * (1 if node.op_type in _FAST else _SLOWER), node.op_type)
        try:
            return _run(node, output, {name: constant.value for name, constant in inputs.items()}, opsets)
        except InputError:
            raise
        except Exception as error:  # the reference implementation raises what it likes
            raise ValueError(f"{node.op_type}: {str(error) or type(error).__name__:.100}") from error

    largest = max(inputs.values(), key=lambda constant: math.prod(constant.shape), default=None)
    return Constant(largest.name if largest else output, shape, elem, load)


def _run(node: Any, output: str, inputs: Mapping[str, np.ndarray], opsets: Mapping[str, int]) -> np.ndarray:
    from onnx import TensorProto, helper
    from onnx.reference import ReferenceEvaluator

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
        return np.asarray(next(iter(model.run(None, dict(inputs)))))
