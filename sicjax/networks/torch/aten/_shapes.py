"""Operators of PyTorch that give a value another shape or order of axes."""

from __future__ import annotations

from collections.abc import Sequence
from operator import index

from sicjax.networks import graph
from sicjax.networks.graph import Flow
from sicjax.networks.torch.aten._aten import words
from sicjax.networks.torch.aten._values import operands

words(
    {
        "expand expand_copy": lambda x, size, *_, **__: graph.expand(x, [index(n) for n in size]),
        "expand_as": lambda x, other: graph.expand(x, operands(other)[0].shape) if isinstance(x, Flow) else x,
        "flatten": graph.flatten,
        "movedim moveaxis": lambda x, source, destination: graph.move(x, _listed(source), _listed(destination)),
        "permute permute_copy": graph.transpose,
        "pixel_shuffle": lambda x, n: graph.depth_to_space(x, [n] * 2, channels_last=False, blocks_first=False),
        "pixel_unshuffle": lambda x, n: graph.space_to_depth(x, [n] * 2, channels_last=False, blocks_first=False),
        "reshape view view_copy unsafe_view": graph.reshape,
        "reshape_as view_as": lambda x, other: graph.reshape(x, operands(other)[0].shape) if isinstance(x, Flow) else x,
        "squeeze squeeze_copy": lambda x, dim=None: graph.squeeze(x, None if dim is None else _listed(dim)),
        "t t_copy numpy_T": lambda x: graph.transpose(x, range(len(x.shape))[::-1]),
        "transpose transpose_copy swapaxes swapdims": graph.swap,
        "unflatten": graph.unflatten,
        "unsqueeze unsqueeze_copy": lambda x, dim: graph.unsqueeze(x, [dim]),
    }
)


def _listed(dims: int | Sequence[int]) -> Sequence[int]:
    return [dims] if isinstance(dims, int) else dims
