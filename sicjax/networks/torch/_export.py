"""Programs of `torch.export`: a list of operators in JSON, with the shape of every value."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from sicjax.networks.graph import BOTH, CHANNEL, OPEN_SIZES, Flow, Network, constant
from sicjax.networks.torch.aten import UNKNOWN, Aten, Parameter, joined
from sicjax.weights import Exported, read_exported

# The kind of an argument that is given by its name.
_BY_NAME = 2
# Operators whose results are parts of their operand: what is written into them is written into it.
_VIEWS = frozenset(
    "alias as_strided chunk detach diagonal expand flatten movedim narrow permute reshape select slice split "
    "split_with_sizes squeeze t transpose unbind unflatten unsqueeze view view_as".split()
)
# Operators that hold a part of the program and pass it values as they are.
_INLINE = ("wrap_with_set_grad_enabled", "wrap_with_autocast", "invoke_subgraph")


def from_exported(path: Path) -> Network:
    """The network of a file of `torch.export`."""
    return of_exported(read_exported(path))


def of_exported(exported: Exported) -> Network:
    """The network of a program of `torch.export`."""
    module = exported.program["graph_module"]
    graph = module["graph"]
    sizes = [size for meta in graph["tensor_values"].values() for size in meta["sizes"]]
    aten = Aten(exact=all("as_int" in size for size in sizes))
    _nodes(aten, graph, dict(_inputs(aten, module["signature"]["input_specs"], exported, graph)))
    aten.kernels.name_others(aten.graph, [Parameter(name, array) for name, array in exported.arrays.items()])
    return aten.graph.network()


def _inputs(
    aten: Aten, specs: list[dict[str, Any]], exported: Exported, graph: dict[str, Any]
) -> Iterator[tuple[Any, Any]]:
    for spec in specs:
        ((kind, stated),) = spec.items()
        held = next((stated[key] for key in stated if key.endswith("_name")), None)
        name = (stated.get("arg", {}).get("as_tensor") or stated.get("arg", {})).get("name")
        if held in exported.arrays:
            yield name, Parameter(held, exported.arrays[held])
        elif kind == "user_input" and name is not None:
            yield name, aten.graph.input(_open_shape(graph, name), f"the network's input {name}")
        elif held is not None:
            yield name, aten.graph.input((), f"{held}, which the file keeps as a pickle")


def _nodes(aten: Aten, graph: dict[str, Any], values: dict[str, Any]) -> None:
    views: dict[str, str] = {}
    for node in graph["nodes"]:
        aten.here = _module(node)
        found = _result(aten, node, values, graph)
        outputs = [name for output in node["outputs"] for name in _names(output)]
        # Where the chain ends, that is so for every output.
        parts = list(found) if type(found) in (list, tuple) else [found] * len(outputs)
        for k, name in enumerate(outputs):
            value = parts[k] if k < len(parts) else UNKNOWN
            values[name] = _number(graph, name) if value is UNKNOWN else _stated(value, name, graph)
        first = next(iter(node["inputs"]), {"arg": {}})["arg"].get("as_tensor")
        if first is None:
            continue
        operator = node["target"].rpartition(".")[0].rpartition(".")[2]
        if operator in _VIEWS:
            views |= {name: first["name"] for name in outputs}
        if operator.endswith("_") and parts and isinstance(parts[0], Flow):
            _written(aten, values, views, first["name"], parts[0])


def _written(aten: Aten, values: dict[str, Any], views: dict[str, str], name: str, value: Flow) -> None:
    """A value changed in place; one that it is a part of ends where other convolutions come into the part."""
    values[name] = value
    while name in views:
        name = views[name]
        whole = values.get(name)
        if isinstance(whole, Flow) and {s.layer for s in value.sources} - {s.layer for s in whole.sources}:
            reason = "places of a value that are written over"
            values[name] = aten.graph.end([whole, value], whole.shape, reason)


def _result(aten: Aten, node: dict[str, Any], values: dict[str, Any], graph: dict[str, Any]) -> Any:
    words = node["target"].removeprefix("torch.ops.").split(".")
    name = words[1] if len(words) == 3 else words[-1]  # aten.conv2d.default, higher_order.cond
    held = [i["arg"]["as_graph"]["graph"] for i in node["inputs"] if "as_graph" in i["arg"]]
    inputs = [i for i in node["inputs"] if "as_graph" not in i["arg"]]
    named = {i["name"]: _argument(i["arg"], values, graph) for i in inputs if i.get("kind") == _BY_NAME}
    given = [_argument(i["arg"], values, graph) for i in inputs if i.get("kind") != _BY_NAME]
    if name in _INLINE and len(held) == 1:
        # Settings come first, the values last.
        return _inner(aten, held[0], given[len(given) - len(held[0]["inputs"]) :])
    if name == "cond" and len(held) == 2 and len(given) == 2 and type(given[1]) is list:
        aten.graph.note(BOTH)
        return joined(aten.graph, _inner(aten, held[0], given[1]), _inner(aten, held[1], given[1]))
    return aten.call(name, given, named)


def _inner(aten: Aten, graph: dict[str, Any], given: list[Any]) -> list[Any]:
    values = dict(zip([name for stated in graph["inputs"] for name in _names(stated)], given, strict=True))
    _nodes(aten, graph, values)
    return [_argument(output, values, graph) for output in graph["outputs"]]


def _module(node: dict[str, Any]) -> str:
    """The module that an operator is from, as the file notes it: `key,path,class;key,path,class`."""
    stack = (node.get("metadata") or {}).get("nn_module_stack") or ""
    return (stack.rpartition(";")[2].split(",") + [""])[1]


def _stated(value: Any, name: str, graph: dict[str, Any]) -> Any:
    """A value with the shape that the program states, which no arithmetic is surer of, but for its channels."""
    sizes = graph["tensor_values"].get(name, {}).get("sizes")
    shape = [n for n in map(_size, sizes or ()) if n is not None]
    if not isinstance(value, Flow) or sizes is None or len(shape) < len(sizes):
        return value
    if not value.sources:
        return constant(shape, value.origin)
    agree = len(shape) == len(value.shape) and all(
        n == m or role != CHANNEL for n, m, role in zip(shape, value.shape, value.axes, strict=True)
    )
    return value._replace(shape=tuple(shape)) if agree and value.unmixed is None else value


def _open_shape(graph: dict[str, Any], name: str) -> tuple[int, ...]:
    """The shape of an input; a size that is open is what it was when the program was traced, or another."""
    meta = graph["tensor_values"].get(name) or {"sizes": ()}
    open_sizes = iter((1, *OPEN_SIZES))
    return tuple(_size(size) or next(open_sizes, 1) for size in meta["sizes"])


def _size(size: dict[str, Any]) -> int | None:
    """A size, or what it was when the program was traced."""
    return size.get("as_int") or ((size.get("as_expr") or {}).get("hint") or {}).get("as_int")


def _argument(stated: dict[str, Any], values: dict[str, Any], graph: dict[str, Any]) -> Any:
    """The value of an argument, by its name where it has one."""
    ((kind, held),) = stated.items()
    match kind:
        case "as_none":
            return None
        case "as_tensor" | "as_sym_int" | "as_sym_bool" | "as_sym_float" if isinstance(held, dict):
            name = str(held.get("name") or held.get("as_name"))
            return held["as_int"] if "as_int" in held else values.get(name, _number(graph, name))
        case "as_tensors" | "as_sym_ints" | "as_optional_tensors":
            return [_argument({"as_tensor": _plain(part)}, values, graph) if _plain(part) else None for part in held]
        case "as_optional_tensor":
            return values.get(held["as_tensor"]["name"], UNKNOWN) if "as_tensor" in held else None
    return held if isinstance(held, (int, float, str, list)) else UNKNOWN


def _names(output: dict[str, Any]) -> Iterator[str]:
    """What the values are called that an operator gives."""
    for kind, held in output.items():
        if kind == "as_tensor":
            yield held["name"]
        elif kind in ("as_tensors", "as_optional_tensors"):
            yield from (part["name"] for part in map(_plain, held) if part)
        elif kind == "as_sym_int" and "as_name" in held:
            yield held["as_name"]


def _number(graph: dict[str, Any], name: Any) -> Any:
    """A number that was traced as a symbol."""
    stated = graph.get("sym_int_values", {}).get(name, {})
    return _size(stated) or UNKNOWN


def _plain(part: dict[str, Any]) -> dict[str, Any] | None:
    return None if "as_none" in part else part.get("as_tensor", part)
