"""One call of a layer of Keras: its settings, its values, and what all layers have in common."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple, TypeAlias

import numpy as np

from sicjax.networks import _spatial
from sicjax.networks._filters import outer
from sicjax.networks._flow import BATCH, Flow
from sicjax.networks._graph import Graph
from sicjax.networks._keras_weights import Place, Weights
from sicjax.networks._resample import resample


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
    weights: Weights
    kind: str
    settings: dict[str, Any]
    args: list[Any]
    flows: list[Flow]
    place: Place

    @property
    def x(self) -> Flow:
        return self.flows[0]

    @property
    def path(self) -> str:
        return self.place.path

    @property
    def rank(self) -> int:
        """How many spatial axes the layer has: its name says it, or the value it takes."""
        found = re.search(r"([123])D", self.kind)
        return int(found[1]) if found else max(len(self.x.shape) - 2, 0)

    @property
    def channels_first(self) -> bool:
        return self.get("data_format") in ("channels_first", "NCHW")

    @property
    def space(self) -> tuple[int, ...]:
        """Sizes of the input's spatial axes."""
        shape = self.x.shape
        if len(shape) != self.rank + 2:
            return _spatial.OPEN_SIZES[: self.rank]
        return shape[2:] if self.channels_first else shape[1:-1]

    def get(self, name: str, default: Any = None) -> Any:
        """A setting, or the default where it is not stated."""
        value = self.settings.get(name)
        return default if value is None else value

    def each(self, name: str, default: Any) -> tuple[int, ...]:
        """A setting that is one whole number for each spatial axis."""
        return _spatial.per_axis(self.get(name, default), self.rank)

    def optional(self, name: str) -> tuple[int | None, ...]:
        """The same, None where it is not stated."""
        value = self.get(name)
        value = list(value) if isinstance(value, (list, tuple)) else [value] * self.rank
        if len(value) != self.rank or not all(n is None or type(n) is int for n in value):
            raise ValueError(f"{name} is {value!r:.60}")
        return tuple(value)

    def axis(self, name: str, default: int) -> int:
        """A setting that is one of the value's axes."""
        return self.position(self.get(name, default))

    def position(self, axis: Any) -> int:
        if type(axis) is not int or not -len(self.x.shape) <= axis < len(self.x.shape):
            raise ValueError(f"axis {axis!r:.40} of {len(self.x.shape)}")
        return axis % len(self.x.shape)

    def end(self, reason: str, shape: Sequence[int] | None = None) -> Flow:
        return self.graph.end(self.flows, self.x.shape if shape is None else shape, reason)

    def shaped(self, shape: Sequence[int]) -> Flow:
        """The value with other sizes of space."""
        axes = self.x.axes if self.x.sources else (BATCH,) * len(shape)
        return self.x._replace(shape=tuple(max(int(n), 1) for n in shape), axes=axes)

    def resized(self, space: Sequence[int]) -> tuple[int, ...]:
        """The value's shape with other sizes of space."""
        shape = self.x.shape
        channels = shape[1 if self.channels_first else -1] if len(shape) > 1 else 1
        return _spatial.image(self.x, channels, space, not self.channels_first)

    def resampled(
        self,
        shape: Sequence[int],
        *,
        up: Sequence[int] = (),
        taps: Sequence[np.ndarray] = (),
        down: Sequence[int] = (),
    ) -> Flow:
        """Zeros between places, a filter, a decimation, with settings for each axis of space as the layer has it."""
        x = self.x
        if not x.sources:
            return self.shaped(shape)
        if len(x.shape) != self.rank + 2 or math.prod(len(t) for t in taps) > _spatial.MOST_TAPS:
            return self.end(f"{self.kind} along other axes, or over too many places ({self.path})", shape)
        roles = x.axes[2:] if self.channels_first else x.axes[1:-1]
        numbers = len(x.sources[0].down)
        lists: list[list[Any]] = [[1] * numbers, [np.ones(1)] * numbers, [1] * numbers]
        for settings, found in zip((up, taps, down), lists, strict=True):
            for role, setting in zip(roles if settings else (), settings, strict=True):
                if role >= 0:
                    found[role] = setting
                elif np.size(setting) > 1 or np.max(setting) != 1:
                    return self.end(f"{self.kind} along an axis that is not spatial ({self.path})", shape)
        ups, kernel, downs = lists[0], outer(lists[1]) if taps else None, lists[2]
        found = resample(x, shape, up=ups, kernel=kernel, down=downs)
        reason = f"{self.kind} of a value between whose places zeros were put ({self.path})"
        return self.end(reason, shape) if found is None else found


Rule: TypeAlias = Callable[[Call], Flow | list[Flow]]


def canonical(kind: str) -> str:
    """A type's name in small letters: `Conv2D` is `conv#`; `LeakyReLU`, `leaky_relu` and `nn.leaky_relu` are one."""
    name = re.sub(r"[123]D", "#", kind.rpartition(".")[2])
    return name.replace("_", "").lower()


def class_names(settings: Any) -> Iterator[tuple[str, str]]:
    """The types and names of the layers that settings hold."""
    stack = [settings]
    while stack:
        part = stack.pop()
        if isinstance(part, dict):
            config = part.get("config")
            if isinstance(part.get("class_name"), str) and isinstance(config, dict):
                yield part["class_name"], str(part.get("name") or config.get("name") or part["class_name"])
            stack.extend(reversed(list(part.values())))
        elif isinstance(part, list):
            stack.extend(reversed(part))
