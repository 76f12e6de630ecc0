"""From an image to its square: the right pixels, whatever the image's kind."""

import io

import numpy as np
import pytest
from PIL import Image

from sicjax.data._pixels import square

RNG = np.random.default_rng(0)
NOISE = RNG.integers(0, 256, (218, 178, 3), dtype=np.uint8)
SMOOTH = np.stack(np.broadcast_arrays(*np.ogrid[0:218, 0:178], 90), -1).astype(np.uint8)


def saved(image, **settings):
    file = io.BytesIO()
    image.save(file, **settings)
    return Image.open(io.BytesIO(file.getvalue()))


def test_a_crop_is_centred_to_the_pixel():
    pixels, side = square(Image.fromarray(NOISE), 148, 148)
    np.testing.assert_array_equal(pixels, NOISE[35:183, 15:163])
    assert side == 148 and pixels.dtype == np.uint8
    pixels, side = square(Image.fromarray(NOISE), 178, None)
    np.testing.assert_array_equal(pixels, NOISE[20:198])
    # What is left over by an odd number stays at the right and below.
    np.testing.assert_array_equal(square(Image.fromarray(NOISE), 147, 147)[0], NOISE[35:182, 15:162])
    np.testing.assert_array_equal(square(Image.fromarray(NOISE), 108, 108)[0], NOISE[55:163, 35:143])


def test_shrinking_averages_and_enlarging_is_smooth():
    fine = np.zeros((128, 128, 3), np.uint8)
    fine[::2] = 255
    assert np.abs(square(Image.fromarray(fine), 16, None)[0].astype(int) - 127).max() <= 8
    pixels, side = square(Image.fromarray(SMOOTH[:8, :8]), 32, None)
    assert side == 8 and np.abs(pixels[16, 16] - [4, 4, 90]).max() <= 1


@pytest.mark.parametrize("size", [64, 32, 16, 8])
def test_jpeg_decoded_at_a_fraction_shows_the_same(size):
    jpeg = saved(Image.fromarray(SMOOTH), format="JPEG", quality=95)
    whole = Image.fromarray(np.asarray(saved(Image.fromarray(SMOOTH), format="JPEG", quality=95)))
    found, wanted = square(jpeg, size, 148)[0], square(whole, size, 148)[0]
    assert np.abs(found.astype(int) - wanted).max() <= 2
    assert jpeg.size == {64: (178, 218), 32: (89, 109), 16: (45, 55), 8: (23, 28)}[size]


def test_every_mode_becomes_rgb():
    image = Image.fromarray(NOISE)
    grey = np.asarray(image.convert("L"))
    np.testing.assert_array_equal(square(image.convert("L"), 178, None)[0], np.repeat(grey[20:198, :, None], 3, 2))
    deep = Image.fromarray(grey.astype(np.uint16) * 257)
    np.testing.assert_array_equal(square(deep, 178, None)[0], square(image.convert("L"), 178, None)[0])
    for mode in ("CMYK", "YCbCr", "HSV"):
        wanted = np.asarray(image.convert(mode).convert("RGB"))[20:198]
        np.testing.assert_array_equal(square(image.convert(mode), 178, None)[0], wanted)
    for mode in ("1", "P"):
        wanted = np.asarray(image.convert(mode).convert("RGB"))[20:198]
        np.testing.assert_array_equal(square(image.convert(mode), 178, None)[0], wanted)
    cmyk = square(saved(Image.new("CMYK", (20, 20), (0, 255, 255, 0)), format="JPEG"), 8, None)[0]
    assert (cmyk[..., 0] > 250).all() and (cmyk[..., 1:] < 5).all()


def test_transparency_lies_on_white():
    for mode, colour in (("RGBA", (255, 0, 0, 0)), ("LA", (0, 0)), ("PA", (0, 0))):
        assert (square(Image.new(mode, (9, 9), colour), 9, None)[0] == 255).all()
    half = square(Image.new("RGBA", (9, 9), (255, 0, 0, 128)), 9, None)[0]
    assert np.abs(half.astype(int) - [255, 127, 127]).max() <= 1
    for mode in ("P", "RGB", "L"):
        named = {"P": 0, "RGB": (0, 0, 0), "L": 0}[mode]
        assert (square(saved(Image.new(mode, (9, 9)), format="PNG", transparency=named), 9, None)[0] == 255).all()


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("format", ["JPEG", "PNG", "TIFF"])
def test_images_are_turned_upright(orientation, format):
    # A picture dark above and red at the left, stored as a camera stores it when held this way.
    upright = np.full((40, 60, 3), 200, np.uint8)
    upright[:20], upright[:, 10:30, 1:] = 20, 0
    image = Image.fromarray(upright)
    undo = {2: 0, 3: 3, 4: 1, 5: 5, 6: 2, 7: 6, 8: 4}
    stored = image.transpose(Image.Transpose(undo[orientation])) if orientation > 1 else image
    exif = Image.Exif()
    exif[0x0112] = orientation
    settings = {"quality": 100, "subsampling": 0} if format == "JPEG" else {}
    pixels, side = square(saved(stored, format=format, exif=exif, **settings), 40, None)
    assert side == 40 and np.abs(pixels.astype(int) - upright[:, 10:50]).max() <= 12


def test_an_animation_gives_its_first_picture():
    frames = [Image.new("RGB", (9, 9), colour) for colour in ("red", "blue")]
    moving = saved(frames[0], format="GIF", save_all=True, append_images=frames[1:])
    assert (square(moving, 9, None)[0] == [255, 0, 0]).all()


def test_images_that_are_refused():
    with pytest.raises(ValueError, match="178 x 218 pixels are smaller than the crop of 200"):
        square(Image.fromarray(NOISE), 64, 200)
    with pytest.raises(ValueError, match="32-bit pixels have no stated range"):
        square(Image.new("F", (9, 9)), 8, None)
