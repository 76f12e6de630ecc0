"""Faces drawn from named factors: images with known causes, without a download."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial

import jax
import numpy as np
from jax.typing import ArrayLike
from jaxtyping import Array, Float32, Key, UInt8

from sicjax.data._factors import FACTORS, sample
from sicjax.data._portrait import portrait

# Pixels drawn at once: what they need stays in a processor's cache. Fewer faces than that are drawn so many at once,
# since every number of faces is compiled, which takes longer than to draw them.
PIXELS = 2**17
FEW = 8
SMALLEST = 4


def faces(
    key: Key[Array, ""], n: int, size: int
) -> tuple[UInt8[np.ndarray, "n size size 3"], dict[str, Float32[np.ndarray, " n"]]]:
    """Random faces and what each was drawn from; face `k` is the same for any `n`.

    The factors are independent of each other, see `FACTORS` for their ranges.

    Arguments:
        key: of `jax.random`.
        n: how many.
        size: their sides in pixels.

    Returns:
        `(n, size, size, 3)` sRGB from 0 to 255, and `(n,)` values of every factor in `FACTORS`.

    Raises:
        ValueError: no faces, or none that could be seen.

    >>> images, factors = faces(jax.random.key(0), 8, 32)
    >>> images.shape, factors["smile"].shape
    ((8, 32, 32, 3), (8,))
    """
    if n < 1 or size < SMALLEST:
        raise ValueError(f"expected one face or more of {SMALLEST} pixels or more, got {n=}, {size=}")
    factors = sample(key, n)
    return draw(factors, size), factors


def draw_faces(factors: Mapping[str, ArrayLike | Sequence[float]], size: int) -> UInt8[np.ndarray, "n size size 3"]:
    """The faces with these factors. The same factors give the same picture, but for rounding between devices.

    Arguments:
        factors: name in `FACTORS` to one value for all faces or `(n,)` values; those not named are neutral.
        size: sides of the pictures in pixels.

    Returns:
        `(n, size, size, 3)` sRGB from 0 to 255.

    Raises:
        ValueError: an unknown factor, a value out of its range, or different numbers of values.

    >>> draw_faces({"smile": [-1, 0, 1], "glasses": 1}, 32).shape
    (3, 32, 32, 3)
    """
    if size < SMALLEST:
        raise ValueError(f"faces need a size of {SMALLEST} pixels or more, got {size}")
    return draw(_complete(factors), size)


def draw(
    values: Mapping[str, Float32[np.ndarray, " n"]], size: int, report: Callable[[int, int], object] | None = None
) -> UInt8[np.ndarray, "n size size 3"]:
    """`draw_faces` for values of all factors, calling `report` with how many of how many are done."""
    n = len(values["yaw"])
    block = max(1, PIXELS // size**2)
    block = block if n >= block else min(block, FEW)
    images = np.empty((n, size, size, 3), np.uint8)
    for start in range(0, n, block):
        # The last block is filled up, so that one size is compiled once.
        part = {name: np.resize(value[start : start + block], block) for name, value in values.items()}
        images[start : start + block] = np.asarray(_draw(part, size))[: n - start]
        if report is not None:
            report(min(start + block, n), n)
    return images


@partial(jax.jit, static_argnums=1)
def _draw(factors, size):
    return jax.vmap(lambda one: portrait(one, size))(factors)


def _complete(factors) -> dict[str, Float32[np.ndarray, " n"]]:
    given = {name: np.asarray(value, np.float32) for name, value in factors.items()}
    if unknown := sorted(given.keys() - FACTORS.keys()):
        raise ValueError(f"unknown factor {unknown[0]!r}: expected some of {', '.join(FACTORS)}")
    for name, value in given.items():
        low, high = np.float32(FACTORS[name].low), np.float32(FACTORS[name].high)
        if value.ndim > 1:
            raise ValueError(f"{name} must be one value or (n,) values, got shape {value.shape}")
        wrong = value[~((value >= low) & (value <= high))]
        if wrong.size:
            raise ValueError(f"{name} is {wrong.flat[0]:g}, expected {low:g} to {high:g}: {FACTORS[name].meaning}")
    lengths = {name: len(value) for name, value in given.items() if value.ndim}
    if len(set(lengths.values())) > 1:
        raise ValueError(f"every factor must have one value or the same number of them, got {lengths}")
    n = next(iter(lengths.values()), 1)
    filled = {name: given.get(name, np.float32(factor.neutral)) for name, factor in FACTORS.items()}
    return {name: np.broadcast_to(value, (n,)) for name, value in filled.items()}
