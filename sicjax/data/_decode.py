"""Every image of a source to one array, on all processors, leaving out and naming what cannot be read."""

from __future__ import annotations

import itertools
import os
import warnings
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

import numpy as np
from jaxtyping import UInt8
from PIL import Image

from sicjax.data._pixels import square
from sicjax.data._source import Source

# Images in one task of a thread.
TASK = 16


class Decoded(NamedTuple):
    """What became of a source: names of the images in the array, in its order, and the others with the reason."""

    names: list[str]
    skipped: list[tuple[str, str]]
    enlarged: int


def decode(
    source: Source,
    out: UInt8[np.ndarray, "n size size 3"],
    *,
    crop: int | None,
    progress: Callable[[int, int], object],
) -> Decoded:
    """Fill `out` with the first images that can be read, without gaps, until it is full or the source is at its end.

    Arguments:
        source: the images.
        out: array to fill; at its end stay as many rows as it is longer than the names returned.
        crop: side of the centred square in an image's own pixels.
        progress: called with how many of how many are done, one skipped being done too.
    """
    size, total = out.shape[1], len(source.names)
    names, skipped, enlarged = [], [], 0

    def some(start):
        return [_one(source, k, size, crop) for k in range(start, min(start + TASK, total))]

    threads = os.cpu_count() or 1
    with warnings.catch_warnings(), ThreadPoolExecutor(threads) as pool:
        # Pillow warns of what may be a decompression bomb, and of what it can mend: the first is one image skipped.
        warnings.simplefilter("ignore")
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        starts = iter(range(0, total, TASK))
        # Only so many results wait at once that images far larger than memory pass through.
        waiting = [pool.submit(some, start) for start in itertools.islice(starts, 4 * threads)]
        done = 0
        while waiting and len(names) < len(out):
            for name, result in zip(source.names[done:], waiting.pop(0).result(), strict=False):
                done += 1
                if isinstance(result, str):
                    skipped.append((name, result))
                elif len(names) < len(out):
                    out[len(names)], side = result
                    enlarged += side < size
                    names.append(name)
            # Each one skipped makes room for one more, while there are more.
            progress(len(names) + len(skipped), min(total, len(out) + len(skipped)))
            waiting += [pool.submit(some, start) for start in itertools.islice(starts, 1)]
        for task in waiting:
            task.cancel()
    return Decoded(names, [*source.skipped, *skipped], enlarged)


def _one(source, k, size, crop):
    try:
        with source.open(k) as image:
            return square(image, size, crop)
    except Exception as error:  # what a damaged or hostile image can raise has no end
        return reason(error)


def reason(error: Exception) -> str:
    """One line on why an image cannot be read."""
    if isinstance(error, Image.UnidentifiedImageError):
        return "not an image"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return " ".join(str(error).split())[:200] or type(error).__name__
