"""Operators that act on each place alone, and those that pass a value as it is."""

from __future__ import annotations

from typing import Any

from sicjax.networks.graph import Flow, scaling
from sicjax.networks.torch.aten._aten import rules
from sicjax.networks.torch.aten._values import UNKNOWN


@rules(
    "abs absolute acos add addcdiv addcmul arctan asin atan atan2 bitwise_and bitwise_not bitwise_or bitwise_xor ceil",
    "celu clamp clamp_max clamp_min clip copysign cos cosh deg2rad div divide elu eq erf erfc exp exp2 expm1 fix floor",
    "floor_divide floordiv fmax fmin fmod frac ge gelu greater greater_equal gt hardshrink hardsigmoid hardswish",
    "hardtanh heaviside hypot isfinite isinf isnan le leaky_relu lerp less less_equal log log10 log1p log2 log_sigmoid",
    "log_sigmoid_forward logaddexp logical_and logical_not logical_or logical_xor logit lt masked_fill maximum minimum",
    "mish mul multiply nan_to_num ne neg negative not_equal pow reciprocal relu relu6 remainder round rsqrt rsub selu",
    "sgn sigmoid sign silu sin sinc sinh softplus softshrink softsign sqrt square sub subtract tan tanh tanhshrink",
    "threshold true_divide trunc truediv where xlogy",
)
def _elementwise(aten, name, *args: Any, **named: Any) -> Flow:
    return aten.elementwise([args, named], name)


@rules(
    "alias alpha_dropout autocast_to_full_precision autocast_to_reduced_precision bfloat16 clone contiguous",
    "convert_element_type cpu cuda data dequantize dequantize_per_channel dequantize_per_tensor detach double dropout",
    "dropout2d dropout3d fake_quantize_per_channel_affine fake_quantize_per_tensor_affine feature_alpha_dropout",
    "feature_dropout float half identity lift_fresh lift_fresh_copy native_dropout positive prelu prelu_kernel",
    "quantize_per_channel quantize_per_tensor requires_grad resolve_conj resolve_neg rrelu rrelu_with_noise set_data",
    "to_copy unchecked_cast",
)
def _passed(aten, name, x: Any, *settings: Any, **named: Any) -> Any:
    aten.end([settings, named], f"a setting of another value ({name})")
    return x


@rules("to type_as")
def _as_another(aten, name, x: Any, *_: Any, **__: Any) -> Any:
    return x


@rules("copy set")
def _copied(aten, name, x: Any, source: Any, *_: Any) -> Any:
    """The values of another are put in place of its own."""
    return source if isinstance(source, Flow) else x


@rules("batch_norm batch_norm_no_update")
def _normalised(aten, name, x: Flow, *settings: Any, **named: Any) -> Any:
    """A scaling and shift of each channel."""
    return _passed(aten, name, x, *settings, **named)


@rules("native_batch_norm native_batch_norm_legit native_batch_norm_legit_no_training")
@rules("cudnn_batch_norm miopen_batch_norm")
def _normalised_with_statistics(aten, name, x: Flow, *settings: Any, **named: Any) -> Any:
    return _passed(aten, name, x, *settings, **named), UNKNOWN, UNKNOWN


@rules("fused_rms_norm group_norm instance_norm layer_norm local_response_norm rms_norm")
@rules("softmax log_softmax gumbel_softmax softmin safe_softmax")
def _normalised_by_itself(aten, name, x: Flow, *settings: Any, **named: Any) -> Flow:
    return scaling(aten.graph, _passed(aten, name, x, *settings, **named), name)


@rules("native_group_norm native_layer_norm")
def _normalised_by_itself_with_statistics(aten, name, x: Flow, *settings: Any, **named: Any) -> Any:
    return _normalised_by_itself(aten, name, x, *settings, **named), UNKNOWN, UNKNOWN


@rules("zeros_like ones_like rand_like randn_like full_like empty_like new_zeros new_ones new_full new_empty")
@rules("bernoulli normal")
def _created(aten, name, *_: Any, **__: Any) -> Flow:
    return aten.graph.input((), "")


@rules("size sym_size")
def _size(aten, name, x: Flow, dim: int | None = None) -> Any:
    if not x.shape:
        return UNKNOWN
    return list(x.shape) if dim is None else x.shape[dim]


@rules("dim ndimension")
def _dim(aten, name, x: Flow) -> Any:
    return len(x.shape) or UNKNOWN


@rules(
    "Bool Float Int assert_async assert_scalar assert_tensor_metadata device dtype get_device is_complex is_contiguous",
    "is_cpu is_cuda is_floating_point is_nonzero is_same_size item layout len local_scalar_dense numel",
    "storage_offset stride sym_constrain_range sym_constrain_range_for_size sym_is_contiguous sym_numel",
    "sym_storage_offset sym_stride",
)
def _about(aten, name, *_: Any, **__: Any) -> Any:
    """What no convolution reaches: a device, a dtype, a check."""
    return UNKNOWN
