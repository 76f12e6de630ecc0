"""Calls of TorchScript's operators, on numbers and lists or on tensors."""

from __future__ import annotations

import ast
from typing import Any

from sicjax.networks.graph import Flow
from sicjax.networks.torch.aten import UNKNOWN, Aten, Parameter, plain_name
from sicjax.networks.torch.script._values import ON_VALUES, on_values


def operator(aten: Aten, name: str, values: list[Any], named: dict[str, Any], scope: dict[str, Any]) -> Any:
    """What an operator gives, such as `relu_`; one that changes its operand does so under every name it has."""
    plain = plain_name(name)
    if plain == "dict" and not values:
        return {}
    if plain in ON_VALUES and not named.keys() - {"alpha"}:
        found = on_values(plain, [_number(v) for v in values])
        if found is not NotImplemented:
            return found
    found = aten.call(name, values, named)
    if name.endswith("_") and not name.endswith("__") and values and isinstance(values[0], Flow):
        for key, value in scope.items():
            if value is values[0] and isinstance(found, Flow):
                scope[key] = found
    return found


def range_of(values: list[Any], most: int) -> Any:
    known = all(type(v) is int for v in values) and 0 < len(values) <= 3 and 0 not in values[2:]
    return range(*values) if known and len(range(*values)) <= most else UNKNOWN


def _number(value: Any) -> Any:
    """A number for a tensor that is one: torch.jit.trace computes sizes with tensors."""
    one = isinstance(value, Parameter) and value.array.ndim == 0 and value.array.dtype.kind in "if"
    return value.array.item() if one else value


def dotted(node: ast.expr) -> str:
    """A name with its attributes, `torch.nn.relu`; empty for any other expression."""
    parts: list[str] = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    return ".".join([node.id, *reversed(parts)]) if isinstance(node, ast.Name) else ""


def gives_up(body: list[ast.stmt]) -> bool:
    """Whether a block of statements raises an exception."""
    return any(
        isinstance(s, ast.Expr) and isinstance(s.value, ast.Call) and dotted(s.value.func).endswith("RaiseException")
        for s in body
    )
