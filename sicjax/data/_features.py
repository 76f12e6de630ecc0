"""The parts of a drawn face: mouth, nose, eyes, brows, beard and glasses, each one layer."""

from __future__ import annotations

import jax.numpy as jnp

from sicjax.data._shapes import bell, box, cover, ellipse, linear, mix, ramp, rise, wave

IRIS = linear(0x2B1A10, 0x5B3A1E, 0x8A6A35, 0x5C7F4A, 0x4F86B8, 0x93A3AE)
LIPS = linear(0xC98F80, 0xC4666A, 0xB3202E)
WHITE = linear(0xF4F0EC)[0]


def nose(picture, f, head):
    # The tip stands out, so it goes further as the head turns.
    u, v = head.u - 0.05 * head.turn, head.v
    up = v + 0.2 * f.nose_length
    wing = bell(jnp.abs(u) - 0.05 * f.nose_width, up, 0.028 * f.nose_width, 0.02)
    under = bell(u, up + 0.035, 0.09 * f.nose_width, 0.022)
    dark = jnp.clip(0.75 * wing + 0.3 * under, 0, 1) * head.front
    tone = head.skin * jnp.array([0.3, 0.2, 0.18])
    return mix(picture, [tone[k] * head.shade for k in range(3)], dark)


def eyes(picture, f, head):
    u, v = head.u, head.v
    side = head.side
    wide = 0.115 * f.eye_size
    ex = (jnp.abs(u) - 0.205 * f.eye_spacing) / wide
    ey = (v - 0.045) - 0.012 * ex
    arch = jnp.maximum(1 - ex**2, 0)
    open_ = 0.28 + 0.72 * f.eye_open
    top, bottom = 0.062 * f.eye_size * open_ * arch - 0.006, -0.036 * f.eye_size * open_ * arch - 0.006
    soft = head.soft
    shown = head.front
    inside = jnp.clip(0.5 + jnp.minimum(top - ey, ey - bottom) / soft, 0, 1) * (arch > 0)

    # The lid's fold, and the shade of the socket.
    fold = bell(ey - 0.075 * f.eye_size * (0.35 + 0.65 * open_) * arch - 0.012, ex, 0.014, 0.9)
    hollow = bell(ex, ey - 0.02, 1.3, 0.09)
    deep = head.skin * jnp.array([0.45, 0.33, 0.3])
    picture = mix(
        picture, [deep[k] * head.shade for k in range(3)], shown * jnp.clip(0.22 * hollow + 0.4 * fold, 0, 0.7)
    )

    ball = head.shade * (0.95 - 0.5 * rise(0.035, 0.0, top - ey) - 0.3 * ex**2)
    picture = mix(picture, [WHITE[k] * ball for k in range(3)], inside * shown)
    ix = ex * wide - side * 0.03 * (f.gaze_x + 0.8 * head.turn)
    iy = ey - 0.01 - 0.016 * f.gaze_y
    radius = jnp.sqrt(ix**2 + iy**2 + 1e-8)
    size = 0.05 * f.eye_size
    iris = ramp(IRIS, f.eye_colour)
    glow = (0.55 + 0.9 * rise(0.02, -0.04, iy)) * (1 - 0.6 * rise(0.75 * size, size, radius))
    picture = mix(
        picture,
        [iris[k] * glow * (0.4 + 0.6 * head.shade) for k in range(3)],
        inside * shown * cover(radius - size, soft),
    )
    picture = mix(picture, (0.004,) * 3, inside * shown * cover(radius - 0.45 * size, soft))
    gx = side * ix - 0.02 * head.light[0]
    spark = cover(jnp.sqrt(gx**2 + (iy - 0.018) ** 2 + 1e-8) - 0.012, jnp.maximum(soft, 0.01))
    picture = mix(picture, (0.95,) * 3, 0.9 * inside * shown * spark)

    thick = 0.009 + 0.006 * jnp.clip(ex, -1, 1)
    reach = rise(1.12, 0.95, jnp.abs(ex))
    lash = cover(jnp.abs(ey - top) - thick, soft) * reach
    below = cover(jnp.abs(ey - bottom) - 0.002, soft) * reach * 0.35
    return mix(picture, (0.012, 0.008, 0.006), shown * jnp.clip(0.9 * lash + below, 0, 1))


def brows(picture, f, head):
    u, v = head.u, head.v
    ex = (jnp.abs(u) - 0.21 * f.eye_spacing) / 0.15
    line = 0.15 + 0.06 * f.brow_height + 0.022 * (1 - ex**2) - 0.02 * f.brow_slant * ex
    thick = (0.008 + 0.02 * f.brow_weight) * (1.05 - 0.45 * ex)
    edge = jnp.maximum(jnp.abs(v - line) - thick, (jnp.abs(ex) - 1) * 0.15)
    tone = 0.6 * head.hair + 0.01
    share = 0.9 * head.front * cover(edge, 1.2 * head.soft + 0.012)
    return mix(picture, [tone[k] * (0.4 + 0.6 * head.shade) for k in range(3)], share)


