"""Values of a program: a `Flow`, a `Parameter`, a number, a text, a list of values, or what is not known."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np

from sicjax.networks.graph import Flow, constant


class Parameter(NamedTuple):
    """A value that no input changes, with the name of what it is made of."""

    name: str
    array: np.ndarray


class _Unknown:
    """What depends on sizes that the file does not state; an operation that needs it as a number does not fit."""

    def __repr__(self) -> str:
        return "a value that is not known"

    def __index__(self) -> int:
        raise ValueError("a number that is not known")


UNKNOWN = _Unknown()


def flows(value: Any) -> Iterator[Flow]:
    """Every `Flow` among values, in order."""
    yield from (part for part in _parts(value) if isinstance(part, Flow))


def parameters(value: Any) -> Iterator[Parameter]:
    """Every `Parameter` among values, in order."""
    yield from (part for part in _parts(value) if isinstance(part, Parameter))


def operands(values: Any) -> list[Flow]:
    """Every tensor among values, parameters as what no convolution reaches."""
    tensors = [part for part in _parts(values) if isinstance(part, (Flow, Parameter))]
    return [constant(part.array.shape) if isinstance(part, Parameter) else part for part in tensors]


def _parts(value: Any) -> Iterator[Any]:
    """What nested lists hold, each list once, so that lists of lists of the same list do not multiply."""
    stack, seen = [value], set()
    while stack:
        part = stack.pop()
        if type(part) not in (list, tuple, dict):
            yield part
        elif id(part) not in seen:
            seen.add(id(part))
            stack.extend(reversed(list(part.values()) if isinstance(part, dict) else part))


def along(setting: Any, axis: int) -> Any:
    """A setting along a spatial axis, from one for all or one each."""
    return setting[axis % len(setting)] if isinstance(setting, (list, tuple)) else setting


def dimensions(name: str) -> int:
    """How many spatial axes an operator has, such as `avg_pool2d`."""
    return next(int(letter) for letter in name if letter.isdigit())
