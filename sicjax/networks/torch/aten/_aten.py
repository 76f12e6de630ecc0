"""Operators of PyTorch, followed through a graph, for TorchScript and `torch.export` alike.

A `Flow` of shape `()` that no convolution reaches may have any shape, since TorchScript does not state that of the
inputs.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sicjax.networks.graph import Flow, Graph, Rule, Rules, elementwise, ends
from sicjax.networks.torch.aten._kernels import Kernels
from sicjax.networks.torch.aten._parameters import compute
from sicjax.networks.torch.aten._values import UNKNOWN, flows, operands, parameters

# Rules of operators: from what follows them, their name and their arguments to one value or a list.
rules = Rules()
_UNKNOWN = ends("an operation that is not known")


def words(rows: Mapping[str, Rule]) -> None:
    """Rules of operators, by their names, that need no more than the arguments."""
    for names, rule in rows.items():
        rules(names)(lambda aten, name, *args, rule=rule, **named: rule(*args, **named))


class Aten:
    """Follows operators through a graph.

    Attributes:
        exact: whether the program states all sizes, rather than that they were guessed.
        learned: shapes of the network's inputs, as the convolutions that take them have them.
        here: the module that is being followed, to name what has no other name.
    """

    def __init__(self, *, exact: bool) -> None:
        self.graph = Graph()
        self.kernels = Kernels()
        self.exact = exact
        self.learned: dict[str, tuple[int, ...]] = {}
        self.here = ""

    def call(self, operator: str, args: list[Any], kwargs: dict[str, Any]) -> Any:
        """What an operator gives, such as `aten::relu_`; one value for all where the chain ends."""
        name = plain_name(operator)
        rule = rules.get(name)
        values = [*args, *kwargs.values()]
        convolves = rule is not None and "conv" in name
        if not convolves and not any(True for _ in flows(values)):
            return self._of_parameters(name, args, kwargs)
        if rule is None:
            return self.unknown(name, values)
        layer = ""
        if convolves:
            layer = self.kernels.layer(args[1] if len(args) > 1 else None)
            layer = layer or (f"{self.here} ({name})" if self.here else f"a {name}")
        run = lambda: rule(self, name, *args, **kwargs)
        return self.graph.follow(run, flows(values), layer or name, layer=layer, kind=name)

    def unknown(self, name: str, values: Any) -> Flow:
        """The end of the chain at what is not followed; a kernel that it takes is named with the reason."""
        made = next((x for x in flows(values) if x.origin in self.kernels.made), None)
        if made is not None and not any(x.sources for x in flows(values)):
            return self.graph.input((), made.origin)
        layer = self.kernels.unfollowed(parameters(values))
        return self.graph.follow(_UNKNOWN, flows(values), name, layer=layer)

    def end(self, values: Any, reason: str) -> Flow:
        """What no pair reaches across, besides operators."""
        return self.graph.end(flows(values), (), reason)

    def elementwise(self, values: Any, name: str) -> Flow:
        """Sums, products, activations of all tensors among values."""
        return elementwise(self.graph, operands(values), name)

    def _of_parameters(self, name: str, args: list[Any], kwargs: dict[str, Any]) -> Any:
        """An operator that no input reaches, computed if it is one that scales or shapes kernels."""
        found = compute(name, args, kwargs)
        held = max(parameters([*args, *kwargs.values()]), key=lambda p: p.array.size, default=None)
        if found is not UNKNOWN or held is None:
            return found
        origin = f"{name} of {held.name}"
        self.kernels.made[origin] = held.name
        return self.graph.input((), origin)


def plain_name(operator: str) -> str:
    """An operator's name without its library, its overload, and what says that it changes its operand."""
    name = operator.split("::")[-1].split(".")[0]
    return name if name.startswith("__") else name.strip("_")
