"""The files that an ONNX model lies in."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from sicjax.networks.onnx._file import parsed
from sicjax.networks.onnx._tensors import file_beside


def files_of_onnx(path: Path) -> list[Path]:
    """The file, and those beside it that its weights lie in.

    Raises:
        InputError: a file that is no ONNX file, or not complete; weights outside its folder.
    """
    from onnx import TensorProto

    model = parsed(path)
    tensors = [tensor for graph in (model.graph, *model.functions) for tensor in _tensors(graph)]
    beside = {file_beside(tensor, path) for tensor in tensors if tensor.data_location == TensorProto.EXTERNAL}
    return [path, *sorted(beside)]


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
