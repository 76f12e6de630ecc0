"""Operators that act on each place alone, normalisations, and those that no pair reaches across."""

from __future__ import annotations

from sicjax.networks import graph
from sicjax.networks.graph import DENSE, PRODUCT, RECURRENT, Flow, Unreachable
from sicjax.networks.onnx._step import Step, rules
from sicjax.weights import layer_name

rules.table(
    {
        "GRU LSTM RNN": graph.ends(RECURRENT),
        "Identity": lambda step: step.given[0],
        "RandomNormal RandomNormalLike RandomUniform RandomUniformLike": lambda step: graph.constant(
            step.shapes[0] or (), "random numbers"
        ),
    }
)


@rules(
    "Abs Acos Acosh Add Affine And Asin Asinh Atan Atanh BitShift BitwiseAnd BitwiseNot BitwiseOr BitwiseXor Ceil Celu",
    "Cos Cosh Div Elu Equal Erf Exp Floor Gelu Greater GreaterOrEqual HardSigmoid HardSwish IsInf IsNaN LeakyRelu Less",
    "LessOrEqual Log Max Mean Min Mish Mod Mul Neg Not Or ParametricSoftplus Pow Reciprocal Relu Round ScaledTanh Selu",
    "Shrink Sigmoid Sign Sin Sinh Softplus Softsign Sqrt Sub Sum Swish Tan Tanh ThresholdedRelu Where Xor",
    "com.microsoft.Gelu com.microsoft.FastGelu com.microsoft.BiasGelu com.microsoft.QuickGelu",
    "com.microsoft.QLinearAdd com.microsoft.QLinearMul",
)
def _elementwise(step: Step) -> Flow:
    return graph.elementwise(step.graph, step.flows, step.node.op_type)


@rules(
    "BatchNormalization Cast CastLike Clip Dropout PRelu DequantizeLinear DynamicQuantizeLinear QuantizeLinear",
    "com.microsoft.QuantizeLinear com.microsoft.DequantizeLinear",
    "com.microsoft.QLinearLeakyRelu com.microsoft.QLinearSigmoid",
)
def _first_operand(step: Step) -> Flow:
    """Acts on each place of its first operand; the others are settings."""
    step.graph.end(step.flows[1:], (), f"a setting ({step.label})", kind="a setting")
    return step.x


@rules(
    "InstanceNormalization GroupNormalization LayerNormalization RMSNormalization LpNormalization LRN",
    "MeanVarianceNormalization Softmax LogSoftmax Hardmax",
)
def _normalisation(step: Step) -> Flow:
    return graph.scaling(step.graph, _first_operand(step), step.node.op_type)


@rules(
    "MatMul Gemm Einsum MatMulInteger QLinearMatMul Attention com.microsoft.FusedMatMul com.microsoft.FusedGemm",
    "com.microsoft.QGemm com.microsoft.MultiHeadAttention com.microsoft.Attention",
)
def _product(step: Step) -> None:
    matrices = [value.held for value in step.given if value.held is not None and len(value.held.shape) > 1]
    if not matrices:
        raise Unreachable(PRODUCT)
    path = layer_name(matrices[0].name)
    raise Unreachable(DENSE, path if path != matrices[0].name else "")
