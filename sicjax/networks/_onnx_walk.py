"""The walk over an ONNX graph in its order, which is that of the data flow."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from sicjax._errors import InputError
from sicjax.networks import _onnx_ops as ops
from sicjax.networks import _onnx_sequence as sequences
from sicjax.networks._branches import BOTH
from sicjax.networks._flow import BATCH, Flow
from sicjax.networks._graph import Graph
from sicjax.networks._onnx_branch import branches, joined
from sicjax.networks._onnx_conv import OPEN_SIZE, as_standard
from sicjax.networks._onnx_pool import statistic
from sicjax.networks._onnx_step import Operator, Step, Value
from sicjax.networks._onnx_tensors import Constant, computed, stored, stored_sparse

# Along one axis; a graph can ask for any size in a few bytes.
_MOST_PLACES = 2**24


class Walk:
    """What is known while the graph is walked."""

    def __init__(self, path: Path, model: Any) -> None:
        self.path = path
        self.graph = Graph()
        self.opsets = {_domain(entry.domain): entry.version for entry in model.opset_import} or {"": 1}
        self._open: dict[str, int] = {}

    def graph_of(self, graph: Any, outer: Mapping[str, Value]) -> dict[str, Value]:
        """Every value of a graph by name, after its convolutions went into `self.graph`."""
        import onnx

        values = dict(outer)
        constants = [(tensor.name, stored(tensor, self.path), tensor.data_type) for tensor in graph.initializer]
        for tensor in graph.sparse_initializer:
            constants.append((tensor.values.name, stored_sparse(tensor, self.path), tensor.values.data_type))
        for name, constant, elem in constants:
            values[name] = _constant(constant, elem)
        consumers: dict[str, list[Any]] = {}
        for node in graph.node:
            for name in node.input:
                consumers.setdefault(name, []).append(node)
        for info in graph.input:
            if info.name not in values:
                values[info.name] = self._input(info, consumers.get(info.name, []), values)
        stated = {info.name: info.type.tensor_type for info in (*graph.value_info, *graph.output)}
        for node in graph.node:
            try:
                inputs = [values[name] if name else None for name in node.input]
            except KeyError as error:
                raise InputError(
                    f"{self.path}: {node.op_type} {node.name} uses {error}, which nothing before it gives: "
                    "export the model again"
                ) from error
            if node.op_type == "Constant" and not _domain(node.domain):
                values[node.output[0]] = self._constant_node(node, onnx)
                continue
            chosen, both = self._chosen_branch(node, inputs), branches(node) if node.op_type == "If" else None
            if chosen is not None:
                results = self._results(chosen, values)
            elif both is not None:
                results = self._either(*both, values)
            elif node.op_type in sequences.KINDS and not _domain(node.domain):
                results = self._sequence(node, inputs, stated, values)
            else:
                results = self._node(node, inputs, stated, values)
            values.update((name, result) for name, result in zip(node.output, results, strict=False) if name)
        return values

    def _input(self, info: Any, consumers: list[Any], values: Mapping[str, Value]) -> Value:
        tensor = info.type.tensor_type
        origin = f"the network's input ({info.name})"
        if not tensor.HasField("shape"):
            return Value(Flow((), (), origin=origin), tensor.elem_type, None)
        shape = []
        for axis, dim in enumerate(tensor.shape.dim):
            size = OPEN_SIZE if axis else 1
            if axis == 1 and len(tensor.shape.dim) > 2:
                size = next(_channels_taken(info.name, consumers, values), size)
            if dim.dim_param:
                size = self._open.setdefault(dim.dim_param, size)
            shape.append(dim.dim_value if dim.dim_value > 0 else size)
        return Value(self.graph.input(shape, origin), tensor.elem_type, tuple(shape))

    def _constant_node(self, node: Any, onnx: Any) -> Value:
        name = node.output[0]
        (attribute,) = node.attribute[:1] or [onnx.AttributeProto()]
        value = onnx.helper.get_attribute_value(attribute) if attribute.type else None
        if attribute.name == "value" and value is not None:
            held, elem = stored(value, self.path), value.data_type
            held.name = value.name or name
        elif attribute.name == "sparse_value" and value is not None:
            held, elem = stored_sparse(value, self.path), value.values.data_type
        elif attribute.name in ("value_int", "value_ints", "value_float", "value_floats"):
            array = np.asarray(value, np.int64 if "int" in attribute.name else np.float32)
            elem = onnx.helper.np_dtype_to_tensor_dtype(array.dtype)
            held = Constant(name, array.shape, lambda: array)
        else:
            return _unknown()
        return _constant(held, elem)

    def _chosen_branch(self, node: Any, inputs: list[Value | None]) -> Any:
        """The branch that an `If` on a constant always takes."""
        if node.op_type != "If" or not inputs or inputs[0] is None or inputs[0].constant is None:
            return None
        name = "then_branch" if bool(np.all(inputs[0].constant.value)) else "else_branch"
        return next((attribute.g for attribute in node.attribute if attribute.name == name), None)

    def _results(self, branch: Any, outer: Mapping[str, Value]) -> list[Value]:
        inside = self.graph_of(branch, outer)
        return [inside.get(output.name) or _unknown() for output in branch.output]

    def _either(self, then: Any, other: Any, outer: Mapping[str, Value]) -> list[Value]:
        """Both branches of an `If`."""
        before = len(self.graph.layers)
        ones = self._results(then, outer)
        between = len(self.graph.layers)
        others = self._results(other, outer)
        if before < between < len(self.graph.layers):
            self.graph.note(BOTH)
        return [joined(self.graph, a, b) for a, b in zip(ones, others, strict=False)]

    def _sequence(
        self, node: Any, inputs: list[Value | None], stated: Mapping[str, Any], values: Mapping[str, Value]
    ) -> list[Value]:
        """Operators on sequences; those that cannot be followed end what reaches them."""

        def plain(kind: str, given: list[Value], outputs: int, attributes: dict[str, Any]) -> list[Value]:
            from onnx import helper

            # `Split` and `Squeeze` take their settings as inputs from version 13 on, in a file of any version.
            names = [f"{node.output[0]}.{kind}.{k}" for k in range(outputs + len(given))]
            made = helper.make_node(kind, names[outputs:], names[:outputs], name=node.name, **attributes)
            opsets, self.opsets = self.opsets, self.opsets | {"": max(self.opsets.get("", 1), 13)}
            try:
                return self._node(made, [*given], {}, values)
            finally:
                self.opsets = opsets

        step = Step(self.graph, node, "", inputs, [None] * len(node.output))
        try:
            found = sequences.follow(step, plain)
        except InputError:
            raise
        except Exception:  # settings that contradict each other, of which there is no end
            found = None
        reason = f"{node.op_type} of a sequence that is not known ({step.label})"
        return [_unknown()._replace(flow=step.end(reason)) if found is None else found]

    def _node(
        self,
        node: Any,
        inputs: list[Value | None],
        stated: Mapping[str, Any],
        values: Mapping[str, Value],
    ) -> list[Value]:
        types = self._types(node, inputs)
        elems = [types[name].elem_type if name in types else 0 for name in node.output]
        shapes = [self._shape(name, types, stated, inputs) for name in node.output]
        given = [value for value in inputs if value is not None]
        if node.op_type in ("Shape", "Size") and given and given[0].shape is not None:
            return [self._size(node, given[0].shape)]
        if all(value.constant for value in given) and (folded := self._folded(node, inputs, shapes, elems)):
            return folded
        step = Step(self.graph, node, _domain(node.domain), inputs, shapes)
        if node.op_type in ("If", "Loop", "Scan"):
            self._skip_bodies(step, values)
        results = []
        for flow, elem, shape in zip(self._flows(step), elems, shapes, strict=True):
            # Another shape of the same size is that of a mixed value; any other was inferred from less than is known.
            if flow.sources and (shape is None or math.prod(shape) != math.prod(flow.shape)):
                shape = flow.shape
            results.append(Value(flow, elem or 1, shape))
        return results

    def _size(self, node: Any, shape: tuple[int, ...]) -> Value:
        """`Shape` and `Size`: with these, sizes that the graph computes are constant."""
        import onnx

        settings = {attribute.name: attribute.i for attribute in node.attribute}
        array = np.asarray(shape[settings.get("start", 0) : settings.get("end")], np.int64)
        array = np.asarray(math.prod(shape), np.int64) if node.op_type == "Size" else array
        return _constant(Constant(node.output[0], array.shape, lambda: array), onnx.TensorProto.INT64)

    def _folded(
        self, node: Any, inputs: list[Value | None], shapes: list[tuple[int, ...] | None], elems: list[int]
    ) -> list[Value] | None:
        """Results that no input changes, or None."""
        if node.op_type in ops.NOT_CONSTANT or not any(node.input):
            return None
        constants = {name: v.constant for name, v in zip(node.input, inputs, strict=True) if v and v.constant}
        results = []
        for name, shape, elem in zip(node.output, shapes, elems, strict=True):
            if name and shape is not None:
                held = computed(node, name, shape, constants, self.opsets)
                if held.small and all(constant.small for constant in constants.values()):
                    try:
                        array = held.value
                    except InputError:
                        raise
                    except Exception:  # what the reference implementation does not know
                        return None
                    held = Constant(held.name, array.shape, lambda array=array: array)
                results.append(_constant(held, elem))
            else:
                results.append(_unknown())
        return results

    def _flows(self, step: Step) -> list[Flow]:
        operator = ops.operator(step)
        if not operator.always and not any(flow.sources for flow in step.flows):
            origins = [flow.origin for flow in step.flows if flow.origin]
            result: Flow | list[Flow] = Flow((), (), origin=origins[0] if origins else "")
        elif any(max(shape or (0,)) > _MOST_PLACES for shape in step.shapes):
            result = step.end(f"{step.node.op_type} of a size that is not possible ({step.label})")
        else:
            follow = self._flow_of_mixed if any(v is not None and v.mixed for v in step.inputs) else _followed
            try:
                result = follow(step, operator)
            except InputError:
                raise
            except Exception as error:  # settings that contradict each other, of which there is no end
                detail = f"{step.label}: {type(error).__name__}"
                result = step.end(f"{step.node.op_type} with settings that do not fit together ({detail})")
        flows = (result if isinstance(result, list) else [result])[: len(step.node.output)]
        origin = flows[0].origin if flows and not flows[0].sources else ""
        flows += [Flow((), (), origin=origin)] * (len(step.node.output) - len(flows))
        known = zip(flows, step.shapes, strict=True)
        return [flow if flow.sources else step.without_sources(shape, flow.origin) for flow, shape in known]

    def _flow_of_mixed(self, step: Step, operator: Operator) -> Flow | list[Flow]:
        """Operations on a value in whose axes a reshape mixed channels and space.

        Normalisations go through such a shape and back: what acts on each place alone, or takes statistics, goes on
        with the value as it was before.
        """
        follow = operator.follow
        mixed = [value for value in step.inputs if value is not None and value.mixed]
        others = [value.flow for value in step.inputs if value is not None and not value.mixed]
        plain = not any(flow.sources for flow in others) and len({value.flow.shape for value in mixed}) == 1
        if plain and follow is ops.reshaping and ops.fits(step):
            return mixed[0].flow
        on_places = follow in (ops.pointwise, ops.first_operand, ops.normalisation)
        if plain and on_places and all(value.shape == step.shape for value in mixed):
            return follow(step._replace(shapes=[mixed[0].flow.shape]))
        if follow is statistic or operator.ends:
            return follow(step)
        reason = f"a reshape that mixes channels and space, then {step.node.op_type}"
        self.graph.end([value.flow for value in mixed], (), reason)
        without = lambda v: v._replace(flow=step.without_sources(v.shape, reason)) if v is not None and v.mixed else v
        step = step._replace(inputs=[without(value) for value in step.inputs])
        return (
            follow(step)
            if operator.always or any(flow.sources for flow in step.flows)
            else step.without_sources(step.shape, reason)
        )

    def _types(self, node: Any, inputs: list[Value | None]) -> dict[str, Any]:
        """Types of a node's outputs as ONNX infers them from its inputs; none where it cannot."""
        import onnx
        from onnx import helper, numpy_helper, shape_inference

        domain = _domain(node.domain)
        node = as_standard(node)
        types, data = {}, {}
        for name, value in zip(node.input, inputs, strict=False):
            if value is None:
                continue
            if not value.elem:
                return {}
            types[name] = helper.make_tensor_type_proto(value.elem, value.shape)
            if value.constant is not None and value.constant.small:
                try:
                    data[name] = numpy_helper.from_array(np.asarray(value.constant.value), name)
                except InputError:
                    raise
                except Exception:  # a constant that cannot be computed is a value like any other
                    continue
        if any(attribute.type in (attribute.GRAPH, attribute.GRAPHS) for attribute in node.attribute):
            return {}
        try:
            schema = onnx.defs.get_schema(node.op_type, self.opsets.get(domain, self.opsets.get("", 1)), node.domain)
            imports = [helper.make_opsetid(name, version) for name, version in self.opsets.items()]
            found = shape_inference.infer_node_outputs(schema, node, types, data, opset_imports=imports)
        except Exception:  # of many kinds: an unknown operator, sizes that do not fit together
            return {}
        return {name: kind.tensor_type for name, kind in found.items() if kind.HasField("tensor_type")}

    def _shape(
        self, name: str, types: Mapping[str, Any], stated: Mapping[str, Any], inputs: list[Value | None]
    ) -> tuple[int, ...] | None:
        """An output's shape: as inferred, else as the file states it, open sizes as those of the first input."""
        kinds = [known[name] for known in (types, stated) if name in known and known[name].HasField("shape")]
        if not kinds:
            return None
        first = inputs[0].shape if inputs and inputs[0] is not None else None
        shape = []
        for axis in range(len(kinds[0].shape.dim)):
            same = [kind.shape.dim[axis] for kind in kinds if len(kind.shape.dim) == len(kinds[0].shape.dim)]
            sizes = [d.dim_value for d in same if d.HasField("dim_value")]
            sizes += [self._open[d.dim_param] for d in same if d.dim_param in self._open]
            if first is not None and len(first) == len(kinds[0].shape.dim):
                sizes.append(first[axis])
            shape.append(max(sizes[0] if sizes else OPEN_SIZE if axis else 1, 0))
        return tuple(shape)

    def _skip_bodies(self, step: Step, outer: Mapping[str, Value]) -> None:
        """Names the convolutions in the body of a loop or branch, and ends what the body uses from outside."""
        reason = f"a {step.node.op_type} ({step.label})"
        for node in _nodes_within(step.node):
            if "Conv" in node.op_type:
                name = node.name or (node.output[0] if node.output else node.op_type)
                self.graph.skip(name, f"it is inside {reason}")
            used = [outer[name].flow for name in node.input if name in outer]
            self.graph.end(used, (), reason)


def _followed(step: Step, operator: Operator) -> Flow | list[Flow]:
    return operator.follow(step)


def _nodes_within(node: Any) -> Iterator[Any]:
    for attribute in node.attribute:
        for graph in (*attribute.graphs, *([attribute.g] if attribute.HasField("g") else [])):
            for inner in graph.node:
                yield inner
                yield from _nodes_within(inner)


def _channels_taken(name: str, consumers: list[Any], values: Mapping[str, Value]) -> Iterator[int]:
    for node in consumers:
        if node.op_type == "Conv" and node.input[0] == name and len(node.input) > 1 and node.input[1] in values:
            groups = next((attribute.i for attribute in node.attribute if attribute.name == "group"), 1)
            shape = values[node.input[1]].shape
            if shape is not None and len(shape) > 2:
                yield shape[1] * groups


def _constant(held: Constant, elem: int) -> Value:
    return Value(Flow(held.shape, (BATCH,) * len(held.shape)), elem, held.shape, held)


def _unknown() -> Value:
    return Value(Flow((), ()), 0, None)


def _domain(domain: Any) -> Any:  # bytes in a file that is broken
    return "" if domain == "ai.onnx" else domain
