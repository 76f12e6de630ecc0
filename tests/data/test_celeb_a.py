"""CelebA from an archive, a folder, or TFDS: made-up images under the names of the real ones."""

import csv
import importlib.util
import io
import json
import sys
import zipfile

import numpy as np
import pytest
from PIL import Image

from sicjax import data
from sicjax._errors import InputError

NUMBERS = (1, 2, 162_770, 162_771, 182_637, 182_638, 202_599)


def picture(number):
    return np.random.default_rng(number).integers(0, 256, (218, 178, 3), dtype=np.uint8)


def encoded(number, format="PNG"):
    file = io.BytesIO()
    Image.fromarray(picture(number)).save(file, format=format)
    return file.getvalue()


@pytest.fixture
def archive(tmp_path):
    # The content is PNG, which keeps every pixel, under the names of the real files.
    with zipfile.ZipFile(tmp_path / "img_align_celeba.zip", "w") as file:
        file.writestr("img_align_celeba/", b"")
        for number in reversed(NUMBERS):
            file.writestr(f"img_align_celeba/{number:06d}.jpg", encoded(number))
        file.writestr("__MACOSX/img_align_celeba/000001.jpg", b"")
        file.writestr("img_align_celeba/readme.txt", b"")
    return tmp_path / "img_align_celeba.zip"


def load(data_dir, **settings):
    return data.load("celeb_a", **{"size": 148, "data_dir": data_dir} | settings)


def numbers(images):
    return [int(name.rpartition("/")[2][:6]) for name in images.names]


def test_the_archive_is_read_without_unpacking(archive):
    for place in (archive, archive.parent):
        images = load(place)
        assert numbers(images) == [1, 2, 162_770] and images.crop == 148
        np.testing.assert_array_equal(images[0], picture(1)[35:183, 15:163])
    assert numbers(load(archive, split="validation")) == [162_771, 182_637]
    assert numbers(load(archive, split="test")) == [182_638, 202_599]
    assert numbers(load(archive, split="all")) == list(NUMBERS)
    assert load(archive, size=8, crop=178).crop == 178


def test_a_folder_is_read_from_wherever_it_is(archive):
    wanted = load(archive)
    place = archive.parent / "unpacked"
    with zipfile.ZipFile(archive) as file:
        file.extractall(place)
    archive.unlink()
    (place / "img_align_celeba" / "000002.jpg").write_bytes(b"broken")
    for folder in (place, place / "img_align_celeba"):
        images = load(folder)
        np.testing.assert_array_equal(images.pixels, wanted.pixels[[0, 2]])
        assert images.skipped == (("000002.jpg", "not an image"),)


@pytest.mark.parametrize("ending, mark", [("txt", " "), ("csv", ",")])
def test_the_list_beside_the_images_decides_their_split(archive, ending, mark):
    head = [("image_id", "partition")] if ending == "csv" else []
    with (archive.parent / f"list_eval_partition.{ending}").open("w") as file:
        csv.writer(file, delimiter=mark).writerows([*head, *((f"{n:06d}.jpg", n % 2) for n in NUMBERS[:-1])])
    images = load(archive, split="validation", size=8)
    assert numbers(images) == [1, 162_771, 182_637]
    assert images.skipped == (("img_align_celeba/202599.jpg", "not in list_eval_partition"),)
    with (archive.parent / f"list_eval_partition.{ending}").open("ab") as file:
        file.write(b"\xff\xfe\n202599.jpg \xc2\xb2\n" + b"9" * 200_000 + b"\n")  # no UTF-8, no number, no end
    assert load(archive, split="validation", size=8).skipped == images.skipped


