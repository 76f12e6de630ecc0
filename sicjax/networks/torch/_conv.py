"""Convolutions of PyTorch as layers."""

from __future__ import annotations

from typing import Any

import numpy as np

from sicjax.networks import _spatial
from sicjax.networks._aten import Aten, Parameter, Rule
from sicjax.networks._flow import Flow
from sicjax.weights import layer_name
from sicjax.networks._network import Layer


def convolution(
    aten: Aten,
    name: str,
    x: Any,
    weight: Any,
    bias: Any = None,
    stride: Any = 1,
    padding: Any = 0,
    dilation: Any = 1,
    transposed: bool = False,
    output_padding: Any = 0,
    groups: int = 1,
    *_: Any,
    **__: Any,
) -> Flow:
    if not isinstance(x, Flow):
        fixed = isinstance(x, Parameter)
        x = aten.graph.input(x.array.shape if fixed else (), "a constant" if fixed else "a value that is not known")
    if not isinstance(weight, Parameter):
        return aten.end([x, weight], aten.skip_computed(name, weight))
    aten.end([bias], f"a bias ({name})")
    kernel = np.asarray(weight.array)
    axes = kernel.ndim - 2
    if kernel.dtype.kind not in "fV" or axes < 1 or type(groups) is not int:
        raise ValueError(f"a kernel of shape {kernel.shape} and {kernel.dtype} in {groups!r:.20} groups")
    if groups < 1 or kernel.shape[0] % groups:
        raise ValueError(f"a kernel of shape {kernel.shape} in {groups} groups")
    stride, dilation = _spatial.per_axis(stride, axes), _spatial.per_axis(dilation, axes)
    space = x.shape[2:] if len(x.shape) == axes + 2 else _spatial.OPEN_SIZES[:axes]
    grown = []
    for k, n in enumerate(space):
        full, pad, extra = (kernel.shape[2 + k] - 1) * dilation[k], at(padding, k), at(output_padding, k)
        around = {"same": full, "valid": 0}[pad] if isinstance(pad, str) else 2 * pad if type(pad) is int else full
        if transposed:
            grown.append((n - 1) * stride[k] - around + full + 1 + (extra if type(extra) is int else 0))
        else:
            grown.append((n + around - full - 1) // stride[k] + 1)
    flax = aten.kernel(weight, bool(transposed), groups)
    aten.take(x, weight, axes, kernel.shape[0] if transposed else kernel.shape[1] * groups)
    layer = Layer(layer_name(weight.name), flax, stride, dilation, groups, bool(transposed))
    return _spatial.convolution(aten.graph, x, layer, grown, channels_last=False)


def at(setting: Any, k: int) -> Any:
    """A setting along an axis, from one for all or one each."""
    return setting[k % len(setting)] if isinstance(setting, (list, tuple)) else setting


def _conv(aten, name, x, weight, bias=None, stride=1, padding=0, dilation=1, groups=1):
    padding = padding if isinstance(padding, str) or not isinstance(padding, list) or padding else 0
    return convolution(aten, name, x, weight, bias, stride, padding, dilation, False, 0, groups)


def _conv_transpose(aten, name, x, weight, bias=None, stride=1, padding=0, output_padding=0, groups=1, dilation=1):
    return convolution(aten, name, x, weight, bias, stride, padding, dilation, True, output_padding, groups)


RULES: dict[str, Rule] = {
    **dict.fromkeys(["convolution", "convolution_overrideable", "cudnn_convolution"], convolution),
    **dict.fromkeys(["conv1d", "conv2d", "conv3d", "convolution_mode"], _conv),
    **{f"conv_transpose{n}d": _conv_transpose for n in (1, 2, 3)},
}
