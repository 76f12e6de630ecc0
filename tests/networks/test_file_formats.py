"""The table of formats: what `docs/files.md` says of it, what the door does with it, and files of no format."""

import re
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import save_file

from sicjax import networks, weights
from sicjax._errors import InputError
from sicjax._extras import EXTRAS
from sicjax.networks import FORMATS

PAGE = (Path(__file__).parents[2] / "docs" / "files.md").read_text()
HDF5 = b"\x89HDF\r\n\x1a\n"


def archive(*entries):
    """What writes a zip archive of empty entries."""

    def write(path):
        with zipfile.ZipFile(path, "w") as file:
            for entry in entries:
                file.writestr(entry, b"")

    return write


# Formats that their content tells, and what writes as much of one as tells it.
TOLD = [
    ("TorchScript", archive("f/data.pkl", "f/constants.pkl", "f/code/__torch__.py")),
    ("torch.export", archive("f/models/model.json")),
    ("Keras", archive("metadata.json", "config.json", "model.weights.h5")),
    ("Keras", lambda path: path.write_bytes(HDF5)),
    ("training run", Path.mkdir),
    ("Orbax checkpoint", lambda path: (path.mkdir(), (path / "_METADATA").touch())),
    ("PyTorch weights", archive("f/data.pkl", "f/data/0")),
    ("NumPy", archive("w.npy")),
    ("safetensors", lambda path: save_file({"w": np.zeros(1, np.float32)}, path)),
]


def test_the_page_lists_the_formats():
    lines = re.findall(
        r"^\| ([\w. ]+) \| ((?:`\.\w+` ?)+|a directory|a folder|an index) \| (.*) \|$", PAGE, re.MULTILINE
    )
    listed = [
        (name, tuple(re.findall(r"\.\w+", names)), re.findall(r"sicjax\[(\w+)\]", more)) for name, names, more in lines
    ]
    assert sorted(listed) == sorted((row.name, row.endings, [row.extra] if row.extra else []) for row in FORMATS)


def test_a_name_tells_one_format_but_for_those_of_pytorch():
    endings = [ending for row in FORMATS for ending in row.endings]
    assert all(re.fullmatch(r"\.[a-z0-9]+", ending) for ending in endings)
    assert {ending for ending in endings if endings.count(ending) > 1} == {".pt", ".pth"}
    assert {row.extra for row in FORMATS} <= {None, *EXTRAS}


@pytest.mark.parametrize("name, write", TOLD)
def test_the_content_tells_one_format_whatever_the_name(tmp_path, name, write):
    write(tmp_path / "f.onnx")
    content = weights.look(tmp_path / "f.onnx")
    assert [row.name for row in FORMATS if row.recognises is not None and row.recognises(content)] == [name]


def test_every_format_but_onnx_is_told_by_its_content():
    """Or, of an index of others, by all of its name."""
    told = {row.name for row in FORMATS if row.recognises is not None}
    assert told == {name for name, _ in TOLD} | {"sharded weights"}
    assert [row.name for row in FORMATS if row.recognises is None] == ["ONNX"]


# A folder without a run in it is said to be that.
GIVEN_STRIDES = [(name, write) for name, write in TOLD if name not in ("training run", "NumPy", "safetensors")]


@pytest.mark.parametrize("name, write", GIVEN_STRIDES)
def test_who_states_strides_takes_none(tmp_path, name, write):
    write(tmp_path / "f")
    with pytest.raises(InputError) as refused:
        networks.from_file(tmp_path / "f", stride=2)
    (row,) = [row for row in FORMATS if row.name == name]
    assert ("states its strides and directions itself" in str(refused.value)) == row.graph


@pytest.mark.parametrize(
    "content, says",
    [
        (b"", "is empty"),
        (b"version https://git-lfs.github.com/spec/v1\n", "git lfs pull"),
        (b"\n<!DOCTYPE html><html>", "is a web page, not the file"),
        (b"GIF89a", "is damaged, or of no format that is read"),
        (b"PK\x03\x04", "is damaged, or of no format that is read"),
    ],
)
def test_a_file_of_no_format_is_told_what_is_read(tmp_path, content, says):
    (tmp_path / "f.dat").write_bytes(content)
    with pytest.raises(InputError, match=says) as refused:
        networks.from_file(tmp_path / "f.dat")
    if "no format" in says:
        assert all(" ".join((row.name, *row.endings)) in str(refused.value) for row in FORMATS)


@pytest.mark.parametrize("ending, way", [("npy", r"in an \.npz"), ("msgpack", "from_module"), ("pb", r"model\.keras")])
def test_a_file_that_holds_a_network_otherwise_is_told_the_way(tmp_path, ending, way):
    (tmp_path / f"f.{ending}").write_bytes(b"\x93NUMPY\x01\x00")
    with pytest.raises(InputError, match=f"cannot be read: .*{way}"):
        networks.from_file(tmp_path / f"f.{ending}")


def test_another_archive_is_to_be_unpacked(tmp_path):
    archive("model.pth")(tmp_path / "f.zip")
    with pytest.raises(InputError, match="a zip archive of something else: unpack it first"):
        networks.from_file(tmp_path / "f.zip")


@pytest.mark.parametrize("ending", [ending for row in FORMATS if not row.extra for ending in row.endings])
def test_a_damaged_file_is_refused_by_the_format_of_its_name(tmp_path, ending):
    (tmp_path / f"f{ending}").write_bytes(b"PK\x03\x04 cut")
    with pytest.raises(InputError, match="damaged|not complete|not a program"):
        networks.from_file(tmp_path / f"f{ending}")


def test_weights_that_are_not_finite_name_the_layer(tmp_path):
    bad: dict[str, Any] = {
        "a.weight": np.full((4, 3, 3, 3), np.nan, np.float32),
        "b.weight": np.ones((5, 4, 3, 3), np.float32),
    }
    np.savez(tmp_path / "bad.npz", **bad)
    with pytest.raises(
        InputError, match="bad.npz: a .first. and b .second.: the first kernel has 108 weights that are NaN"
    ):
        networks.from_file(tmp_path / "bad.npz", stride=1)
