"""Operators of PyTorch on parameters alone, computed: what scales and shapes kernels, and small fixed indices."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from sicjax.networks.graph import Rules
from sicjax.networks.torch.aten._values import UNKNOWN

# Values made of nothing: a few bytes of a program can ask for any number.
LARGEST_MADE = 2**20

rules = Rules()
rules.update(
    abs=np.abs,
    add=lambda a, b, alpha=1: a + alpha * b,
    amax=lambda a, dim=None, keepdim=False: a.max(axis=_axes(dim), keepdims=keepdim),
    cat=lambda parts, dim=0: np.concatenate(parts, dim),
    clamp=lambda a, low=None, high=None: np.clip(a, low, high),
    clamp_max=np.minimum,
    clamp_min=np.maximum,
    dim=np.ndim,
    div=lambda a, b, mode=None: a / b if mode is None else np.floor_divide(a, b) if mode == "floor" else UNKNOWN,
    dot=np.dot,
    eq=np.equal,
    exp=np.exp,
    expand_as=lambda a, other: np.broadcast_to(a, other.shape),
    flip=np.flip,
    floor=np.floor,
    floor_divide=np.floor_divide,
    ge=np.greater_equal,
    gt=np.greater,
    le=np.less_equal,
    lt=np.less,
    matmul=np.matmul,
    maximum=np.maximum,
    mean=lambda a, dim=None, keepdim=False, *_: a.mean(axis=_axes(dim), keepdims=keepdim),
    minimum=np.minimum,
    mm=np.matmul,
    mul=np.multiply,
    mv=np.matmul,
    ne=np.not_equal,
    neg=np.negative,
    numel=np.size,
    ones_like=lambda a, *_: np.ones_like(a),
    permute=np.transpose,
    pow=np.power,
    reciprocal=np.reciprocal,
    reshape_as=lambda a, other: a.reshape(other.shape),
    rsqrt=lambda a: 1 / np.sqrt(a),
    sigmoid=lambda a: 1 / (1 + np.exp(-a)),
    sign=np.sign,
    softplus=lambda a, beta=1, *_: np.logaddexp(0, beta * a) / beta,
    sqrt=np.sqrt,
    square=np.square,
    std=lambda a, *how, **named: np.sqrt(_var_mean(a, *how, **named)[0]),
    std_mean=lambda a, *how, **named: (np.sqrt((found := _var_mean(a, *how, **named))[0]), found[1]),
    sub=lambda a, b, alpha=1: a - alpha * b,
    sum=lambda a, dim=None, keepdim=False, *_: a.sum(axis=_axes(dim), keepdims=keepdim),
    t=np.transpose,
    tanh=np.tanh,
    transpose=np.swapaxes,
    unsqueeze=np.expand_dims,
    vdot=np.dot,
    view_as=lambda a, other: a.reshape(other.shape),
    where=np.where,
    zeros_like=lambda a, *_: np.zeros_like(a),
)


def _axes(dim: Any) -> Any:
    return (tuple(dim) or None) if isinstance(dim, (list, tuple)) else dim


@rules("dequantize_per_channel")
def _dequantize_per_channel(a: np.ndarray, scales: np.ndarray, zeros: Any, axis: int, *_: Any) -> np.ndarray:
    along = lambda v: np.reshape(np.asarray(v, np.float32), [-1 if k == axis else 1 for k in range(a.ndim)])
    return (a - (0 if zeros is None else along(zeros))) * along(scales)


@rules("dequantize_per_tensor")
def _dequantize_per_tensor(a: np.ndarray, scale: float, zero: int, *_: Any) -> np.ndarray:
    return (a.astype(np.float32) - zero) * np.float32(scale)


@rules("alias bfloat16 clone contiguous cpu cuda data detach double float half lift_fresh lift_fresh_copy to to_copy")
@rules("type_as")
def same(a: Any, *_: Any) -> Any:
    return a if isinstance(a, (np.ndarray, np.generic)) else UNKNOWN


def _var_mean(a: np.ndarray, dim: Any = None, correction: Any = 1, keepdim: bool = False) -> tuple[Any, Any]:
    less = 1 if correction is None else int(correction)
    return a.var(axis=_axes(dim), ddof=less, keepdims=keepdim), a.mean(axis=_axes(dim), keepdims=keepdim)


rules.update(var=lambda a, *how, **named: _var_mean(a, *how, **named)[0], var_mean=_var_mean)


@rules("norm linalg_vector_norm")
def _norm(a: np.ndarray, order: Any = 2, dim: Any = None, keepdim: bool = False, *_: Any) -> np.ndarray:
    axes, order = _axes(dim), 2 if order is None else order
    if order == math.inf:
        return np.abs(a).max(axis=axes, keepdims=keepdim)
    return (np.abs(a) ** order).sum(axis=axes, keepdims=keepdim) ** (1 / order)


@rules("norm_except_dim")
def _norm_except(v: np.ndarray, order: Any = 2, dim: int = 0) -> np.ndarray:
    axes = tuple(k for k in range(v.ndim) if dim == -1 or k != dim)
    return _norm(v, order, axes, True)


@rules("weight_norm weight_norm_interface")
def _weight_norm(v: np.ndarray, g: np.ndarray, dim: int = 0) -> np.ndarray:
    return (v * (g / _norm_except(v, 2, dim))).astype(v.dtype)


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


@rules("device")
def _device(name: str, *_: Any) -> str:
    return name


@rules("size sym_size")
def _size(a: np.ndarray, dim: int | None = None) -> Any:
    return list(a.shape) if dim is None else a.shape[dim]


@rules("reshape view")
def _reshape(a: np.ndarray, size: Any, *_: Any) -> np.ndarray:
    return a.reshape(size)


@rules("flatten")
def _flatten(a: np.ndarray, start: int = 0, end: int = -1) -> np.ndarray:
    start, end = range(a.ndim)[start], range(a.ndim)[end]
    return a.reshape([*a.shape[:start], -1, *a.shape[end + 1 :]])


@rules("squeeze")
def _squeeze(a: np.ndarray, dim: Any = None) -> np.ndarray:
    dims = range(a.ndim) if dim is None else [dim] if isinstance(dim, int) else dim
    return np.squeeze(a, tuple(d for d in dims if a.shape[d] == 1))


@rules("expand")
def _expand(a: np.ndarray, size: Sequence[int], *_: Any) -> np.ndarray:
    old = [*(1,) * (len(size) - a.ndim), *a.shape]
    return np.broadcast_to(a, [o if n == -1 else n for o, n in zip(old, size, strict=True)])


@rules("select")
def _select(a: np.ndarray, dim: int, index: int) -> np.ndarray:
    return np.take(a, index, axis=dim)


@rules("slice")
def _slice(a: np.ndarray, dim: int = 0, start: Any = None, end: Any = None, step: int = 1) -> np.ndarray:
    return a[(slice(None),) * range(a.ndim)[dim] + (slice(start, end, step),)]


@rules("index")
def _index(a: np.ndarray, indices: Sequence[Any], *_: Any) -> np.ndarray:
    return a[tuple(slice(None) if k is None else np.asarray(k) for k in indices)]


@rules("arange")
def _arange(*limits: Any) -> Any:
    limits = limits[:-4] if len(limits) > 4 else limits  # without how it is kept
    start, end, step = (0, *limits, 1)[-3:] if len(limits) == 1 else (*limits, 1)[:3]
    numbers = all(isinstance(v, (int, float)) and math.isfinite(v) for v in (start, end, step))
    return np.arange(start, end, step) if numbers and step and (end - start) / step <= LARGEST_MADE else UNKNOWN


@rules("tensor")
def _tensor(values: Any, *_: Any) -> Any:
    """Numbers that a program lists."""
    found = np.asarray(values)
    return found if found.dtype.kind in "biuf" else UNKNOWN


@rules("zeros")
def _zeros(size: Any, *_: Any) -> Any:
    return _full(size, 0)


@rules("ones")
def _ones(size: Any, *_: Any) -> Any:
    return _full(size, 1)


@rules("full")
def _full(size: Any, value: Any, *_: Any) -> Any:
    known = isinstance(size, (list, tuple)) and all(type(n) is int and n >= 0 for n in size)
    number = isinstance(value, (int, float))
    return np.full(size, value, np.float32) if known and number and math.prod(size) <= LARGEST_MADE else UNKNOWN
