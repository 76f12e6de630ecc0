"""TorchScript: the code of a program is read as text and followed call by call, with flows in place of tensors.

TorchScript writes code in a small part of Python's syntax. It is parsed, never compiled or run: statements and
expressions are those below, functions are those of the program itself and the operators of `_aten`.
"""

from __future__ import annotations

import ast
from typing import Any

from sicjax._errors import InputError
from sicjax.networks._aten import UNKNOWN, Aten, Parameter, flows
from sicjax.networks._aten_join import joined
from sicjax.networks._branches import BOTH
from sicjax.networks._flow import Flow
from sicjax.networks._torchscript_branch import Contents
from sicjax.networks._torchscript_calls import dotted, gives_up, operator, range_of
from sicjax.networks._torchscript_program import Function, Module, Program
from sicjax.networks._torchscript_values import item
from sicjax.weights import Script

# Statements that are followed and parts of the lists they use, and calls within calls: real programs come nowhere near.
_MOST_STEPS = 300_000
_DEEPEST = 100
# The first argument is a type.
_TYPED = ("annotate", "unchecked_cast", "uninitialized")


class _Returned(Exception):
    """Carries a value out of the statements of a function."""

    def __init__(self, value: Any) -> None:
        self.value = value


class _Raised(Exception):
    """The program gives up."""