def mouth(picture, f, head):
    u, v = head.u, head.v
    half = 0.165 * f.mouth_width * (1 + 0.12 * f.smile)
    t = u / half
    arch = jnp.maximum(1 - t**2, 0)
    middle = v + 0.335 - 0.062 * f.smile * (t**2 - 0.45)
    gap = 0.11 * f.mouth_open * arch
    full = 0.6 + 0.7 * f.lip_fullness
    bow = 0.010 * bell(t, 0.0, 0.16, 1.0)
    upper = middle - (
        0.035 * full * arch**0.75 + 0.012 * full * bell(jnp.abs(t) - 0.25, 0.0, 0.2, 1.0) - bow + 0.25 * gap
    )
    lower = -middle - (0.055 * full * arch**0.9 + 0.75 * gap)
    shown = head.front
    soft = head.soft + 0.006
    inside = shown * cover(jnp.maximum(upper, lower), soft) * (arch > 0)

    # The shadow below the lower lip.
    under = bell(t, middle + 0.085 * full + 0.75 * gap, 0.75, 0.025)
    deep = head.skin * jnp.array([0.5, 0.38, 0.35])
    picture = mix(picture, [deep[k] * head.shade for k in range(3)], 0.4 * under * shown)

    tone = ramp(LIPS, f.lip_colour) * (0.35 + 0.65 * head.skin / (head.skin[0] + 0.15))
    light = head.shade * (
        0.8 - 0.25 * rise(-0.01, 0.02, middle) + 0.35 * bell(t, middle + 0.035 * full + 0.75 * gap, 0.4, 0.012)
    )
    picture = mix(picture, [tone[k] * light for k in range(3)], inside * 0.92)
    hole = jnp.maximum(middle - 0.25 * gap, -middle - 0.75 * gap)
    dark = shown * (arch > 0) * jnp.where(f.mouth_open > 0.02, cover(hole, soft), 0)
    picture = mix(picture, (0.03, 0.008, 0.008), dark)
    teeth = jnp.maximum(-(middle + 0.35 * gap * (0.6 + 0.4 * f.smile)), jnp.abs(t) - 0.8)
    picture = mix(
        picture,
        [WHITE[k] * 0.85 * head.shade for k in range(3)],
        dark * cover(teeth, soft) * rise(0.05, 0.3, f.mouth_open) * rise(-0.5, 0.2, f.smile),
    )
    line = bell(middle, jnp.maximum(jnp.abs(t) - 0.95, 0), 0.009 + 0.3 * head.soft, 0.1)
    return mix(picture, (0.05, 0.015, 0.012), shown * 0.75 * line * rise(0.25, 0.05, f.mouth_open))


def beard(picture, f, head):
    u, v = head.u, head.v
    across = jnp.abs(u) / head.a
    cheek = v + 0.26 - 0.34 * rise(0.45, 0.95, across)
    mouth_hole = ellipse(u, v + 0.345 + 0.02 * f.mouth_open, 0.15 * f.mouth_width, 0.05 + 0.05 * f.mouth_open)
    philtrum = 0.3 * bell(u, v + 0.25, 0.02, 0.05)
    area = cover(jnp.maximum(cheek, -mouth_hole), 0.09) * cover(head.outline - 0.02 * f.beard, head.soft + 0.02)
    grain = jnp.clip(1.6 - 45 * head.soft, 0, 1) * wave(171 * u + 5 * wave(53 * v)) * wave(167 * v + 5 * wave(59 * u))
    strong = jnp.clip(1.15 * f.beard**0.7 * (1 + 0.12 * grain) - philtrum, 0, 0.96)
    tone = 0.75 * head.hair + 0.008
    return mix(
        picture,
        [tone[k] * (0.3 + 0.7 * head.shade) * (1 + 0.25 * grain) for k in range(3)],
        area * strong * (f.beard > 0),
    )


def glasses(picture, f, head):
    u, v = head.u, head.v
    m = jnp.abs(u)
    rim = box(m - 0.215 * f.eye_spacing, v - 0.03, 0.16, 0.125, 0.09)
    thick = 0.006 + 0.014 * f.glasses
    ring = cover(jnp.abs(rim) - thick, head.soft)
    bridge = cover(jnp.maximum(jnp.abs(v - 0.06 + 1.2 * u**2) - thick, m - 0.06), head.soft)
    arm = cover(jnp.maximum(jnp.abs(v - 0.07) - thick, 0.37 - m), head.soft)
    inside = head.inside
    shown = rise(0.0, 0.15, f.glasses) * inside
    lens = cover(rim, head.soft) * shown
    shine = 0.10 * lens * rise(0.05, -0.05, jnp.abs(v - 0.06 - 0.5 * (m - 0.2)) - 0.03)
    picture = tuple(0.93 * p * lens + p * (1 - lens) + shine * 0.5 for p in picture)
    return mix(picture, [0.02 + 0.03 * head.shade] * 3, shown * jnp.clip(ring + bridge + arm, 0, 1))
