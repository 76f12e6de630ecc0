"""Images made worse in known ways, each at three strengths, to see which measures notice."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from jaxtyping import Float
from scipy.cluster.vq import kmeans2
from scipy.ndimage import gaussian_filter

LIGHT = np.array([0.299, 0.587, 0.114])
# Strengths from weak to strong.
BLUR = (0.75, 1.5, 3.0)
BRIGHTER = (0.1, 0.2, 0.3)
BLOCKS = (2, 4, 8)
DIFFERENT = (1 / 5, 1 / 16, 1 / 50)
MODES, KEPT = 10, (5, 2, 1)
COLOUR = (2 / 3, 1 / 3, 0.0)
BOARD = (0.05, 0.1, 0.2)


class Corrupted(NamedTuple):
    """Images after a corruption.

    Attributes:
        kind: of the corruption.
        strength: in words.
        images: in [-1, 1].
    """

    kind: str
    strength: str
    images: Float[np.ndarray, "n h w 3"]


def corrupted(
    images: Float[np.ndarray, "n h w 3"], others: Float[np.ndarray, "m h w 3"], seed: int = 0
) -> Iterator[Corrupted]:
    """The images corrupted in every way, from weak to strong; `others` are more of their kind, of which modes drop."""
    rng = np.random.default_rng(seed)
    for width in BLUR:
        blurred = gaussian_filter(images, (0, width, width, 0), mode="nearest")
        yield Corrupted("blur", f"{width:g} pixels", blurred.astype(np.float32))
    for more in BRIGHTER:
        yield Corrupted("brightness", f"+{more:g}", np.clip(images + np.float32(more), -1, 1))
    for count in BLOCKS:
        yield Corrupted("shuffled blocks", f"{count} x {count}", shuffled(images, count, rng))
    for share in DIFFERENT:
        count = max(round(share * len(images)), 1)
        yield Corrupted("repeats", f"{count} different", images[np.arange(len(images)) % count])
    mode = modes(others, seed)
    # The larger modes first, so that there are images enough.
    order = np.argsort(-np.bincount(mode, minlength=MODES), kind="stable")
    for count in KEPT:
        (left,) = np.nonzero(np.isin(mode, order[:count]))
        chosen = rng.permutation(left)[: len(images)]
        yield Corrupted("mode drop", f"{count} of {MODES}", others[chosen])
    for share in COLOUR:
        grey = (images @ LIGHT)[..., None]
        yield Corrupted("colour loss", f"{100 * share:.0f} % left", (grey + share * (images - grey)).astype(np.float32))
    board = (np.indices(images.shape[1:3]).sum(0) % 2 * 2 - 1)[:, :, None]
    for height in BOARD:
        yield Corrupted("checkerboard", f"±{height:g}", np.clip(images + height * board, -1, 1).astype(np.float32))


def shuffled(
    images: Float[np.ndarray, "n h w 3"], count: int, rng: np.random.Generator
) -> Float[np.ndarray, "n h w 3"]:
    """Each image cut into `count x count` blocks, in a random order of its own."""
    n, height, width, channels = images.shape
    blocks = images.reshape(n, count, height // count, count, width // count, channels).swapaxes(2, 3)
    order = rng.permuted(np.tile(np.arange(count**2), (n, 1)), axis=1)
    mixed = blocks.reshape(n, count**2, *blocks.shape[3:])[np.arange(n)[:, None], order]
    return mixed.reshape(blocks.shape).swapaxes(2, 3).reshape(images.shape)


def modes(images: Float[np.ndarray, "n h w 3"], seed: int) -> np.ndarray:
    """Which of ten groups each image is in, by k-means of its 8 x 8 colours: of no network's making."""
    n, height, width, channels = images.shape
    small = images.reshape(n, 8, height // 8, 8, width // 8, channels).mean((2, 4)).reshape(n, -1)
    return kmeans2(small.astype(np.float64), MODES, seed=seed, minit="++")[1]
