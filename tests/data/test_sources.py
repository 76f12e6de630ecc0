"""Folders and NumPy files: every image read or named with the reason, every bad input one clear line."""

import io
import os
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from sicjax import data
from sicjax._errors import InputError

PACK = "celeba10k_89x109_jpeg.npz"


def picture(seed=0, height=24, width=20):
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)


def encoded(array, format="PNG"):
    file = io.BytesIO()
    Image.fromarray(array).save(file, format=format)
    return file.getvalue()


def refused(words, source, **settings):
    with pytest.raises(InputError) as caught:
        data.load(str(source), **{"size": 8} | settings)
    text = str(caught.value)
    assert words in text and "\n" not in text and len(text) < 600, text


@pytest.fixture
def folder(tmp_path):
    """Six good images in several formats, and much that is none."""
    place = tmp_path / "some images"
    (place / "b" / "deeper").mkdir(parents=True)
    for k, name in enumerate(("z.jpg", "a.PNG", "b/c.webp", "b/deeper/d.bmp", "e.gif", "f.tiff")):
        Image.fromarray(picture(k)).save(place / name)
    (place / "notes.txt").write_text("not an image, and does not say so")
    (place / ".hidden.png").write_bytes(encoded(picture()))
    return place


def test_a_folder_is_read_in_the_order_of_its_paths(folder):
    images = data.load(f"folder:{folder}", size=20)
    assert images.names == ("a.PNG", "b/c.webp", "b/deeper/d.bmp", "e.gif", "f.tiff", "z.jpg")
    assert images.pixels.shape == (6, 20, 20, 3) and not images.skipped and not images.enlarged
    np.testing.assert_array_equal(images[0], picture(1)[2:22])
    np.testing.assert_array_equal(images.pixels, data.load(f"folder:{folder}", size=20).pixels)
    assert data.load(f"folder:{folder}", size=20, limit=2).names == ("a.PNG", "b/c.webp")
    small = data.load(f"folder:{folder}", size=32, crop=10)
    assert small.enlarged == 6 and small.crop == 10


def test_images_that_cannot_be_read_are_named(folder, monkeypatch):
    (folder / "empty.jpg").write_bytes(b"")
    (folder / "text.png").write_text("no image at all")
    (folder / "cut.jpg").write_bytes(encoded(picture(0, 60, 60), "JPEG")[:2000])
    broken = bytearray(encoded(picture(0, 60, 60)))
    broken[200:260] = bytes(60)
    (folder / "broken.png").write_bytes(broken)
    (folder / "gone.png").symlink_to(folder / "nowhere.png")
    (folder / "b" / "loop").symlink_to(folder)
    (folder / "directory.png").mkdir()
    Image.fromarray(picture(0, 70, 60)).save(folder / "bomb.png")
    Image.fromarray(picture(0, 100, 90)).save(folder / "larger bomb.png")
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 4000)
    images = data.load(f"folder:{folder}", size=20)
    reasons = dict(images.skipped)
    assert len(images) == 6 and len(images.skipped) == 8
    assert reasons["empty.jpg"] == reasons["text.png"] == "not an image"
    assert "truncated" in reasons["cut.jpg"] and reasons["broken.png"]
    assert reasons["gone.png"] == "No such file or directory"
    assert reasons["b/loop"] == "a link to a folder that is already read"
    assert "decompression bomb" in reasons["bomb.png"] and "decompression bomb" in reasons["larger bomb.png"]
    assert repr(images).endswith("6 of 20 x 20, 8 skipped)")
    # One that cannot be read does not count towards the limit.
    assert data.load(f"folder:{folder}", size=8, limit=3).names == ("a.PNG", "b/c.webp", "b/deeper/d.bmp")


def test_progress_is_told(folder):
    told = []
    data.load(f"folder:{folder}", size=8, progress=lambda done, total: told.append((done, total)))
    assert told[-1] == (6, 6)
    data.load("faces", size=32, limit=2, progress=lambda done, total: told.append((done, total)))
    assert told[-1] == (2, 2)


