"""Drawn faces: the same for a seed, of every factor a picture that shows it."""

import jax
import numpy as np
import pytest

from sicjax import data
from sicjax.data._factors import sample

SIZE = 32


def values(picture):
    return picture.astype(float) / 255


def test_faces_are_pictures_with_their_factors():
    images, factors = data.faces(jax.random.key(3), 12, SIZE)
    assert images.shape == (12, SIZE, SIZE, 3) and images.dtype == np.uint8
    assert {name: values.shape for name, values in factors.items()} == dict.fromkeys(data.FACTORS, (12,))
    assert len({image.tobytes() for image in images}) == 12
    np.testing.assert_array_equal(data.draw_faces(factors, SIZE), images)


def test_factors_lie_in_their_ranges_as_often_as_they_say():
    factors = sample(jax.random.key(3), 1000)
    for name, factor in data.FACTORS.items():
        low, high = np.float32(factor.low), np.float32(factor.high)
        assert (factors[name] >= low).all() and (factors[name] <= high).all()
        assert abs(np.mean(factors[name] > low) - factor.chance) < 0.06, name


def test_a_face_depends_on_the_seed_and_its_number_alone():
    many, few = data.load("faces", size=SIZE, limit=12, seed=1), data.load("faces", size=SIZE, limit=3, seed=1)
    np.testing.assert_array_equal(many.pixels[:3], few.pixels)
    np.testing.assert_array_equal(many.factors["yaw"][:3], few.factors["yaw"])
    assert (many.pixels[:3] != data.load("faces", size=SIZE, limit=3, seed=2).pixels).mean() > 0.5
    assert many.names[2] == "face 2" and len(many) == 12 and many.size == SIZE and not many.skipped


def test_every_factor_changes_the_picture():
    # Hues come full circle, so the middle is compared.
    ways = [
        (name, value) for name, factor in data.FACTORS.items() for value in (factor.low, (factor.low + factor.high) / 2)
    ]
    neutral = {name: factor.neutral for name, factor in data.FACTORS.items()} | {"light_strength": 0.8}
    faces = [neutral | {name: value} for name, value in ways]
    drawn = values(data.draw_faces({name: [face[name] for face in faces] for name in neutral}, SIZE))
    for (name, _), low, middle in zip(ways[::2], drawn[::2], drawn[1::2], strict=True):
        assert np.abs(middle - low).max() > 0.02, name


def test_what_a_factor_changes_is_what_it_says():
    face = (slice(12, 24), slice(11, 21))
    light, dark = values(data.draw_faces({"skin": [0, 1]}, SIZE))
    assert light[face].mean() - dark[face].mean() > 0.3 and np.abs(light - dark)[:3].max() < 0.02

    red, green = values(data.draw_faces({"background_hue": [0, 1 / 3]}, SIZE))[:, :5, :3].mean((1, 2))
    assert red.argmax() == 0 and green.argmax() == 1
    dim, bright = values(data.draw_faces({"background_light": [0, 1]}, SIZE))[:, :5, :3].mean((1, 2, 3))
    assert bright - dim > 0.3

    from_left, from_right = values(data.draw_faces({"light_azimuth": [-70, 70], "light_strength": 1}, SIZE))
    half = SIZE // 2
    assert from_left[face][:, :5].mean() > from_left[face][:, -5:].mean() + 0.1
    assert from_right[face][:, -5:].mean() > from_right[face][:, :5].mean() + 0.1

    short, long = values(data.draw_faces({"hair_length": [0, 1], "hair_colour": 0, "background_light": 1}, SIZE))
    assert short[24:27].mean() > long[24:27].mean() + 0.1

    # A head that looks to one side is the mirror image of one that looks to the other, where all else is symmetric.
    symmetric = {"parting": 0, "light_azimuth": 0, "yaw": [-25, 25]}
    left, right = values(data.draw_faces(symmetric, SIZE))
    assert np.abs(left - right).mean() > 0.02 and np.abs(left - right[:, ::-1]).mean() < 0.01
    straight = values(data.draw_faces({"parting": 0, "light_azimuth": 0}, SIZE))[0]
    assert np.abs(straight[:, :half] - straight[:, half:][:, ::-1]).mean() < 0.01


def test_a_larger_picture_shows_the_same():
    small = values(data.draw_faces({"smile": [-1, 1]}, SIZE))
    large = values(data.draw_faces({"smile": [-1, 1]}, 2 * SIZE)).reshape(2, SIZE, 2, SIZE, 2, 3).mean((2, 4))
    assert np.abs(small - large).mean() < 0.02


@pytest.mark.parametrize(
    "factors, words",
    [
        ({"grin": 1}, "unknown factor 'grin'"),
        ({"yaw": 90}, "yaw is 90, expected -30 to 30: degrees"),
        ({"smile": [0, float("nan")]}, "smile is nan"),
        ({"smile": [0, 1], "yaw": [0, 1, 2]}, "{'smile': 2, 'yaw': 3}"),
        ({"smile": np.zeros((2, 2))}, "shape (2, 2)"),
    ],
)
def test_factors_that_cannot_be_drawn(factors, words):
    with pytest.raises(ValueError) as caught:
        data.draw_faces(factors, SIZE)
    assert words in str(caught.value) and "\n" not in str(caught.value)


def test_no_faces():
    with pytest.raises(ValueError, match="one face or more"):
        data.faces(jax.random.key(0), 0, SIZE)
    with pytest.raises(ValueError, match="4 pixels or more"):
        data.draw_faces({}, 2)
