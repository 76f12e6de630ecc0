"""CelebA as TensorFlow Datasets prepares it, read without TensorFlow."""

from __future__ import annotations

import io
import json
from pathlib import Path

from PIL import Image

from sicjax._errors import InputError, missing_package
from sicjax.data._source import Source, stamp_of

READABLE = ("array_record", "parquet")


def prepared(folder: Path) -> list[Path]:
    """Folders of prepared versions of `celeb_a` in a folder, the newest first."""
    found = [folder, *folder.glob("*"), *folder.glob("celeb_a/*")]
    found = [place for place in found if (place / "dataset_info.json").is_file()]
    return sorted((place for place in found if _about(place).get("name") == "celeb_a"), key=_version, reverse=True)


def _about(place) -> dict:
    try:
        about = json.loads((place / "dataset_info.json").read_text())
    except (OSError, ValueError) as error:
        raise InputError(f"{place / 'dataset_info.json'} cannot be read: {error}") from error
    return about if isinstance(about, dict) else {}


def _version(place):
    return [int(part) if part.isdecimal() else -1 for part in place.name.split(".")]


def tfds_source(place: Path, split: str, crop: int) -> Source:
    """A split of a prepared version.

    Raises:
        InputError: TFDS is not installed, the files have a format without random access, or are not complete.
    """
    stored = _about(place).get("fileFormat", "tfrecord")
    if stored not in READABLE:
        raise InputError(
            f"{place} is in the format {stored}, which only TensorFlow reads: prepare it again in another data_dir, "
            "with download=True, which writes array_record, or use img_align_celeba.zip"
        )
    tfds = _tfds()
    try:
        builder = tfds.builder_from_directory(place)
        images = builder.as_data_source(split, decoders={"image": tfds.decode.SkipDecoding()})
        n = len(images)
    except Exception as error:  # what missing files and other versions of TFDS can raise has no end
        detail = " ".join(f"{type(error).__name__} {error}".split())[:200]
        raise InputError(f"{place}: TFDS cannot read its split {split!r}: {detail}") from error
    return Source(
        names=[f"{split}[{k}]" for k in range(n)],
        open=lambda k: Image.open(io.BytesIO(images[k]["image"])),
        stamp=lambda: ["tfds", *stamp_of(place / "dataset_info.json"), split],
        crop=crop,
    )


def download_celeb_a(data_dir: Path | None) -> Path:
    """Downloads CelebA (1.4 GB) and writes it in a format with random access; done once for a folder.

    Arguments:
        data_dir: where to; without it TFDS's own folder.

    Returns:
        The folder of the prepared version.

    Raises:
        InputError: TFDS or TensorFlow is not installed, or the download failed.
    """
    tfds = _tfds()
    try:
        import tensorflow  # noqa: F401
    except ImportError as error:
        raise InputError(
            "preparing CelebA needs TensorFlow once, reading it later not: pip install tensorflow"
        ) from error
    try:
        builder = tfds.builder("celeb_a", data_dir=data_dir)
        builder.download_and_prepare(file_format="array_record")
    except Exception as error:  # a download's troubles have no end
        detail = " ".join(f"{type(error).__name__} {error}".split())[:200]
        raise InputError(
            f"TFDS could not download and prepare CelebA: {detail}; download img_align_celeba.zip by hand from "
            "mmlab.ie.cuhk.edu.hk/projects/CelebA.html and give its folder as data_dir"
        ) from error
    return Path(builder.data_dir)


def _tfds():
    try:
        import tensorflow_datasets
    except ImportError as error:
        raise missing_package("tensorflow-datasets", "celeba", "CelebA as TFDS prepares it") from error
    return tensorflow_datasets
