"""Operators that act on each place alone, those that pass a value as it is, and those that no pair reaches across."""

from __future__ import annotations

from typing import Any

from sicjax.networks import graph
from sicjax.networks.graph import DENSE, LOOP, NO_ONE_FILTER, PRODUCT, RECURRENT, Flow, Unreachable
from sicjax.networks.torch.aten._aten import rules
from sicjax.networks.torch.aten._values import UNKNOWN, flows, parameters
from sicjax.weights import layer_name


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
    "alias alpha_dropout autocast_to_full_precision autocast_to_reduced_precision batch_norm batch_norm_no_update",
    "bfloat16 clone contiguous convert_element_type cpu cuda data dequantize dequantize_per_channel",
    "dequantize_per_tensor detach double dropout dropout2d dropout3d fake_quantize_per_channel_affine",
    "fake_quantize_per_tensor_affine feature_alpha_dropout feature_dropout float half identity lift_fresh",
    "lift_fresh_copy native_dropout positive prelu prelu_kernel quantize_per_channel quantize_per_tensor requires_grad",
    "resolve_conj resolve_neg rrelu rrelu_with_noise set_data to_copy unchecked_cast",
)
def _passed(aten, name, x: Any, *settings: Any, **named: Any) -> Any:
    aten.end([settings, named], f"a setting of another value ({name})")
    return x


@rules("fused_rms_norm group_norm instance_norm layer_norm local_response_norm rms_norm")
@rules("softmax log_softmax gumbel_softmax softmin safe_softmax")
def _normalised(aten, name, x: Flow, *settings: Any, **named: Any) -> Flow:
    """By the value itself."""
    return graph.scaling(aten.graph, _passed(aten, name, x, *settings, **named), name)


@rules("native_batch_norm native_batch_norm_legit native_batch_norm_legit_no_training")
@rules("cudnn_batch_norm miopen_batch_norm native_group_norm native_layer_norm")
def _with_statistics(aten, name, *args: Any, **named: Any) -> Any:
    """A normalised value, and two statistics that no convolution reaches."""
    normalise = _passed if "batch" in name else _normalised
    return normalise(aten, name, *args, **named), UNKNOWN, UNKNOWN


@rules("size sym_size")
def _size(aten, name, x: Flow, dim: int | None = None) -> Any:
    if not x.shape:
        return UNKNOWN
    return list(x.shape) if dim is None else x.shape[dim]


@rules(
    "Bool Float Int assert_async assert_scalar assert_tensor_metadata device dtype get_device is_complex is_contiguous",
    "is_cpu is_cuda is_floating_point is_nonzero is_same_size item layout len local_scalar_dense numel",
    "storage_offset stride sym_constrain_range sym_constrain_range_for_size sym_is_contiguous sym_numel",
    "sym_storage_offset sym_stride",
)
def _about(aten, name, *_: Any, **__: Any) -> Any:
    """What no convolution reaches: a device, a dtype, a check."""
    return UNKNOWN


@rules("zeros_like ones_like rand_like randn_like full_like empty_like new_zeros new_ones new_full new_empty")
@rules("bernoulli normal")
def _created(aten, name, *_: Any, **__: Any) -> Flow:
    return aten.graph.input((), "")


@rules(
    "addbmm addmm addmv baddbmm bilinear bmm dot einsum inner linear matmul mm multi_head_attention_forward mv",
    "native_multi_head_attention outer scaled_dot_product_attention tensordot vdot",
)
def _dense(aten, name, *args: Any, **named: Any) -> None:
    held = next((p for p in parameters([args, named]) if p.array.ndim > 1), None)
    if held is None:
        raise Unreachable(PRODUCT)
    shape, outputs = next(flows([args, named])).shape, held.array.shape[0 if name == "linear" else -1]
    raise Unreachable(DENSE, layer_name(held.name), (*shape[:-1], outputs) if shape else ())


rules.table(
    {
        "copy set": lambda aten, name, x, source, *_: source if isinstance(source, Flow) else x,
        "dim ndimension": lambda aten, name, x: len(x.shape) or UNKNOWN,
        "to type_as": lambda aten, name, x, *_, **__: x,
        "associative_scan map_impl scan while_loop": graph.ends(LOOP),
        "col2im fold grid_sampler grid_sampler_2d grid_sampler_3d im2col unfold": graph.ends(NO_ONE_FILTER),
        "gru gru_cell lstm lstm_cell rnn_relu rnn_relu_cell rnn_tanh rnn_tanh_cell": graph.ends(RECURRENT),
    }
)
