"""Resizing and padding."""

from __future__ import annotations

from collections.abc import Sequence
from operator import index
from typing import Any

from sicjax.networks.graph import CHANNEL, Flow, Unreachable, pad, resize, spread
from sicjax.networks.torch.aten._aten import Aten, rules
from sicjax.networks.torch.aten._values import UNKNOWN, dimensions

# PyTorch's coefficients of cubic interpolation, without and with antialiasing.
_CUBIC = {False: -0.75, True: -0.5}


@rules(
    "upsample_nearest1d upsample_nearest2d upsample_nearest3d",
    "upsample_nearest_exact1d upsample_nearest_exact2d upsample_nearest_exact3d",
)
def _nearest(aten: Aten, name: str, x: Flow, output_size: Any = None, *factors: Any, **named: Any) -> Flow:
    return _resized(aten, name, x, output_size, [factors, *_factors(named)], mode="nearest")


@rules("upsample_linear1d upsample_bilinear2d upsample_trilinear3d upsample_bicubic2d")
@rules("upsample_bilinear2d_aa upsample_bicubic2d_aa")
def _interpolated(
    aten: Aten, name: str, x: Flow, output_size: Any = None, align_corners: Any = False, *factors: Any, **named: Any
) -> Flow:
    antialias = name.endswith("_aa")
    return _resized(
        aten,
        name,
        x,
        output_size,
        [factors, *_factors(named)],
        mode="cubic" if "cubic" in name else "linear",
        centres="align_corners" if align_corners is True else "half_pixel",
        antialias=antialias,
        coefficient=_CUBIC[antialias],
    )


def _factors(named: dict[str, Any]) -> list[Any]:
    """One list of factors in some versions of an operator, one factor an axis in others."""
    return [named.get(key) for key in ("scale_factors", "scales", "scales_d", "scales_h", "scales_w")]


def _resized(aten: Aten, name: str, x: Flow, output_size: Any, factors: Sequence[Any], **how: Any) -> Flow:
    axes, space = dimensions(name), x.shape[2:]
    if len(space) != axes:
        raise ValueError(f"{len(x.shape)} axes")
    stated = list(_numbers(factors))
    by = stated if len(stated) == axes else [index(m) / n for m, n in zip(output_size, space, strict=True)]
    sizes = [n * f for n, f in zip(space, by, strict=True)] if by is stated else output_size
    shape = (*x.shape[:2], *(max(int(n), 1) for n in sizes))
    # A fixed size says nothing where the size before is a guess; one that is computed from that is a multiple of it.
    if not aten.exact and by is not stated and (min(by) < 1 or len(set(by)) > 1):
        raise Unreachable("a resize to a size that is not known", shape=shape)
    return resize(aten.graph, x, shape, factors=spread(by, len(x.shape), channels_last=False), **how)


def _numbers(values: Any) -> Any:
    for value in values:
        if isinstance(value, (list, tuple)):
            yield from _numbers(value)
        elif value is not None:
            yield value


@rules(
    "constant_pad_nd pad pad_circular pad_enum",
    "reflection_pad1d reflection_pad2d reflection_pad3d replication_pad1d replication_pad2d replication_pad3d",
)
def _pad(
    aten: Aten, name: str, x: Flow, amounts: Sequence[Any] = (), mode: Any = "constant", *_: Any, **named: Any
) -> Flow:
    """Padding, and cropping where negative; amounts are from the last axis on."""
    amounts = list(named.get("pad", named.get("padding", amounts)))
    if not x.shape:
        return x
    before, after = [0] * len(x.shape), [0] * len(x.shape)
    for k in range(len(amounts) // 2):
        for places, n in ((before, amounts[2 * k]), (after, amounts[2 * k + 1])):
            # Convolutions meet whatever space was added; that of channels must be known.
            places[-1 - k] = 0 if n is UNKNOWN and x.axes[-1 - k] != CHANNEL else index(n)
    constant = name == "constant_pad_nd" or (name == "pad" and mode == "constant")
    return pad(x, before, after, constant_value=constant)
