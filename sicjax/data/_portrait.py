"""One drawn face: layers of soft-edged shapes from back to front, lit by one light."""

from __future__ import annotations

from types import SimpleNamespace

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, UInt8

from sicjax.data._features import beard, brows, eyes, glasses, mouth, nose
from sicjax.data._hair import hair_before, hair_behind
from sicjax.data._shapes import bell, cover, ellipse, hue, linear, mix, ramp, rise, union

SKIN = linear(0xFFE3D0, 0xF6CDAF, 0xE2AC86, 0xC48860, 0x9A6440, 0x6E442C, 0x4A2C1E)
# What rosy and golden skin makes of red, green and blue.
UNDERTONE = np.array([[1.01, 0.92, 1.0], [1.0, 1.04, 0.77]], np.float32)
# Size and height of the usual head.
SCALE, LIFT = 1.04, 0.02
HAIR = linear(0x17130F, 0x3A2619, 0x64432A, 0x8A4526, 0xD9B26A, 0xB9B4AE)


def portrait(factors: dict[str, Float[Array, ""]], size: int) -> UInt8[Array, "size size 3"]:
    """The picture of one face with these factors, all of `FACTORS`."""
    f = SimpleNamespace(**factors)
    step = 2 / size
    centres = (jnp.arange(size) + 0.5) * step - 1
    x, y = jnp.meshgrid(centres - f.x, -centres - f.y, indexing="xy")
    head = Head(f, x, y, step)
    layers = (background, hair_behind, body, ears, face, mouth, nose, eyes, brows, beard, glasses, hair_before)
    picture = (jnp.zeros_like(x),) * 3
    for layer in layers:
        picture = layer(picture, f, head)
    return jnp.round(255 * jnp.sqrt(jnp.clip(jnp.stack(picture, -1), 0, 1))).astype(jnp.uint8)


class Head:
    """Where every pixel lies on the head, and how it is lit there.

    Attributes:
        x, y: in the picture, from the middle of the head, y upwards; half a picture is 1.
        hx, hy: on the head as it tilts and grows.
        scale, a, b: its size, half width and half height.
        turn, nod: sines of yaw and pitch.
        outline: distance to the head's edge.
        u, v: on the face, from its middle, turning with the head.
        inside: share of the pixel that is head.
        facing: 1 on the side of the face, 0 behind the ears.
        front: both together.
        side: 1 on the face's right half in the picture, -1 on its left.
        normal, light, strength: of the bare head, towards the light, and the light's share without the even light.
        shade: light on the bare head, about 1.
        soft: width of a sharp edge, a little over one pixel.
        skin, hair: colours `(3,)` in linear light.
    """

    def __init__(self, f, x, y, step):
        degree = jnp.pi / 180
        self.x, self.y, self.scale = x, y, SCALE * f.scale
        self.soft = 1.3 * step / self.scale
        cos, sin = jnp.cos(f.roll * degree), jnp.sin(f.roll * degree)
        self.hx = hx = (cos * x - sin * (y - LIFT)) / self.scale
        self.hy = hy = (sin * x + cos * (y - LIFT)) / self.scale
        self.a, self.b = a, b = 0.5 * f.width, 0.66
        self.turn, self.nod = turn, nod = jnp.sin(f.yaw * degree), jnp.sin(f.pitch * degree)
        low = jnp.clip(-hy / b, 0, 1.1)
        # The chin is before the head's middle, so it goes with the face as the head turns.
        ox = hx - 0.1 * turn * low
        half = a * (1 - (0.27 - 0.38 * f.jaw) * low**2)
        self.outline = ellipse(ox, hy, half, b)
        sx, sy = ox / half, hy / b
        away = jnp.sqrt(jnp.maximum(sx**2 + sy**2, 1e-8))
        inside = jnp.minimum(1, 0.995 / away)
        sx, sy = sx * inside, sy * inside
        z = jnp.sqrt(1 - sx**2 - sy**2)
        facing = jnp.sqrt(1 - turn**2)
        level = jnp.sqrt(1 - nod**2)
        ux, uz = sx * facing - z * turn, sx * turn + z * facing
        self.u, self.v = a * ux, b * (sy * level - uz * nod)
        self.inside = cover(self.outline, self.soft)
        self.facing = rise(0.0, 0.25, uz)
        self.front = self.facing * self.inside
        self.side = jnp.sign(self.u)
        self.normal = sx, sy, z
        az, el = f.light_azimuth * degree, f.light_elevation * degree
        self.light = jnp.sin(az) * jnp.cos(el), jnp.sin(el), jnp.cos(az) * jnp.cos(el)
        self.strength = 0.25 + 0.75 * f.light_strength
        self.skin = ramp(SKIN, f.skin) * ramp(UNDERTONE, f.undertone)
        self.hair = ramp(HAIR, f.hair_colour)
        self.shade = self.lit(sx, sy, z)

    def lit(self, nx, ny, nz):
        """Light on a surface with this normal."""
        length = jnp.sqrt(nx**2 + ny**2 + nz**2 + 1e-8)
        fall = (nx * self.light[0] + ny * self.light[1] + nz * self.light[2]) / length
        # Light also reaches a little around the edge, as it does on skin.
        diffuse = jnp.maximum(fall + 0.25, 0) / 1.25
        return (1 - self.strength) * (0.85 + 0.1 * ny) + self.strength * (0.16 + 0.92 * diffuse)


