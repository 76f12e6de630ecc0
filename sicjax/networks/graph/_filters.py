"""Fixed filters, and kernels with them folded in."""

from __future__ import annotations

import functools
import math
import operator
from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from sicjax._limits import make


def stretched(kernel: np.ndarray, steps: Sequence[int]) -> np.ndarray:
    """Zeros between the taps of a filter."""
    grown = np.zeros([(k - 1) * s + 1 for k, s in zip(kernel.shape, steps, strict=True)])
    grown[tuple(slice(None, None, s) for s in steps)] = kernel
    return grown


def folded(kernel: Any, dilation: Sequence[int], filters: Sequence[np.ndarray]) -> Any:
    """A layer's kernel convolved with fixed filters along its spatial axes; its dilation becomes zeros between taps."""
    xp: Any = jnp if isinstance(kernel, jax.Array) else np
    for axis, step in enumerate(dilation):
        apart = xp.stack([kernel, *[xp.zeros_like(kernel)] * (step - 1)], axis=axis + 1)
        kernel = apart.reshape(*kernel.shape[:axis], -1, *kernel.shape[axis + 1 :])
        kernel = kernel[(slice(None),) * axis + (slice(kernel.shape[axis] - step + 1),)]
    for f in sorted(filters, key=np.size):  # while the kernel is small
        places, taps = np.argwhere(f), f[f != 0].astype(np.float32)
        shape = [n + m - 1 for n, m in zip(kernel.shape, (*f.shape, 1, 1), strict=True)]
        # Beside the memory, the time: of so many sums one is counted as a byte.
        make(4 * math.prod(shape) + len(taps) * kernel.size // 4, "a kernel with filters folded in")
        if xp is jnp:
            room = [[(p, n - 1 - p) for p, n in zip(place, f.shape, strict=True)] for place in places]
            moved = (tap * xp.pad(kernel, [*r, (0, 0), (0, 0)]) for tap, r in zip(taps, room, strict=True))
            kernel = functools.reduce(operator.add, moved)
            continue
        grown = np.zeros(shape, np.result_type(kernel.dtype, np.float32))
        for tap, place in zip(taps, places, strict=True):
            grown[tuple(slice(p, p + n) for p, n in zip(place, kernel.shape, strict=False))] += tap * kernel
        kernel = grown
    return kernel


def interleaved(kernel: Any, dilation: Sequence[int], blocks: np.ndarray) -> Any:
    """A layer's kernel whose channels became the places of a finer grid: that of one transposed convolution.

    Arguments:
        blocks: `(*block, out)`, the channel for each place of a block.
    """
    *block, outputs = blocks.shape
    n = len(block)
    kernel = folded(kernel, dilation, ())
    *k, inputs, _ = kernel.shape
    # A later place in a block is an earlier tap of the kernel.
    parts = kernel[..., np.flip(blocks, tuple(range(n)))]
    order = [axis for pair in zip(range(n), range(n + 1, 2 * n + 1), strict=True) for axis in pair]
    grown = [m * f for m, f in zip(k, block, strict=True)]
    return parts.transpose(*order, n, 2 * n + 1).reshape(*grown, inputs, outputs)


def aligned(kernel: Any, groups: int) -> Any:
    """A layer's kernel with all its input channels on one axis: `(*k, in, out / groups)`."""
    if groups == 1:
        return kernel
    *k, inner, outputs = kernel.shape
    xp: Any = jnp if isinstance(kernel, jax.Array) else np
    split = kernel.reshape(*k, inner, groups, outputs // groups)
    return xp.moveaxis(split, -2, -3).reshape(*k, inner * groups, outputs // groups)


def linear(r: np.ndarray) -> np.ndarray:
    """The weight of a place at distance `r` in linear interpolation."""
    return np.maximum(1 - np.abs(r), 0)


def cubic(r: np.ndarray, a: float) -> np.ndarray:
    """The weight of a place at distance `r` in cubic interpolation with coefficient `a` (Keys 1981)."""
    r = np.abs(r)
    near, far = (a + 2) * r**3 - (a + 3) * r**2 + 1, a * r**3 - 5 * a * r**2 + 8 * a * r - 4 * a
    return np.where(r <= 1, near, np.where(r < 2, far, 0))


def interpolation(weight: Callable[[np.ndarray], np.ndarray], reach: int, factor: int, *, between: bool) -> np.ndarray:
    """The taps of an interpolation by a whole factor.

    Arguments:
        weight: of a place by its distance.
        reach: the distance from which on weights are 0.
        factor: in how many places one becomes.
        between: whether new places stand half a step beside the old ones, rather than on them.
    """
    places = np.arange(-reach * factor + (not between), reach * factor) + 0.5 * between
    return weight(places / factor)


def filter_of(table: np.ndarray) -> tuple[int, np.ndarray, int] | None:
    """`up`, taps and `down` of a table from places in to places out that does the same everywhere but at the edges."""
    inputs, outputs = table.shape
    up, down = (outputs // inputs, 1) if outputs >= inputs else (1, inputs // outputs)
    if inputs * up != outputs * down or outputs < 2 or inputs < 2:
        return None
    i, j = np.ogrid[:inputs, :outputs]
    offset = j * down - i * up
    reach = range(offset[table != 0].min(), offset[table != 0].max() + 1)
    middle = (inputs // 2, slice(None)) if up > 1 or down == 1 else (slice(None), outputs // 2)
    taps = dict(zip(offset[middle].tolist(), table[middle].tolist(), strict=True))
    found = np.array([taps.get(p, 0.0) for p in reach], np.float64)
    expected = np.where(np.isin(offset, reach), found[np.clip(offset - reach[0], 0, len(reach) - 1)], 0)
    inside = (j * down >= reach[-1]) & (j * down - reach[0] < inputs * up)
    if (inside & (np.abs(table - expected) > 1e-5)).any():
        return None
    return up, np.trim_zeros(found) if found.any() else found, down
