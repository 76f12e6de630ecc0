"""A folder of image files."""

from __future__ import annotations

import os
from pathlib import Path

from PIL import Image

from sicjax._errors import InputError
from sicjax._foreign import irregular
from sicjax.data._decode import reason
from sicjax.data._source import Source

ENDINGS = {".jpg", ".jpeg", ".png", ".webp", ".bmp", ".gif", ".tif", ".tiff", ".ppm", ".pgm", ".avif"}


def folder_source(folder: Path) -> Source:
    """The images of a folder and all folders in it, sorted by their path; other and hidden files are passed over.

    Raises:
        InputError: no such folder, or no image in it.
    """
    if not os.path.isdir(folder):
        what = "is a file" if os.path.exists(folder) else "is not there"
        raise InputError(f"{folder} {what}, expected a folder of images")
    skipped, files, seen = [], [], set()
    unread = lambda error: skipped.append((os.path.relpath(error.filename, folder), reason(error)))
    for place, folders, names in os.walk(folder, onerror=unread, followlinks=True):
        real = os.path.realpath(place)
        if real in seen:
            skipped.append((os.path.relpath(place, folder), "a link to a folder that is already read"))
            folders.clear()
            continue
        seen.add(real)
        # The order decides which of two links to one folder is read.
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        files += [
            os.path.join(place, name)
            for name in names
            if os.path.splitext(name)[1].lower() in ENDINGS and not name.startswith(".")
        ]
    if not files and not skipped:
        raise InputError(f"{folder} holds no images: expected files that end in {', '.join(sorted(ENDINGS))}")
    return files_source(folder, sorted(os.path.relpath(file, folder).replace(os.sep, "/") for file in files), skipped)


def files_source(folder: Path, names: list[str], skipped=(), crop: int | None = None) -> Source:
    """These files of a folder."""

    def stamp(name):
        try:
            found = os.stat(folder / name)
        except OSError:
            return name, None
        return name, found.st_size, found.st_mtime_ns

    def open_(k):
        if irregular(folder / names[k]):
            raise ValueError(f"{irregular(folder / names[k])}, not a file")
        return Image.open(folder / names[k])

    return Source(
        names=names,
        open=open_,
        stamp=lambda: ["folder", str(folder.resolve()), [stamp(name) for name in names]],
        crop=crop,
        skipped=tuple(skipped),
    )
