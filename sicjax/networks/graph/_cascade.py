"""Two layers and what lies between them to a cascade of the measure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from sicjax import sdr
from sicjax.networks.graph._filters import aligned, folded, interleaved
from sicjax.networks.graph._flow import Source
from sicjax.networks.graph._network import Layer

# A kernel as a pair takes it: its layer, and what was done to it, if anything.
Key = tuple


def cascade(
    source: Source, number: int, layers: Sequence[Layer], kernels: Sequence[Any], known: dict[Key, Any]
) -> tuple[sdr.Cascade, tuple[Key, Key]]:
    """The pair of a source's layer and another, and how it takes their kernels, NumPy's or JAX's.

    Arguments:
        number: of the other layer.
        layers: by their numbers.
        kernels: of the layers.
        known: kernels with filters folded in, of this pair and of those before it.
    """
    first, second = source.first, layers[number]
    there = np.flatnonzero(source.channels >= 0)
    channels = source.channels[there]
    dilation1, dilation2 = first.dilation, second.dilation
    kernel1, kernel2 = kernels[source.layer], aligned(kernels[number], second.groups)
    key1, key2 = [source.layer], [number] if second.groups == 1 else [number, "aligned"]
    if source.blocks is not None:
        kernel1, dilation1 = interleaved(kernel1, dilation1, source.blocks), (1,) * len(dilation1)
        key1 += ["blocks", source.blocks.shape, source.blocks.tobytes()]
    if not np.array_equal(channels, np.arange(kernel1.shape[-1])):
        kernel1 = kernel1[..., channels]
        key1 += ["gives", channels.tobytes()]
    if len(there) != len(source.channels):
        kernel2 = kernel2[..., there, :]
        key2 += ["takes", there.tobytes()]
    for filters, key in ((source.before, key1), (source.after, key2)):
        key += [part for f in filters for part in ("filter", f.shape, f.tobytes())]
    if source.before:
        kernel1 = _once(known, key1, lambda: folded(kernel1, dilation1, source.before))
        dilation1 = (1,) * len(dilation1)
    if source.after:
        kernel2 = _once(known, key2, lambda: folded(kernel2, dilation2, source.after))
        dilation2 = (1,) * len(dilation2)
    pair = sdr.Cascade(
        kernel1, kernel2, down=source.down, up=source.up, first_dilation=dilation1, second_dilation=dilation2
    )
    return pair, (tuple(key1), tuple(key2))


def _once(known: dict[Key, Any], key: list, fold: Callable[[], Any]) -> Any:
    found = known.get(tuple(key))
    return known.setdefault(tuple(key), fold()) if found is None else found
