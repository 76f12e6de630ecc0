"""Files of pictures, made small enough to be inside a page."""

from __future__ import annotations

import base64
import io
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from sicjax._errors import InputError


class Image(NamedTuple):
    """A picture inside a page: its address, its size, and what is said of it."""

    address: str
    width: int
    height: int
    caption: str


def embedded(files: Mapping[str, Path], *, width: int) -> list[Image]:
    """Pictures by their captions, none wider than so many pixels."""
    return [embed(file, caption, width=width) for caption, file in files.items()]


def embed(file: Path, caption: str, *, width: int) -> Image:
    """One picture as WebP, which takes a fraction of what a PNG takes.

    Raises:
        InputError: a file that is no picture.
    """
    from PIL import Image as pillow

    try:
        with pillow.open(file) as opened:
            image = opened.convert("RGB")
    except OSError as error:
        raise InputError(f"{file} cannot be read as a picture: {error}") from error
    image.thumbnail((width, 4 * width), pillow.Resampling.LANCZOS)
    stream = io.BytesIO()
    image.save(stream, "WEBP", quality=82)
    address = "data:image/webp;base64," + base64.b64encode(stream.getvalue()).decode()
    return Image(address, *image.size, caption)
