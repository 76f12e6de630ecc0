"""Operators of PyTorch that reduce whole axes."""

from __future__ import annotations

from typing import Any

from sicjax.networks.graph import Flow, reduce
from sicjax.networks.torch.aten._aten import rules
from sicjax.networks.torch.aten._values import UNKNOWN


@rules("all amax amin any argmax argmin logsumexp mean prod sum")
def _reduce(aten, name, x: Flow, dim: Any = None, keepdim: bool = False, *_: Any, **__: Any) -> Flow:
    """The axes are one, several or all of them."""
    # In `sum(x, dtype)` what comes second is no axis, and `var(x, True)` says how to count.
    axes = list(dim) if isinstance(dim, (list, tuple)) else [dim] if type(dim) is int else []
    return reduce(aten.graph, x, axes or None, keep=keepdim is True, name=name)


@rules("max min")
def _extreme(aten, name, x: Any, dim: Any = None, keepdim: bool = False, **other: Any) -> Any:
    """Of a value along an axis, with the places, or the larger of two values."""
    if type(dim) is int:
        return _reduce(aten, name, x, dim, keepdim), UNKNOWN
    return _reduce(aten, name, x) if dim is None and not other else aten.elementwise([x, dim, other], name)


@rules("norm linalg_vector_norm")
def _norm(aten, name, x: Flow, order: Any = 2, dim: Any = None, keepdim: bool = False, *_: Any, **__: Any) -> Flow:
    return _reduce(aten, name, x, dim, keepdim)


@rules("std var")
def _spread(aten, name, x: Flow, dim: Any = None, correction: Any = 1, keepdim: bool = False, *_, **__) -> Flow:
    return _reduce(aten, name, x, dim, keepdim)


@rules("std_mean var_mean")
def _spread_and_mean(aten, name, x: Flow, *settings: Any, **named: Any) -> tuple[Flow, Flow]:
    found = _spread(aten, name, x, *settings, **named)
    return found, found
