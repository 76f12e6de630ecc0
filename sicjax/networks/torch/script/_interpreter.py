"""TorchScript: the code of a program is read as text and followed call by call, with flows in place of tensors.

TorchScript writes code in a small part of Python's syntax. It is parsed, never compiled or run: statements are those
below, functions are those of the program itself and the operators of PyTorch.
"""

from __future__ import annotations

import ast
from pathlib import Path
from typing import Any

from sicjax._errors import InputError
from sicjax._limits import OutOfTime
from sicjax.networks.graph import BOTH, Network
from sicjax.networks.torch.aten import UNKNOWN, Aten
from sicjax.networks.torch.script._branch import Contents
from sicjax.networks.torch.script._expressions import Expressions, GivesUp
from sicjax.networks.torch.script._program import Module, Program, dotted
from sicjax.networks.torch.script._values import decided, has_flows
from sicjax.weights import Script, read_script

# Calls within calls: real programs come nowhere near.
_DEEPEST = 100


class _Returned(Exception):
    """Carries a value, its argument, out of the statements of a function."""


def from_script(path: Path) -> Network:
    """The network of a file of TorchScript, which does not state the shapes of its inputs.

    It is followed without them, then again with those that its convolutions tell. A program that checks its inputs can
    stop at such a guess, so the one that gets further counts.

    Raises:
        InputError: a program without `forward`, or one that asks for more than real ones do.
    """
    script = read_script(path)
    first = _followed(script, {})
    if not first.learned:
        return first.graph.network()
    try:
        second = _followed(script, first.learned)
    except OutOfTime:  # what a program gives must not depend on how fast it is followed
        raise
    except (InputError, ArithmeticError, LookupError, TypeError, ValueError):
        return first.graph.network()
    found = second.graph.network(), first.graph.network()
    return max(found, key=lambda network: (len(network.layers), len(network.pairs)))


def _followed(script: Script, shapes: dict[str, tuple[int, ...]]) -> Aten:
    """The program's `forward`, followed with shapes of the inputs as far as they are known."""
    aten = Aten(exact=False)
    program = Program(script, aten)
    forward = program.method(program.root, "forward")
    if forward is None:
        raise InputError("its module has no forward: save one that has")
    inputs = [a.arg for a in forward.args.args[1:]]
    origins = [f"the network's input {name}" if len(inputs) > 1 else "the network's input" for name in inputs]
    given = [aten.graph.input(shapes.get(origin, ()), origin) for origin in origins]
    _Interpreter(program, aten).call(forward, [program.root, *given], {})
    aten.kernels.name_others(aten.graph, program.all_parameters())
    return aten


class _Interpreter:
    """Follows the statements of a program."""

    def __init__(self, program: Program, aten: Aten) -> None:
        self.program, self.aten = program, aten
        self.expressions = Expressions(program, aten, self.call)
        self.depth = 0

    def call(self, function: ast.FunctionDef, args: list[Any], kwargs: dict[str, Any]) -> Any:
        names, defaults = [a.arg for a in function.args.args], function.args.defaults
        with_default = zip(names[len(names) - len(defaults) :], defaults, strict=True)
        scope = {name: self.expressions.value(default, {}) for name, default in with_default}
        scope |= dict(zip(names, args, strict=False)) | kwargs
        caller, self.depth = self.aten.here, self.depth + 1
        if self.depth > _DEEPEST:
            raise InputError(f"its functions call each other more than {_DEEPEST} deep")
        if args and isinstance(args[0], Module):
            self.aten.here = args[0].path
        try:
            self.block(function.body, scope)
        except _Returned as returned:
            return returned.args[0]
        except GivesUp as raised:
            return self.aten.end(args, f"a call in which the program gives up ({function.name}: {raised})")
        finally:
            self.depth, self.aten.here = self.depth - 1, caller
        return None

    def block(self, body: list[ast.stmt], scope: dict[str, Any]) -> None:
        for statement in body:
            self.expressions.spend(1)
            match statement:
                case ast.Assign(targets=[target], value=value):
                    self.assign(target, self.expressions.value(value, scope), scope)
                case ast.AnnAssign(target=target, value=ast.expr() as value):
                    self.assign(target, self.expressions.value(value, scope), scope)
                case ast.Expr(value=value):
                    self.expressions.value(value, scope)
                case ast.Return(value=value):
                    raise _Returned(None if value is None else self.expressions.value(value, scope))
                case ast.If(test=test, body=then, orelse=other):
                    self.branch(self.expressions.value(test, scope), then, other, scope)
                case ast.For(target=target, iter=values, body=inner):
                    self.loop(target, self.expressions.value(values, scope), inner, scope)
                case ast.While(test=test, body=inner):
                    while decided(more := self.expressions.value(test, scope)) and more:
                        self.block(inner, scope)
                    if not decided(more):
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
                module = self.expressions.value(base, scope)
                if isinstance(module, Module):
                    self.program.written[id(module.held), name] = value
            case ast.Tuple(elts=parts):
                values = list(value.values()) if type(value) is dict else value
                values = values if type(values) in (list, tuple) else [value] * len(parts)
                for k, part in enumerate(parts):
                    self.assign(part, values[k] if k < len(values) else UNKNOWN, scope)

    def branch(self, test: Any, then: list[ast.stmt], other: list[ast.stmt], scope: dict[str, Any]) -> None:
        """One of two blocks, never one that gives up: that is for inputs of other sizes than the program takes.

        Both, if what decides is not known.
        """
        if _gives_up(then) != _gives_up(other):
            return self.block(other if _gives_up(then) else then, scope)
        if decided(test):
            return self.block(then if test else other, scope)
        before, layers = Contents(scope, self.program.written), len(self.aten.graph.layers)
        self.expressions.spend(before.size())
        try:
            self.block(then, scope)
        except GivesUp:
            before.put_back()
            return self.block(other, scope)
        after, between = before.now(), len(self.aten.graph.layers)
        before.put_back()
        try:
            self.block(other, scope)
        except GivesUp:
            return after.put_back()
        if layers < between < len(self.aten.graph.layers):
            self.aten.graph.note(BOTH)
        before.now().join(self.aten.graph, after)

    def loop(self, target: ast.expr, values: Any, body: list[ast.stmt], scope: dict[str, Any]) -> None:
        known = type(values) in (list, tuple, range)
        for value in values if known else [UNKNOWN]:
            self.assign(target, value, scope)
            (self.block if known else self.once)(body, scope)

    def once(self, body: list[ast.stmt], scope: dict[str, Any]) -> None:
        """A loop of a length that is not known: its convolutions are found, what it changes ends before and after."""
        names = [n.id for s in body for n in ast.walk(s) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)]
        carried = [name for name in names if name in scope]
        reason = "a loop whose length is not known"
        for name in carried:
            scope[name] = self.aten.end([scope[name]], reason) if has_flows(scope[name]) else UNKNOWN
        before = Contents(scope, self.program.written)
        self.expressions.spend(before.size())
        self.block(body, scope)
        for part, copy in before.held.values():
            if part is not scope and part != copy:
                self.aten.end([part], reason)
                part.clear()
        for name in names:
            value = scope.get(name)
            scope[name] = self.aten.end([value], reason) if has_flows(value) else UNKNOWN


def _gives_up(body: list[ast.stmt]) -> bool:
    """Whether a block of statements raises an exception."""
    calls = [s.value for s in body if isinstance(s, ast.Expr) and isinstance(s.value, ast.Call)]
    return any(dotted(call.func).endswith("RaiseException") for call in calls)
