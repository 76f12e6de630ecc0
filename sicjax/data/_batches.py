"""The images of each step: a pure function of the step's number, so that a run stopped anywhere goes on exactly."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Sequence

import numpy as np
from jaxtyping import Int64, UInt8

from sicjax._errors import missing_package
from sicjax.data._images import Images


def indices(step: int, n: int, batch: int, seed: int) -> Int64[np.ndarray, " batch"]:
    """Which images make the batch of a step.

    The images come in epochs, each with all `n` in an order that depends on `seed` and the epoch alone. Batches follow
    each other without a gap: where an epoch ends within a batch, the next one fills it. So no image is ever ahead
    of another by more than one use, for any `n` and `batch`; only a batch over such an end can hold an image twice.

    Arguments:
        step: from 0.
        n: images there are.
        batch: images in a batch, also more than `n`.
        seed: not negative; the order's.

    Returns:
        `(batch,)` numbers from 0 to `n - 1`, the same with every version of NumPy.

    Raises:
        ValueError: a number out of these ranges.

    >>> [indices(step, n=5, batch=3, seed=1).tolist() for step in range(3)]
    [[2, 4, 0], [3, 1, 3], [0, 2, 1]]
    """
    if step < 0 or n < 1 or batch < 1 or seed < 0:
        raise ValueError(f"expected step >= 0, n >= 1, batch >= 1, seed >= 0, got {step=}, {n=}, {batch=}, {seed=}")
    place = int(step) * int(batch) + np.arange(batch, dtype=np.int64)
    epochs, places = np.divmod(place, int(n))
    return np.concatenate(
        [_order(int(n), int(seed), int(epoch))[places[epochs == epoch]] for epoch in np.unique(epochs)]
    )


@functools.lru_cache(maxsize=4)
def _order(n: int, seed: int, epoch: int) -> Int64[np.ndarray, " n"]:
    # Sorting raw random words: NumPy keeps the words of a bit generator for ever, the algorithm of `permutation` not.
    words = np.random.PCG64(np.random.SeedSequence([seed, epoch])).random_raw(n)
    order = np.argsort(words, kind="stable").astype(np.int64)
    order.flags.writeable = False
    return order


def stream(
    images: Images | Sequence[UInt8[np.ndarray, "size size 3"]],
    batch: int,
    *,
    seed: int = 0,
    start: int = 0,
    stop: int | None = None,
    ahead: int = 4,
    threads: int = 2,
) -> Iterator[UInt8[np.ndarray, "batch size size 3"]]:
    """The batches of steps `start`, `start + 1`, ..., read ahead by threads while the device computes.

    Batch `step` is `images.pixels[indices(step, len(images), batch, seed)]`, wherever the stream starts.

    Arguments:
        images: as `load` returns them, or any source with a length and `(size, size, 3)` images by number.
        batch: images in a batch.
        seed: the order's.
        start: the first step.
        stop: the step after the last; endless without it.
        ahead: batches held ready.
        threads: that read.

    Raises:
        InputError: Grain is not installed.
        ValueError: as `indices`.
    """
    try:
        import grain
    except ImportError as error:
        raise missing_package("grain", "train", "streaming batches") from error
    n = len(images)
    indices(start, n, batch, seed)
    steps = grain.MapDataset.range(start, 2**62 if stop is None else stop)
    # One element is one batch: a single read of a mapped file, and no queue of single images.
    batches = steps.map(lambda step: _take(images, indices(step, n, batch, seed)))
    return iter(batches.to_iter_dataset(grain.ReadOptions(num_threads=threads, prefetch_buffer_size=ahead)))


def _take(images, chosen):
    pixels = getattr(images, "pixels", None)
    return np.stack([images[int(k)] for k in chosen]) if pixels is None else np.asarray(pixels[chosen])
