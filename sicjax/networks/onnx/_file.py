"""ONNX files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from sicjax._errors import InputError
from sicjax.networks.graph import Network
from sicjax.networks.onnx import _elementwise, _select, _sequence, _shapes, _space  # noqa: F401  (their rules)
from sicjax.networks.onnx._walk import Walk
from sicjax.weights import read_onnx


def from_onnx(path: Path) -> Network:
    """The network of an ONNX file; only the kernels of its convolutions are read from files beside it.

    Raises:
        InputError: a file that is no ONNX file, or not complete; weights that are not there.
    """
    model = read_onnx(path)
    walk = Walk(path, model)
    walk.results(_inlined(path, model), {})
    return walk.graph.network()


def _inlined(path: Path, model: Any) -> Any:
    """The graph with the model's own functions written out."""
    if not model.functions:
        return model.graph
    import onnx
    from onnx.inliner import inline_local_functions

    # The inliner copies the model more than once, so it gets the initializers without their data.
    light = onnx.ModelProto(ir_version=model.ir_version, opset_import=model.opset_import, functions=model.functions)
    for field in ("node", "input", "output", "value_info"):
        getattr(light.graph, field).extend(getattr(model.graph, field))
    light.graph.name = "graph"
    for tensor in model.graph.initializer:
        light.graph.initializer.add(name=tensor.name, dims=tensor.dims, data_type=tensor.data_type)
    try:
        graph = inline_local_functions(light).graph
    except Exception as error:  # the inliner raises what it likes
        raise InputError(f"{path}: its functions cannot be written out: {str(error)!r:.100}") from error
    del graph.initializer[:]
    graph.initializer.extend(model.graph.initializer)
    graph.sparse_initializer.extend(model.graph.sparse_initializer)
    return graph
