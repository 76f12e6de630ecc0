"""Resizing and padding."""

from __future__ import annotations

from collections.abc import Sequence
from operator import index
from typing import Any

from sicjax.networks.graph import CHANNEL, Flow, Unreachable, pad, resize, spread
from sicjax.networks.torch.aten._aten import rules
from sicjax.networks.torch.aten._values import UNKNOWN, dimensions

# PyTorch's coefficients of cubic interpolation, without and with antialiasing.
_CUBIC = {False: -0.75, True: -0.5}


@rules(
    "upsample_nearest1d upsample_nearest2d upsample_nearest3d",
    "upsample_nearest_exact1d upsample_nearest_exact2d upsample_nearest_exact3d",
)
def _nearest(aten, name, x: Flow, output_size: Any = None, *factors: Any) -> Flow:
    return _resized(aten, name, x, output_size, factors, mode="nearest")


@rules("upsample_linear1d upsample_bilinear2d upsample_trilinear3d upsample_bicubic2d")
@rules("upsample_bilinear2d_aa upsample_bicubic2d_aa")
def _interpolated(aten, name, x: Flow, output_size: Any = None, align_corners: Any = False, *factors: Any) -> Flow:
    antialias = name.endswith("_aa")
    return _resized(
        aten,
        name,
        x,
        output_size,
        factors,
        mode="cubic" if "cubic" in name else "linear",
        centres="align_corners" if align_corners is True else "half_pixel",
        antialias=antialias,
        coefficient=_CUBIC[antialias],
    )


def _resized(aten, name, x: Flow, output_size: Any, factors: Sequence[Any], **how: Any) -> Flow:
    axes, space = dimensions(name), x.shape[2:]
    if len(space) != axes:
        raise ValueError(f"{len(x.shape)} axes")
    # One list of factors in some versions of an operator, one factor an axis in others.
    stated = [f for part in factors for f in (part if isinstance(part, (list, tuple)) else [part]) if f is not None]
    by = stated if len(stated) == axes else [index(m) / n for m, n in zip(output_size, space, strict=True)]
    sizes = [n * f for n, f in zip(space, by, strict=True)] if by is stated else output_size
    shape = (*x.shape[:2], *(max(int(n), 1) for n in sizes))
    # A fixed size says nothing where the size before is a guess; one that is computed from that is a multiple of it.
    if not aten.exact and by is not stated and (min(by) < 1 or len(set(by)) > 1):
        raise Unreachable("a resize to a size that is not known", shape=shape)
    return resize(aten.graph, x, shape, factors=spread(by, len(x.shape), channels_last=False), **how)


@rules(
    "constant_pad_nd pad pad_circular pad_enum",
    "reflection_pad1d reflection_pad2d reflection_pad3d replication_pad1d replication_pad2d replication_pad3d",
)
def _pad(aten, name, x: Flow, amounts: Sequence[Any], mode: Any = "constant", *_: Any) -> Flow:
    """Padding, and cropping where negative; amounts are from the last axis on."""
    if not x.shape:
        return x
    before, after = [0] * len(x.shape), [0] * len(x.shape)
    for k in range(len(amounts) // 2):
        for places, n in ((before, amounts[2 * k]), (after, amounts[2 * k + 1])):
            # Convolutions meet whatever space was added; that of channels must be known.
            places[-1 - k] = 0 if n is UNKNOWN and x.axes[-1 - k] != CHANNEL else index(n)
    constant = name == "constant_pad_nd" or (name == "pad" and mode == "constant")
    return pad(x, before, after, constant_value=constant)
