"""CelebA, from whichever copy of it is there."""

from __future__ import annotations

import io
import os
import re
import zipfile
from collections.abc import Iterator
from pathlib import Path

from PIL import Image

from sicjax._errors import InputError
from sicjax.data._folder import files_source
from sicjax.data._source import Source, stamp_of
from sicjax.data._tfds import download_celeb_a, prepared, tfds_source

CROP = 148
SPLITS = {"train": 0, "validation": 1, "test": 2}
# The published split, by the images' numbers: the first of each part.
FIRST = (1, 162_771, 182_638)
NAME = re.compile(r"(?:.*/)?(\d{6})\.(?:jpg|png)", re.IGNORECASE)
PARTITION = "list_eval_partition"
# No image of CelebA comes near this; what claims to is not one.
LARGEST = 2**25


def celeb_a_source(data_dir: Path | None, split: str, download: bool) -> Source:
    """A split of CelebA from `img_align_celeba.zip`, a folder of its images, or what TFDS prepared: the first there is.

    The split is that of `list_eval_partition.txt` beside the images, else, which is the same, by their numbers.

    Arguments:
        data_dir: folder that holds one of them, or is one; without it `$SICJAX_DATA` and TFDS's own folder.
        split: `"train"`, `"validation"`, `"test"` or `"all"`.
        download: let TFDS download and prepare it where it is not there.

    Raises:
        InputError: it is not there, or in a form that cannot be read.
    """
    if split not in (*SPLITS, "all"):
        raise InputError(f"unknown split {split!r}: expected train, validation, test or all")
    folders = _folders(data_dir)
    for folder in folders:
        for place in _places(folder):
            if place.suffix == ".zip":
                return _zip_source(place, split)
            if place.name != "dataset_info.json":
                return _folder_source(place, split)
            return tfds_source(place.parent, split, CROP)
    where = " or ".join(map(str, folders)) or "no folder given"
    if download:
        return tfds_source(download_celeb_a(data_dir), split, CROP)
    raise InputError(
        f"CelebA is not in {where}: give data_dir or $SICJAX_DATA a folder with (1) img_align_celeba.zip or its "
        "images, from mmlab.ie.cuhk.edu.hk/projects/CelebA.html, or (2) celeb_a as TFDS prepares it in the format "
        "array_record; or (3) pass download=True, which needs pip install 'sicjax[celeba]' tensorflow"
    )


def _folders(data_dir) -> list[Path]:
    if data_dir is not None:
        if not data_dir.expanduser().exists():
            raise InputError(f"{data_dir} is not there, expected the folder that holds CelebA")
        return [data_dir.expanduser()]
    named = [os.environ.get("SICJAX_DATA"), os.environ.get("TFDS_DATA_DIR"), "~/tensorflow_datasets"]
    return [path for path in (Path(name).expanduser() for name in named if name) if path.exists()]


def _places(folder) -> Iterator[Path]:
    """Copies of CelebA in a folder: an archive, a folder of images, or the description of what TFDS prepared."""
    if folder.is_file():
        yield folder
        return
    inside = [folder / name for name in (".", "celeba", "celeb_a", "CelebA", "Img")]
    for place in inside:
        if (place / "img_align_celeba.zip").is_file():
            yield place / "img_align_celeba.zip"
    for place in inside:
        for images in (place, place / "img_align_celeba", place / "img_align_celeba" / "img_align_celeba"):
            if images.is_dir() and any(map(NAME.fullmatch, os.listdir(images))):
                yield images
    yield from (version / "dataset_info.json" for version in prepared(folder))


def _folder_source(folder, split) -> Source:
    names = sorted(name for name in os.listdir(folder) if NAME.fullmatch(name))
    chosen, left_out = _in_split(names, split, folder)
    return files_source(folder, chosen, left_out, CROP)


def _zip_source(path, split) -> Source:
    try:
        archive = zipfile.ZipFile(path)
    # The second of a name that is no text, the third of a version that Python does not know.
    except (OSError, ValueError, NotImplementedError, zipfile.BadZipFile) as error:
        raise InputError(f"{path} is damaged or not complete, download it again: {error}") from error
    members = [name for name in archive.namelist() if NAME.fullmatch(name) and not name.startswith("__MACOSX")]
    if not members:
        raise InputError(f"{path} holds no images of CelebA: expected 000001.jpg, 000002.jpg, ...")
    chosen, left_out = _in_split(sorted(members), split, path.parent)

    def open_(k):
        if (length := archive.getinfo(chosen[k]).file_size) > LARGEST:
            raise ValueError(f"{length} bytes, more than any image of CelebA has")
        return Image.open(io.BytesIO(archive.read(chosen[k])))

    return Source(chosen, open_, lambda: ["celeb_a", *stamp_of(path), split], CROP, tuple(left_out))


def _in_split(names, split, folder) -> tuple[list[str], list[tuple[str, str]]]:
    """The names of a split, and those without one with the reason."""
    if split == "all":
        return names, []
    listed = _partition(folder)
    chosen, left_out = [], []
    for name in names:
        number = name[-len("000001.jpg") : -len(".jpg")]
        part = sum(int(number) >= first for first in FIRST) - 1 if listed is None else listed.get(number)
        if part is None:
            left_out.append((name, f"not in {PARTITION}"))
        elif part == SPLITS[split]:
            chosen.append(name)
    if not chosen:
        raise InputError(f"{folder}: none of {len(names)} images is in the split {split!r}, try split='all'")
    return chosen, left_out


def _partition(folder) -> dict[str, int] | None:
    """The part of every image by its number, from the list beside the images or a folder above."""
    near = [folder, folder.parent, folder.parent.parent, folder / "Eval", folder.parent / "Eval"]
    for file in (place / f"{PARTITION}{ending}" for place in near for ending in (".txt", ".csv")):
        if file.is_file():
            try:
                text = file.read_text(encoding="utf-8", errors="replace")
            except OSError as error:
                raise InputError(f"cannot read {file}: {error.strerror or error}") from error
            rows = (line.replace(",", " ").split() for line in text.splitlines())
            return {row[0][:6]: int(row[1]) for row in rows if len(row) >= 2 and row[1] in ("0", "1", "2")}
    return None
