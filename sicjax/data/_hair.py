"""Hair, behind the head and before it."""

from __future__ import annotations

import jax.numpy as jnp

from sicjax.data._shapes import bell, box, cover, ellipse, mix, overlap, rise, union, wave


def _colour(f, head, along, band, light):
    """Strands run along lines of equal `along`; the shine lies where `band` is 1."""
    fade = lambda waves: jnp.clip(1.4 - waves * head.soft / 3, 0, 1)
    curl = 0.6 * f.hair_curl * wave(14 * head.hy + 5 * along)
    strand = fade(24) * wave(24 * along + 2 * wave(7 * along) + curl) + fade(61) * 0.7 * wave(61 * along + 3 * curl)
    gloss = 0.5 * head.strength * band * (1 + 0.35 * strand)
    level = light * (0.8 + 0.16 * strand)
    return [head.hair[k] * (level + gloss) + 0.035 * gloss for k in range(3)]


def _curls(f, x, y):
    return 0.03 * f.hair_curl * (wave(23 * x + 4 * wave(9 * y)) + wave(21 * y + 4 * wave(11 * x)))


def _ends(f):
    """Height at which the hair ends."""
    return 0.15 - 1.15 * rise(0.15, 1.0, f.hair_length)


def hair_behind(picture, f, head):
    x, y = head.hx + 0.1 * head.turn, head.hy
    puff = 0.03 + 0.13 * f.hair_volume
    cap = ellipse(x, y - 0.06, head.a + puff, head.b + puff * 0.8)
    low = _ends(f)
    cap = overlap(cap, low - y, 0.16)
    width = head.a + 0.3 * puff + 0.1 * rise(0.3, 1, f.hair_length)
    curtain = box(x, y - (0.3 + low) / 2, width, (0.3 - low) / 2, 0.18)
    shape = jnp.where(f.hair_length > 0.15, union(cap, curtain, 0.1), cap) + _curls(f, x, y)
    light = (0.35 + 0.5 * head.shade) * (0.55 + 0.45 * rise(-0.2, 0.8, y))
    colour = _colour(f, head, x, bell(y - 0.45, 0 * x, 0.2, 1.0), light)
    return mix(picture, colour, cover(shape, head.soft + 0.015))


def hair_before(picture, f, head):
    u, v = head.u, head.v
    puff = 0.02 + 0.09 * f.hair_volume
    part = 0.2 * f.parting
    away = jnp.abs(u - part)
    # The hairline is highest at the parting, lower to both sides, and lowest before the ears.
    line = 0.43 - 0.25 * f.fringe * rise(0.0, 0.22, away) - 0.06 * f.fringe
    temple = rise(0.58, 1.0, jnp.abs(u) / head.a)
    line = (
        line
        - temple * (0.22 + 0.75 * rise(0.2, 0.9, f.hair_length))
        - 1.2 * (1 - head.facing) * rise(0.4, 0.8, jnp.abs(head.hx) / head.a)
    )
    shape = overlap(head.outline - puff, (line - v) * 0.8, 0.06)
    shape = overlap(shape, _ends(f) - head.hy, 0.1) + _curls(f, u, v)
    along = (u - part) / (1.15 - v) * 1.3
    light = 0.3 + 0.7 * head.shade
    band = bell(v - 0.5 + 0.25 * away, 0 * u, 0.1, 1.0)
    colour = _colour(f, head, along, band, light)
    # A soft shadow on the forehead.
    picture = tuple(p * (1 - 0.3 * cover(shape - 0.03, 0.1) * cover(head.outline, head.soft)) for p in picture)
    return mix(picture, colour, cover(shape, head.soft + 0.012))
