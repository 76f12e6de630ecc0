"""The description of a model in a Keras file: its layers, and who calls whom, as Keras 2 and 3 write it."""

from __future__ import annotations

from collections.abc import Sequence
from graphlib import CycleError, TopologicalSorter
from heapq import heappop, heappush
from typing import Any, NamedTuple

from sicjax._errors import InputError
from sicjax.networks.graph import OPEN_SIZES
from sicjax.weights import keras_name

_PACKAGES = ("keras", "tf_keras", "tensorflow", "builtins")
# What a call takes beside its values.
_ASIDE = ("mask", "training")


class Reference(NamedTuple):
    """One of the values that a call returns, and its shape where the file states it."""

    layer: str
    call: int
    output: int
    shape: tuple[int, ...] | None = None


class Taken(NamedTuple):
    """What one call takes: values, settings by name, and the rest in order."""

    references: list[Reference]
    settings: dict[str, Any]
    args: list[Any]


class Model:
    """A functional model.

    Attributes:
        layers: by name.
        calls: what each call of each layer takes; none of an input.
        inputs: of the model.
        outputs: of the model.
    """

    def __init__(self, config: dict) -> None:
        self.layers: dict[str, dict] = {keras_name(layer): layer for layer in config["layers"]}
        self.calls = {name: [self._taken(n) for n in e.get("inbound_nodes") or ()] for name, e in self.layers.items()}
        self.inputs = self._references(config["input_layers"])
        outputs = self._references(config["output_layers"])
        self._numbers: dict[str, list[int]] = {}
        references = [r for calls in self.calls.values() for call in calls for r in call.references]
        # Keras 3 counts the calls of nested models from 0 where layers take them, but from 1 where they are outputs.
        self.outputs = [r._replace(call=max(r.call - 1, 0)) if self._from_one(r) else r for r in outputs]
        for reference in [*references, *self.outputs]:
            self._numbers.setdefault(reference.layer, []).append(reference.call)
        self._numbers = {name: sorted(set(numbers)) for name, numbers in self._numbers.items()}

    def _from_one(self, reference: Reference) -> bool:
        entry = self.layers.get(reference.layer, {})
        new = any(isinstance(node, dict) for node in entry.get("inbound_nodes") or ())
        return new and form_of(entry) == "functional"

    def call_of(self, reference: Reference) -> tuple[str, int]:
        """The layer and the number of its call, from 0.

        Keras 2 counts the calls of nested models from 1, and some versions leave gaps: then their order tells.
        """
        calls = max(len(self.calls.get(reference.layer, ())), 1)
        numbers = self._numbers[reference.layer]
        old_model = form_of(self.layers.get(reference.layer, {})) is not None and not self._from_one(reference)
        if numbers[-1] >= calls or (old_model and numbers[0] > 0):
            shift = 1 if numbers[0] > 0 and numbers[-1] <= calls else None
            return reference.layer, numbers.index(reference.call) if shift is None else reference.call - shift
        return reference.layer, reference.call

    def order(self) -> list[tuple[str, int]]:
        """Every call of every layer, after those whose values it takes.

        Raises:
            InputError: one takes what none gives.
        """
        needed = {
            (name, k): [self.call_of(r) for r in calls[k].references] if calls else []
            for name, calls in self.calls.items()
            for k in range(max(len(calls), 1))
        }
        for reference in self.outputs:
            if self.call_of(reference) not in needed:
                raise InputError(f"the model's output {reference.layer} is no layer of it: save it again")
        missing = [name for (name, _), others in needed.items() if any(other not in needed for other in others)]
        sorter = TopologicalSorter(needed)
        try:
            sorter.prepare()
        except CycleError as error:
            missing = missing or [name for name, _ in error.args[1][1:]]
        if missing:
            named = ", ".join(dict.fromkeys(missing[:3]))
            raise InputError(f"the layers {named} take values that no layer gives: save the model again")
        # In the file's order where there is a choice.
        number = {call: k for k, call in enumerate(needed)}
        order: list[tuple[str, int]] = []
        ready: list[tuple[int, tuple[str, int]]] = []
        while sorter.is_active():
            for call in sorter.get_ready():
                heappush(ready, (number[call], call))
            order.append(heappop(ready)[1])
            sorter.done(order[-1])
        return order

    def _taken(self, node: Any) -> Taken:
        """`{args, kwargs}` in Keras 3, `[[name, call, output, settings], ...]` in Keras 2."""
        if isinstance(node, dict):
            args, named = list(node.get("args") or ()), dict(node.get("kwargs") or {})
        else:
            # `["_CONSTANT_VALUE", -1, value, settings]` for a number in the place of a layer.
            parts = [node] if isinstance(node[0], str) else [part for part in node if isinstance(part, list)]
            args = [part[:3] if self._is_reference(part) else part[2] for part in parts]
            named = {k: v for part in parts if len(part) > 3 and isinstance(part[3], dict) for k, v in part[3].items()}
        named = {name: value for name, value in named.items() if name not in _ASIDE}
        with_values = {name for name, value in named.items() if self._references(value)}
        return Taken(
            self._references([*args, *(named[name] for name in named if name in with_values)]),
            {name: value for name, value in named.items() if name not in with_values and name != "name"},
            [arg for arg in args if not self._references(arg)],
        )

    def _is_reference(self, node: Any) -> bool:
        if not isinstance(node, (list, tuple)) or len(node) < 3:
            return False
        return isinstance(node[0], str) and node[0] in self.layers and all(type(n) is int for n in node[1:3])

    def _references(self, node: Any) -> list[Reference]:
        """The values that a part of the description names, in order."""
        if isinstance(node, dict):
            if node.get("class_name") == "__keras_tensor__":
                config = node["config"]
                layer, call, output = config["keras_history"]
                return [Reference(layer, call, output, shape_of(config.get("shape")))]
            return [r for name in sorted(node) for r in self._references(node[name])]
        if self._is_reference(node):
            return [Reference(node[0], node[1], node[2])]
        return [r for part in node for r in self._references(part)] if isinstance(node, (list, tuple)) else []


