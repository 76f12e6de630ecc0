"""What a TorchScript program consists of: its classes and functions as parsed text, its modules and what they hold."""

from __future__ import annotations

import ast
import warnings
from collections.abc import Callable
from typing import Any, NamedTuple

from sicjax.networks.torch.aten import UNKNOWN, Aten, Parameter
from sicjax.weights import Inert, Script, Tensor

_LONGEST_PATH = 1000


def dotted(node: ast.expr) -> str:
    """A name with its attributes, `torch.nn.relu`; empty for any other expression."""
    parts: list[str] = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    return ".".join([node.id, *reversed(parts)]) if isinstance(node, ast.Name) else ""


class Module(NamedTuple):
    """A module of the program, and where it is in the network."""

    held: Inert
    path: str


class Function(NamedTuple):
    """A function of the program, by its full name."""

    name: str


class Program:
    """Classes, functions, modules and tensors of a program.

    Attributes:
        written: attributes that the code has changed, by the identity of the module and their name.
    """

    def __init__(self, script: Script, aten: Aten) -> None:
        self._script, self._aten = script, aten
        self.root = Module(script.module, "")
        self.written: dict[tuple[int, str], Any] = {}
        self._parameters: dict[int, Parameter] = {}
        self._restored: set[int] = set()
        self.classes: dict[str, ast.ClassDef] = {}
        self.functions: dict[str, ast.FunctionDef] = {}
        for file, source in script.sources.items():
            module = file.removesuffix(".py").replace("/", ".")
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                statements = ast.parse(source).body
            for statement in statements:
                if isinstance(statement, ast.ClassDef):
                    self.classes[f"{module}.{statement.name}"] = statement
                elif isinstance(statement, ast.FunctionDef):
                    self.functions[f"{module}.{statement.name}"] = statement

    def method(self, module: Module, name: str) -> ast.FunctionDef | None:
        body = self._body(module.held.kind)
        return next((s for s in body if isinstance(s, ast.FunctionDef) and s.name == name), None)

    def _body(self, kind: str) -> list[ast.stmt]:
        """The statements of a class, none of one that the program does not have."""
        return self.classes[kind].body if kind in self.classes else []

    def fields(self, name: str) -> list[str] | None:
        """The fields of a class that is a named tuple."""
        declared = self.classes.get(name)
        if declared is None or not any(isinstance(b, ast.Name) and b.id == "NamedTuple" for b in declared.bases):
            return None
        return [s.target.id for s in declared.body if isinstance(s, ast.AnnAssign) and isinstance(s.target, ast.Name)]

    def member(self, base: Module, name: str, value: Callable[[ast.expr], Any]) -> Any:
        """An attribute of a module; `value` gives what a constant in its class is."""
        if name == "training":
            return False
        if (id(base.held), name) in self.written:
            return self.written[id(base.held), name]
        state = base.held.state if isinstance(base.held.state, dict) else {}
        if base.held.state and not state and id(base.held) not in self._restored:
            self._restored.add(id(base.held))
            reason = "code of the program restores its weights, which is not run"
            self._aten.graph.skip(base.path or "the network", reason)
        path = f"{base.path}.{name}" if base.path else name
        if name in state and len(path) <= _LONGEST_PATH:
            return self._held(state[name], path)
        for statement in self._body(base.held.kind):
            match statement:  # stride : Final[int] = 2
                case ast.AnnAssign(target=ast.Name(id=found), value=ast.expr() as constant) if found == name:
                    return value(constant)
        return UNKNOWN

    def _held(self, value: Any, path: str) -> Any:
        """What an attribute of a module holds."""
        if isinstance(value, Tensor):
            return self.parameter(value, path)
        if isinstance(value, Inert):
            return Module(value, path) if value.kind else UNKNOWN
        if type(value) in (list, tuple):
            return [self._held(part, f"{path}.{k}") for k, part in enumerate(value)]
        return value

    def constant(self, number: int) -> Any:
        """A tensor that the code names by number."""
        held = self._script.constants[number] if number < len(self._script.constants) else None
        return self.parameter(held, f"constant {number}") if isinstance(held, Tensor) else UNKNOWN

    def parameter(self, tensor: Tensor, path: str) -> Parameter:
        if id(tensor) not in self._parameters:
            self._parameters[id(tensor)] = Parameter(path, self._script.array(path, tensor))
        return self._parameters[id(tensor)]

    def all_parameters(self) -> list[Parameter]:
        """Every tensor of the modules, those that nothing took as well."""
        stack, found, seen = [self.root], [], set()
        while stack:
            module = stack.pop()
            if id(module.held) in seen:
                continue
            seen.add(id(module.held))
            for name, value in module.held.state.items() if isinstance(module.held.state, dict) else ():
                path = f"{module.path}.{name}" if module.path else str(name)
                if isinstance(value, Inert) and value.kind and len(path) <= _LONGEST_PATH:
                    stack.append(Module(value, path))
                elif isinstance(value, Tensor):
                    found.append(self.parameter(value, path))
        return found
