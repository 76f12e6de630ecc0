"""Convolutions, plain, transposed and quantised, as layers."""

from __future__ import annotations

import numpy as np

from sicjax.networks import graph
from sicjax.networks.graph import COMPUTED, Flow, Layer, Unreachable, per_axis
from sicjax.networks.onnx._step import Step, rules
from sicjax.networks.onnx._tensors import Constant
from sicjax.weights import layer_name, to_flax


@rules("Conv ConvTranspose ConvInteger QLinearConv")
def _conv(step: Step) -> Flow:
    kernel, transposed, groups = _kernel(step), step.node.op_type == "ConvTranspose", step.attribute("group", 1)
    axes, kernel = kernel.ndim - 2, to_flax(kernel, "IOHW" if transposed else "OIHW", groups)
    stride, dilation = (per_axis(step.attribute(name, 1), axes) for name in ("strides", "dilations"))
    layer = Layer(path_of(step), kernel, stride, dilation, groups, transposed)
    stated = step.shapes[0] or ()
    space = stated[2:] if len(stated) == axes + 2 else graph.space_of(step.x, axes, channels_last=False)
    shape = graph.image(step.x, layer.outputs, space, channels_last=False)
    return step.graph.convolve(step.x, layer, shape, graph.roles(axes, channels_last=False))


@rules("com.microsoft.FusedConv")
def _fused_conv(step: Step) -> Flow:
    """With a bias, a sum with another value, and an activation."""
    found, other = _conv(step), step.input(3)
    return found if other is None else graph.elementwise(step.graph, [found, other.flow], step.node.op_type)


def _kernel(step: Step) -> np.ndarray:
    """`OIHW`, in floating point; of quantised weights what they stand for."""
    op, held = step.node.op_type, _held(step)
    if held is None:
        raise Unreachable(COMPUTED)
    array = held.value
    if op in ("QLinearConv", "ConvInteger"):
        zero = step.constant(5 if op == "QLinearConv" else 3)
        scale = step.constant(4) if op == "QLinearConv" else None
        along = lambda v: np.reshape(np.asarray(v, np.float32), (-1,) + (1,) * (array.ndim - 1))
        array = array.astype(np.float32)
        array = array if zero is None else array - along(zero)
        # Without a scale the kernels are right up to it, and no ratio depends on it.
        return array if scale is None else array * along(scale)
    return array if array.dtype in (np.float32, np.float64, np.float16) else array.astype(np.float32)


def path_of(step: Step) -> str:
    """The kernel's name without `.weight`, else the node's."""
    held = _held(step)
    name = held.name.removesuffix("_quantized") if held is not None else ""
    path = layer_name(name)
    return path if path != name else step.node.name or name or step.label


def _held(step: Step) -> Constant | None:
    kernel = step.input(3 if step.node.op_type == "QLinearConv" else 1)
    return None if kernel is None else kernel.held
