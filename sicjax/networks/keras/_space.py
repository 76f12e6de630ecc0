"""Layers of Keras that change the number of places: pooling, resizing, margins."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from sicjax.networks._filters import linear_filter
from sicjax.networks._flow import Flow
from sicjax.networks._keras_call import Call, Rule


def places(size: int, reach: int, stride: int, same: bool) -> int:
    """How many places come out of a window."""
    return -(-size // stride) if same else (size - reach) // stride + 1


def _pool(call: Call) -> Flow:
    sizes = call.each("pool_size", 2)
    strides = call.each("strides", sizes)
    same = call.get("padding") == "same"
    space = [places(n, k, s, same) for n, k, s in zip(call.space, sizes, strides, strict=True)]
    shape = call.resized(space)
    if max(space) == 1 and all(n == k > 1 for n, k in zip(call.space, sizes, strict=True)):
        return call.end(f"global pooling {call.kind} ({call.path})", shape)
    if call.kind.startswith("Max"):
        if call.x.sources:
            call.graph.note("max pooling has no linear form: it is taken as its stride alone")
        return call.resampled(shape, down=strides)
    return call.resampled(shape, taps=[np.ones(k) for k in sizes], down=strides)


def _upsampling(call: Call) -> Flow:
    return _upsampled(call, call.each("size", 2))


def _resized(call: Call) -> Flow:
    """A resize to a size that is stated, by whole factors."""
    size = call.get("size") or (call.get("height"), call.get("width"))
    factors = [m / n for m, n in zip(size, call.space, strict=True)]
    downs = [round(1 / f) for f in factors]
    even = len(set(factors)) == 1 or not (call.get("crop_to_aspect_ratio") or call.get("pad_to_aspect_ratio"))
    if even and all(f == round(f) for f in factors):
        return _upsampled(call, [round(f) for f in factors])
    whole = all(n == m * d for n, m, d in zip(call.space, size, downs, strict=True))
    if whole and even and _mode(call) == "nearest":
        return call.resampled(call.resized(size), down=downs)
    by = "x".join(f"{f:.4g}" for f in factors)
    return call.end(f"{call.kind} by {by}, not by a whole factor ({call.path})", call.resized(size))


def _mode(call: Call) -> str:
    """How places are filled in; layers that upsample have another default than those that resize."""
    return call.get("interpolation", call.get("method", "nearest" if "UpSampling" in call.kind else "bilinear"))


def _upsampled(call: Call, up: Sequence[int]) -> Flow:
    mode = _mode(call)
    shape = call.resized([n * u for n, u in zip(call.space, up, strict=True)])
    if mode not in ("nearest", "bilinear"):
        return call.end(f"{mode} {call.kind} ({call.path})", shape)
    taps = [np.ones(u) if mode == "nearest" else linear_filter(u) for u in up]
    return call.resampled(shape, up=up, taps=taps)


def _margins(call: Call) -> Flow:
    """Zero padding and cropping: what is inside stays as it is."""
    crop = call.kind.startswith("Cropping")
    margins = call.get("cropping" if crop else "padding", 1)
    margins = [margins] * call.rank if call.rank == 1 or isinstance(margins, int) else margins
    totals = [2 * m if isinstance(m, int) else sum(m) for m in margins]
    return call.shaped(call.resized([n - t if crop else n + t for n, t in zip(call.space, totals, strict=True)]))


def _center(call: Call) -> Flow:
    return call.shaped(call.resized([call.get("height"), call.get("width")]))


def _global(call: Call) -> Flow:
    channels = call.resized((1,) * call.rank)
    flat = tuple(n for k, n in enumerate(channels) if k in (0, 1 if call.channels_first else call.rank + 1))
    return call.end(f"global pooling {call.kind} ({call.path})", channels if call.get("keepdims") else flat)


def _adaptive(call: Call) -> Flow:
    return call.end(f"adaptive pooling {call.kind} ({call.path})", call.resized(call.each("output_size", 1)))


POOLS: dict[str, Rule] = {
    **dict.fromkeys(["maxpooling#", "averagepooling#", "maxpool", "averagepool"], _pool),
    **dict.fromkeys(["globalaveragepooling#", "globalmaxpooling#"], _global),
    **dict.fromkeys(["adaptiveaveragepooling#", "adaptivemaxpooling#"], _adaptive),
    **dict.fromkeys(["resizing", "resize"], _resized),
    **dict.fromkeys(["zeropadding#", "cropping#"], _margins),
    "upsampling#": _upsampling,
    "centercrop": _center,
}
