"""Arguments and results of an operator as the JSON of `torch.export` writes them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sicjax.networks.torch.aten import UNKNOWN


def argument(stated: dict[str, Any], values: dict[str, Any], graph: dict[str, Any]) -> Any:
    """The value of an argument, by its name where it has one."""
    ((kind, held),) = stated.items()
    match kind:
        case "as_none":
            return None
        case "as_tensor" | "as_sym_int" | "as_sym_bool" | "as_sym_float" if isinstance(held, dict):
            name = str(held.get("name") or held.get("as_name"))
            return held["as_int"] if "as_int" in held else values.get(name, number(graph, name))
        case "as_tensors" | "as_sym_ints" | "as_optional_tensors":
            return [argument({"as_tensor": _plain(part)}, values, graph) if _plain(part) else None for part in held]
        case "as_optional_tensor":
            return values.get(held["as_tensor"]["name"], UNKNOWN) if "as_tensor" in held else None
    return held if isinstance(held, (int, float, str, list)) else UNKNOWN


def names(output: dict[str, Any]) -> Iterator[str]:
    """What the values are called that an operator gives."""
    for kind, held in output.items():
        if kind == "as_tensor":
            yield held["name"]
        elif kind in ("as_tensors", "as_optional_tensors"):
            yield from (part["name"] for part in map(_plain, held) if part)
        elif kind == "as_sym_int" and "as_name" in held:
            yield held["as_name"]


def number(graph: dict[str, Any], name: Any) -> Any:
    """A number that was traced as a symbol."""
    stated = graph.get("sym_int_values", {}).get(name, {})
    hint = (stated.get("as_expr") or {}).get("hint") or {}
    return stated.get("as_int") or hint.get("as_int") or UNKNOWN


def _plain(part: dict[str, Any]) -> dict[str, Any] | None:
    return None if "as_none" in part else part.get("as_tensor", part)
