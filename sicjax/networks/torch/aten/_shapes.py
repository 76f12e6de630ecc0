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
from sicjax.networks.torch.aten._aten import rules, word
from sicjax.networks.torch.aten._values import operands

rules("view reshape unsafe_view view_copy")(word(reshape))
rules("flatten")(word(flatten))
rules("unflatten")(word(unflatten))
rules("permute permute_copy")(word(transpose))
rules("transpose transpose_copy swapaxes swapdims")(word(swap))


@rules("view_as reshape_as")
def _view_as(aten, name, x: Any, other: Any) -> Any:
    return reshape(x, operands(other)[0].shape) if isinstance(x, Flow) else x


@rules("squeeze squeeze_copy")
def _squeeze(aten, name, x: Flow, dim: int | Sequence[int] | None = None) -> Flow:
    return squeeze(x, None if dim is None else _listed(dim))


@rules("unsqueeze unsqueeze_copy")
def _unsqueeze(aten, name, x: Flow, dim: int) -> Flow:
    return unsqueeze(x, [dim])


@rules("t t_copy numpy_T")
def _turn(aten, name, x: Flow) -> Flow:
    return transpose(x, range(len(x.shape))[::-1])


@rules("movedim moveaxis")
def _movedim(aten, name, x: Flow, source: Any, destination: Any) -> Flow:
    return move(x, _listed(source), _listed(destination))


@rules("expand expand_copy")
def _expand(aten, name, x: Flow, size: Sequence[int], *_: Any, **__: Any) -> Flow:
    return expand(x, [index(n) for n in size])


@rules("expand_as")
def _expand_as(aten, name, x: Any, other: Any) -> Any:
    return expand(x, operands(other)[0].shape) if isinstance(x, Flow) else x


@rules("pixel_shuffle")
def _pixel_shuffle(aten, name, x: Flow, factor: int) -> Flow:
    return depth_to_space(x, [factor] * 2, channels_last=False, blocks_first=False)


@rules("pixel_unshuffle")
def _pixel_unshuffle(aten, name, x: Flow, factor: int) -> Flow:
    return space_to_depth(x, [factor] * 2, channels_last=False, blocks_first=False)


def _listed(dims: int | Sequence[int]) -> Sequence[int]:
    return [dims] if isinstance(dims, int) else dims
