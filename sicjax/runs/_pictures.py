"""Pictures that a run drew along its training: grids of images, one PNG a step."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from jaxtyping import Float, UInt8

from sicjax._errors import InputError
from sicjax.runs._places import Places
from sicjax.runs._whole import write_whole


def picture_files(folder: str | Path, name: str) -> dict[int, Path]:
    """The PNG files of one kind of picture by their steps, in order.

    Arguments:
        folder: the run's directory.
        name: "samples", and of a VAE "reconstructions".

    Raises:
        InputError: none of that name.
    """
    found = Places(folder).pictures(name)
    if not found:
        raise InputError(f"{folder} has no pictures {name}")
    return found


def pictures(folder: str | Path, name: str, *, size: int) -> tuple[list[int], UInt8[np.ndarray, "steps n size size 3"]]:
    """The steps at which a run drew pictures, and their images, row by row of the grid.

    Arguments:
        folder: the run's directory.
        name: "samples", always of the same latent variables, and of a VAE "reconstructions".
        size: side of an image in pixels, as in the run's config.

    Raises:
        InputError: no pictures of that name.
    """
    files = picture_files(folder, name)
    return list(files), np.stack([grid(file, size).reshape(-1, size, size, 3) for file in files.values()])


def grid(file: str | Path, size: int) -> UInt8[np.ndarray, "rows columns size size 3"]:
    """The images of a picture, `size` pixels high and wide each, in its rows and columns."""
    from PIL import Image

    with Image.open(file) as page:
        pixels = np.asarray(page.convert("RGB"))
    rows, columns = pixels.shape[0] // size, pixels.shape[1] // size
    return pixels.reshape(rows, size, columns, size, 3).swapaxes(1, 2)


def write_picture(places: Places, name: str, step: int, grid: Float[np.ndarray, "rows columns h w 3"]) -> None:
    """Writes images in [-1, 1] as one PNG."""
    from PIL import Image

    rows, columns, height, width, _ = grid.shape
    pixels = np.clip(np.rint((grid + 1) * 127.5), 0, 255).astype(np.uint8)
    sheet = Image.fromarray(pixels.transpose(0, 2, 1, 3, 4).reshape(rows * height, columns * width, 3))
    write_whole(places.picture(name, step), lambda file: sheet.save(file, format="PNG"))
