"""Operators of PyTorch that give a value another shape or order of axes."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from sicjax.networks import _operations
from sicjax.networks._aten import Aten, Rule
from sicjax.networks._flow import BATCH, CHANNEL, REPEAT, Flow


def unsourced(x: Flow, shape: Sequence[int] = ()) -> Flow:
    """A value that no convolution reaches, like `x`."""
    return Flow(tuple(shape), (BATCH,) * len(shape), origin=x.origin)


def axis_of(dim: Any, x: Flow) -> int:
    """The number of an axis, counted from the end where it is negative.

    Raises:
        ValueError: no such axis.
    """
    if type(dim) is not int or not -len(x.shape) <= dim < len(x.shape):
        raise ValueError(f"axis {dim!r:.40} of {len(x.shape)}")
    return dim % len(x.shape)


def shaped(aten: Aten, name: str, x: Flow, shape: Sequence[int]) -> Flow:
    """Another shape of a value, or the end of the chain where that mixes space and channels."""
    if math.prod(shape) == math.prod(x.shape) and min(shape, default=1) > 0:
        found = _operations.reshape(x, shape)
        if found is not None:
            return found
    return aten.end([x], f"a {name} that mixes space and channels", tuple(shape))


def _view(aten: Aten, name: str, x: Any, size: Any = (), *_: Any, **named: Any) -> Any:
    if not isinstance(x, Flow):
        return x
    size = named.get("shape", named.get("other", size))
    sizes = list(size.shape if isinstance(size, Flow) else size)
    if not x.sources:
        known = sizes if sizes and all(type(n) is int for n in sizes) else []
        return unsourced(x, [max(n, 1) for n in known])
    if not all(type(n) is int for n in sizes):
        return aten.end([x], f"a {name} to a shape that is not known")
    rest = math.prod(n for n in sizes if n != -1)
    return shaped(aten, name, x, [math.prod(x.shape) // max(rest, 1) if n == -1 else n for n in sizes])


def _flatten(aten: Aten, name: str, x: Flow, start_dim: int = 0, end_dim: int = -1) -> Flow:
    if not x.sources:
        return unsourced(x)
    start, end = axis_of(start_dim, x), axis_of(end_dim, x)
    return shaped(aten, name, x, [*x.shape[:start], math.prod(x.shape[start : end + 1]), *x.shape[end + 1 :]])


def _unflatten(aten: Aten, name: str, x: Flow, dim: int, sizes: Sequence[int]) -> Flow:
    if not x.sources:
        return unsourced(x)
    axis = axis_of(dim, x)
    rest = math.prod(n for n in sizes if n != -1)
    inner = [x.shape[axis] // max(rest, 1) if n == -1 else n for n in sizes]
    return shaped(aten, name, x, [*x.shape[:axis], *inner, *x.shape[axis + 1 :]])


def _squeeze(aten: Aten, name: str, x: Flow, dim: Any = None) -> Flow:
    if not x.sources:
        return unsourced(x)
    dims = range(len(x.shape)) if dim is None else dim if isinstance(dim, (list, tuple)) else [dim]
    gone = {axis_of(d, x) for d in dims if x.shape[axis_of(d, x)] == 1}
    return shaped(aten, name, x, [n for k, n in enumerate(x.shape) if k not in gone])


def unsqueeze(aten: Aten, name: str, x: Flow, dim: int) -> Flow:
    if not x.sources:
        return unsourced(x)
    at = dim % (len(x.shape) + 1)
    return shaped(aten, name, x, [*x.shape[:at], 1, *x.shape[at:]])


def _permute(aten: Aten, name: str, x: Flow, dims: Sequence[int]) -> Flow:
    if not x.sources:
        return unsourced(x, [x.shape[d] for d in dims] if len(x.shape) == len(dims) else [])
    order = [axis_of(d, x) for d in dims]
    if sorted(order) != list(range(len(x.shape))):
        raise ValueError(f"axes {dims!r:.60}")
    return _operations.transpose(x, order)


def _transpose(aten: Aten, name: str, x: Flow, dim0: int = 0, dim1: int = 1) -> Flow:
    if not x.sources:
        return unsourced(x)
    order = list(range(len(x.shape)))
    a, b = axis_of(dim0, x), axis_of(dim1, x)
    order[a], order[b] = order[b], order[a]
    return _operations.transpose(x, order)


def _movedim(aten: Aten, name: str, x: Flow, source: Any, destination: Any) -> Flow:
    if not x.sources:
        return unsourced(x)
    old = [axis_of(d, x) for d in (source if isinstance(source, (list, tuple)) else [source])]
    new = [axis_of(d, x) for d in (destination if isinstance(destination, (list, tuple)) else [destination])]
    order = [k for k in range(len(x.shape)) if k not in old]
    for at, axis in sorted(zip(new, old, strict=True)):
        order.insert(at, axis)
    return _operations.transpose(x, order)


def _expand(aten: Aten, name: str, x: Any, size: Any = (), **named: Any) -> Any:
    """Copies along axes of size 1."""
    if not isinstance(x, Flow):
        return x
    size = named.get("other", size)
    sizes = size.shape if isinstance(size, Flow) else size
    if not x.sources:
        return unsourced(x)
    new = len(sizes) - len(x.shape)
    if new < 0:
        return aten.end([x], f"{name} to a shape that is not known")
    x = shaped(aten, name, x, [*(1,) * new, *x.shape])
    shape, axes = list(x.shape), list(x.axes)
    for k, n in enumerate(sizes):
        if type(n) is not int or n in (-1, shape[k]) or shape[k] != 1:
            continue
        if axes[k] >= 0:
            return aten.end([x], f"one value spread over space ({name})")
        shape[k], axes[k] = n, REPEAT if axes[k] == BATCH else axes[k]
    copied = any(role == CHANNEL and m != n for role, m, n in zip(axes, x.shape, shape, strict=True))
    if copied:
        return aten.elementwise([x, Flow(tuple(shape), (BATCH,) * len(shape))], name)
    return x._replace(shape=tuple(shape), axes=tuple(axes))


RULES: dict[str, Rule] = {
    **dict.fromkeys(["view", "reshape", "unsafe_view", "reshape_as", "view_as", "view_copy"], _view),
    **dict.fromkeys(["transpose", "transpose_copy", "swapaxes", "swapdims", "t", "numpy_T"], _transpose),
    **dict.fromkeys(["expand", "expand_as", "expand_copy"], _expand),
    **dict.fromkeys(["squeeze", "squeeze_copy"], _squeeze),
    **dict.fromkeys(["unsqueeze", "unsqueeze_copy"], unsqueeze),
    **dict.fromkeys(["permute", "permute_copy"], _permute),
    **dict.fromkeys(["movedim", "moveaxis"], _movedim),
    "flatten": _flatten,
    "unflatten": _unflatten,
}
