"""Operators of PyTorch that join values and cut them into parts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from sicjax.networks import _operations
from sicjax.networks._aten import MOST_CHANNELS, UNKNOWN, Aten, Parameter, Rule, flows
from sicjax.networks._aten_places import select, taken
from sicjax.networks._aten_shapes import axis_of, unsourced, unsqueeze
from sicjax.networks._flow import BATCH, CHANNEL, Flow

# Parts that a value is cut into.
_MOST_PARTS = 10_000


def _cat(aten: Aten, name: str, x: list[Any], dim: int = 0, **_: Any) -> Flow:
    values = [Flow(v.array.shape, (BATCH,) * v.array.ndim) if isinstance(v, Parameter) else v for v in x]
    xs = list(flows(values))
    sourced = [v for v in xs if v.sources]
    if not sourced:
        return unsourced(next((v for v in xs if v.origin), xs[0]))
    lead = sourced[0]
    axis = axis_of(dim, lead)
    if lead.axes[axis] != CHANNEL:
        return aten.elementwise([v if v.sources else unsourced(v) for v in xs], name)
    if len(xs) != len(x) or any(len(v.shape) != len(lead.shape) for v in xs):
        return aten.end(xs, f"{name} with a value of a shape that is not known", lead.shape)
    if any(v.axes != lead.axes for v in sourced):
        return aten.end(xs, f"{name} of values with other axes", lead.shape)
    if sum(v.shape[axis] for v in xs) * len(sourced) > MOST_CHANNELS:
        raise ValueError(f"more than {MOST_CHANNELS:,} channels")
    return _operations.concatenate(xs, axis)


def _stack(aten: Aten, name: str, x: list[Any], dim: int = 0, **_: Any) -> Flow:
    new = [unsqueeze(aten, name, v, dim) if isinstance(v, Flow) else v for v in x]
    fixed = [v._replace(array=np.expand_dims(v.array, dim)) if isinstance(v, Parameter) else v for v in new]
    rank = next((len(v.shape) for v in new if isinstance(v, Flow) and v.sources), 0)
    return _cat(aten, name, fixed, dim % rank if rank else 0)


def _split(aten: Aten, name: str, x: Flow, split_size: Any = None, dim: int = 0, **named: Any) -> Any:
    sizes = next((named[k] for k in ("split_sizes", "indices_or_sections") if k in named), split_size)
    if not x.sources:
        return [unsourced(x)] * len(sizes) if isinstance(sizes, (list, tuple)) else UNKNOWN
    if isinstance(sizes, (list, tuple)):
        return _ranges(x, dim, sizes)
    return _ranges(x, dim, [sizes] * _parts(-(-x.shape[axis_of(dim, x)] // sizes)))


def _chunk(aten: Aten, name: str, x: Flow, chunks: int, dim: int = 0) -> list[Flow]:
    if not x.sources:
        return [unsourced(x)] * _parts(chunks)
    size = x.shape[axis_of(dim, x)]
    each = -(-size // chunks)
    return _ranges(x, dim, [each] * _parts(-(-size // each)))


def _tensor_split(aten: Aten, name: str, x: Flow, where: Any, dim: int = 0) -> list[Flow]:
    if not x.sources:
        return [unsourced(x)] * _parts(where if type(where) is int else len(where) + 1)
    size = x.shape[axis_of(dim, x)]
    if type(where) is int:
        return _ranges(x, dim, [size // where + (k < size % where) for k in range(_parts(where))])
    stops = [0, *(range(size)[: n if n >= 0 else n + size].stop for n in where), size]
    return _ranges(x, dim, [max(b - a, 0) for a, b in zip(stops, stops[1:], strict=False)])


def _parts(count: int) -> int:
    if type(count) is not int or not 0 < count <= _MOST_PARTS:
        raise ValueError(f"{count!r:.40} parts")
    return count


def _ranges(x: Flow, dim: int, sizes: Sequence[int]) -> list[Flow]:
    found, at = [], 0
    for size in sizes:
        found.append(taken(x, axis_of(dim, x), slice(at, at + size)))
        at += size
    return found


def _unbind(aten: Aten, name: str, x: Flow, dim: int = 0) -> Any:
    return [select(aten, name, x, dim, k) for k in range(_parts(x.shape[axis_of(dim, x)]))] if x.sources else UNKNOWN


def _glu(aten: Aten, name: str, x: Flow, dim: int = -1) -> Flow:
    return aten.elementwise(_chunk(aten, name, x, 2, dim), name)


RULES: dict[str, Rule] = {
    **dict.fromkeys(["cat", "concat", "concatenate"], _cat),
    **dict.fromkeys(["chunk", "unsafe_chunk"], _chunk),
    **dict.fromkeys(["split", "unsafe_split", "split_with_sizes", "unsafe_split_with_sizes"], _split),
    "glu": _glu,
    "split_with_sizes_copy": _split,
    "stack": _stack,
    "tensor_split": _tensor_split,
    "unbind": _unbind,
}