def form_of(entry: dict) -> str | None:
    """Whether a layer is a model whose layers are stated, and how."""
    config = entry.get("config")
    if isinstance(config, list):
        return "sequential"
    if not isinstance(config, dict) or not isinstance(config.get("layers"), list):
        return None
    if "input_layers" in config and "output_layers" in config:
        return "functional"
    return "sequential" if kind_of(entry) == "Sequential" else None


def kind_of(entry: dict) -> str:
    """A layer's type, with its package before it, as in `Package>Type`, where that is not Keras."""
    name, module, registered = str(entry["class_name"]), entry.get("module"), entry.get("registered_name")
    package, _, plain = (registered if isinstance(registered, str) and ">" in registered else name).rpartition(">")
    config = entry.get("config")
    if package and package not in (*_PACKAGES, "Addons"):
        return f"{package}>{plain}"
    if isinstance(module, str) and module.split(".")[0] not in _PACKAGES:
        return f"{module}>{plain}"
    if plain == "TFOpLambda" and isinstance(config, dict):
        return str(config.get("function"))
    if plain == "TensorFlowOpLayer" and isinstance(config, dict) and isinstance(config.get("node_def"), dict):
        return str(config["node_def"].get("op"))
    return plain


def shape_of(stated: Any) -> tuple[int, ...] | None:
    """A shape that the file states, with numbers for what it leaves open."""
    if not isinstance(stated, Sequence) or not all(n is None or (type(n) is int and n > 0) for n in stated):
        return None
    sizes = (1, *OPEN_SIZES)
    return tuple(sizes[k % len(sizes)] if n is None or k == 0 else n for k, n in enumerate(stated))
