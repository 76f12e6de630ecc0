"""Convolutions of PyTorch as layers."""

from __future__ import annotations

from typing import Any

from sicjax.networks import graph
from sicjax.networks.graph import OPEN_SIZES, Flow, Layer, constant, per_axis
from sicjax.networks.torch.aten._aten import rules
from sicjax.networks.torch.aten._values import UNKNOWN, Parameter, along
from sicjax.weights import layer_name


@rules("convolution convolution_overrideable cudnn_convolution")
def _convolution(
    aten, name, x, weight, bias=None, stride=1, padding=0, dilation=1, transposed=False, output_padding=0, groups=1, *_
):
    if isinstance(x, Parameter):
        x = constant(x.array.shape, "a constant")
    elif not isinstance(x, Flow):
        x = aten.graph.input((), "a value that is not known")
    aten.end([bias], f"a bias ({name})")
    if not isinstance(weight, Parameter):
        raise aten.kernels.why_computed(aten.graph, weight)
    kernel = aten.kernels.take(weight, transposed=transposed, groups=groups)
    axes = kernel.ndim - 2
    stride, dilation = per_axis(stride, axes), per_axis(dilation, axes)
    layer = Layer(layer_name(weight.name), kernel, stride, dilation, groups, bool(transposed))
    if not x.sources and not x.shape and x.origin:
        aten.learned.setdefault(x.origin, (1, layer.inputs, *OPEN_SIZES[:axes]))
    known = len(x.shape) in (axes + 1, axes + 2)
    batch = x.shape[: -axes - 1] if known else (1,)  # the batch may be left out
    space = x.shape[-axes:] if known else OPEN_SIZES[:axes]
    sizes = [_places(n, k, layer, padding, output_padding) for k, n in enumerate(space)]
    order = graph.roles(axes, channels_last=False)[1 - len(batch) :]
    return aten.graph.convolve(x, layer, (*batch, layer.outputs, *sizes), order)


def _places(size: int, axis: int, layer: Layer, padding: Any, output_padding: Any) -> int:
    """How many places come out along an axis."""
    window, stride, dilation = layer.kernel.shape[axis], layer.stride[axis], layer.dilation[axis]
    same, amount = (window - 1) * dilation, along(padding or 0, axis)
    amount = "same" if amount is UNKNOWN else amount
    around = {"same": same, "valid": 0}[amount] if isinstance(amount, str) else 2 * amount
    if layer.transposed:
        more = along(output_padding or 0, axis)
        more = 0 if more is UNKNOWN else more
        return max(graph.transposed(size, window, stride, dilation, around=around, more=more), 1)
    return max(graph.windowed(size, window, stride, dilation, around=around), 1)


@rules("conv1d conv2d conv3d convolution_mode")
def _conv(aten, name, x, weight, bias=None, stride=1, padding=0, dilation=1, groups=1):
    return _convolution(aten, name, x, weight, bias, stride, padding, dilation, False, 0, groups)


@rules("conv_transpose1d conv_transpose2d conv_transpose3d")
def _conv_transpose(aten, name, x, weight, bias=None, stride=1, padding=0, output_padding=0, groups=1, dilation=1):
    return _convolution(aten, name, x, weight, bias, stride, padding, dilation, True, output_padding, groups)