def test_sources_that_are_not_there(tmp_path):
    for source in ("face", "", "folder", "folder:", "npz:", "faces:3", "celeb_a:/data", "/some/path"):
        refused("expected faces, celeb_a, folder:PATH or npz:PATH", source)
    refused("is not there, expected a folder", f"folder:{tmp_path}/none")
    refused("holds no images", f"folder:{tmp_path}")
    (tmp_path / "only.png").write_text("")
    refused("none of 1 images can be read, the first only.png: not an image", f"folder:{tmp_path}")
    refused("is a file, expected a folder", f"folder:{tmp_path}/only.png")
    refused("is not there, expected a .npz", f"npz:{tmp_path}/none.npz")
    refused("cannot be read as a NumPy file", f"npz:{tmp_path}/only.png")
    refused("cannot be read as a NumPy file", f"npz:{tmp_path}")


@pytest.mark.parametrize(
    "source, settings, words",
    [
        ("faces", {"size": 0}, "size must be 4 or more, got 0"),
        ("faces", {"size": 10**6}, "size must be 4096 pixels at most"),
        ("faces", {"limit": 0}, "limit must be 1 or more"),
        ("faces", {"seed": -1}, "seed must be 0 or more"),
        ("faces", {"crop": 8}, "crop is not for source 'faces'"),
        ("faces", {"data_dir": "."}, "data_dir is not for source 'faces'"),
        ("folder:.", {"key": "x"}, "key is not for source 'folder:.'"),
        ("folder:.", {"split": "train"}, "split is not for"),
        ("folder:.", {"download": True}, "download is not for"),
        ("folder:.", {"value_range": (0, 1)}, "value_range is not for"),
        ("folder:.", {"crop": 0}, "crop must be 1 or more"),
    ],
)
def test_settings_that_do_not_fit(source, settings, words):
    refused(words, source, **settings)


def test_arrays_of_a_numpy_file(tmp_path):
    def load(array, **settings):
        np.savez(tmp_path / "a.npz", labels=np.arange(5), images=array)
        return data.load(f"npz:{tmp_path}/a.npz", **{"size": 20} | settings)

    stack = np.stack([picture(k) for k in range(5)])
    images = load(stack)
    np.testing.assert_array_equal(images.pixels, stack[:, 2:22])
    assert images.names[3] == "images[3]" and len(load(stack, limit=2)) == 2
    np.testing.assert_array_equal(load(stack[..., :1]).pixels, np.repeat(stack[:, 2:22, :, :1], 3, 3))
    np.testing.assert_array_equal(load(stack[..., 0]).pixels, np.repeat(stack[:, 2:22, :, :1], 3, 3))
    np.testing.assert_array_equal(load(stack / np.float32(255), value_range=(0, 1)).pixels, stack[:, 2:22])
    np.testing.assert_array_equal(load(stack / 127.5 - 1, value_range=(-1, 1)).pixels, stack[:, 2:22])
    np.testing.assert_array_equal(load(stack.astype(np.int64), value_range=(0, 255)).pixels, stack[:, 2:22])
    holed = stack / 255
    holed[1, 4, 4] = np.nan
    assert load(holed, value_range=(0, 1)).skipped == (("images[1]", "its pixels are not all finite"),)
    np.save(tmp_path / "b.npy", stack)
    np.testing.assert_array_equal(data.load(f"npz:{tmp_path}/b.npy", size=20).pixels, stack[:, 2:22])


