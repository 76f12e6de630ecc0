"""What every reader of images gives: their names, and a way to open each."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import os
from collections.abc import Callable, Sequence
from pathlib import Path

from PIL import Image


@dataclasses.dataclass(frozen=True)
class Source:
    """Images that are not decoded yet.

    Attributes:
        names: of each image.
        open: the image of a number; raises whatever is wrong with it. Called from several threads.
        stamp: gives what changes when the images do, as JSON takes it; for the cache.
        crop: side of the centred square that is the custom for these images, if there is one.
        skipped: name and reason of what cannot even be listed.
    """

    names: Sequence[str]
    open: Callable[[int], Image.Image]
    stamp: Callable[[], object]
    crop: int | None = None
    skipped: tuple[tuple[str, str], ...] = ()

    def digest(self, *more) -> str:
        """A short name for these images and `more`."""
        return hashlib.sha256(json.dumps([self.stamp(), *more]).encode()).hexdigest()[:16]


def stamp_of(path: Path) -> list:
    """What changes when a file does."""
    found = os.stat(path)
    return [str(path.resolve()), found.st_size, found.st_mtime_ns]
