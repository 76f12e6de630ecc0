"""Operators of PyTorch on parameters alone, computed: what scales and shapes kernels, and small fixed indices.

As long as they ask for no more than real networks do: a few bytes of a program can ask for any number.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from sicjax._limits import OverLimit, make
from sicjax.networks.graph import Rules
from sicjax.networks.torch.aten._values import UNKNOWN, Parameter, parameters

# Numbers made of nothing, and those computed from parameters.
_LARGEST_MADE = 2**20
_LARGEST = 2**26
# Of several values, which do not meet each with each: what comes out is as large as the first.
_AS_LARGE = ("batch_norm", "dequantize_per_channel", "layer_norm", "reshape_as", "view_as")
# Arguments before which others may be left out.
_NAMED = ("correction", "keepdim")
# Arguments that say how a value is kept, not what it is.
_STORAGE = ("dtype", "memory_format", "layout", "device", "pin_memory")


def compute(name: str, args: list[Any], kwargs: dict[str, Any]) -> Any:
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
        if (
            rule is None
            or UNKNOWN in (given[:1] if rule is _same else [*given, *named.values()])
            or bound > max(_LARGEST, size)
        ):
            return UNKNOWN
        make(4 * bound, name)
        with np.errstate(all="ignore"):
            found = rule(*_arrays(given), **named)
    except OverLimit:
        raise
    except (ValueError, TypeError, LookupError, OverflowError, AttributeError, MemoryError):
        return UNKNOWN
    if isinstance(found, tuple):
        return [Parameter(largest.name if largest else "a constant", np.asarray(part)) for part in found]
    if np.size(found) > (max(_LARGEST, size) if largest else _LARGEST_MADE):
        return UNKNOWN
    if not isinstance(found, (np.ndarray, np.generic)):
        return found
    return Parameter(largest.name if largest else "a constant", np.asarray(found))


def _arrays(values: list[Any]) -> list[Any]:
    """Parameters as their arrays, those in a list too."""
    of = lambda v: v.array if isinstance(v, Parameter) else v
    return [[of(part) for part in v] if type(v) is list else of(v) for v in values]


rules = Rules()
rules.table({name: getattr(np, name) for name in "abs exp flip floor floor_divide maximum".split()})
rules.table({name: getattr(np, name) for name in "minimum reciprocal sign sqrt square tanh where".split()})
rules.table(
    {
        "add": lambda a, b, alpha=1: a + alpha * b,
        "amax": lambda a, dim=None, keepdim=False: a.max(axis=_axes(dim), keepdims=keepdim),
        "cat": lambda parts, dim=0: np.concatenate(parts, dim),
        "clamp": lambda a, low=None, high=None: np.clip(a, low, high),
        "clamp_max": np.minimum,
        "clamp_min": np.maximum,
        "device": lambda name, *_: name,
        "dim": np.ndim,
        "div": lambda a, b, mode=None: a / b if mode is None else np.floor_divide(a, b) if mode == "floor" else UNKNOWN,
        "dequantize_per_tensor": lambda a, scale, zero, *_: (a.astype(np.float32) - zero) * np.float32(scale),
        "eq": np.equal,
        "expand_as": lambda a, other: np.broadcast_to(a, other.shape),
        "flatten": lambda a, start=0, end=-1: a.reshape([*a.shape[:start], -1, *a.shape[end + 1 or a.ndim :]]),
        "full": lambda size, value, *_: _full(size, value),
        "ge": np.greater_equal,
        "gt": np.greater,
        "index": lambda a, places, *_: a[tuple(slice(None) if k is None else np.asarray(k) for k in places)],
        "le": np.less_equal,
        "lt": np.less,
        "mean": lambda a, dim=None, keepdim=False, *_: a.mean(axis=_axes(dim), keepdims=keepdim),
        "mul": np.multiply,
        "ne": np.not_equal,
        "neg": np.negative,
        "numel": np.size,
        "ones": lambda size, *_: _full(size, 1),
        "ones_like": lambda a, *_: np.ones_like(a),
        "permute t": np.transpose,
        "pow": np.power,
        "reshape view": lambda a, size, *_: a.reshape(size),
        "reshape_as view_as": lambda a, other: a.reshape(other.shape),
        "rsqrt": lambda a: 1 / np.sqrt(a),
        "select": lambda a, dim, index: np.take(a, index, axis=dim),
        "sigmoid": lambda a: 1 / (1 + np.exp(-a)),
        "size sym_size": lambda a, dim=None: list(a.shape) if dim is None else a.shape[dim],
        "softplus": lambda a, beta=1, *_: np.logaddexp(0, beta * a) / beta,
        "std": lambda a, *how, **named: np.sqrt(_var_mean(a, *how, **named)[0]),
        "std_mean": lambda a, *how, **named: (np.sqrt((found := _var_mean(a, *how, **named))[0]), found[1]),
        "sub": lambda a, b, alpha=1: a - alpha * b,
        "sum": lambda a, dim=None, keepdim=False, *_: a.sum(axis=_axes(dim), keepdims=keepdim),
        "transpose": np.swapaxes,
        "unsqueeze": np.expand_dims,
        "var": lambda a, *how, **named: _var_mean(a, *how, **named)[0],
        "weight_norm weight_norm_interface": lambda v, g, dim=0: (v * (g / _norm_except(v, 2, dim))).astype(v.dtype),
        "zeros": lambda size, *_: _full(size, 0),
        "zeros_like": lambda a, *_: np.zeros_like(a),
    }
)


@rules("dot matmul mm mv vdot")
def _product(a: np.ndarray, b: np.ndarray) -> np.ndarray | np.generic:
    make(a.size * b.shape[-1] // 16 if b.ndim > 1 else 0, "a product of parameters")  # the time that it takes
    return np.matmul(a, b)


def _axes(dim: Any) -> Any:
    return (tuple(dim) or None) if isinstance(dim, (list, tuple)) else dim


@rules("var_mean")
def _var_mean(a: np.ndarray, dim: Any = None, correction: Any = 1, keepdim: bool = False) -> tuple[Any, Any]:
    less = 1 if correction is None else int(correction)
    return a.var(axis=_axes(dim), ddof=less, keepdims=keepdim), a.mean(axis=_axes(dim), keepdims=keepdim)


@rules("dequantize_per_channel")
def _dequantize_per_channel(a: np.ndarray, scales: np.ndarray, zeros: Any, axis: int, *_: Any) -> np.ndarray:
    along = lambda v: np.reshape(np.asarray(v, np.float32), [-1 if k == axis else 1 for k in range(a.ndim)])
    return (a - (0 if zeros is None else along(zeros))) * along(scales)


@rules("alias bfloat16 clone contiguous cpu cuda data detach double float half lift_fresh lift_fresh_copy to to_copy")
@rules("type_as")
def _same(a: Any, *_: Any) -> Any:
    return a if isinstance(a, (np.ndarray, np.generic)) else UNKNOWN


@rules("norm linalg_vector_norm")
def _norm(a: np.ndarray, order: Any = 2, dim: Any = None, keepdim: bool = False, *_: Any) -> Any:
    axes, order = _axes(dim), 2 if order is None else order
    if order == math.inf:
        return np.abs(a).max(axis=axes, keepdims=keepdim)
    return (np.abs(a) ** order).sum(axis=axes, keepdims=keepdim) ** (1 / order)


@rules("norm_except_dim")
def _norm_except(v: np.ndarray, order: Any = 2, dim: int = 0) -> np.ndarray:
    return _norm(v, order, [k for k in range(v.ndim) if dim == -1 or k != dim], True)


@rules("batch_norm")
def _batch_norm(
    a: np.ndarray, weight: Any, bias: Any, mean: Any, var: Any, training: bool, momentum: float, eps: float, *_: Any
) -> np.ndarray:
    """As in weight standardisation, where each filter is made a channel."""
    axes, along = tuple(k for k in range(a.ndim) if k != 1), [-1 if k == 1 else 1 for k in range(a.ndim)]
    if training or mean is None:
        mean, var = a.mean(axes), a.var(axes)
    scale = (1 if weight is None else weight) / np.sqrt(var + eps)
    shift = (0 if bias is None else bias) - mean * scale
    return (a * scale.reshape(along) + shift.reshape(along)).astype(a.dtype)


@rules("layer_norm")
def _layer_norm(
    a: np.ndarray, shape: Any, weight: Any = None, bias: Any = None, eps: float = 1e-5, *_: Any
) -> np.ndarray:
    axes = tuple(range(a.ndim - len(shape), a.ndim))
    found = (a - a.mean(axes, keepdims=True)) / np.sqrt(a.var(axes, keepdims=True) + eps)
    return (found * (1 if weight is None else weight) + (0 if bias is None else bias)).astype(a.dtype)


@rules("squeeze")
def _squeeze(a: np.ndarray, dim: Any = None) -> np.ndarray:
    dims = range(a.ndim) if dim is None else [dim] if isinstance(dim, int) else dim
    return np.squeeze(a, tuple(d for d in dims if a.shape[d] == 1))


@rules("expand")
def _expand(a: np.ndarray, size: Any, *_: Any) -> np.ndarray:
    old = [*(1,) * (len(size) - a.ndim), *a.shape]
    return np.broadcast_to(a, [o if n == -1 else n for o, n in zip(old, size, strict=True)])


@rules("slice")
def _slice(a: np.ndarray, dim: int = 0, start: Any = None, end: Any = None, step: int = 1) -> np.ndarray:
    return a[(slice(None),) * range(a.ndim)[dim] + (slice(start, end, step),)]


@rules("arange")
def _arange(*limits: Any) -> Any:
    limits = limits[:-4] if len(limits) > 4 else limits  # without how it is kept
    start, end, step = (0, *limits, 1)[-3:] if len(limits) == 1 else (*limits, 1)[:3]
    numbers = all(isinstance(v, (int, float)) and math.isfinite(v) for v in (start, end, step))
    return np.arange(start, end, step) if numbers and step and (end - start) / step <= _LARGEST_MADE else UNKNOWN


@rules("tensor")
def _tensor(values: Any, *_: Any) -> Any:
    """Numbers that a program lists."""
    found = np.asarray(values)
    return found if found.dtype.kind in "biuf" else UNKNOWN


def _full(size: Any, value: Any) -> Any:
    known = isinstance(size, (list, tuple)) and all(type(n) is int and n >= 0 for n in size)
    number = isinstance(value, (int, float))
    return np.full(size, value, np.float32) if known and number and math.prod(size) <= _LARGEST_MADE else UNKNOWN
