"""Operators on parameters alone are computed, as long as they ask for no more than real networks do."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from sicjax.networks.torch.aten._parameters import LARGEST_MADE, rules, same
from sicjax.networks.torch.aten._values import UNKNOWN, Parameter, parameters

# Values computed from parameters, and what they are computed from in all: a few bytes of a program can ask for more.
_LARGEST = 2**26
_MOST_COMPUTED = 2**32
# Arguments that say how a value is kept, not what it is.
# Of several values, which do not meet each with each: what comes out is as large as the first.
_AS_LARGE = ("batch_norm", "layer_norm", "reshape_as", "view_as")
# Arguments before which others may be left out.
_NAMED = ("correction", "keepdim")
_STORAGE = ("dtype", "memory_format", "layout", "device", "pin_memory")


class Computer:
    """Computes operators, and keeps count of how much."""

    def __init__(self) -> None:
        self._computed = 0

    def call(self, name: str, args: list[Any], kwargs: dict[str, Any]) -> Any:
        """What an operator gives on parameters, numbers and lists; `UNKNOWN` where it is not computed."""
        rule = rules.get(name)
        held = list(parameters([*args, *kwargs.values()]))
        given = [*args, *(v for k, v in kwargs.items() if k not in (*_STORAGE, *_NAMED))]
        named = {k: kwargs[k] for k in _NAMED if k in kwargs}
        largest = max(held, key=lambda p: p.array.size, default=None)
        size = largest.array.size if largest else 0
        try:
            together = len(held) > 1 and name not in _AS_LARGE
            bound = math.prod(np.broadcast_shapes(*(p.array.shape for p in held))) if together else size
            self._computed += bound
            if (
                rule is None
                or UNKNOWN in (given[:1] if rule is same else [*given, *named.values()])
                or bound > max(_LARGEST, size)
                or self._computed > _MOST_COMPUTED
            ):
                return UNKNOWN
            with np.errstate(all="ignore"):
                found = rule(*_arrays(given), **named)
        except (ValueError, TypeError, LookupError, OverflowError, AttributeError, MemoryError):
            return UNKNOWN
        if isinstance(found, tuple):
            return [Parameter(largest.name if largest else "a constant", np.asarray(part)) for part in found]
        if np.size(found) > (max(_LARGEST, size) if largest else LARGEST_MADE):
            return UNKNOWN
        if not isinstance(found, (np.ndarray, np.generic)):
            return found
        return Parameter(largest.name if largest else "a constant", np.asarray(found))


def _arrays(values: list[Any]) -> list[Any]:
    """Parameters as their arrays, those in a list too."""
    of = lambda v: v.array if isinstance(v, Parameter) else v
    return [[of(part) for part in v] if type(v) is list else of(v) for v in values]
