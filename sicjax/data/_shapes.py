"""Shapes by their signed distance (negative inside), and colours in linear light, to draw with."""

from __future__ import annotations

import jax.numpy as jnp
import numpy as np


def linear(*colours):
    """sRGB colours written `0xRRGGBB` as an array `(n, 3)` in linear light, the gamma taken as 2."""
    parts = [[colour >> shift & 255 for shift in (16, 8, 0)] for colour in colours]
    return (np.array(parts, np.float32) / 255) ** 2


def ramp(stops, t):
    """The colour at `t` in 0 to 1 along evenly spaced stops `(n, 3)`."""
    place = jnp.linspace(0, 1, len(stops))
    return jnp.stack([jnp.interp(t, place, stops[:, k]) for k in range(3)])


def hue(t):
    """A saturated colour `(3,)`: red, green, blue, red at 0, 1/3, 2/3, 1."""
    return (0.5 + 0.5 * jnp.cos(2 * jnp.pi * (t - jnp.array([0, 1 / 3, 2 / 3])))) ** 2


def rise(low, high, x):
    """From 0 at `low` to 1 at `high`, smoothly."""
    t = jnp.clip((x - low) / (high - low), 0, 1)
    return t * t * (3 - 2 * t)


def mix(below, above, share):
    """`above` over `below`, channels in the first axis, where `share` of the pixel is covered."""
    return tuple(b + (a - b) * share for b, a in zip(below, above, strict=True))


def cover(distance, soft):
    """Share of a pixel inside a shape whose edge is `soft` wide."""
    return jnp.clip(0.5 - distance / soft, 0, 1)


def ellipse(x, y, rx, ry):
    """Distance to an ellipse with its centre in the origin, exact at its edge to first order."""
    inner = jnp.sqrt((x / rx) ** 2 + (y / ry) ** 2 + 1e-8)
    return inner * (inner - 1) / jnp.sqrt((x / rx**2) ** 2 + (y / ry**2) ** 2 + 1e-8)


def box(x, y, rx, ry, corner):
    """Distance to a rectangle with round corners."""
    dx, dy = jnp.abs(x) - rx + corner, jnp.abs(y) - ry + corner
    outside = jnp.sqrt(jnp.maximum(dx, 0) ** 2 + jnp.maximum(dy, 0) ** 2 + 1e-12)
    return outside + jnp.minimum(jnp.maximum(dx, dy), 0) - corner


def union(a, b, soft):
    """Two shapes melted together over a width of `soft`."""
    h = jnp.maximum(soft - jnp.abs(a - b), 0) / soft
    return jnp.minimum(a, b) - h * h * soft / 4


def overlap(a, b, soft):
    """What two shapes share, its corners rounded over a width of `soft`."""
    return -union(-a, -b, soft)


def bell(x, y, sx, sy):
    """1 in the origin, falling off over `sx` and `sy`."""
    return jnp.exp(-((x / sx) ** 2) - (y / sy) ** 2)


def wave(x):
    """Nearly the sine, of parabolas: many times cheaper."""
    turn = x * (1 / (2 * np.pi))
    turn = turn - jnp.round(turn)
    return 8 * turn * (1 - 2 * jnp.abs(turn))