def test_celeb_a_is_found_by_the_environment(archive, monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    for name in ("SICJAX_DATA", "TFDS_DATA_DIR"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(
        InputError, match=r"\(1\) img_align_celeba.zip .* \(2\) .* array_record; or \(3\) .*download=True"
    ):
        data.load("celeb_a", size=8)
    monkeypatch.setenv("SICJAX_DATA", str(archive.parent))
    assert len(data.load("celeb_a", size=8)) == 3


def refused(words, data_dir, **settings):
    with pytest.raises(InputError) as caught:
        load(data_dir, **settings)
    assert words in str(caught.value) and "\n" not in str(caught.value), caught.value


def test_what_is_not_celeb_a(tmp_path, archive):
    refused("is not there, expected the folder that holds CelebA", tmp_path / "none")
    (tmp_path / "empty").mkdir()
    refused("CelebA is not in", tmp_path / "empty")
    refused("unknown split 'valid': expected train, validation, test or all", archive, split="valid")
    refused("smaller than the crop of 200", archive, crop=200)
    (tmp_path / "empty" / "img_align_celeba.zip").write_bytes(archive.read_bytes()[:50_000])
    refused("is damaged or not complete, download it again", tmp_path / "empty")
    content = bytearray(archive.read_bytes())
    content[content.rindex(b"PK\x01\x02") + 6] = 200  # a version that Python does not know
    (tmp_path / "empty" / "img_align_celeba.zip").write_bytes(content)
    refused("is damaged or not complete, download it again: zip file version 20.0", tmp_path / "empty")
    with zipfile.ZipFile(tmp_path / "other.zip", "w") as file:
        file.writestr("cat.jpg", b"")
    refused("holds no images of CelebA", tmp_path / "other.zip")
    with zipfile.ZipFile(tmp_path / "part.zip", "w") as file:
        file.writestr("000001.jpg", encoded(1))
    refused("none of 1 images is in the split 'test'", tmp_path / "part.zip", split="test")


def test_a_member_that_would_fill_the_memory_is_left_out(tmp_path):
    with zipfile.ZipFile(tmp_path / "a.zip", "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("000001.jpg", bytes(2**26))
        file.writestr("000002.jpg", encoded(2))
    images = load(tmp_path / "a.zip", size=8)
    assert numbers(images) == [2] and "more than any image of CelebA has" in images.skipped[0][1]


def prepared(folder, stored="array_record", numbers=(1, 2)):
    """What TFDS writes, made without TensorFlow: shards of `tf.train.Example`, and two descriptions."""
    place = folder / "celeb_a" / "2.1.0"
    place.mkdir(parents=True)
    shard = {"filepathTemplate": "{DATASET}-{SPLIT}.{FILEFORMAT}-{SHARD_X_OF_Y}", "numBytes": "9"}
    split = shard | {"name": "train", "shardLengths": [str(len(numbers))]}
    about = {"name": "celeb_a", "version": "2.1.0", "fileFormat": stored, "splits": [split]}
    (place / "dataset_info.json").write_text(json.dumps(about))
    feature = {"shape": {"dimensions": ["218", "178", "3"]}, "dtype": "uint8", "encodingFormat": "jpeg"}
    base = "tensorflow_datasets.core.features."
    features = {"image": {"pythonClassName": base + "image_feature.Image", "image": feature}}
    whole = {"pythonClassName": base + "features_dict.FeaturesDict", "featuresDict": {"features": features}}
    (place / "features.json").write_text(json.dumps(whole))
    if stored == "array_record":
        from array_record.python.array_record_module import ArrayRecordWriter

        writer = ArrayRecordWriter(str(place / "celeb_a-train.array_record-00000-of-00001"))
        for number in numbers:
            writer.write(example(encoded(number)))
        writer.close()
    return place


def example(image):
    """The protocol buffer `tf.train.Example` with one feature, `image`."""

    def field(content):
        length, head = len(content), bytearray(b"\x0a")
        while length > 127:
            head.append(length & 127 | 128)
            length >>= 7
        return bytes([*head, length]) + content

    entry = field(b"image") + b"\x12" + field(field(field(image)))[1:]
    return field(field(entry))


def test_what_tfds_prepared_is_read_without_tensorflow(tmp_path):
    pytest.importorskip("tensorflow_datasets", reason="needs the extra celeba")
    pytest.importorskip("array_record", reason="needs the extra celeba")
    place = prepared(tmp_path)
    for folder in (tmp_path, tmp_path / "celeb_a", place):
        images = load(folder)
        assert images.names == ("train[0]", "train[1]") and images.crop == 148
        np.testing.assert_array_equal(images[1], picture(2)[35:183, 15:163])
    refused("TFDS cannot read its split 'test'", tmp_path, split="test")
    (place / "celeb_a-train.array_record-00000-of-00001").unlink()
    refused("none of 2 images can be read, the first train[0]: open() failed: No such file", tmp_path)


def test_what_only_tensorflow_reads(tmp_path):
    place = prepared(tmp_path, "tfrecord")
    refused("is in the format tfrecord, which only TensorFlow reads: prepare it again", tmp_path)
    (place / "dataset_info.json").write_text("{")
    refused("dataset_info.json cannot be read", tmp_path)


def test_tfds_or_tensorflow_is_missing(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "tensorflow_datasets", None)
    refused("pip install 'sicjax[celeba]'", tmp_path, download=True)
    (tmp_path / "there").mkdir()
    prepared(tmp_path / "there", "parquet")
    refused("pip install 'sicjax[celeba]'", tmp_path / "there")
    monkeypatch.setitem(sys.modules, "tensorflow_datasets", type(sys)("tensorflow_datasets"))
    monkeypatch.setitem(sys.modules, "tensorflow", None)
    refused("pip install tensorflow", tmp_path, download=True)


@pytest.mark.skipif(importlib.util.find_spec("tensorflow") is None, reason="TFDS prepares CelebA with TensorFlow alone")
@pytest.mark.filterwarnings("ignore")
def test_tfds_prepares_celeb_a(tmp_path, monkeypatch):
    """The real preparation, but for the download itself."""
    tfds = pytest.importorskip("tensorflow_datasets", reason="needs the extra celeba")
    builder = sys.modules[tfds.builder_cls("celeb_a").__module__]
    names = [f"{number:06d}.jpg" for number in NUMBERS]
    archive = tmp_path / "images.zip"
    with zipfile.ZipFile(archive, "w") as file:
        for number, name in zip(NUMBERS, names, strict=True):
            file.writestr(f"img_align_celeba/{name}", encoded(number))
    files = {
        "img_align_celeba": None,
        "list_eval_partition": [f"{name} {k % 3}" for k, name in enumerate(names)],
        "list_attr_celeba": ["7", " ".join(builder.ATTR_HEADINGS), *(name + " 1" * 40 for name in names)],
        "landmarks_celeba": ["7", " ".join(builder.LANDMARK_HEADINGS), *(name + " 1" * 10 for name in names)],
        "identity_celeba": [name + " 1" * 11 for name in names],
    }

    def download(self, urls):
        for name, lines in files.items():
            if lines is not None:
                (tmp_path / name).write_text("\n".join(lines) + "\n")
        return {name: archive if name == "img_align_celeba" else tmp_path / name for name in urls}

    monkeypatch.setattr(tfds.download.DownloadManager, "download", download)
    (tmp_path / "tfds").mkdir()
    images = load(tmp_path / "tfds", download=True)
    wanted = {picture(number)[35:183, 15:163].tobytes() for number in NUMBERS[::3]}
    assert {image.tobytes() for image in images} == wanted

    monkeypatch.setattr(tfds.download.DownloadManager, "download", lambda self, urls: open("/no/network\n/here"))
    (tmp_path / "other").mkdir()
    refused("download img_align_celeba.zip by hand", tmp_path / "other", download=True)
