"""Element types and shapes of a node's outputs, as ONNX infers them; sizes for axes that the file leaves open."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from sicjax._errors import InputError
from sicjax.networks.graph import OPEN_SIZES
from sicjax.networks.onnx._step import Value

Shape = tuple[int, ...] | None


class Inference:
    """What the file states of sizes, and what follows from it.

    Arguments:
        opsets: versions of the operators by domain.
    """

    def __init__(self, opsets: Mapping[str, int]) -> None:
        self.opsets = dict(opsets)
        self._named: dict[str, int] = {}

    def of_input(self, tensor: Any, channels: int | None) -> Shape:
        """The shape of an input of the network; `channels` are what the convolution takes that it goes to."""
        if not tensor.HasField("shape"):
            return None
        dims, shape = tensor.shape.dim, []
        for axis, dim in enumerate(dims):
            size = channels if channels and axis == 1 and len(dims) > 2 else _open_size(axis)
            if dim.dim_param:
                size = self._named.setdefault(dim.dim_param, size)
            shape.append(dim.dim_value if dim.dim_value > 0 else size)
        return tuple(shape)

    def of_node(
        self, node: Any, inputs: Sequence[Value | None], stated: Mapping[str, Any]
    ) -> tuple[list[int], list[Shape]]:
        """Element types of a node's outputs, 0 where not known, and their shapes."""
        inferred = self._inferred(node, inputs)
        elems = [inferred[name].elem_type if name in inferred else 0 for name in node.output]
        return elems, [self._shape([k[name] for k in (inferred, stated) if name in k], inputs) for name in node.output]

    def _inferred(self, node: Any, inputs: Iterable[Value | None]) -> dict[str, Any]:
        import onnx
        from onnx import helper, numpy_helper, shape_inference

        if any(attribute.type in (attribute.GRAPH, attribute.GRAPHS) for attribute in node.attribute):
            return {}
        # Of fewer parts than the node has outputs onnx writes beyond its memory.
        if any(attribute.name == "num_outputs" and attribute.i != len(node.output) for attribute in node.attribute):
            return {}
        types, data = {}, {}
        for name, value in zip(node.input, inputs, strict=True):
            if value is None:
                continue
            if not value.elem:
                return {}
            types[name] = helper.make_tensor_type_proto(value.elem, value.shape)
            if value.held is not None and value.held.small:
                try:
                    data[name] = numpy_helper.from_array(np.asarray(value.held.value), name)
                except InputError:
                    raise
                except Exception:  # what cannot be computed, or kept in a file, is a value like any other
                    continue
        node = _standard(node)
        try:
            version = self.opsets.get(node.domain, self.opsets.get("", 1))
            schema = onnx.defs.get_schema(node.op_type, version, node.domain)
            imports = [helper.make_opsetid(name, version) for name, version in self.opsets.items()]
            found = shape_inference.infer_node_outputs(schema, node, types, data, opset_imports=imports)
        except Exception:  # of many kinds: an unknown operator, sizes that do not fit together
            return {}
        return {name: kind.tensor_type for name, kind in found.items() if kind.HasField("tensor_type")}

    def _shape(self, kinds: Sequence[Any], inputs: Sequence[Value | None]) -> Shape:
        """As inferred, else as the file states it; sizes that neither knows are those of the first input.

        Sizes of what is computed from constants are known when it is.
        """
        kinds = [kind for kind in kinds if kind.HasField("shape")]
        if not kinds:
            return None
        axes = len(kinds[0].shape.dim)
        first = inputs[0].shape if inputs and inputs[0] is not None else None
        fixed = all(value.held for value in inputs if value is not None)
        shape = []
        for axis in range(axes):
            same = [kind.shape.dim[axis] for kind in kinds if len(kind.shape.dim) == axes]
            sizes = [d.dim_value for d in same if d.HasField("dim_value")]
            sizes += [self._named[d.dim_param] for d in same if d.dim_param in self._named]
            sizes += [first[axis]] if first is not None and len(first) == axes else []
            shape.append(max(sizes[0] if sizes else 1 if fixed else _open_size(axis), 0))
        return tuple(shape)


def _open_size(axis: int) -> int:
    return OPEN_SIZES[(axis - 1) % len(OPEN_SIZES)] if axis else 1


def _standard(node: Any) -> Any:
    """The node as ONNX knows it: a convolution that ONNX Runtime fused with what follows as the one it came from."""
    plain = type(node)()
    plain.CopyFrom(node)
    plain.domain = domain_of(node.domain)
    if node.op_type == "FusedConv":
        plain.op_type, plain.domain = "Conv", ""
        del plain.input[3:]
        for attribute in [a for a in plain.attribute if a.name.startswith("activation")]:
            plain.attribute.remove(attribute)
    return plain


def domain_of(domain: str) -> str:
    """The domain of an operator, empty for ONNX's own."""
    return "" if domain == "ai.onnx" else domain
