"""Operators of PyTorch on parameters alone, computed: what scales and shapes kernels, and small fixed indices."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from sicjax.networks._aten import UNKNOWN, Rule

_MOST_MADE = 2**20


def _dims(dim: Any) -> Any:
    return (tuple(dim) or None) if isinstance(dim, (list, tuple)) else dim


def _size(a: np.ndarray, dim: int | None = None) -> Any:
    return list(a.shape) if dim is None else a.shape[dim]


def _norm(a: np.ndarray, order: Any = 2, dim: Any = None, keepdim: bool = False, *_: Any) -> np.ndarray:
    axes, order = _dims(dim), 2 if order is None else order
    if order == math.inf:
        return np.abs(a).max(axis=axes, keepdims=keepdim)
    return (np.abs(a) ** order).sum(axis=axes, keepdims=keepdim) ** (1 / order)


def _norm_except(v: np.ndarray, order: Any = 2, dim: int = 0) -> np.ndarray:
    axes = tuple(k for k in range(v.ndim) if dim == -1 or k != dim)
    return _norm(v, order, axes, True)


def _weight_norm(v: np.ndarray, g: np.ndarray, dim: int = 0) -> np.ndarray:
    return (v * (g / _norm_except(v, 2, dim))).astype(v.dtype)


def _flatten(a: np.ndarray, start: int = 0, end: int = -1) -> np.ndarray:
    start, end = range(a.ndim)[start], range(a.ndim)[end]
    return a.reshape([*a.shape[:start], -1, *a.shape[end + 1 :]])


def _squeeze(a: np.ndarray, dim: Any = None) -> np.ndarray:
    dims = range(a.ndim) if dim is None else [dim] if isinstance(dim, int) else dim
    return np.squeeze(a, tuple(d for d in dims if a.shape[d] == 1))


def _slice(a: np.ndarray, dim: int = 0, start: Any = None, end: Any = None, step: int = 1) -> np.ndarray:
    return a[(slice(None),) * range(a.ndim)[dim] + (slice(start, end, step),)]


def _expand(a: np.ndarray, size: Sequence[int], *_: Any) -> np.ndarray:
    old = [*(1,) * (len(size) - a.ndim), *a.shape]
    return np.broadcast_to(a, [o if n == -1 else n for o, n in zip(old, size, strict=True)])


def _index(a: np.ndarray, indices: Sequence[Any], *_: Any) -> np.ndarray:
    return a[tuple(slice(None) if k is None else np.asarray(k) for k in indices)]


def _arange(*limits: Any) -> Any:
    start, end, step = (0, *limits, 1)[-3:] if len(limits) == 1 else (*limits, 1)[:3]
    numbers = all(isinstance(v, (int, float)) and math.isfinite(v) for v in (start, end, step))
    return np.arange(start, end, step) if numbers and step and (end - start) / step <= _MOST_MADE else UNKNOWN


def _filled(value: float) -> Rule:
    def made(size: Any, *_: Any) -> Any:
        known = isinstance(size, (list, tuple)) and all(type(n) is int and 0 <= n for n in size)
        return np.full(size, value, np.float32) if known and math.prod(size) <= _MOST_MADE else UNKNOWN

    return made


def _full(size: Any, value: Any, *_: Any) -> Any:
    return _filled(value)(size) if isinstance(value, (int, float)) else UNKNOWN


def _dequantized(a: np.ndarray, scales: np.ndarray, zeros: Any, axis: int) -> np.ndarray:
    along = lambda v: np.reshape(np.asarray(v, np.float32), [-1 if k == axis else 1 for k in range(a.ndim)])
    return (a - (0 if zeros is None else along(zeros))) * along(scales)


def _same(a: Any, *_: Any) -> Any:
    return a if isinstance(a, (np.ndarray, np.generic)) else UNKNOWN


def _shaped(a: np.ndarray, size: Any, *_: Any) -> np.ndarray:
    return a.reshape(size)


ON_PARAMETERS: dict[str, Rule] = {
    "abs": np.abs,
    "add": lambda a, b, alpha=1: a + alpha * b,
    "amax": lambda a, dim=None, keepdim=False: a.max(axis=_dims(dim), keepdims=keepdim),
    "arange": _arange,
    "clamp_min": np.maximum,
    "div": lambda a, b, mode=None: a / b if mode is None else np.floor_divide(a, b) if mode == "floor" else UNKNOWN,
    "dequantize_per_channel": lambda a, scales, zeros, axis, *_: _dequantized(a, scales, zeros, axis),
    "dequantize_per_tensor": lambda a, scale, zero, *_: (a.astype(np.float32) - zero) * np.float32(scale),
    "dot": np.dot,
    "exp": np.exp,
    "expand": _expand,
    "flatten": _flatten,
    "floor": np.floor,
    "full": _full,
    "index": _index,
    "linalg_vector_norm": _norm,
    "matmul": np.matmul,
    "maximum": np.maximum,
    "mean": lambda a, dim=None, keepdim=False, *_: a.mean(axis=_dims(dim), keepdims=keepdim),
    "mm": np.matmul,
    "mul": np.multiply,
    "mv": np.matmul,
    "neg": np.negative,
    "norm": _norm,
    "norm_except_dim": _norm_except,
    "ones": _filled(1),
    "permute": lambda a, order: a.transpose(order),
    "pow": np.power,
    "reciprocal": np.reciprocal,
    "reshape": _shaped,
    "rsqrt": lambda a: 1 / np.sqrt(a),
    "select": lambda a, dim, index: np.take(a, index, axis=dim),
    "sigmoid": lambda a: 1 / (1 + np.exp(-a)),
    "size": _size,
    "slice": _slice,
    "softplus": lambda a, beta=1, *_: np.logaddexp(0, beta * a) / beta,
    "sqrt": np.sqrt,
    "square": np.square,
    "squeeze": _squeeze,
    "sub": lambda a, b, alpha=1: a - alpha * b,
    "sum": lambda a, dim=None, keepdim=False, *_: a.sum(axis=_dims(dim), keepdims=keepdim),
    "sym_size": _size,
    "t": np.transpose,
    "tanh": np.tanh,
    "transpose": np.swapaxes,
    "unsqueeze": np.expand_dims,
    "var": lambda a, dim=None, ddof=1, keepdim=False: a.var(axis=_dims(dim), ddof=int(ddof), keepdims=keepdim),
    "vdot": np.dot,
    "view": _shaped,
    "weight_norm": _weight_norm,
    "weight_norm_interface": _weight_norm,
    "zeros": _filled(0),
    "dim": lambda a: a.ndim,
    "numel": lambda a: int(a.size),
    "contiguous": _same,
    **dict.fromkeys("alias clone detach lift_fresh lift_fresh_copy to to_copy".split(), _same),
    **dict.fromkeys("float half double bfloat16 data cpu cuda type_as".split(), _same),
}
