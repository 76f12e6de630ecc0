"""Two layers and what lies between them to a cascade of the measure."""

from __future__ import annotations

from typing import Any

import numpy as np

from sicjax import sdr
from sicjax.networks.graph._filters import aligned, folded, interleaved
from sicjax.networks.graph._flow import Source
from sicjax.networks.graph._network import Layer


def cascade(source: Source, second: Layer, kernel1: Any, kernel2: Any) -> tuple[sdr.Cascade, tuple[Any, Any]]:
    """The pair of a source's layer and another, and the two kernels as it takes them, NumPy's or JAX's."""
    first = source.first
    there = np.flatnonzero(source.channels >= 0)
    channels = source.channels[there]
    dilation1, dilation2 = first.dilation, second.dilation
    kernel2 = aligned(kernel2, second.groups)
    if source.blocks is not None:
        kernel1, dilation1 = interleaved(kernel1, dilation1, source.blocks), (1,) * len(dilation1)
    if not np.array_equal(channels, np.arange(kernel1.shape[-1])):
        kernel1 = kernel1[..., channels]
    if len(there) != len(source.channels):
        kernel2 = kernel2[..., there, :]
    if source.before:
        kernel1, dilation1 = folded(kernel1, dilation1, source.before), (1,) * len(dilation1)
    if source.after:
        kernel2, dilation2 = folded(kernel2, dilation2, source.after), (1,) * len(dilation2)
    pair = sdr.Cascade(
        kernel1, kernel2, down=source.down, up=source.up, first_dilation=dilation1, second_dilation=dilation2
    )
    return pair, (kernel1, kernel2)
