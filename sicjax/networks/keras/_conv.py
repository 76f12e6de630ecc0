"""Convolutions of Keras as layers."""

from __future__ import annotations

import numpy as np

from sicjax.networks import graph
from sicjax.networks.graph import Flow, Layer
from sicjax.networks.keras._call import Call, rules

rules("conv convtranspose depthwiseconv separableconv")(graph.ends("a convolution whose kernel is not that of a layer"))


@rules("conv#")
def _conv(call: Call) -> Flow:
    kernel = call.kernel(("kernel",), 0, None, call.get("filters"))
    return _convolved(call, call.place.path, kernel, call.get("groups", default=1))


@rules("conv#transpose")
def _transposed(call: Call) -> Flow:
    """Keras keeps the kernel as `(*k, out, in)`."""
    kernel = call.kernel(("kernel",), 0, call.get("filters"), None).swapaxes(-1, -2)
    return _convolved(call, call.place.path, kernel, 1, up=True)


@rules("depthwiseconv#")
def _depthwise(call: Call) -> Flow:
    kernel = call.kernel(("depthwise_kernel", "kernel"), 0, None, call.get("depth_multiplier"))
    return _convolved(call, call.place.path, *_grouped(kernel))


@rules("separableconv#")
def _separable(call: Call) -> Flow:
    depthwise = call.kernel(("depthwise_kernel",), 0, None, call.get("depth_multiplier"))
    plain = call._replace(settings={"data_format": call.get("data_format"), "kernel_size": 1})
    inputs = depthwise.shape[-2] * depthwise.shape[-1]
    pointwise = plain.kernel(("pointwise_kernel",), 1, inputs, call.get("filters"))
    x = _convolved(call, f"{call.place.path}/depthwise", *_grouped(depthwise))
    return _convolved(plain._replace(flows=[x]), f"{call.place.path}/pointwise", pointwise, 1)


def _grouped(kernel: np.ndarray) -> tuple[np.ndarray, int]:
    """A depthwise kernel `(*k, in, multiplier)` as one with a group for each input channel."""
    *k, inputs, multiplier = kernel.shape
    return kernel.reshape(*k, 1, inputs * multiplier), inputs


def _convolved(call: Call, path: str, kernel: np.ndarray, groups: int, *, up: bool = False) -> Flow:
    layer = Layer(path, kernel, call.each("strides", 1), call.each("dilation_rate", 1), groups, up)
    same = call.get("padding") in ("same", "causal")
    space = []
    sizes = zip(call.space, kernel.shape, layer.stride, layer.dilation, call.optional("output_padding"), strict=False)
    for n, k, stride, dilation, more in sizes:
        reach = (k - 1) * dilation + 1
        if not up:
            space.append(graph.windowed(n, 1 if same else reach, stride))
        elif more is None:
            space.append(n * stride + (0 if same else max(reach - stride, 0)))
        else:
            space.append(graph.transposed(n, reach % 2 if same else reach, stride, more=more))
    order = graph.roles(call.rank, call.channels_last)
    return call.graph.convolve(call.x, layer, call.image(space, layer.outputs), order)