def test_arrays_that_are_no_images(tmp_path):
    def refuse(words, settings=None, **arrays):
        np.savez(tmp_path / "a.npz", **arrays)
        refused(words, f"npz:{tmp_path}/a.npz", **(settings or {}))

    stack = np.stack([picture(k) for k in range(3)])
    refuse("say what is black and white", images=stack / 255)
    refuse("does not fit value_range=(0, 1)", {"value_range": (0, 1)}, images=stack / 127.5 - 1)
    refuse("does not fit value_range=(1, 0)", {"value_range": (1, 0)}, images=stack / 255)
    refuse("expected images (n, height, width, channels)", images=stack.transpose(0, 3, 1, 2))
    refuse("expected images (n, height, width, channels)", image=stack[0])
    refuse("expected images (n, height, width, channels)", images=stack[:0])
    refuse("holds no arrays")
    refuse("holds 2 arrays of images, choose one with key=: train, test", train=stack, test=stack)
    refuse("holds no array 'val'", {"key": "val"}, train=stack, test=stack)
    refuse("without pickled objects", images=np.array([None, stack], object))
    np.savez(tmp_path / "a.npz", train=stack, test=stack[:1])
    assert len(data.load(f"npz:{tmp_path}/a.npz", size=8, key="test")) == 1
    (tmp_path / "a.npz").write_bytes((tmp_path / "a.npz").read_bytes()[:2000])
    refused("cannot be read as a NumPy file", f"npz:{tmp_path}/a.npz")


def test_a_pack_of_encoded_images(tmp_path):
    def pack(parts, names, **changed):
        buf = np.frombuffer(b"".join(parts), np.uint8)
        offsets = np.cumsum([0, *map(len, parts)])
        np.savez(tmp_path / "a.npz", **{"buf": buf, "offsets": offsets, "names": np.array(names)} | changed)
        return f"npz:{tmp_path}/a.npz"

    whole = [picture(k, 109, 89) for k in range(3)]
    parts = [b"", encoded(whole[1]), encoded(whole[2])]
    images = data.load(pack(parts, ["1.jpg", "2.jpg", "3.jpg"]), size=74)
    assert images.names == ("2.jpg", "3.jpg") and images.skipped == (("1.jpg", "not an image"),)
    # Half the size of CelebA, so half its custom of a 148 crop.
    assert images.crop == 74
    np.testing.assert_array_equal(images[1], whole[2][17:91, 7:81])
    assert data.load(pack([encoded(picture())], ["x"]), size=8).crop is None
    refused("is not complete: it ends at", pack(parts, ["1", "2", "3"], buf=np.zeros(10, np.uint8)))
    refused("is not a pack of images", pack(parts, ["1", "2"]))
    refused("is not a pack of images", pack(parts, ["1", "2", "3"], offsets=np.array([0, 9, 5, 7])))
    refused("none of 0 images", pack([], np.array([], "U1")))


def test_the_pack_of_celeb_a(public_weights):
    file = public_weights.parent / PACK
    if not file.is_file():
        pytest.skip(f"the pack of CelebA is not here: {file}")
    images = data.load(f"npz:{file}", size=32, limit=500)
    assert images.pixels.shape == (500, 32, 32, 3) and images.crop == 74 and not images.skipped and not images.enlarged
    assert images.names[0] == "000001.jpg" and images.names[499] == "000500.jpg"
    # Faces in the middle: brighter and redder there than the whole.
    mean = images.pixels.mean(0)
    assert mean[12:24, 10:22, 0].mean() > mean[12:24, 10:22, 2].mean() + 20


def test_pillow_is_missing(folder, monkeypatch):
    monkeypatch.setitem(sys.modules, "PIL", None)
    refused("reading images needs Pillow: pip install 'sicjax[train]'", f"folder:{folder}")
    without = "import sys; sys.modules['PIL'] = None; from sicjax import data; print(len(data.FACTORS))"
    found = subprocess.run([sys.executable, "-c", without], capture_output=True, text=True, check=True)
    assert int(found.stdout) == len(data.FACTORS)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read every file")
def test_files_that_may_not_be_read(folder):
    (folder / "a.PNG").chmod(0)
    (folder / "b").chmod(0)
    images = data.load(f"folder:{folder}", size=8)
    assert dict(images.skipped) == {"a.PNG": "Permission denied", "b": "Permission denied"} and len(images) == 3