class Interpreter:
    """Follows the program, from its inputs on.

    Arguments:
        shapes: of the inputs, as far as they are known.
    """

    def __init__(self, script: Script, aten: Aten, shapes: dict[str, tuple[int, ...]]) -> None:
        self.aten, self.shapes = aten, shapes
        self.program = Program(script, aten)
        self.steps = self.depth = 0

    def run(self) -> None:
        """Follows `forward`, or, if there is none, says so."""
        root = self.program.root
        forward = self.program.method(root, "forward")
        if forward is None:
            raise InputError("its module has no forward: save one that has")
        inputs = [a.arg for a in forward.args.args[1:]]
        given = []
        for name in inputs:
            origin = f"the network's input {name}" if len(inputs) > 1 else "the network's input"
            given.append(self.aten.graph.input(self.shapes.get(origin, ()), origin))
        self.call(forward, [root, *given], {})

    def call(self, function: ast.FunctionDef, args: list[Any], kwargs: dict[str, Any]) -> Any:
        names = [a.arg for a in function.args.args]
        defaults = function.args.defaults
        scope = {name: self.value(d, {}) for name, d in zip(names[len(names) - len(defaults) :], defaults, strict=True)}
        scope |= dict(zip(names, args, strict=False)) | kwargs
        caller, self.depth = self.aten.here, self.depth + 1
        if self.depth > _DEEPEST:
            raise InputError(f"its functions call each other more than {_DEEPEST} deep")
        if args and isinstance(args[0], Module):
            self.aten.here = args[0].path
        try:
            self.block(function.body, scope)
        except _Returned as returned:
            return returned.value
        except _Raised as raised:
            return self.aten.end(args, f"a call in which the program gives up ({function.name}: {raised})")
        finally:
            self.depth, self.aten.here = self.depth - 1, caller
        return None

    def spend(self, steps: int) -> None:
        self.steps += steps
        if self.steps > _MOST_STEPS:
            raise InputError(f"it takes more than {_MOST_STEPS:,} steps to follow")

    # Statements.

    def block(self, body: list[ast.stmt], scope: dict[str, Any]) -> None:
        for statement in body:
            self.spend(1)
            match statement:
                case ast.Assign(targets=[target], value=value):
                    self.assign(target, self.value(value, scope), scope)
                case ast.AnnAssign(target=target, value=ast.expr() as value):
                    self.assign(target, self.value(value, scope), scope)
                case ast.Expr(value=value):
                    self.value(value, scope)
                case ast.Return(value=value):
                    raise _Returned(None if value is None else self.value(value, scope))
                case ast.If(test=test, body=then, orelse=other):
                    self.branch(self.value(test, scope), then, other, scope)
                case ast.For(target=target, iter=values, body=inner):
                    self.loop(target, self.value(values, scope), inner, scope)
                case ast.While(test=test, body=inner):
                    while _decided(more := self.value(test, scope)) and more:
                        self.block(inner, scope)
                    if not _decided(more):
                        self.once(inner, scope)
                case ast.With(body=inner):
                    self.block(inner, scope)
                case ast.Pass() | ast.AnnAssign():
                    pass
                case _:
                    raise InputError(f"its code has a {type(statement).__name__}, which TorchScript does not write")

    def assign(self, target: ast.expr, value: Any, scope: dict[str, Any]) -> None:
        match target:
            case ast.Name(id=name):
                scope[name] = value
            case ast.Attribute(value=base, attr=name):
                module = self.value(base, scope)
                if isinstance(module, Module):
                    self.program.written[id(module.held), name] = value
            case ast.Tuple(elts=parts):
                values = list(value.values()) if type(value) is dict else value
                values = values if type(values) in (list, tuple) else [value]
                for k, part in enumerate(parts):
                    self.assign(part, values[k] if k < len(values) else UNKNOWN, scope)

    def branch(self, test: Any, then: list[ast.stmt], other: list[ast.stmt], scope: dict[str, Any]) -> None:
        """One of two blocks, never one that gives up: that is for inputs of other sizes than the program takes.

        Both, if what decides is not known.
        """
        if gives_up(then) != gives_up(other):
            return self.block(other if gives_up(then) else then, scope)
        if _decided(test):
            return self.block(then if test else other, scope)
        before, layers = Contents(scope, self.program.written), len(self.aten.graph.layers)
        self.spend(before.size())
        try:
            self.block(then, scope)
        except _Raised:
            before.put_back()
            return self.block(other, scope)
        after, between = before.now(), len(self.aten.graph.layers)
        before.put_back()
        try:
            self.block(other, scope)
        except _Raised:
            return after.put_back()
        if layers < between < len(self.aten.graph.layers):
            self.aten.graph.note(BOTH)
        before.now().join(self.aten, after)

    def loop(self, target: ast.expr, values: Any, body: list[ast.stmt], scope: dict[str, Any]) -> None:
        if type(values) in (list, tuple, range):
            for value in values:
                self.assign(target, value, scope)
                self.block(body, scope)
        else:
            self.assign(target, UNKNOWN, scope)
            self.once(body, scope)

    def once(self, body: list[ast.stmt], scope: dict[str, Any]) -> None:
        """A loop of a length that is not known: its convolutions are found, what it changes ends before and after."""
        names = [n.id for s in body for n in ast.walk(s) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)]
        carried = [name for name in names if name in scope]
        reason = "a loop whose length is not known"
        for name in carried:
            scope[name] = self.aten.end([scope[name]], reason) if _has_flows(scope[name]) else UNKNOWN
        before = Contents(scope, self.program.written)
        self.spend(before.size())
        self.block(body, scope)
        for part, copy in before.held.values():
            if part is not scope and part != copy:
                self.aten.end([part], reason)
                part.clear()
        for name in names:
            value = scope.get(name)
            scope[name] = self.aten.end([value], reason) if _has_flows(value) else UNKNOWN

    # Expressions.

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
                if _decided(decides):
                    return self.value(then if decides else other, scope)
                return joined(self.aten, self.value(then, scope), self.value(other, scope))
            case ast.Subscript(value=base, slice=at):
                return item(self.value(base, scope), self.value(at, scope))
            case ast.Attribute(value=base, attr=name):
                full = dotted(node)
                if full.startswith("__torch__."):
                    return Function(full)
                if full.startswith("CONSTANTS.c") and full[11:].isdigit():
                    return self.program.constant(int(full[11:]))
                return self.member(self.value(base, scope), name)
            case ast.Call(func=function, args=args, keywords=keywords):
                return self.called(function, args, keywords, scope)
        return UNKNOWN

    def member(self, base: Any, name: str) -> Any:
        if type(base) is dict:
            return base.get(name, UNKNOWN)
        return self.program.member(base, name, lambda node: self.value(node, {})) if type(base) is Module else UNKNOWN

    def called(
        self, function: ast.expr, args: list[ast.expr], keywords: list[ast.keyword], scope: dict[str, Any]
    ) -> Any:
        name = dotted(function)
        if name in _TYPED:
            return self.value(args[1], scope) if len(args) > 1 else UNKNOWN
        if name == "isinstance":
            return UNKNOWN
        values = [self.value(arg, scope) for arg in args]
        named = {str(k.arg): self.value(k.value, scope) for k in keywords}
        self.spend(sum(len(v) for v in values if type(v) in (list, tuple, dict)))
        if name == "getattr" and len(values) == 2:
            return self.member(values[0], str(values[1]))
        if name == "range":
            return range_of(values, _MOST_STEPS)
        if name in ("int", "float", "bool"):
            return operator(self.aten, name.capitalize(), values, named, scope)
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
            raise _Raised(f"{values[0]!r:.100}" if values else "")
        if not name.startswith(("torch.", "ops.")):
            return self.lost(values, name)
        found = operator(self.aten, name.partition(".")[2].replace(".", "::"), values, named, scope)
        self.spend(len(found) if type(found) in (list, dict) else 0)
        return found

    def lost(self, values: list[Any], name: str) -> Any:
        return self.aten.missed(values, f"{name or 'a function'} is not known") if _has_flows(values) else UNKNOWN


def _decided(test: Any) -> bool:
    return test is not UNKNOWN and not isinstance(test, (Flow, Parameter))


def _has_flows(value: Any) -> bool:
    return any(True for _ in flows(value))
