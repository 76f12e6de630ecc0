"""What a drawn face is made of: every factor by name, its range, and random faces."""

from __future__ import annotations

import zlib
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float32, Key


class Factor(NamedTuple):
    """One thing in which drawn faces differ.

    Random faces have it uniform from `low` to `high` and independent of all others, or, with a chance under 1, only
    that often, and are else `low`.
    """

    low: float
    high: float
    neutral: float
    meaning: str
    chance: float = 1.0


FACTORS: dict[str, Factor] = {
    # The head in the picture.
    "yaw": Factor(-30, 30, 0, "degrees that the head turns to the picture's right"),
    "pitch": Factor(-14, 14, 0, "degrees that it looks up"),
    "roll": Factor(-12, 12, 0, "degrees that it tilts, clockwise"),
    "x": Factor(-0.06, 0.06, 0, "its place to the right, in half pictures"),
    "y": Factor(-0.05, 0.05, 0, "its place upwards, in half pictures"),
    "scale": Factor(0.92, 1.08, 1, "its size, 1 the usual one"),
    "width": Factor(0.9, 1.1, 1, "its width, 1 the usual one"),
    "jaw": Factor(0, 1, 0.5, "the jaw, from narrow to square"),
    "skin": Factor(0, 1, 0.3, "the skin, from light to dark"),
    "undertone": Factor(0, 1, 0.5, "the skin, from rosy to golden"),
    # Hair.
    "hair_colour": Factor(0, 1, 0.3, "black, dark brown, brown, auburn, blond, grey at 0, 0.2, ... 1"),
    "hair_length": Factor(0, 1, 0.4, "from cropped, over the ears (0.4), to the shoulders"),
    "hair_volume": Factor(0, 1, 0.5, "how far the hair stands off the head"),
    "hair_curl": Factor(0, 1, 0.2, "from straight to curly"),
    "fringe": Factor(0, 1, 0.3, "how far the hair comes down the forehead"),
    "parting": Factor(-1, 1, 0.3, "where the hair parts, from the picture's left to its right"),
    # Eyes.
    "eye_size": Factor(0.85, 1.2, 1, "size of the eyes, 1 the usual one"),
    "eye_spacing": Factor(0.9, 1.1, 1, "distance between them, 1 the usual one"),
    "eye_open": Factor(0, 1, 0.7, "eyes from narrow to wide open"),
    "eye_colour": Factor(0, 1, 0.3, "dark brown, brown, hazel, green, blue, grey at 0, 0.2, ... 1"),
    "gaze_x": Factor(-1, 1, 0, "where they look, from the picture's left to its right"),
    "gaze_y": Factor(-1, 1, 0, "where they look, from down to up"),
    "brow_height": Factor(0, 1, 0.4, "height of the brows over the eyes"),
    "brow_slant": Factor(-1, 1, 0, "brows from angry, inner ends low, to sad"),
    "brow_weight": Factor(0, 1, 0.5, "brows from fine to bushy"),
    # Nose, mouth, and what is on a face.
    "nose_length": Factor(0.85, 1.15, 1, "length of the nose, 1 the usual one"),
    "nose_width": Factor(0.8, 1.25, 1, "its width, 1 the usual one"),
    "mouth_width": Factor(0.85, 1.2, 1, "width of the mouth, 1 the usual one"),
    "smile": Factor(-1, 1, 0.3, "corners of the mouth from down to up"),
    "mouth_open": Factor(0, 1, 0, "from closed to open, with teeth", 0.6),
    "lip_fullness": Factor(0, 1, 0.5, "lips from thin to full"),
    "lip_colour": Factor(0, 1, 0.3, "lips from pale to red"),
    "blush": Factor(0, 1, 0.3, "red of the cheeks"),
    "beard": Factor(0, 1, 0, "from none, over stubble, to full", 0.3),
    "glasses": Factor(0, 1, 0, "frame from none to thick", 0.25),
    # Around it.
    "clothes_hue": Factor(0, 1, 0.6, "hue of the clothes: red, green, blue, red at 0, 1/3, 2/3, 1"),
    "clothes_light": Factor(0, 1, 0.5, "clothes from dark to light"),
    "background_hue": Factor(0, 1, 0.55, "hue of the background, as of the clothes"),
    "background_light": Factor(0, 1, 0.5, "background from dark to light"),
    "light_azimuth": Factor(-70, 70, 25, "degrees from which the light comes: 0 the front, 70 the picture's right"),
    "light_elevation": Factor(-5, 60, 30, "degrees over the eyes from which it comes"),
    "light_strength": Factor(0, 1, 0.5, "from even light to strong shadows"),
}


def sample(key: Key[Array, ""], n: int) -> dict[str, Float32[np.ndarray, " n"]]:
    """Factors of `n` random faces; face `k` is the same for any `n`."""
    values = {}
    for factor, (name, (share, luck)) in zip(FACTORS.values(), _draws(key, n).items(), strict=True):
        low, high = np.float32(factor.low), np.float32(factor.high)
        value = np.clip(low + (high - low) * share, low, high)
        values[name] = np.where(luck < factor.chance, value, low)
    return values


def _draws(key, n) -> dict[str, Float32[np.ndarray, "2 n"]]:
    # Each factor has numbers of its own, from its name: a new one leaves the others as they were.
    own = jax.vmap(jax.random.fold_in, (None, 0))(
        key, np.array([zlib.crc32(name.encode()) for name in FACTORS], np.uint32)
    )
    return dict(zip(FACTORS, jax.device_get(_uniform(own, np.arange(n, dtype=np.uint32))), strict=True))


@jax.jit
def _uniform(keys, numbers):
    one = lambda key, number: jax.random.uniform(jax.random.fold_in(key, number), (2,), jnp.float32)
    return jax.vmap(lambda key: jax.vmap(lambda number: one(key, number), out_axes=1)(numbers))(keys)