def background(picture, f, head):
    base = 0.25 + 0.75 * hue(f.background_hue)
    level = 0.05 + 0.75 * f.background_light**1.5
    glow = 1 + 0.45 * (head.x * head.light[0] + 0.6 * head.y) * (0.3 + 0.7 * f.light_strength)
    fall = 1 - 0.22 * (head.x**2 + head.y**2)
    return tuple(base[k] * level * glow * fall for k in range(3))


def body(picture, f, head):
    """Neck, shoulders and clothes."""
    x, y = head.x / head.scale, (head.y - LIFT) / head.scale
    shadow = 1 - 0.55 * cover(ellipse(x, y, 0.42, 0.72), 0.28)
    across = jnp.clip(x / 0.28, -1, 1)
    round_light = head.lit(across, 0.0 * x, jnp.sqrt(1.05 - across**2))
    neck = union(jnp.abs(x) - 0.23, ellipse(x, y + 1.2, 0.75, 0.42), 0.2)
    neck = jnp.maximum(neck, y + 0.3)
    picture = mix(picture, [head.skin[k] * round_light * shadow * 0.9 for k in range(3)], cover(neck, head.soft))
    shoulders = union(ellipse(x, y + 1.42, 1.02, 0.66), jnp.abs(x) - 0.2, 0.1)
    shoulders = jnp.maximum(shoulders, -ellipse(x, y + 0.68, 0.3, 0.2))
    shoulders = jnp.maximum(shoulders, y + 0.72)
    tone = (0.12 + 0.88 * hue(f.clothes_hue)) * (0.04 + 0.6 * f.clothes_light**2) + 0.02
    wide = jnp.clip(x / 1.1, -0.95, 0.95)
    cloth = head.lit(wide, 0.35 + 0 * x, jnp.sqrt(1 - wide**2)) * (1 - 0.4 * cover(ellipse(x, y, 0.42, 0.78), 0.3))
    return mix(picture, [tone[k] * cloth for k in range(3)], cover(shoulders, head.soft))


def ears(picture, f, head):
    x = jnp.abs(head.hx + 0.1 * head.turn) - head.a * 0.98
    y = head.hy - 0.02 + 0.15 * head.nod
    shown = rise(0.5, 0.35, f.hair_length)
    ear = ellipse(x - 0.01, y, 0.085, 0.15)
    inner = bell(x - 0.015, y - 0.01, 0.04, 0.08)
    tone = head.lit(0.7 * jnp.sign(head.hx), 0.0 * x, 0.7 + 0 * x) * (0.88 - 0.35 * inner)
    red = jnp.array([1.0, 0.88, 0.84])
    return mix(picture, [head.skin[k] * red[k] * tone for k in range(3)], shown * cover(ear, head.soft))


def face(picture, f, head):
    """Bare skin with the bumps of a face."""
    u, v, side = head.u, head.v, head.side
    m = jnp.abs(u)
    nx, ny, nz = head.normal
    long, wide = f.nose_length, f.nose_width
    # Height (a hollow's is negative), place across and up, and the widths in both.
    middle = (
        (0.055, 0.0, -0.03 * long, 0.055 * wide, 0.13 * long),
        (0.05, 0.05 * head.turn, -0.15 * long, 0.07 * wide, 0.055),
        (0.03, 0.0, -0.34, 0.18, 0.11),
        (0.025, 0.0, -0.53, 0.12, 0.07),
        (-0.012, 0.0, -0.44, 0.1, 0.03),
    )
    pairs = (
        (-0.035, 0.2, 0.06, 0.11, 0.075),
        (0.03, 0.26, -0.16, 0.13, 0.11),
        (0.02, 0.17, 0.17, 0.16, 0.05),
    )
    for bumps, along, sign in ((middle, u, 1.0), (pairs, m, side)):
        for height, across, up, wx, wy in bumps:
            slope = 1.1 * height * bell(along - across, v - up, wx, wy)
            nx = nx + sign * slope * (along - across) / wx**2
            ny = ny + slope * (v - up) / wy**2
    light = head.lit(nx, ny, nz)
    length = jnp.sqrt(nx**2 + ny**2 + nz**2)
    half = (nx * head.light[0] + ny * head.light[1] + nz * (1 + head.light[2])) / length
    half = half / jnp.sqrt(2 + 2 * head.light[2])
    shine = 0.16 * head.strength * jnp.maximum(half, 0) ** 24
    light = light * (0.72 + 0.28 * jnp.sqrt(head.normal[2]))
    flush = f.blush * bell(m - 0.27, v + 0.15, 0.13, 0.1) * 0.55
    red = 0.12 * (1 - light)
    tint = (1 - 0.05 * flush + red * 0.5, 1 - 0.45 * flush - red, 1 - 0.4 * flush - red)
    skin = [head.skin[k] * light * tint[k] + shine for k in range(3)]
    return mix(picture, skin, head.inside)
