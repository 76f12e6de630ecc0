"""Samples as every distance takes them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeAlias

import jax
import numpy as np
from jaxtyping import Float, Num

# From samples, images say, to their features; both are `(n, ...)`.
Extractor: TypeAlias = Callable[[np.ndarray | jax.Array], np.ndarray | jax.Array]
Samples: TypeAlias = Num[np.ndarray | jax.Array, "_ ..."]


def as_features(
    samples: Samples, name: str, *, features: Extractor | None = None, batch: int = 256, least: int = 1
) -> Float[np.ndarray, "n d"]:
    """Samples, or their features batch by batch, flattened to `(n, d)` in float64.

    Raises:
        ValueError: fewer samples than `least`, or values that are not finite.
    """
    given = samples
    if np.ndim(given) < 2 or np.shape(given)[0] < least:
        raise ValueError(f"{name} must be (n, ...) with at least {least} samples, got shape {np.shape(given)}")
    if features is not None:
        parts = [np.asarray(features(given[k : k + batch])) for k in range(0, len(given), batch)]
        if any(len(part) != len(given[k : k + batch]) for k, part in zip(_starts(parts, batch), parts, strict=True)):
            raise ValueError(f"features of {name} must keep the axis of samples, got {[p.shape for p in parts[:1]]}")
        given = np.concatenate(parts)
    flat = np.asarray(given, np.float64).reshape(len(given), -1)
    if not np.isfinite(flat).all():
        raise ValueError(f"{name} has values that are NaN or infinite")
    return flat


def as_pair(
    a: Samples, b: Samples, *, features: Extractor | None = None, batch: int = 256, least: int = 1
) -> tuple[Float[np.ndarray, "n d"], Float[np.ndarray, "m d"]]:
    """Two sets of samples as features of the same size.

    Raises:
        ValueError: as for `as_features`, or features of different sizes.
    """
    first = as_features(a, "the first set", features=features, batch=batch, least=least)
    second = as_features(b, "the second set", features=features, batch=batch, least=least)
    if first.shape[1] != second.shape[1]:
        raise ValueError(f"the two sets have {first.shape[1]} and {second.shape[1]} features: they must have as many")
    return first, second


def as_images(images: Float[np.ndarray | jax.Array, "n h w c"], *, channels: Sequence[int] = (1, 3)) -> np.ndarray:
    """Images in float64.

    Raises:
        ValueError: another shape or number of channels, integers, or values that are not finite.
    """
    shape, dtype = np.shape(images), getattr(images, "dtype", None)
    if len(shape) != 4 or 0 in shape or shape[-1] not in channels:
        allowed = " or ".join(map(str, channels))
        raise ValueError(f"images must be (n, height, width, channels) with {allowed} channels, got shape {shape}")
    if dtype is not None and np.issubdtype(dtype, np.integer):
        raise ValueError(f"images must hold real numbers in [-1, 1], got {dtype}: divide by 127.5 and subtract 1")
    images = np.asarray(images, np.float64)
    if not np.isfinite(images).all():
        raise ValueError("images have values that are NaN or infinite")
    return images


def luminance(images: Float[np.ndarray, "n h w c"]) -> Float[np.ndarray, "n h w"]:
    """The grey value of each pixel (ITU-R BT.601), in the units of the images."""
    return images[..., 0] if images.shape[-1] == 1 else images @ np.array([0.299, 0.587, 0.114])


def _starts(parts: Sequence, batch: int) -> range:
    return range(0, len(parts) * batch, batch)
