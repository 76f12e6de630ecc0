"""The table of PyTorch's operators: what passes, what ends a chain, and the rules of the other files."""

from __future__ import annotations

from typing import Any

from sicjax.networks import _aten_conv, _aten_parts, _aten_places, _aten_resize, _aten_shapes
from sicjax.networks._aten import UNKNOWN, Aten, Rule, flows, parameters
from sicjax.networks._flow import Flow
from sicjax.weights import layer_name


def _elementwise(aten, name, *args, **named):
    return aten.elementwise([*args, *named.values()], name)


def _passed(aten: Aten, name: str, x: Any, *settings: Any, **named: Any) -> Any:
    if name not in _OF_KIND:
        aten.end([settings, named], f"a setting of another value ({name})")
    return x


def _normalised(aten: Aten, name: str, x: Flow, *settings: Any, **named: Any) -> Any:
    """A scaling and shift of each channel; what batch statistics are, is not known here either."""
    _passed(aten, name, x, *settings, **named)
    if x.sources and "batch_norm" not in name:
        aten.graph.note("layers that normalise by the value itself are taken as a scaling of each channel")
    return (x, UNKNOWN, UNKNOWN) if name.startswith(("native", "cudnn", "miopen")) else x


def _dense(aten, name, *args, **named):
    values = [*args, *named.values()]
    held = [p for p in parameters(values) if p.array.ndim > 1]
    if not held:
        return aten.end(values, f"a product of two values that depend on the input ({name})")
    shape = next(flows(values)).shape
    outputs = held[0].array.shape[0 if name == "linear" else -1]
    return aten.end(values, f"a dense layer ({layer_name(held[0].name)})", (*shape[:-1], outputs) if shape else ())


def _ended(reason: str) -> Rule:
    def rule(aten, name, *args, **named):
        return aten.end([*args, *named.values()], f"{reason} ({name})")

    return rule


def _recurrent(aten, name, *args, **named):
    found = aten.end([*args, *named.values()], f"a recurrent layer ({name})", ())
    return found, found, found


def _size(aten, name, x, dim=None):
    if not x.shape:
        return UNKNOWN
    return list(x.shape) if dim is None else x.shape[dim]


def _dim(aten, name, x):
    return len(x.shape) or UNKNOWN


def _about(aten, name, *args, **named):
    """What no convolution reaches: a device, a dtype, a check."""
    return UNKNOWN


def _copied(aten: Aten, name: str, x: Any, source: Any, *_: Any) -> Any:
    """The values of another are put in place of its own."""
    return source if isinstance(source, Flow) else x


def _created(aten, name, *args, **named):
    return aten.graph.input((), "")


_ELEMENTWISE = """
abs absolute acos add addcdiv addcmul arctan asin atan atan2 bitwise_and bitwise_not bitwise_or bitwise_xor ceil celu
clamp clamp_max clamp_min clip copysign cos cosh deg2rad div divide elu eq erf erfc exp exp2 expm1 fix floor
floor_divide floordiv fmax fmin fmod frac ge gelu greater greater_equal gt hardshrink hardsigmoid hardswish hardtanh
heaviside hypot isfinite isinf isnan le leaky_relu lerp less less_equal log log10 log1p log2 log_sigmoid
log_sigmoid_forward logaddexp logical_and logical_not logical_or logical_xor logit lt masked_fill maximum minimum mish
mul multiply nan_to_num ne neg negative not_equal pow reciprocal relu relu6 remainder round rsqrt rsub selu sgn sigmoid
sign silu sin sinc sinh softplus softshrink softsign sqrt square sub subtract tan tanh tanhshrink threshold true_divide
trunc truediv where xlogy
"""
_PASSED = """
alias alpha_dropout autocast_to_full_precision autocast_to_reduced_precision clone contiguous detach dropout dropout2d
dropout3d dequantize dequantize_per_channel dequantize_per_tensor fake_quantize_per_channel_affine
fake_quantize_per_tensor_affine feature_alpha_dropout feature_dropout identity lift_fresh lift_fresh_copy
native_dropout prelu prelu_kernel quantize_per_channel quantize_per_tensor rrelu rrelu_with_noise to to_copy type_as
float half double bfloat16 requires_grad resolve_conj resolve_neg data cpu cuda set_data unchecked_cast
convert_element_type positive
"""
_NORMALISED = """
batch_norm native_batch_norm native_batch_norm_legit native_batch_norm_legit_no_training cudnn_batch_norm
miopen_batch_norm batch_norm_no_update instance_norm group_norm native_group_norm layer_norm native_layer_norm rms_norm
fused_rms_norm local_response_norm
"""
_DENSE = """
linear matmul mm addmm bmm baddbmm addbmm einsum mv dot vdot addmv bilinear tensordot inner outer
scaled_dot_product_attention multi_head_attention_forward native_multi_head_attention
"""
_CREATED = """
zeros_like ones_like rand_like randn_like full_like empty_like new_zeros new_ones new_full new_empty bernoulli normal
"""
_ABOUT = """
device dtype layout get_device is_cuda is_cpu is_floating_point is_complex is_contiguous is_nonzero is_same_size
requires_grad stride storage_offset assert_tensor_metadata assert_async assert_scalar sym_constrain_range
sym_constrain_range_for_size sym_storage_offset sym_stride sym_is_contiguous numel sym_numel len item local_scalar_dense
Bool Int Float
"""
# Their second operand states a kind only.
_OF_KIND = frozenset("to type_as".split())
_SHUFFLES = "pixel_shuffle pixel_unshuffle"
_NO_ONE_FILTER = "upsample_bicubic2d grid_sampler grid_sampler_2d grid_sampler_3d im2col col2im unfold fold roll"


def _each(names: str, rule: Rule) -> dict[str, Rule]:
    return dict.fromkeys(names.split(), rule)


RULES: dict[str, Rule] = {
    **_each(_ELEMENTWISE, _elementwise),
    **_each(_PASSED, _passed),
    **_each(_NORMALISED, _normalised),
    **_each(_DENSE, _dense),
    **_each(_CREATED, _created),
    **_each(_ABOUT, _about),
    **_each("softmax log_softmax gumbel_softmax softmin safe_softmax", _ended("a softmax")),
    **_each(_SHUFFLES, _ended("an operator that moves channels into space")),
    **_each(_NO_ONE_FILTER, _ended("an operator with no one filter")),
    **_each("lstm gru rnn_tanh rnn_relu lstm_cell gru_cell rnn_tanh_cell rnn_relu_cell", _recurrent),
    **_each("copy set", _copied),
    "size": _size,
    "sym_size": _size,
    "dim": _dim,
    "ndimension": _dim,
    **_aten_conv.RULES,
    **_aten_parts.RULES,
    **_aten_places.RULES,
    **_aten_resize.RULES,
    **_aten_shapes.RULES,
}
