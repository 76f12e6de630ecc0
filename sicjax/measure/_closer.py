"""A few pairs looked at closely: single pathways, and the spectra that meet."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, TypeAlias

import numpy as np
from jaxtyping import Int

from sicjax import sdr
from sicjax.measure._compile import common_shapes, filled, shape_for
from sicjax.measure._rows import Measured
from sicjax.measure._sample import sample
from sicjax.networks import Pair

# Input, intermediate and output channel.
Place: TypeAlias = tuple[int, int, int]
# Channels on each axis among whose pathways the one nearest to 1 is looked for, one by one.
NEARBY = 6


class Closer(NamedTuple):
    """What is looked at closely of a pair; None where no pathway is defined.

    Attributes:
        lowest: the pathway of the lowest ratio of all.
        nearest: of up to `NEARBY` channels on each axis the pathway whose ratio is nearest to 1.
        highest: the pathway of the highest ratio of all.
        coinertia: the leading pairs of spectra that meet.
    """

    lowest: Place | None
    nearest: Place | None
    highest: Place | None
    coinertia: sdr.Coinertia


def closer(measured: Measured, places: Sequence[int], k: int = 2) -> list[Closer]:
    """Looks closely at some pairs of a network.

    Arguments:
        measured: the network.
        places: of the pairs among its pairs; none that is structural.
        k: leading pairs of spectra.
    """
    pairs = [measured.network.pairs[place] for place in places]
    shapes = common_shapes(pair.cascade for pair in pairs)
    return [_closer(pair, filled(pair.cascade, shape_for(pair.cascade, shapes)), k) for pair in pairs]


def _closer(pair: Pair, cascade: sdr.Cascade, k: int) -> Closer:
    found = sdr.extremes(cascade, 1)
    ends = [_place(at[0]) if len(at) else None for at in (found.lowest_at, found.highest_at)]
    return Closer(ends[0], _nearest(pair.cascade), ends[1], sdr.coinertia(cascade, k))


def _nearest(cascade: sdr.Cascade) -> Place | None:
    some, channels = sample(cascade, NEARBY)
    away = np.abs(sdr.reference.ratios(some) - 1)
    if np.isnan(away).all():
        return None
    at = np.unravel_index(np.nanargmin(away), away.shape)
    return _place(np.array([axis[k] for axis, k in zip(channels, at, strict=True)]))


def _place(at: Int[np.ndarray, "3"]) -> Place:
    i, m, o = map(int, at)
    return i, m, o
