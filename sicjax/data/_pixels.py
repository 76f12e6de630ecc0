"""One image, opened but not yet decoded, to one square of pixels."""

from __future__ import annotations

import math

import numpy as np
from jaxtyping import UInt8
from PIL import ExifTags, Image, ImageOps

# A JPEG is decoded at 1/2, 1/4 or 1/8 of its size where that leaves this many times the pixels that are needed.
SPARE = 2


def square(image: Image.Image, size: int, crop: int | None) -> tuple[UInt8[np.ndarray, "size size 3"], int]:
    """The centred square of an image, brought to `size` with Pillow's bicubic filter, which averages where it shrinks.

    Turned upright as its EXIF says; transparent parts are put on white; grey, palette and CMYK become RGB; an
    animation gives its first picture. Where the square cannot be centred to the pixel it lies half a pixel up and left.

    Arguments:
        image: as opened, not yet decoded.
        size: side of the result in pixels.
        crop: side of the square in the image's own pixels; without it the largest.

    Returns:
        `(size, size, 3)` sRGB from 0 to 255, and the side of the square in the image's own pixels.

    Raises:
        ValueError: the image is smaller than `crop`, or its pixels have no stated range.
    """
    side = crop or min(image.size)
    if side > min(image.size):
        raise ValueError(f"its {image.size[0]} x {image.size[1]} pixels are smaller than the crop of {side}")
    turned = image.getexif().get(ExifTags.Base.Orientation, 1) != 1
    if turned:
        image = ImageOps.exif_transpose(image)
    full = image.size
    if image.format == "JPEG" and not turned:
        enough = SPARE * size / side
        image.draft(None, (math.ceil(full[0] * enough), math.ceil(full[1] * enough)))
    shrunk = round(max(full) / max(image.size))
    left, top = ((length - side) // 2 / shrunk for length in full)
    box = left, top, left + side / shrunk, top + side / shrunk
    image = _plain(image).resize((size, size), Image.Resampling.BICUBIC, box)
    return np.asarray(image.convert("RGB")), side


def _plain(image: Image.Image) -> Image.Image:
    """The image in a mode that can be resized: grey or RGB, nothing transparent."""
    if image.mode in ("RGB", "L") and "transparency" not in image.info:
        return image
    if image.mode.startswith("I;16"):
        # Pillow's own conversion cuts off everything over 255.
        return Image.fromarray((np.asarray(image).astype(np.uint32) / 257 + 0.5).astype(np.uint8))
    if image.mode in ("I", "F"):
        raise ValueError("its 32-bit pixels have no stated range, save it with 8 or 16 bits")
    if image.has_transparency_data:
        image = image.convert("RGBA")
        return Image.alpha_composite(Image.new("RGBA", image.size, "white"), image).convert("RGB")
    return image.convert("RGB")
