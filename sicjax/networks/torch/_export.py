"""Programs of `torch.export`: a list of operators, with the shape of every value."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from sicjax.networks import _spatial
from sicjax.networks._aten import UNKNOWN, Aten, Parameter
from sicjax.networks._aten_join import joined
from sicjax.networks._branches import BOTH
from sicjax.networks._flow import BATCH, Flow
from sicjax.weights import Exported

# Operators that hold a part of the program and pass it values as they are.
_INLINE = ("wrap_with_set_grad_enabled", "wrap_with_autocast", "invoke_subgraph")


def follow(aten: Aten, exported: Exported) -> None:
    """Follows the program; its layers and pairs are then in `aten.graph`."""
    module = exported.program["graph_module"]
    graph = module["graph"]
    values = dict(_inputs(aten, module["signature"]["input_specs"], exported.arrays, graph))
    _nodes(aten, graph, values)
    aten.never_met([Parameter(name, array) for name, array in exported.arrays.items()])


def _nodes(aten: Aten, graph: dict[str, Any], values: dict[str, Any]) -> None:
    for node in graph["nodes"]:
        aten.here = _module(node)
        found = _result(aten, node, values, graph)
        parts = list(found) if type(found) in (list, tuple) else [found]
        for k, name in enumerate(v for out in node["outputs"] for v in _names(out)):
            value = _sized(parts[k] if k < len(parts) else UNKNOWN, name, graph)
            values[name] = _symbol(graph, name) if value is UNKNOWN else value
        first = next(iter(node["inputs"]), None)
        changed = node["target"].rpartition(".")[0].endswith("_")
        if changed and first and "as_tensor" in first["arg"] and parts and isinstance(parts[0], Flow):
            values[first["arg"]["as_tensor"]["name"]] = parts[0]


def _result(aten: Aten, node: dict[str, Any], values: dict[str, Any], graph: dict[str, Any]) -> Any:
    words = node["target"].removeprefix("torch.ops.").split(".")
    name = words[1] if len(words) == 3 else words[-1]  # aten.conv2d.default, higher_order.cond
    held = [i["arg"]["as_graph"]["graph"] for i in node["inputs"] if "as_graph" in i["arg"]]
    if not held:
        return aten.call(name, [], {i["name"]: _argument(i["arg"], values, graph) for i in node["inputs"]})
    given = [_argument(i["arg"], values, graph) for i in node["inputs"] if "as_graph" not in i["arg"]]
    if name in _INLINE and len(held) == 1:
        # Settings come first, the values last.
        return _inner(aten, held[0], given[len(given) - len(held[0]["inputs"]) :])
    if name == "cond" and len(held) == 2 and len(given) == 2 and type(given[1]) is list:
        aten.graph.note(BOTH)
        return joined(aten, _inner(aten, held[0], given[1]), _inner(aten, held[1], given[1]))
    return aten.missed(given, f"a part of the program that may be run any number of times ({name})")


def _inner(aten: Aten, graph: dict[str, Any], given: list[Any]) -> list[Any]:
    names = [name for stated in graph["inputs"] for name in _names(stated)]
    values = dict(zip(names, given, strict=True))
    _nodes(aten, graph, values)
    return [_argument(output, values, graph) for output in graph["outputs"]]


def _module(node: dict[str, Any]) -> str:
    """The module that an operator is from, as the file notes it: `key,path,class;key,path,class`."""
    stack = (node.get("metadata") or {}).get("nn_module_stack") or ""
    return (stack.rpartition(";")[2].split(",") + [""])[1]


def _inputs(aten: Aten, specs: list[dict[str, Any]], arrays: dict[str, np.ndarray], graph: dict[str, Any]) -> Iterator:
    for spec in specs:
        ((kind, stated),) = spec.items()
        argument = stated.get("arg", {})
        name = (argument.get("as_tensor") or argument).get("name")
        held = next((stated[key] for key in stated if key.endswith("_name")), None)
        if held in arrays:
            yield name, Parameter(held, arrays[held])
        elif kind == "user_input" and name is not None:
            yield name, aten.graph.input(_shape(graph, name) or (), f"the network's input {name}")
        elif held is not None:
            yield name, aten.graph.input((), f"{held}, which the file keeps as a pickle")


def _shape(graph: dict[str, Any], name: str) -> tuple[int, ...] | None:
    """The shape of a value; a size that is open is what it was when the program was traced, or another."""
    meta = graph["tensor_values"].get(name)
    if meta is None:
        return None
    open_sizes = iter((1, *_spatial.OPEN_SIZES))
    sizes = []
    for size in meta["sizes"]:
        hint = (size.get("as_expr") or {}).get("hint") or {}
        sizes.append(size.get("as_int") or hint.get("as_int") or next(open_sizes, 1))
    return tuple(sizes)


def _sized(value: Any, name: str, graph: dict[str, Any]) -> Any:
    """A value that no convolution reaches gets the shape that the program states."""
    shape = _shape(graph, name)
    if not isinstance(value, Flow) or value.sources or shape is None:
        return value
    return value._replace(shape=shape, axes=(BATCH,) * len(shape))


def _argument(argument: dict[str, Any], values: dict[str, Any], graph: dict[str, Any]) -> Any:
    ((kind, held),) = argument.items()
    match kind:
        case "as_none":
            return None
        case "as_tensor" | "as_sym_int" | "as_sym_bool" | "as_sym_float" if isinstance(held, dict):
            name = str(held.get("name") or held.get("as_name"))
            return held["as_int"] if "as_int" in held else values.get(name, _symbol(graph, name))
        case "as_tensors" | "as_sym_ints" | "as_optional_tensors":
            return [_argument({"as_tensor": _plain(part)}, values, graph) if _plain(part) else None for part in held]
        case "as_optional_tensor":
            return values.get(held["as_tensor"]["name"], UNKNOWN) if "as_tensor" in held else None
    return held if isinstance(held, (int, float, str, list)) else UNKNOWN


def _plain(part: dict[str, Any]) -> dict[str, Any] | None:
    return None if "as_none" in part else part.get("as_tensor", part)


def _symbol(graph: dict[str, Any], name: Any) -> Any:
    """A number that was traced as a symbol."""
    stated = graph.get("sym_int_values", {}).get(name, {})
    hint = (stated.get("as_expr") or {}).get("hint") or {}
    return stated.get("as_int") or hint.get("as_int") or UNKNOWN


def _names(output: dict[str, Any]) -> Iterator[str]:
    for kind, held in output.items():
        if kind == "as_tensor":
            yield held["name"]
        elif kind in ("as_tensors", "as_optional_tensors"):
            yield from (part["name"] for part in map(_plain, held) if part)
        elif kind == "as_sym_int" and "as_name" in held:
            yield held["as_name"]
