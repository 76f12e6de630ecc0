"""Small arrays as pictures inside a page, one pixel a number; the page enlarges them."""

from __future__ import annotations

import base64
import io
from functools import cache
from typing import Literal

import numpy as np
from jaxtyping import Float, UInt8


def picture(values: Float[np.ndarray, "rows columns"], kind: Literal["signed", "power"]) -> str:
    """An address, `data:`, of a PNG.

    Arguments:
        values: what is drawn.
        kind: "signed" around 0, blue below and red above; or "power", from 0 up. The colour-blind see both.
    """
    if kind == "signed":
        part = values / (2 * (np.abs(values).max() or 1)) + 0.5
    else:
        part = values / (np.quantile(values, 0.995) or 1)
    return as_address(np.clip(np.rint(255 * part), 0, 255).astype(np.uint8), _palette(kind))


def as_address(pixels: UInt8[np.ndarray, "rows columns"], palette: bytes) -> str:
    """The same of numbers of colours."""
    from PIL import Image

    image, stream = Image.fromarray(pixels), io.BytesIO()
    image.putpalette(palette)
    image.save(stream, "PNG", optimize=True)
    return "data:image/png;base64," + base64.b64encode(stream.getvalue()).decode()


@cache
def _palette(kind: str) -> bytes:
    """256 colours."""
    import matplotlib

    colours = matplotlib.colormaps["RdBu_r" if kind == "signed" else "cividis"](np.arange(256))[:, :3]
    return np.rint(255 * colours).astype(np.uint8).tobytes()
