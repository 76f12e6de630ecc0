"""Expressions of TorchScript: names, numbers, lists and calls, of the program's own functions and of operators."""

from __future__ import annotations

import ast
from collections.abc import Callable
from typing import Any

from sicjax._errors import InputError
from sicjax._limits import in_time
from sicjax.networks.graph import Flow
from sicjax.networks.torch.aten import UNKNOWN, Aten, Parameter, joined, plain_name
from sicjax.networks.torch.script._program import Function, Module, Program, dotted
from sicjax.networks.torch.script._values import ON_VALUES, decided, has_flows, item, on_values

# Statements that are followed and parts of the lists they use: real programs come nowhere near.
MOST_STEPS = 300_000
# The first argument is a type.
_TYPED = ("annotate", "unchecked_cast", "uninitialized")


class GivesUp(Exception):
    """The program raises an exception."""


class Expressions:
    """Evaluates expressions, with flows in place of tensors.

    Arguments:
        program: what names stand for.
        aten: follows operators.
        call: follows a function of the program.
    """

    def __init__(self, program: Program, aten: Aten, call: Callable[[ast.FunctionDef, list, dict], Any]) -> None:
        self.program, self.aten, self.call = program, aten, call
        self.steps = 0

    def spend(self, steps: int) -> None:
        """Counts what was followed.

        Raises:
            InputError: more than real programs have.
        """
        in_time()
        self.steps += steps
        if self.steps > MOST_STEPS:
            raise InputError(f"it takes more than {MOST_STEPS:,} steps to follow")

    def value(self, node: ast.expr, scope: dict[str, Any]) -> Any:
        match node:
            case ast.Constant(value=value):
                return value
            case ast.Name(id=name):
                return scope.get(name, UNKNOWN)
            case ast.List(elts=parts):
                return [self.value(part, scope) for part in parts]
            case ast.Tuple(elts=parts):
                return tuple(self.value(part, scope) for part in parts)
            case ast.Dict(keys=keys, values=parts):
                pairs = zip(keys, parts, strict=True)
                found = [(self.value(key, scope), self.value(part, scope)) for key, part in pairs if key is not None]
                return {key: part for key, part in found if isinstance(key, (int, str))}
            case ast.UnaryOp(op=ast.USub(), operand=operand):
                value = self.value(operand, scope)
                return -value if isinstance(value, (int, float)) else UNKNOWN
            case ast.IfExp(test=test, body=then, orelse=other):
                decides = self.value(test, scope)
                if decided(decides):
                    return self.value(then if decides else other, scope)
                return joined(self.aten.graph, self.value(then, scope), self.value(other, scope))
            case ast.Subscript(value=base, slice=at):
                return item(self.value(base, scope), self.value(at, scope))
            case ast.Attribute(value=base, attr=name):
                full = dotted(node)
                if full.startswith("__torch__."):
                    return Function(full)
                if full.startswith("CONSTANTS.c") and full[11:].isdigit():
                    return self.program.constant(int(full[11:]))
                return self.member(self.value(base, scope), name)
            case ast.Call():
                return self.called(node, scope)
        return UNKNOWN

    def member(self, base: Any, name: str) -> Any:
        if type(base) is dict:
            return base.get(name, UNKNOWN)
        return self.program.member(base, name, lambda node: self.value(node, {})) if type(base) is Module else UNKNOWN

    def called(self, node: ast.Call, scope: dict[str, Any]) -> Any:
        function, args = node.func, node.args
        name = dotted(function)
        if name in _TYPED:
            return self.value(args[1], scope) if len(args) > 1 else UNKNOWN
        if name == "isinstance":
            return UNKNOWN
        values = [self.value(arg, scope) for arg in args]
        named = {str(k.arg): self.value(k.value, scope) for k in node.keywords}
        self.spend(sum(len(v) for v in values if type(v) in (list, tuple, dict)))
        if name == "getattr" and len(values) == 2:
            return self.member(values[0], str(values[1]))
        if name == "range":
            known = all(type(v) is int for v in values) and 0 < len(values) <= 3 and 0 not in values[2:]
            return range(*values) if known and len(range(*values)) <= MOST_STEPS else UNKNOWN
        if name in ("int", "float", "bool"):
            return self.operator(name.capitalize(), values, named, scope)
        if isinstance(function, ast.Attribute) and not name.startswith(("torch.", "ops.", "__torch__.")):
            base = self.value(function.value, scope)
            method = self.program.method(base, function.attr) if isinstance(base, Module) else None
            return self.call(method, [base, *values], named) if method is not None else self.lost(values, name)
        target = scope.get(name) if isinstance(function, ast.Name) else Function(name)
        if isinstance(target, Function) and target.name.startswith("__torch__."):
            found, fields = self.program.functions.get(target.name), self.program.fields(target.name)
            if found is not None:
                return self.call(found, values, named)
            return self.lost(values, target.name) if fields is None else dict(zip(fields, values, strict=False)) | named
        if name.endswith("RaiseException"):
            raise GivesUp(f"{values[0]!r:.100}" if values else "")
        if not name.startswith(("torch.", "ops.")):
            return self.lost(values, name)
        found = self.operator(name.partition(".")[2].replace(".", "::"), values, named, scope)
        self.spend(len(found) if type(found) in (list, dict) else 0)
        return found

    def operator(self, name: str, values: list[Any], named: dict[str, Any], scope: dict[str, Any]) -> Any:
        """What an operator gives, such as `relu_`; one that changes its operand does so under every name it has."""
        plain = plain_name(name)
        if plain == "dict" and not values:
            return {}
        if plain in ON_VALUES and not named.keys() - {"alpha"}:
            found = on_values(plain, [_number(v) for v in values])
            if found is not NotImplemented:
                return found
        found = self.aten.call(name, values, named)
        if name.endswith("_") and not name.endswith("__") and values and isinstance(values[0], Flow):
            changed = [key for key, value in scope.items() if value is values[0] and isinstance(found, Flow)]
            scope |= dict.fromkeys(changed, found)
        return found

    def lost(self, values: list[Any], name: str) -> Any:
        return self.aten.unknown(name or "a function", values) if has_flows(values) else UNKNOWN


def _number(value: Any) -> Any:
    """A number for a tensor that is one: torch.jit.trace computes sizes with tensors."""
    one = isinstance(value, Parameter) and value.array.ndim == 0 and value.array.dtype.kind in "if"
    return value.array.item() if one else value
