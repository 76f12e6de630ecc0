"""One call of a layer of Keras: its settings, its values, and what all layers have in common."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from sicjax.networks.graph import Flow, Graph, Rules, Unreachable, image, per_axis, space_of
from sicjax.weights import KerasPlace, KerasWeights


def canonical(kind: str) -> str:
    """A type's name in small letters: `Conv2D` is `conv#`; `LeakyReLU`, `leaky_relu` and `nn.leaky_relu` are one."""
    name = re.sub(r"[123]D", "#", kind.rpartition(".")[2])
    return name.replace("_", "").lower()


class Call(NamedTuple):
    """One call of a layer.

    Attributes:
        graph: where the layers go.
        weights: of the file.
        kind: the layer's type.
        settings: of the layer, and what the call adds.
        args: of the call, where they are no values of the network.
        flows: the values it takes.
        place: where the layer is.
    """

    graph: Graph
    weights: KerasWeights
    kind: str
    settings: dict[str, Any]
    args: list[Any]
    flows: list[Flow]
    place: KerasPlace

    @property
    def x(self) -> Flow:
        return self.flows[0]

    @property
    def axes(self) -> list[int] | None:
        """The axes that the setting `axis` names, None where it is not stated."""
        return None if self.get("axis") is None else self.listed("axis")

    @property
    def label(self) -> str:
        """The layer's type and name."""
        return f"{self.kind} {self.place.path}"

    @property
    def rank(self) -> int:
        """How many spatial axes the layer has: its name says it, or the value it takes."""
        found = re.search(r"([123])D", self.kind)
        return int(found[1]) if found else max(len(self.x.shape) - 2, 0)

    @property
    def channels_last(self) -> bool:
        return self.get("data_format") not in ("channels_first", "NCHW")

    @property
    def space(self) -> tuple[int, ...]:
        """Sizes of the input's spatial axes."""
        return space_of(self.x, self.rank, channels_last=self.channels_last)

    def image(self, space: Sequence[float], channels: int | None = None) -> tuple[int, ...]:
        """The shape of the input with other sizes of space, and other channels where these are given."""
        return image(self.x, channels, space, channels_last=self.channels_last)

    def along(self, settings: Sequence) -> dict[int, Any]:
        """Settings of the spatial axes, by the number of the axis."""
        first = len(self.x.shape) - len(settings) - self.channels_last
        return dict(enumerate(settings, first))

    def get(self, *names: str, default: Any = None) -> Any:
        """A setting by the first of its names that is stated, or the default."""
        return next((value for name in names if (value := self.settings.get(name)) is not None), default)

    def each(self, name: str, default: Any) -> tuple[int, ...]:
        """A setting that is one whole number for each spatial axis."""
        return per_axis(self.get(name, default=default), self.rank)

    def optional(self, name: str) -> tuple[int | None, ...]:
        """The same, None where it is not stated."""
        return (None,) * self.rank if self.get(name) is None else self.each(name, 1)

    def axis(self, name: str = "axis", default: int | None = None) -> int:
        """A setting that is one of the value's axes."""
        return self.x.axis(self.get(name, default=default))

    def listed(self, *names: str) -> list[int]:
        """A setting that is one number or several."""
        value = self.get(*names)
        return list(value) if isinstance(value, (list, tuple)) else [value]

    def kernel(self, roles: Sequence[str], number: int, *channels: int | None) -> np.ndarray:
        """An array of the layer, by one of these names or its number, with the channels that its settings state."""
        found = self.weights.array(self.place, roles, number, (*self.optional("kernel_size"), *channels))
        if found is None:
            raise Unreachable(f"a convolution whose {roles[0]} is not in the file: build the model, and save all of it")
        return found


# Rules of layers, operations and activations by their canonical names: from a call to one value or a list.
rules: Rules[Callable[[Call], Any]] = Rules()
