"""Operators of PyTorch that change the number of places: pooling, reductions and resizing."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from sicjax.networks import _operations, _spatial
from sicjax.networks._aten import UNKNOWN, Aten, Rule
from sicjax.networks._aten_conv import at
from sicjax.networks._flow import CHANNEL, Flow

# Branches that a reduction may add up.
_MOST_BRANCHES = 64


def _axes(name: str) -> int:
    return next(int(letter) for letter in name if letter.isdigit())


def _pool(
    aten: Aten, name: str, x: Flow, kernel_size: Any, stride: Any = None, padding: Any = 0, *rest: Any, **named: Any
):
    """Average and maximum pooling; `rest` starts with the dilation of a maximum."""
    axes, linear = _axes(name), name.startswith("avg")
    sizes = _spatial.per_axis(kernel_size, axes)
    strides = _spatial.per_axis(stride or sizes, axes)
    if not x.sources:
        return Flow((), (), origin=x.origin)
    if len(x.shape) != axes + 2:
        return aten.end([x], f"{name} along an axis that is not spatial")
    dilation = 1 if linear else named.get("dilation", rest[0] if rest else 1)
    ceil = named.get("ceil_mode", (rest[0] if rest else False) if linear else (rest[1] if len(rest) > 1 else False))
    space = []
    for k, n in enumerate(x.shape[2:]):
        places = n + 2 * at(padding or 0, k) - (sizes[k] - 1) * at(dilation, k) - 1
        space.append((-(-places // strides[k]) if ceil else places // strides[k]) + 1)
    shape = _spatial.image(x, x.shape[1], space, channels_last=False)
    if linear:
        return _spatial.average_pool(aten.graph, x, shape, name, sizes, strides)
    return _spatial.max_pool(aten.graph, x, shape, name, strides)


def _pool_with_indices(aten, name, *args, **named):
    return _pool(aten, name, *args, **named), UNKNOWN


def _adaptive_pool(aten, name, x, output_size, *_, **__):
    if x.sources and len(x.shape) > 2:
        sizes = [at(output_size, k) for k in range(len(x.shape) - 2)]
        shape = (*x.shape[:2], *(n if type(n) is int and n > 0 else 1 for n in sizes))
        what = "global" if set(sizes) == {1} else "adaptive"
        x = aten.end([x], f"{what} pooling ({name})", shape)
    return (x, UNKNOWN) if "max" in name else x


def _upsample(aten: Aten, name: str, x: Flow, output_size: Any = None, *rest: Any, **named: Any) -> Flow:
    """Nearest-neighbour and linear upsampling by whole factors."""
    axes, linear = _axes(name), "linear" in name
    if not x.sources:
        return Flow((), (), origin=x.origin)
    align = named.get("align_corners", rest[0] if linear and rest else False)
    # One list of factors in some versions of an operator, one factor an axis in others.
    factors = [named[key] for key in ("scale_factors", "scales", "scales_d", "scales_h", "scales_w") if named.get(key)]
    factors += [f for f in rest[1 if linear else 0 :] if f]
    flat = [f for part in factors for f in (part if isinstance(part, (list, tuple)) else [part])]
    if len(flat) != axes:
        if not isinstance(output_size, (list, tuple)) or len(output_size) != axes or len(x.shape) != axes + 2:
            return aten.end([x], f"{name} to a size that is not known")
        flat = [m / n for m, n in zip(output_size, x.shape[2:], strict=True)]
    ups = [round(f) for f in flat]
    shape = _spatial.image(x, x.shape[1], [n * f for n, f in zip(x.shape[2:], flat, strict=True)], channels_last=False)
    if any(u != f or u < 1 for u, f in zip(ups, flat, strict=True)):
        return aten.end([x], f"{name} by {'x'.join(f'{f:.4g}' for f in flat)}, not by a whole factor", shape)
    if align is True:
        aten.graph.note("a resize with align_corners is treated as one without, which is what it is inside")
    return _spatial.upsample(aten.graph, x, shape, name, ups, linear=linear)


def _reduced(aten, name, x, dim=None, keepdim=False, *_, **__):
    """A mean, a sum or an extreme: no pair reaches across one over space or channels."""
    if isinstance(dim, Flow):
        return aten.elementwise([x, dim])
    if not x.sources:
        return Flow((), (), origin=x.origin)
    dims = range(len(x.shape)) if dim in (None, []) else [dim] if isinstance(dim, int) else dim
    gone = {d % len(x.shape) for d in dims}
    space = any(x.axes[k] >= 0 for k in gone)
    kept = tuple(1 if k in gone else n for k, n in enumerate(x.shape) if keepdim or k not in gone)
    if all(x.axes[k] == CHANNEL for k in gone):
        whole = [k for k, role in enumerate(x.axes) if role == CHANNEL and k not in gone and x.shape[k] > 1]
        if whole and math.prod(x.shape[k] for k in gone) <= _MOST_BRANCHES:
            found = _over_branches(x, sorted(gone), kept)
            return aten.end([x], f"a reduction ({name})", kept) if found is None else found
    return aten.end([x], f"global pooling ({name})" if space else f"a reduction ({name})", kept)


def _over_branches(x: Flow, axes: list[int], shape: tuple[int, ...]) -> Flow | None:
    """A reduction of one of several channel axes: channels of parallel branches are added up."""
    branches = [x]
    for axis in axes:
        branches = [_operations.index(x, axis, np.array([k])) for x in branches for k in range(x.shape[axis])]
    return _operations.reshape(_operations.elementwise(branches, branches[0].shape), shape)


def _numbered(*names: str) -> list[str]:
    return [name.replace("#", str(n)) for name in names for n in (1, 2, 3)]


RULES: dict[str, Rule] = {
    **dict.fromkeys(_numbered("avg_pool#d", "max_pool#d"), _pool),
    **dict.fromkeys(_numbered("max_pool#d_with_indices"), _pool_with_indices),
    **dict.fromkeys(_numbered("adaptive_avg_pool#d", "adaptive_max_pool#d"), _adaptive_pool),
    **dict.fromkeys(_numbered("upsample_nearest#d", "upsample_nearest_exact#d"), _upsample),
    **dict.fromkeys(["upsample_linear1d", "upsample_bilinear2d", "upsample_trilinear3d"], _upsample),
    **dict.fromkeys(
        """mean sum amax amin max min std var var_mean std_mean prod logsumexp argmax argmin any all norm
        linalg_vector_norm""".split(),
        _reduced,
    ),
}
