"""Decoded images kept on disk, mapped at the next load; a half-written entry is never seen."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
from jaxtyping import UInt8

from sicjax._errors import InputError
from sicjax.data._decode import Decoded

# What an entry that is missing or damaged raises.
UNREADABLE = (OSError, ValueError, KeyError, TypeError)


def cache_folder() -> Path:
    """`$SICJAX_CACHE`, or `sicjax` in the user's folder for caches.

    Raises:
        InputError: neither is set, and the user has no home directory.
    """
    chosen = os.environ.get("SICJAX_CACHE")
    if chosen:
        return Path(chosen)
    try:
        return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "sicjax"
    except RuntimeError as error:
        raise InputError(f"decoded images have no place ({error}): set SICJAX_CACHE to a folder") from error


def map_pixels(entry: Path) -> UInt8[np.ndarray, "n size size 3"]:
    """The pixels of an entry, read from disk as they are used."""
    count = json.loads((entry / "images.json").read_text())["count"]
    return np.load(entry / "pixels.npy", mmap_mode="r", allow_pickle=False)[:count]


def cached(
    entry: Path, shape: tuple[int, ...], fill: Callable[[UInt8[np.ndarray, "n size size 3"]], Decoded]
) -> tuple[UInt8[np.ndarray, "n size size 3"], Decoded]:
    """The images of an entry, filled first where it is not there.

    Raises:
        InputError: the cache cannot be written.
    """
    try:
        return _read(entry)
    except UNREADABLE:
        pass
    needed = int(np.prod(shape))
    hint = "set SICJAX_CACHE to another folder, or decode into memory with cache=False"
    try:
        entry.parent.mkdir(parents=True, exist_ok=True)
        free = shutil.disk_usage(entry.parent).free
        if free < needed:
            raise InputError(f"{entry.parent} has {free / 1e9:.1f} of {needed / 1e9:.1f} GB for the images: {hint}")
        with tempfile.TemporaryDirectory(prefix=".part-", dir=entry.parent) as part:
            # The array's file is made as long as all images need: what is skipped leaves zeros at its end.
            pixels = np.lib.format.open_memmap(Path(part) / "pixels.npy", mode="w+", dtype=np.uint8, shape=shape)
            found = fill(pixels)
            pixels.flush()
            del pixels
            about = {"count": len(found.names)} | found._asdict()
            (Path(part) / "images.json").write_text(json.dumps(about))
            if found.names:
                _move(Path(part), entry)
    except OSError as error:
        raise InputError(f"cannot write {entry}: {error.strerror or error}; {hint}") from error
    if not found.names:
        return np.empty((0, *shape[1:]), np.uint8), found
    return _read(entry)


def _move(part, entry):
    try:
        os.replace(part, entry)
    except OSError:
        try:
            # Another process was first with the same images.
            _read(entry)
        except UNREADABLE:
            shutil.rmtree(entry, ignore_errors=True)
            os.replace(part, entry)


def _read(entry):
    about = json.loads((entry / "images.json").read_text())
    found = Decoded(about["names"], [tuple(pair) for pair in about["skipped"]], about["enlarged"])
    pixels = map_pixels(entry)
    if len(pixels) != len(found.names) or pixels.dtype != np.uint8:
        raise ValueError("not complete")
    return pixels, found
