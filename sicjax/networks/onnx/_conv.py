"""Convolutions of ONNX, plain, transposed and quantised, as layers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from sicjax._errors import InputError
from sicjax.networks._flow import BATCH, CHANNEL, Flow
from sicjax.weights import layer_name, to_flax
from sicjax.networks._network import Layer
from sicjax.networks._onnx_step import Operator, Step, Value
from sicjax.networks._onnx_tensors import Constant
from sicjax.networks._spatial import LONGEST, too_far

# Stands for a size along space that the file leaves open; halves often enough for any network.
OPEN_SIZE = 256


def convolution(x: int = 0, w: int = 1, *, transposed: bool = False) -> Operator:
    """The operator whose inputs number `x` and `w` are the value and the kernel."""
    return Operator(lambda step: _conv(step, x, w, transposed), always=True)


def _conv(step: Step, x_at: int, w_at: int, transposed: bool) -> Flow:
    graph = step.graph
    weights = step.inputs[w_at] if w_at < len(step.inputs) else None
    if weights is None or weights.constant is None:
        graph.skip(step.label, "its kernel is computed from the input")
        return step.end(f"a convolution whose kernel is computed from the input ({step.label})")
    try:
        kernel, path = _kernel(step, weights.constant, w_at), _path(step, weights.constant)
        axes = kernel.ndim - 2
        groups = int(step.attribute("group", 1))
        stride = _per_axis(step.attribute("strides"), axes)
        dilation = _per_axis(step.attribute("dilations"), axes)
        if axes < 1 or groups < 1 or kernel.shape[0] % groups:
            raise ValueError(f"a kernel of shape {kernel.shape} in {groups} groups")
    except InputError:
        raise
    except Exception as error:  # a constant that cannot be computed, settings that do not fit together
        graph.skip(step.label, f"its kernel cannot be used: {str(error) or type(error).__name__:.100}")
        return step.end(f"a convolution that cannot be used ({step.label})")
    layer = Layer(path, to_flax(kernel, "IOHW" if transposed else "OIHW", groups), stride, dilation, groups, transposed)
    x = _as_image(step, step.inputs[x_at], layer)
    # What decides the kernel's scale, such as a computed scale of quantised weights, is no input of the convolution.
    spatial = step.shape[2:] if step.shape is not None and len(step.shape) == axes + 2 else ()
    shape = (
        x.shape[0] if x.shape else 1,
        layer.outputs,
        *(max(n, 1) for n in spatial or (OPEN_SIZE,) * axes),
    )
    up, down = (stride, (1,) * axes) if transposed else ((1,) * axes, stride)
    if any(too_far(graph, source, up, (), layer) for source in x.sources):
        x = graph.end([x], x.shape, f"filters over too many places before {layer.path}")
    return graph.conv(x, layer, shape, (BATCH, CHANNEL, *range(axes)), up=up, down=down)


def _as_image(step: Step, value: Value | None, layer: Layer) -> Flow:
    """The input with axes (batch, channel, space...); without its convolutions if they are not what they seem."""
    x = Flow((), ()) if value is None else value.flow
    if not x.sources:
        return x
    n = len(layer.stride)
    graph = step.graph
    expected = (BATCH, CHANNEL, *range(n))
    fits = len(x.axes) == n + 2 and all(
        role == want or (want >= 0 and role == BATCH and size == 1)
        for role, want, size in zip(x.axes, expected, x.shape, strict=True)
    )
    if not fits or any(len(source.down) != n for source in x.sources):
        return graph.end([x], x.shape, f"{layer.path} takes other axes as channels and space")
    return x._replace(axes=expected)


def _kernel(step: Step, held: Constant, w_at: int) -> np.ndarray:
    """`OIHW`, in floating point; of quantised weights what they stand for."""
    array = held.value
    op = step.node.op_type
    if op in ("QLinearConv", "ConvInteger"):
        zero = step.constant(5 if op == "QLinearConv" else 3)
        scale = step.constant(4) if op == "QLinearConv" else None
        along = lambda v: np.reshape(np.asarray(v, np.float32), (-1,) + (1,) * (array.ndim - 1))
        array = array.astype(np.float32)
        array = array if zero is None else array - along(zero)
        # Without a scale the kernels are right up to it, and no ratio depends on it.
        return array if scale is None else array * along(scale)
    return array if array.dtype in (np.float32, np.float64, np.float16) else array.astype(np.float32)


def _path(step: Step, held: Constant) -> str:
    """The kernel's name without `.weight`, else the node's."""
    name = held.name.removesuffix("_quantized")
    path = layer_name(name)
    return path if path != name else step.node.name or held.name or step.label


def _per_axis(values: Sequence[int] | None, axes: int) -> tuple[int, ...]:
    found = tuple(int(v) for v in values) if values else (1,) * axes
    if len(found) != axes or min(found, default=1) < 1 or max(found, default=1) > LONGEST:
        raise ValueError(f"strides or dilations {found} for {axes} axes")
    return found


def as_standard(node: Any) -> Any:
    """A convolution that ONNX Runtime fused with what follows, as the one it came from."""
    if node.op_type != "FusedConv":
        return node
    plain = type(node)()
    plain.CopyFrom(node)
    plain.op_type, plain.domain = "Conv", ""
    del plain.input[3:]
    for attribute in [a for a in plain.attribute if a.name.startswith("activation")]:
        plain.attribute.remove(attribute)
    return plain
