"""Images in a NumPy file: an array of pixels, or encoded images one after the other."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
from PIL import Image

from sicjax._errors import InputError
from sicjax._foreign import irregular
from sicjax.data._source import Source, stamp_of

PACK = {"buf", "offsets", "names"}
CHANNELS = (1, 3, 4)
# CelebA's custom of a 148 crop of 178 x 218, at its own size and at half of it.
CUSTOM = {(178, 218): 148, (89, 109): 74}


def npz_source(path: Path, *, key: str | None = None, value_range: tuple[float, float] | None = None) -> Source:
    """The images of a `.npz` file, or of a single array in a `.npy` file.

    Arguments:
        path: with an array of images `(n, height, width, channels)` or `(n, height, width)`, or a pack of encoded
            ones: `buf` (bytes), `offsets` `(n + 1,)` and `names` `(n,)`; image `k` is `buf[offsets[k]:offsets[k + 1]]`.
        key: name of the array; not needed where only one can be images.
        value_range: black and white in the array; not needed for uint8, where they are 0 and 255.

    Raises:
        InputError: a file that cannot be read, no array of images or several, a range missing or exceeded.
    """
    arrays = _read(path)
    if key is None and arrays.keys() >= PACK:
        return _pack(path, arrays)
    fitting = {name: array for name, array in arrays.items() if _fits(array)}
    found = ", ".join(f"{name} {array.dtype}{list(array.shape)}" for name, array in arrays.items()) or "no arrays"
    wanted = "images (n, height, width, channels) with 1, 3 or 4 channels last, or (n, height, width)"
    if key is None and len(fitting) > 1:
        raise InputError(f"{path} holds {len(fitting)} arrays of images, choose one with key=: {', '.join(fitting)}")
    if key is not None and key not in arrays:
        raise InputError(f"{path} holds no array {key!r}: {found}")
    if not fitting or (key is not None and key not in fitting):
        raise InputError(f"{path} holds {found}, expected {wanted}")
    name = key or next(iter(fitting))
    array = fitting[name]
    scale = _scale(path, name, array, value_range)

    def open_(k):
        image = array[k]
        if scale is not None:
            low, high = scale
            if not np.isfinite(image).all():
                raise ValueError("its pixels are not all finite")
            image = np.round((image.astype(np.float64) - low) * (255 / (high - low))).astype(np.uint8)
        return Image.fromarray(image[..., 0] if image.ndim == 3 and image.shape[-1] == 1 else image)

    return Source([f"{name}[{k}]" for k in range(len(array))], open_, lambda: ["npz", *stamp_of(path), name, scale])


def _read(path) -> dict[str, np.ndarray]:
    try:
        if irregular(path):
            raise ValueError(f"it is {irregular(path)}")
        # Opened here, as NumPy leaves a damaged file open.
        with path.open("rb") as file:
            content = np.load(file, allow_pickle=False)
            if isinstance(content, np.ndarray):
                return {path.stem: content}
            with content:
                return {name: content[name] for name in content.files}
    except FileNotFoundError as error:
        raise InputError(f"{path} is not there, expected a .npz file of images") from error
    except Exception as error:  # what a damaged or hostile file can raise has no end
        detail = " ".join(f"{type(error).__name__} {error}".split())[:150]
        raise InputError(f"{path} cannot be read as a NumPy file without pickled objects: {detail}") from error


def _fits(array) -> bool:
    if array.dtype.kind not in "uif" or not array.size:
        return False
    # Three axes of which the last counts channels are one picture, not many.
    return array.ndim == 4 and array.shape[3] in CHANNELS or array.ndim == 3 and array.shape[2] not in CHANNELS


def _scale(path, name, array, value_range) -> tuple[float, float] | None:
    """Black and white of an array, or none where it is what Pillow takes."""
    if value_range is None and array.dtype == np.uint8:
        return None
    finite = array if array.dtype.kind != "f" else array[np.isfinite(array)]
    lowest, highest = (float(finite.min()), float(finite.max())) if finite.size else (0.0, 0.0)
    holds = f"{name} in {path} is {array.dtype} from {lowest:g} to {highest:g}"
    if value_range is None:
        raise InputError(f"{holds}: say what is black and white, such as value_range=(0, 1) or (-1, 1)")
    low, high = map(float, value_range)
    if not low < high or lowest < low or highest > high:
        raise InputError(f"{holds}, which does not fit value_range=({low:g}, {high:g})")
    return low, high


def _pack(path, arrays) -> Source:
    buf, offsets, names = arrays["buf"], arrays["offsets"], arrays["names"]
    whole = buf.dtype == np.uint8 and buf.ndim == 1 and offsets.dtype.kind in "ui" and offsets.ndim == names.ndim == 1
    if not whole or len(offsets) != len(names) + 1 or (len(names) and (np.diff(offsets.astype(np.int64)) < 0).any()):
        raise InputError(f"{path} is not a pack of images: expected buf uint8, offsets (n + 1,) increasing, names (n,)")
    if len(names) and (offsets[0] < 0 or offsets[-1] > len(buf)):
        raise InputError(f"{path} is not complete: it ends at {len(buf)} of {offsets[-1]} bytes, download it again")

    def open_(k):
        return Image.open(io.BytesIO(buf[offsets[k] : offsets[k + 1]].tobytes()))

    crop = None
    for k in range(len(names)):
        try:
            crop = CUSTOM.get(open_(k).size)
            break
        except Exception:  # noqa: S112  it is skipped and named when its turn comes
            continue
    return Source([str(name) for name in names], open_, lambda: ["pack", *stamp_of(path)], crop)
