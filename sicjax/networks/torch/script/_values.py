"""What TorchScript computes with numbers, text and lists, such as sizes and settings."""

from __future__ import annotations

import operator
from collections.abc import Callable
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


def _append(values: list[Any], value: Any) -> list[Any]:
    if len(values) >= _LONGEST:
        raise InputError(f"it makes a list of over {_LONGEST:,}")
    values.append(value)
    return values


def _set_item(values: Any, at: Any, value: Any) -> None:
    if isinstance(values, dict) and isinstance(at, (int, str)) and len(values) < _LONGEST:
        values[at] = value
    elif type(values) is list and type(at) is int and -len(values) <= at < len(values):
        values[at] = value


def _slice(values: list[Any], start: Any = None, end: Any = None, step: Any = None) -> list[Any]:
    return values[slice(start, end, step)]


def _joined(a: Any, b: Any, alpha: int = 1) -> Any:
    if isinstance(a, list) and len(a) + len(b) > _LONGEST:
        raise InputError(f"it makes a list of over {_LONGEST:,}")
    return a + b


# Numbers, text and lists; what operators give on tensors is for `Aten`.
ON_VALUES: dict[str, Callable[..., Any]] = {
    "add": _joined,
    "sub": operator.sub,
    "mul": operator.mul,
    "div": operator.truediv,
    "floordiv": operator.floordiv,
    "floor_divide": operator.floordiv,
    "remainder": operator.mod,
    "neg": operator.neg,
    "floor": lambda a: int(a // 1),
    "ceil": lambda a: int(-(-a // 1)),
    "round": round,
    "Int": int,
    "Float": float,
    "Bool": bool,
    "NumToTensor": lambda a: a,
    "ScalarImplicit": lambda a: a,
    "item": lambda a: a,
    "eq": operator.eq,
    "ne": operator.ne,
    "lt": operator.lt,
    "le": operator.le,
    "gt": operator.gt,
    "ge": operator.ge,
    "min": min,
    "max": max,
    "len": len,
    "list": list,
    "append": _append,
    "set_item": _set_item,
    "keys": lambda d: list(d.keys()),
    "values": lambda d: list(d.values()),
    "items": lambda d: list(d.items()),
    "__getitem__": item,
    "slice": _slice,
    "__is__": operator.is_,
    "__isnot__": operator.is_not,
    "__not__": operator.not_,
    "__and__": lambda a, b: a and b,
    "__or__": lambda a, b: a or b,
    "__contains__": operator.contains,
    "format": lambda *_: "",
    "warn": lambda *_: None,
}


# What numbers alone are given to: of text or lists it would make more than a file holds.
_OF_NUMBERS = frozenset("sub mul div floordiv floor_divide remainder neg floor ceil round Int Float min max".split())

_OF_CONTAINERS = frozenset("append set_item keys values items __getitem__ list len slice".split())


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
    except (AttributeError, TypeError, ValueError, ZeroDivisionError, OverflowError):
        return UNKNOWN


def decided(test: Any) -> bool:
    """Whether what a branch is decided by is known."""
    return test is not UNKNOWN and not isinstance(test, (Flow, Parameter))


def has_flows(value: Any) -> bool:
    return any(True for _ in flows(value))
