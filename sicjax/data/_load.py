"""From the name of a source to its images."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path

import jax
import numpy as np

from sicjax._errors import InputError, missing_package
from sicjax._progress import bar
from sicjax.data._faces import SMALLEST, draw
from sicjax.data._factors import sample
from sicjax.data._images import Images

FACES = 10_000
LARGEST = 4096
# So many images and more are kept decoded on disk.
CACHE_FROM = 20_000
# Seconds before a bar appears.
PATIENCE = 1.0
# Changes whenever the same image gives other pixels.
PIPELINE = 1


def load(
    source: str,
    *,
    size: int = 64,
    crop: int | None = None,
    limit: int | None = None,
    data_dir: str | Path | None = None,
    split: str | None = None,
    download: bool = False,
    key: str | None = None,
    value_range: tuple[float, float] | None = None,
    seed: int = 0,
    cache: bool | None = None,
    progress: bool | Callable[[int, int], object] = True,
) -> Images:
    """The images of a source, each cut to its centred square and brought to one size.

    Images that cannot be read are left out and stand, with the reason, in `skipped` of what is returned. They are
    reduced with Pillow's bicubic filter, which averages over what it removes; smaller ones are enlarged and counted.

    Arguments:
        source: `"faces"`, drawn from random factors; `"celeb_a"`, from a copy you have; `"folder:PATH"`, image files
            there and in folders below; `"npz:PATH"`, an array of images or a pack of encoded ones.
        size: side of the images in pixels.
        crop: side of the centred square in an image's own pixels. Without it 148 for CelebA (74 for a pack of it at
            half size), else the largest; smaller images are skipped.
        limit: how many at most, the first that can be read; of faces how many are drawn (without it 10,000).
        data_dir: for `"celeb_a"`, its archive or the folder that holds it; without it `$SICJAX_DATA` or TFDS's folder.
        split: for `"celeb_a"`: `"train"` (the default), `"validation"`, `"test"` or `"all"`.
        download: for `"celeb_a"`: let TFDS download and prepare it in `data_dir` where it is not there.
        key: for `"npz:PATH"`, name of the array, where several can be images.
        value_range: for `"npz:PATH"`, values of black and white, where the array is not uint8.
        seed: of the faces' factors; not negative.
        cache: keep the decoded images on disk and map them from there, now and the next time, so that more than fit
            into memory can be used; in `$SICJAX_CACHE` or the user's folder for caches. Without it, from 20,000 images.
        progress: called with how many of how many are done; `True` shows a bar where the terminal can.

    Returns:
        `Images`.

    Raises:
        InputError: an unknown source, a setting that does not fit it, nothing there, or no image that can be read.

    >>> load("faces", size=32, limit=2, seed=1)
    Images('faces': 2 of 32 x 32)
    """
    kind, _, place = source.partition(":")
    _check(kind, place, source, size=size, crop=crop, limit=limit, seed=seed)
    for name, value, owner in (
        ("data_dir", data_dir, "celeb_a"),
        ("split", split, "celeb_a"),
        ("download", download or None, "celeb_a"),
        ("key", key, "npz"),
        ("value_range", value_range, "npz"),
        ("crop", crop, "celeb_a folder npz"),
    ):
        if value is not None and kind not in owner.split():
            raise InputError(f"{name} is not for source {source!r}: leave it out")
    with _reporting(progress, f"{source}, {size} x {size}") as report:
        if kind == "faces":
            return _faces(size, FACES if limit is None else limit, seed, report)
        images = _source(kind, place, data_dir, split, download, key, value_range)
        return _read(images, source, size, images.crop if crop is None else crop, limit, cache, report)


def _reporting(
    progress: bool | Callable[[int, int], object], title: str
) -> AbstractContextManager[Callable[[int, int], object]]:
    """What is told how many of how many are done: `progress` itself, a bar, or nothing."""
    if callable(progress):
        return nullcontext(progress)
    return bar(title, patience=PATIENCE) if progress else nullcontext(lambda done, total: None)


def _source(kind, place, data_dir, split, download, key, value_range):
    # Drawn faces need no Pillow, so what does is imported here.
    try:
        import PIL  # noqa: F401
    except ImportError as error:
        raise missing_package("Pillow", "train", "reading images") from error
    from sicjax.data._celeb_a import celeb_a_source
    from sicjax.data._folder import folder_source
    from sicjax.data._npz import npz_source

    if kind == "celeb_a":
        return celeb_a_source(None if data_dir is None else Path(data_dir), split or "train", download)
    if kind == "folder":
        return folder_source(Path(place).expanduser())
    return npz_source(Path(place).expanduser(), key=key, value_range=value_range)


def _check(kind, place, source, *, size, crop, limit, seed):
    if kind not in ("faces", "celeb_a", "folder", "npz") or (kind in ("folder", "npz")) != bool(place):
        raise InputError(f"unknown source {source!r}: expected faces, celeb_a, folder:PATH or npz:PATH")
    for name, value, least in (("size", size, SMALLEST), ("crop", crop, 1), ("limit", limit, 1), ("seed", seed, 0)):
        if value is not None and value < least:
            raise InputError(f"{name} must be {least} or more, got {value}")
    if size > LARGEST:
        raise InputError(f"size must be {LARGEST} pixels at most, got {size}")


def _read(images, source, size, crop, limit, cache, report) -> Images:
    from sicjax.data._cache import cache_folder, cached
    from sicjax.data._decode import decode

    n = len(images.names) if limit is None else min(limit, len(images.names))
    shape = (n, size, size, 3)
    fill = lambda out: decode(images, out, crop=crop, progress=report)
    entry = None
    if cache or (cache is None and n >= CACHE_FROM):
        entry = cache_folder() / f"{source.partition(':')[0]}-{size}-{images.digest(PIPELINE, size, crop, n)}"
        pixels, found = cached(entry, shape, fill)
    else:
        pixels = np.empty(shape, np.uint8)
        found = fill(pixels)
        pixels = pixels[: len(found.names)]
    if not found.names:
        first = f", the first {found.skipped[0][0]}: {found.skipped[0][1]}" if found.skipped else ""
        raise InputError(f"{source}: none of {len(found.skipped)} images can be read{first}")
    return Images(
        source, pixels, tuple(found.names), tuple(found.skipped), crop=crop, enlarged=found.enlarged, cached=entry
    )


def _faces(size, n, seed, report) -> Images:
    # Whatever generator the user's JAX is set to, a seed means the same faces.
    factors = sample(jax.random.key(seed, impl="threefry2x32"), n)
    pixels = draw(factors, size, report)
    return Images("faces", pixels, tuple(f"face {k}" for k in range(n)), factors=factors)
