"""Which lags of two kernels meet: integer arithmetic on shapes, strides and dilations, no weights."""

from __future__ import annotations

import itertools
import math
from functools import cache
from typing import TypeAlias

Lag: TypeAlias = tuple[int, ...]


@cache
def shared_lags(
    first_size: Lag, second_size: Lag, down: Lag, up: Lag, first_dilation: Lag, second_dilation: Lag
) -> tuple[tuple[Lag, Lag], ...]:
    """The lags in the sum over n of `r1[down n] r2[up n]`, each as a lag of either kernel's own taps.

    Between the layers lag `n` is lag `down n` of the dilated first kernel and `up n` of the dilated second. It is
    there only where it falls on whole taps of both. Lags `n` and `-n` are equal, so one of the two is listed;
    lag 0 is not.

    >>> shared_lags((4,), (4,), (1,), (2,), (1,), (1,))
    (((1,), (2,)),)
    >>> shared_lags((2,), (2,), (1,), (2,), (1,), (1,))
    ()
    """
    axes = [
        [(down_ * n // d1, up_ * n // d2) for n in _whole_lags(k1, k2, down_, up_, d1, d2)]
        for k1, k2, down_, up_, d1, d2 in zip(
            first_size, second_size, down, up, first_dilation, second_dilation, strict=True
        )
    ]
    lags = (tuple(zip(*axis_lags, strict=True)) for axis_lags in itertools.product(*axes))
    zero = (0,) * len(first_size)
    return tuple((of_first, of_second) for of_first, of_second in lags if of_first > zero)


def _whole_lags(k1: int, k2: int, down: int, up: int, d1: int, d2: int) -> range:
    """Lags along one axis that are whole taps of both kernels and inside both."""
    step = math.lcm(d1 // math.gcd(d1, down), d2 // math.gcd(d2, up))
    reach = min((k1 - 1) * d1 // (down * step), (k2 - 1) * d2 // (up * step))
    return range(-reach * step, reach * step + 1, step)


@cache
def tap_pairs(size: Lag, lag: Lag) -> tuple[tuple[int, int], ...]:
    """The pairs of taps `lag` apart in a kernel of this size, as positions in its flattened taps.

    >>> tap_pairs((3,), (1,))
    ((0, 1), (1, 2))
    """
    strides = [math.prod(size[axis + 1 :]) for axis in range(len(size))]
    starts = itertools.product(*(range(max(0, -step), min(k, k - step)) for k, step in zip(size, lag, strict=True)))
    flat = lambda position: sum(p * s for p, s in zip(position, strides, strict=True))
    return tuple((flat(start), flat(start) + flat(lag)) for start in starts)
