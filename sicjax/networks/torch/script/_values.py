"""What TorchScript computes with numbers, text and lists, such as sizes and settings."""

from __future__ import annotations

import operator
from typing import Any

from sicjax._errors import InputError
from sicjax.networks.graph import Flow
from sicjax.networks.torch.aten import UNKNOWN, Parameter, flows

# Real lists come nowhere near.
_LONGEST = 100_000


def item(base: Any, at: Any) -> Any:
    if isinstance(base, Flow):  # one value for all that an operator gives at which a chain ends
        return base
    if type(base) in (list, tuple) and type(at) is int and -len(base) <= at < len(base):
        return base[at]
    return base.get(at, UNKNOWN) if isinstance(base, dict) and isinstance(at, (int, str)) else UNKNOWN


def _set_item(values: Any, at: Any, value: Any) -> None:
    if isinstance(values, dict) and isinstance(at, (int, str)) and len(values) < _LONGEST:
        values[at] = value
    elif type(values) is list and type(at) is int and -len(values) <= at < len(values):
        values[at] = value


def _append(values: list[Any], value: Any) -> list[Any]:
    values.append(value)
    return _bounded(values)


def _bounded(value: Any) -> Any:
    if isinstance(value, list) and len(value) > _LONGEST:
        raise InputError(f"it makes a list of over {_LONGEST:,}")
    return value


# What numbers alone are given to: of text or lists it would make more than a file holds.
_OF_NUMBERS = {
    **{name: getattr(operator, name) for name in "floordiv mul neg sub".split()},
    "Float": float,
    "Int": int,
    "ceil": lambda a: int(-(-a // 1)),
    "div": operator.truediv,
    "floor": lambda a: int(a // 1),
    "floor_divide": operator.floordiv,
    "max": max,
    "min": min,
    "remainder": operator.mod,
    "round": round,
}
_OF_CONTAINERS = {
    "__getitem__": item,
    "append": _append,
    "items": lambda d: list(d.items()),
    "keys": lambda d: list(d.keys()),
    "len": len,
    "list": list,
    "set_item": _set_item,
    "slice": lambda values, start=None, end=None, step=None: values[slice(start, end, step)],
    "values": lambda d: list(d.values()),
}
# Numbers, text and lists; what operators give on tensors is for `Aten`.
ON_VALUES = {
    **_OF_NUMBERS,
    **_OF_CONTAINERS,
    **{name: getattr(operator, name) for name in "eq ge gt le lt ne".split()},
    **{name: lambda a: a for name in ("NumToTensor", "ScalarImplicit", "item")},
    "Bool": bool,
    "__and__": lambda a, b: a and b,
    "__contains__": operator.contains,
    "__is__": operator.is_,
    "__isnot__": operator.is_not,
    "__not__": operator.not_,
    "__or__": lambda a, b: a or b,
    "add": lambda a, b, alpha=1: _bounded(a + b),
    "format": lambda *_: "",
    "warn": lambda *_: None,
}


def on_values(name: str, values: list[Any]) -> Any:
    """An operator on numbers, text and lists; `NotImplemented` on tensors, `UNKNOWN` where one is not known."""
    if name in ("__is__", "__isnot__") and len(values) == 2 and values[1] is None and values[0] is not UNKNOWN:
        return (values[0] is None) == (name == "__is__")
    lists = [v for v in values if type(v) in (list, tuple)]
    if name in _OF_CONTAINERS:
        if not values or type(values[0]) not in (list, tuple, dict):
            tensor = has_flows(values) or any(isinstance(v, Parameter) for v in values)
            return NotImplemented if tensor else UNKNOWN
    elif any(isinstance(v, tuple) and type(v) is not tuple for v in values):
        return NotImplemented
    elif any(type(part) in (list, tuple) for part in (part for v in lists for part in v)):
        return UNKNOWN
    if any(v is UNKNOWN for v in values) and name not in ("append", "set_item"):
        return UNKNOWN
    numbers = all(isinstance(v, (int, float)) and abs(v) < 2**63 for v in values)
    if not numbers and (name in _OF_NUMBERS or (name == "add" and not lists)):
        return UNKNOWN
    try:
        return ON_VALUES[name](*values)
    except InputError:
        raise
    except (AttributeError, TypeError, ValueError, ZeroDivisionError, OverflowError):
        return UNKNOWN


def decided(test: Any) -> bool:
    """Whether what a branch is decided by is known."""
    return test is not UNKNOWN and not isinstance(test, (Flow, Parameter))


def has_flows(value: Any) -> bool:
    return any(True for _ in flows(value))
