"""Operators that no pair reaches across."""

from __future__ import annotations

from typing import Any

from sicjax.networks.graph import DENSE, LOOP, NO_ONE_FILTER, PRODUCT, RECURRENT, Unreachable
from sicjax.networks.torch.aten._aten import rules
from sicjax.networks.torch.aten._values import flows, parameters
from sicjax.weights import layer_name


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


@rules("lstm gru rnn_tanh rnn_relu lstm_cell gru_cell rnn_tanh_cell rnn_relu_cell")
def _recurrent(aten, name, *_: Any, **__: Any) -> None:
    raise Unreachable(RECURRENT)


@rules("col2im fold grid_sampler grid_sampler_2d grid_sampler_3d im2col unfold")
def _no_one_filter(aten, name, *_: Any, **__: Any) -> None:
    raise Unreachable(NO_ONE_FILTER)


@rules("associative_scan map_impl scan while_loop")
def _loop(aten, name, *_: Any, **__: Any) -> None:
    raise Unreachable(LOOP)
