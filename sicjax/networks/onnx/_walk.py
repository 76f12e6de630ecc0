"""ONNX files: the graph is walked in its order, which is that of the data flow."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sicjax._errors import InputError
from sicjax._limits import make, spend
from sicjax.networks.graph import Flow, Graph, Network, Unreachable, constant
from sicjax.networks.onnx import _elementwise, _rearrange, _sequence, _space  # noqa: F401  (their rules)
from sicjax.networks.onnx._branch import captured, inside, name_inside
from sicjax.networks.onnx._conv import path_of
from sicjax.networks.onnx._infer import Inference, Shape, domain_of
from sicjax.networks.onnx._step import UNKNOWN, Step, Value, holding, rules
from sicjax.networks.onnx._tensors import Constant, computed, of_node, stored, stored_sparse
from sicjax.weights import read_onnx

_FLOAT = 1
# Of constants these are not computed as others are: their graphs are followed, their shape is known without them, they
# are sequences, or differ each time.
_NOT_COMPUTED = frozenset(
    """If Loop Scan Shape Size SplitToSequence SequenceConstruct SequenceAt SequenceLength ConcatFromSequence
    RandomNormal RandomUniform RandomNormalLike RandomUniformLike Multinomial Bernoulli""".split()
)


def from_onnx(path: Path) -> Network:
    """The network of an ONNX file; only the kernels of its convolutions are read from files beside it.

    Raises:
        InputError: a file that is no ONNX file, or not complete; weights that are not there.
    """
    model = read_onnx(path)
    walk = _Walk(path, model)
    walk.results(_inlined(path, model), {})
    return walk.graph.network()


class _Walk:
    """What is known while the graph is walked."""

    def __init__(self, path: Path, model: Any) -> None:
        self.path = path
        self.graph = Graph()
        self.opsets = {domain_of(entry.domain): entry.version for entry in model.opset_import} or {"": 1}
        self._inference = Inference(self.opsets)

    def results(self, graph: Any, outer: Mapping[str, Value]) -> list[Value]:
        """What a graph gives, after its convolutions went into `self.graph`.

        Arguments:
            outer: values from outside by name.
        """
        spend(len(outer) // 100)
        values = dict(outer)
        values |= {tensor.name: holding(stored(tensor, self.path)) for tensor in graph.initializer}
        values |= {sparse.values.name: holding(stored_sparse(sparse, self.path)) for sparse in graph.sparse_initializer}
        taken = _channels_taken(graph, values)
        for info in graph.input:
            if info.name not in values:
                tensor = info.type.tensor_type
                shape = self._inference.of_input(tensor, taken.get(info.name))
                flow = self.graph.input(shape or (), f"the network's input ({info.name})")
                values[info.name] = Value(flow, tensor.elem_type, shape)
        stated = {info.name: info.type.tensor_type for info in (*graph.value_info, *graph.output)}
        for node in graph.node:
            found = self._node(node, stated, values)
            values.update((name, value) for name, value in zip(node.output, found, strict=False) if name)
        return [values.get(output.name, UNKNOWN) for output in graph.output]

    def _node(self, node: Any, stated: Mapping[str, Any], values: Mapping[str, Value]) -> list[Value]:
        try:
            inputs = [values[name] if name else None for name in node.input]
        except KeyError as error:
            raise InputError(
                f"{self.path}: {node.op_type} {node.name} uses {error}, which nothing before it gives: "
                "export the model again"
            ) from error
        spend(1)
        if node.op_type == "Constant" and not domain_of(node.domain):
            held = of_node(node, self.path)
            return [UNKNOWN if held is None else holding(held)]
        step = Step(self.graph, self.results, node, inputs, *self._inference.of_node(node, inputs, stated), values)
        return self._computed(step) or self._followed(step)

    def _computed(self, step: Step) -> list[Value] | None:
        """Results that no input changes, or None."""
        node = step.node
        held = {name: value.held for name, value in zip(node.input, step.inputs, strict=True) if value is not None}
        constants = {name: constant for name, constant in held.items() if constant is not None}
        if node.op_type in _NOT_COMPUTED or not constants or len(constants) < len(held):
            return None
        found = []
        for name, elem, shape in zip(node.output, step.elems, step.shapes, strict=True):
            if name and shape is None:
                return None
            result = computed(node, name, shape or (), elem, constants, self.opsets)
            if name and result.small and all(constant.small for constant in constants.values()):
                try:
                    array = result.value
                    result = Constant(result.name, array.shape, elem, lambda array=array: array)
                except ValueError:  # what the reference implementation does not know
                    return None
            found.append(holding(result) if name else UNKNOWN)
        return found

    def _followed(self, step: Step) -> list[Value]:
        """Results by the rule of the operator, the only place where rules are called."""
        domain, op, shapes = domain_of(step.node.domain), step.node.op_type, step.shapes
        rule = rules.get(f"{domain}.{op}" if domain else op, _unknown)
        layer = path_of(step) if "Conv" in op else ""
        xs, shape = [*step.flows, *captured(step)], next(iter(shapes), None) or ()
        found = self.graph.follow(lambda: rule(step), xs, layer or step.label, shape, layer=layer, kind=step.kind)
        found = list(found) if isinstance(found, list) else [found]
        ended = found[0] if found and isinstance(found[0], Flow) and not found[0].sources else constant()
        found += [constant((), ended.origin)] * (len(shapes) - len(found))
        return [_value(v, elem, shape) for v, elem, shape in zip(found, step.elems, shapes, strict=False)]


def _value(found: Flow | Value, elem: int, shape: Shape) -> Value:
    if isinstance(found, Value):
        return found
    if found.sources:
        return Value(found, elem or _FLOAT, found.shape)
    shape = found.shape or None if shape is None else shape
    return Value(constant(shape or (), found.origin), elem or _FLOAT, shape)


def _unknown(step: Step) -> None:
    name_inside(step)
    raise Unreachable("an operation that is not known", step.kind)


def _channels_taken(graph: Any, values: Mapping[str, Value]) -> dict[str, int]:
    """How many channels convolutions take of the values that they stand behind."""
    found: dict[str, int] = {}
    for node in graph.node:
        kernel = values.get(node.input[1]) if node.op_type == "Conv" and len(node.input) > 1 else None
        if kernel is not None and kernel.shape is not None and len(kernel.shape) > 2:
            groups = next((attribute.i for attribute in node.attribute if attribute.name == "group"), 1)
            found.setdefault(node.input[0], kernel.shape[1] * groups)
    return found


def _check_growth(model: Any) -> None:
    """Refuses functions that call themselves, or each other so often that the graph would grow beyond its limits."""
    bodies = {(domain_of(f.domain), f.name): f for f in model.functions}
    grown: dict[tuple[str, str], tuple[int, int] | None] = {}

    def size(graph: Any) -> tuple[int, int]:
        """Nodes and bytes, with those of the functions written out."""
        nodes = bytes_ = 0
        for node in (*graph.node, *inside(*graph.node)):
            key = domain_of(node.domain), node.op_type
            if key in bodies and key not in grown:
                grown[key] = None
                grown[key] = size(bodies[key])
            more = grown.get(key, (0, 0))
            if more is None:  # for which the inliner of ONNX before 1.23 ends the process
                raise InputError(f"its function {node.op_type} calls itself")
            nodes, bytes_ = nodes + 1 + more[0], bytes_ + node.ByteSize() + more[1]
        return nodes, bytes_

    nodes, bytes_ = size(model.graph)
    spend(nodes)
    make(bytes_, "its functions")


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
    _check_growth(light)
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
