"""What each operator of ONNX does to the convolutions that reach it."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from sicjax.networks._flow import BATCH, CHANNEL, REPEAT, Flow
from sicjax.weights import layer_name
from sicjax.networks._onnx_conv import convolution
from sicjax.networks._onnx_pool import pool, resampled, resize, statistic
from sicjax.networks._onnx_step import Operator, Step
from sicjax.networks._operations import concatenate, index, reshape, transpose


def operator(step: Step) -> Operator:
    """How a node is followed; an operator that is not known ends what reaches it."""
    known = _MICROSOFT if step.domain == "com.microsoft" else _ONNX if step.domain == "" else {}
    return known.get(step.node.op_type, _UNKNOWN)


def pointwise(step: Step) -> Flow:
    """Acts on each place alone, on all its operands."""
    return _pointwise(step, step.flows)


def _pointwise(step: Step, flows: list[Flow]) -> Flow:
    lead = max((flow for flow in flows if flow.sources), key=lambda flow: (len(flow.shape), math.prod(flow.shape)))
    shape = lead.shape if step.shape is None or len(step.shape) < len(lead.shape) else step.shape
    return step.graph.elementwise(flows, shape, step.node.op_type)


def first_operand(step: Step) -> Flow:
    """Acts on each place of its first operand; the others are settings."""
    return _pointwise(step, [step.x]) if step.x.sources else step.end(f"a setting of {step.label}")


def normalisation(step: Step) -> Flow:
    step.graph.note(f"{step.node.op_type} is treated as scaling")
    return first_operand(step)


def _pad(step: Step) -> Flow:
    x = step.x
    pads = step.setting("pads", 1) or step.setting("paddings", 1)
    axes = step.setting("axes", 3) or list(range(len(x.shape)))
    if pads is None or step.shape is None or len(pads) != 2 * len(axes):
        same = step.shape is not None and all(
            role >= 0 or n == old for role, n, old in zip(x.axes, step.shape, x.shape, strict=True)
        )
        return x._replace(shape=step.shape) if same else step.end(f"a Pad whose amounts are not known ({step.label})")
    for k, axis in enumerate(axes):
        axis = range(len(x.shape))[axis]
        before, after = pads[k], pads[k + len(axes)]
        size = x.shape[axis] + before + after
        if x.axes[axis] != CHANNEL:
            x = x._replace(shape=(*x.shape[:axis], size, *x.shape[axis + 1 :]))
            continue
        if max(before, after) > 0 and step.attribute("mode", "constant") != "constant":
            return step.end(f"a Pad that repeats channels ({step.label})")
        x = index(x, axis, np.arange(max(-before, 0), x.shape[axis] - max(-after, 0)))
        empty = lambda n, x=x, axis=axis: Flow((*x.shape[:axis], max(n, 0), *x.shape[axis + 1 :]), x.axes)
        x = concatenate([empty(before), x, empty(after)], axis)
    return x


def _concat(step: Step) -> Flow:
    flows = [value.flow for value in step.inputs if value is not None]
    with_sources = [flow for flow in flows if flow.sources]
    axis = range(len(with_sources[0].shape))[step.attribute("axis", 1)]
    known = all(len(flow.shape) == len(with_sources[0].shape) for flow in flows)
    if not known or len({flow.axes for flow in with_sources}) > 1:
        return step.end(f"a Concat of values with other axes ({step.label})")
    return concatenate(flows, axis)


def _split(step: Step) -> Flow | list[Flow]:
    x = step.x
    axis = range(len(x.shape))[step.attribute("axis", 0)]
    sizes = [None if shape is None else shape[axis] for shape in step.shapes]
    if None in sizes or sum(n or 0 for n in sizes) != x.shape[axis]:
        return [step.end(f"a Split whose sizes are not known ({step.label})") for _ in step.shapes]
    stops = np.cumsum([n or 0 for n in sizes])
    return [index(x, axis, np.arange(stop - (n or 0), stop)) for stop, n in zip(stops, sizes, strict=True)]


def _slice(step: Step) -> Flow:
    x = step.x
    starts, stops = step.setting("starts", 1), step.setting("ends", 2)
    if starts is None or stops is None:
        # Crops of space to another value's size are computed.
        same = step.shape is not None and all(
            role >= 0 or n == old for role, n, old in zip(x.axes, step.shape, x.shape, strict=True)
        )
        if same and (len(step.inputs) < 5 or set(step.setting("steps", 4) or [0]) == {1}):
            return x._replace(shape=step.shape)
        return step.end(f"a Slice whose places are not known ({step.label})")
    axes = step.setting("axes", 3) or list(range(len(starts)))
    steps = step.setting("steps", 4) or [1] * len(starts)
    for start, stop, axis, by in zip(starts, stops, axes, steps, strict=True):
        axis = range(len(x.shape))[axis]
        stop = None if by < 0 and stop < -x.shape[axis] else stop
        places = np.arange(x.shape[axis])[start:stop:by]
        x = _picked(step, x, axis, places)
        if not x.sources:
            return x
    return x


def _picked(step: Step, x: Flow, axis: int, places: np.ndarray) -> Flow:
    """Some places along an axis; along space only those at equal steps."""
    if x.axes[axis] < 0 or len(places) == 0:
        return index(x, axis, places)
    steps = np.unique(np.diff(places)) if len(places) > 1 else np.ones(1, int)
    if len(places) == 1 < x.shape[axis] or len(steps) > 1 or steps[0] < 1:
        return step.end(f"single places, or places in another order ({step.label})")
    down = [int(steps[0]) if k == axis else 1 for k in range(len(x.shape))]
    return resampled(step, x, (*x.shape[:axis], len(places), *x.shape[axis + 1 :]), down=down)


def _gather(step: Step) -> Flow:
    x = step.x
    indices = step.constant(1)
    if indices is None or not x.sources or step.shape is None:
        return step.end(f"a Gather whose places are not known ({step.label})")
    axis = range(len(x.shape))[step.attribute("axis", 0)]
    # From the end where they are negative, and not beyond the end.
    places = np.arange(x.shape[axis])[np.reshape(indices, -1).astype(int)]
    x = _picked(step, x, axis, places)
    found = reshape(x, step.shape)
    return step.end(f"a Gather that mixes channels and space ({step.label})") if found is None else found


def fits(step: Step) -> bool:
    """Whether a reshape has a shape, and one for as many numbers: with open sizes it can be a guess."""
    return step.shape is not None and math.prod(step.shape) == math.prod(step.x.shape)


def reshaping(step: Step) -> Flow:
    if not fits(step):
        return step.end(f"a {step.node.op_type} to a shape that is not known ({step.label})")
    found = reshape(step.x, step.shape or ())
    # As it is: what follows tells whether it comes back, see `Value`.
    return step.x if found is None else found


def _transpose(step: Step) -> Flow:
    return transpose(step.x, step.attribute("perm") or list(range(len(step.x.shape)))[::-1])


def _expand(step: Step) -> Flow:
    """Copies along axes of size 1."""
    x, shape = step.x, step.shape
    if shape is None or len(shape) < len(x.shape):
        return step.end(f"an Expand to a shape that is not known ({step.label})")
    found = _pointwise(step, [x])
    new = len(shape) - len(x.shape)
    copied = [n > 1 and (k < new or x.shape[k - new] == 1) for k, n in enumerate(shape)]
    axes = [REPEAT if role == BATCH and c else role for role, c in zip(found.axes, copied, strict=True)]
    return found._replace(axes=tuple(axes))


def _tile(step: Step) -> Flow:
    x, repeats = step.x, step.setting("repeats", 1)
    if repeats is None or step.shape is None or len(repeats) != len(x.shape):
        return step.end(f"a Tile whose repeats are not known ({step.label})")
    for axis, n in enumerate(repeats):
        if n != 1 and x.axes[axis] >= 0:
            return step.end(f"a Tile of space ({step.label})")
        copied = x.axes[axis] == BATCH and x.shape[axis] == 1 < n
        x = index(x, axis, np.tile(np.arange(x.shape[axis]), n))
        x = x._replace(axes=(*x.axes[:axis], REPEAT, *x.axes[axis + 1 :])) if copied else x
    return x


def _random(step: Step) -> Flow:
    return step.without_sources(step.shape, "random numbers")


def _dense(step: Step) -> str:
    constants = [
        v.constant for v in step.inputs if v is not None and v.constant is not None and len(v.constant.shape) > 1
    ]
    if not constants:
        return f"a product of two values, as in attention ({step.label})"
    path = layer_name(constants[0].name)
    return f"a dense layer ({path if path != constants[0].name else step.label})"


def _unknown(step: Step) -> Flow:
    reason = f"operator {step.node.op_type} ({step.domain or 'ai.onnx'}) is not known"
    if "Conv" in step.node.op_type:
        step.graph.skip(step.label, reason)
    return step.end(reason)


def _ends(reason: Callable[[Step], str]) -> Operator:
    """An operator that no pair reaches across."""
    return Operator(lambda step: step.end(reason(step)), always=True, ends=True)


_FIRST_OPERAND = """BatchNormalization Cast CastLike Clip Dropout Identity PRelu DequantizeLinear
    DynamicQuantizeLinear QuantizeLinear""".split()
POINTWISE = frozenset(
    """Abs Acos Acosh Add Affine And Asin Asinh Atan Atanh BitShift BitwiseAnd BitwiseNot BitwiseOr BitwiseXor Ceil Celu
    Cos Cosh Div Elu Equal Erf Exp Floor Gelu Greater GreaterOrEqual HardSigmoid HardSwish IsInf IsNaN LeakyRelu Less
    LessOrEqual Log Max Mean Min Mish Mod Mul Neg Not Or ParametricSoftplus Pow Reciprocal Relu Round ScaledTanh Selu
    Shrink Sigmoid Sign Sin Sinh Softplus Softsign Sqrt Sub Sum Swish Tan Tanh ThresholdedRelu Where Xor""".split()
)
NOT_CONSTANT = frozenset("RandomNormal RandomUniform RandomNormalLike RandomUniformLike Multinomial Bernoulli".split())
NOT_CONSTANT |= {"If", "Loop", "Scan"}

_GATES = _ends(lambda step: "a softmax")
_PRODUCT = _ends(_dense)
_RECURRENT = _ends(lambda step: f"a recurrent layer ({step.label})")
_BODY = _ends(lambda step: f"a {step.node.op_type} ({step.label})")
_UNKNOWN = Operator(_unknown, always=True, ends=True)
_STATISTIC = Operator(statistic, always=True)
_SHUFFLE = _ends(lambda step: f"a rearrangement of channels and space ({step.node.op_type})")


_ONNX: dict[str, Operator] = {
    **dict.fromkeys(POINTWISE, Operator(pointwise)),
    **dict.fromkeys(_FIRST_OPERAND, Operator(first_operand)),
    **dict.fromkeys(
        """InstanceNormalization GroupNormalization LayerNormalization RMSNormalization LpNormalization LRN
        MeanVarianceNormalization""".split(),
        Operator(normalisation),
    ),
    **dict.fromkeys(
        """GlobalAveragePool GlobalMaxPool GlobalLpPool ReduceMean ReduceMax ReduceMin ReduceSum ReduceProd ReduceL1
        ReduceL2 ReduceLogSum ReduceLogSumExp ReduceSumSquare""".split(),
        _STATISTIC,
    ),
    **dict.fromkeys(["Reshape", "Flatten", "Squeeze", "Unsqueeze"], Operator(reshaping)),
    **dict.fromkeys(["AveragePool", "MaxPool"], Operator(pool)),
    **dict.fromkeys(["Resize", "Upsample"], Operator(resize)),
    **dict.fromkeys(["MatMul", "Gemm", "Einsum", "MatMulInteger", "QLinearMatMul", "Attention"], _PRODUCT),
    **dict.fromkeys(["LSTM", "GRU", "RNN"], _RECURRENT),
    **dict.fromkeys(["If", "Loop", "Scan"], _BODY),
    **dict.fromkeys(["DepthToSpace", "SpaceToDepth"], _SHUFFLE),
    **dict.fromkeys(["Softmax", "LogSoftmax", "Hardmax"], _GATES),
    **dict.fromkeys(NOT_CONSTANT - {"If", "Loop", "Scan", "Multinomial", "Bernoulli"}, Operator(_random)),
    "Conv": convolution(),
    "ConvTranspose": convolution(transposed=True),
    "ConvInteger": convolution(),
    "QLinearConv": convolution(0, 3),
    "Concat": Operator(_concat),
    "Split": Operator(_split),
    "Slice": Operator(_slice),
    "Gather": Operator(_gather),
    "Transpose": Operator(_transpose),
    "Tile": Operator(_tile),
    "Expand": Operator(_expand),
    "Pad": Operator(_pad),
}
# ONNX Runtime's own, that its quantiser and optimiser write.
_MICROSOFT: dict[str, Operator] = {
    "FusedConv": convolution(),
    **dict.fromkeys(["Gelu", "FastGelu", "BiasGelu", "QuickGelu", "QLinearAdd", "QLinearMul"], Operator(pointwise)),
    **dict.fromkeys(
        ["QuantizeLinear", "DequantizeLinear", "QLinearLeakyRelu", "QLinearSigmoid"], Operator(first_operand)
    ),
    **dict.fromkeys(["FusedMatMul", "FusedGemm", "QGemm", "MultiHeadAttention", "Attention"], _PRODUCT),
    "QLinearGlobalAveragePool": _STATISTIC,
}
