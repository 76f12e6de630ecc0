"""Operators of PyTorch that give a value another shape or order of axes."""

from __future__ import annotations

from collections.abc import Sequence
from operator import index
from typing import Any

from sicjax.networks.graph import (
    Flow,
    depth_to_space,
    expand,
    flatten,
    move,
    reshape,
    space_to_depth,
    squeeze,
    swap,
    transpose,
    unflatten,
    unsqueeze,
)
from sicjax.networks.torch.aten._aten import Aten, rules
from sicjax.networks.torch.aten._values import operands


@rules("view reshape unsafe_view view_copy")
def _view(aten: Aten, name: str, x: Flow, size: Sequence[int] = (), *, shape: Sequence[int] = ()) -> Flow:
    return reshape(x, shape or size)


@rules("view_as reshape_as")
def _view_as(aten: Aten, name: str, x: Any, other: Any) -> Any:
    return reshape(x, operands(other)[0].shape) if isinstance(x, Flow) else x


@rules("flatten")
def _flatten(aten: Aten, name: str, x: Flow, start_dim: int = 0, end_dim: int = -1) -> Flow:
    return flatten(x, start_dim, end_dim)


@rules("unflatten")
def _unflatten(aten: Aten, name: str, x: Flow, dim: int, sizes: Sequence[int]) -> Flow:
    return unflatten(x, dim, sizes)


@rules("squeeze squeeze_copy")
def _squeeze(aten: Aten, name: str, x: Flow, dim: int | Sequence[int] | None = None) -> Flow:
    return squeeze(x, None if dim is None else _listed(dim))


@rules("unsqueeze unsqueeze_copy")
def _unsqueeze(aten: Aten, name: str, x: Flow, dim: int) -> Flow:
    return unsqueeze(x, [dim])


@rules("permute permute_copy")
def _permute(aten: Aten, name: str, x: Flow, dims: Sequence[int]) -> Flow:
    return transpose(x, dims)


@rules("transpose transpose_copy swapaxes swapdims")
def _transpose(aten: Aten, name: str, x: Flow, *dims: int, **named: int) -> Flow:
    a, b = [*dims, *named.values()]
    return swap(x, a, b)


@rules("t t_copy numpy_T")
def _turn(aten: Aten, name: str, x: Flow) -> Flow:
    return transpose(x, range(len(x.shape))[::-1])


@rules("movedim moveaxis")
def _movedim(aten: Aten, name: str, x: Flow, source: Any, destination: Any) -> Flow:
    return move(x, _listed(source), _listed(destination))


@rules("expand expand_copy")
def _expand(aten: Aten, name: str, x: Flow, size: Sequence[int], *, implicit: bool = False) -> Flow:
    return expand(x, [index(n) for n in size])


@rules("expand_as")
def _expand_as(aten: Aten, name: str, x: Any, other: Any) -> Any:
    return expand(x, operands(other)[0].shape) if isinstance(x, Flow) else x


@rules("pixel_shuffle")
def _pixel_shuffle(aten: Aten, name: str, x: Flow, upscale_factor: int) -> Flow:
    return depth_to_space(x, [upscale_factor] * 2, channels_last=False, blocks_first=False)


@rules("pixel_unshuffle")
def _pixel_unshuffle(aten: Aten, name: str, x: Flow, downscale_factor: int) -> Flow:
    return space_to_depth(x, [downscale_factor] * 2, channels_last=False, blocks_first=False)


def _listed(dims: int | Sequence[int]) -> Sequence[int]:
    return [dims] if isinstance(dims, int) else dims
