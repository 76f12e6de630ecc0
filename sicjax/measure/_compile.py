"""Few compiled programs for many pairs: those with kernels of one size are filled up to one shape."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterable, Mapping

import numpy as np

from sicjax import sdr

# Terms, pathways times lags, up to which pairs are filled up; above this computing costs more than compiling.
FILLED = 2**29


def common_shapes(cascades: Iterable[sdr.Cascade]) -> dict[tuple, tuple[int, ...]]:
    """For each geometry the smallest shape that holds its pairs, from the smallest up to those that are too large."""
    shapes: dict[tuple, tuple[int, ...]] = {}
    for cascade in sorted(cascades, key=lambda cascade: math.prod(cascade.shape)):
        shape = tuple(map(max, cascade.shape, shape_for(cascade, shapes)))
        if math.prod(shape) * len(cascade.lags) <= FILLED:
            shapes[_geometry(cascade)] = shape
    return shapes


def shape_for(cascade: sdr.Cascade, shapes: Mapping[tuple, tuple[int, ...]]) -> tuple[int, ...]:
    """The common shape of a pair's geometry; zeros where there is none yet."""
    return shapes.get(_geometry(cascade), (0, 0, 0))


def filled(cascade: sdr.Cascade, shape: tuple[int, ...]) -> sdr.Cascade:
    """The pair with kernels of no energy up to a shape; its pathways among them are undefined and count nowhere.

    A pair that the shape does not hold stays as large as it is.
    """
    # In NumPy: JAX would compile the filling itself for every shape.
    first, second = map(np.asarray, cascade.aligned())
    spatial = [(0, 0)] * (first.ndim - 2)
    fits = all(full >= n for full, n in zip(shape, cascade.shape, strict=True))
    i, m, o = (full - n if fits else 0 for full, n in zip(shape, cascade.shape, strict=True))
    return dataclasses.replace(
        cascade,
        first=np.pad(first, [*spatial, (0, i), (0, m)]),
        second=np.pad(second, [*spatial, (0, m), (0, o)]),
        first_groups=1,
        second_groups=1,
    )


def _geometry(cascade: sdr.Cascade) -> tuple:
    """What a compiled program depends on besides the numbers of channels."""
    settings = [getattr(cascade, field.name) for field in dataclasses.fields(cascade)[2:6]]
    return (cascade.first.shape[:-2], cascade.second.shape[:-2], cascade.first.dtype, *settings)
