"""Every other format, and what is no weights file, each refused in one line."""

import json
import pickle
import struct
import zipfile

import ml_dtypes
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pickled import refusal
from safetensors.numpy import save_file

from sicjax import weights
from sicjax._errors import InputError

ARRAYS = {
    "second.weight": np.arange(24, dtype=np.float32).reshape(2, 3, 4),
    "first.bias": np.linspace(0, 1, 5, dtype=np.float16),
    "count": np.array(3, np.int64),
}


class Evil:
    def __init__(self, marker):
        self.marker = marker

    def __reduce__(self):
        return open, (str(self.marker), "w")


def assert_same(tensors, expected):
    assert set(tensors.arrays) == set(expected)
    for name, array in expected.items():
        read = tensors.arrays[name]
        assert (read.dtype, read.shape) == (array.dtype, array.shape)
        assert read.tobytes() == array.tobytes()


def write_safetensors(path, header, values=b""):
    content = header if isinstance(header, bytes) else json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(content)) + content + values)
    return path


def write_archive(path, **entries):
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in entries.items():
            archive.writestr(name, content)
    return path


@pytest.mark.parametrize("file", ["f.safetensors", "weights"])
def test_safetensors_is_read_by_any_name(tmp_path, file):
    arrays = ARRAYS | {"bf16": np.array([1, 2.5], ml_dtypes.bfloat16)}
    save_file(arrays, tmp_path / file)
    tensors = weights.read(tmp_path / file)
    assert_same(tensors, arrays)
    assert not tensors.unread and not tensors.ordered
    assert weights.read(str(tmp_path / file)).arrays.keys() == arrays.keys()


@pytest.mark.parametrize("dtype, size", [("F4", 2), ("F6_E2M3", 3)])
def test_dtypes_of_safetensors_that_numpy_lacks_are_reported(tmp_path, dtype, size):
    header = {
        "low": {"dtype": dtype, "shape": [4], "data_offsets": [0, size]},
        "w": {"dtype": "F32", "shape": [1], "data_offsets": [size, size + 4]},
    }
    tensors = weights.read(write_safetensors(tmp_path / "f.safetensors", header, bytes(size + 4)))
    assert_same(tensors, {"w": np.zeros(1, np.float32)})
    assert list(tensors.unread) == ["low"] and dtype in tensors.unread["low"]


def test_safetensors_without_arrays_is_read(tmp_path):
    assert not weights.read(write_safetensors(tmp_path / "f.safetensors", {})).arrays


@pytest.mark.parametrize(
    "header",
    [
        b"{",
        b"no json",
        b"{" * 10_000,
        b"[]",
        {"w": {}},
        {"w": {"dtype": "F32", "shape": [2], "data_offsets": [0, 4]}},
        {"w": {"dtype": "F32", "shape": [2], "data_offsets": [0, 80]}},
        {"w": {"dtype": "F32", "shape": [-1], "data_offsets": [0, 4]}},
        {"w": {"dtype": "F32", "shape": [2**63, 2**63], "data_offsets": [0, 4]}},
        {"w": {"dtype": "?\x1b\n", "shape": [1], "data_offsets": [0, 4]}},
    ],
)
def test_a_wrong_header_of_safetensors_is_refused(tmp_path, header):
    assert "not a safetensors file" in refusal(write_safetensors(tmp_path / "f.safetensors", header, bytes(8)))


@pytest.mark.parametrize("length", [8, 9, 2**26, 2**40, 2**64 - 1])
def test_a_wrong_length_of_safetensors_is_refused(tmp_path, length):
    (tmp_path / "f.safetensors").write_bytes(struct.pack("<Q", length) + b"{}     ")
    refusal(tmp_path / "f.safetensors")


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_npz_is_read_in_its_order_by_any_name(tmp_path, save):
    for file in ("f.npz", "weights"):
        with (tmp_path / file).open("wb") as out:
            save(out, **ARRAYS)
        tensors = weights.read(tmp_path / file)
        assert_same(tensors, ARRAYS)
        assert list(tensors.arrays) == list(ARRAYS) and tensors.ordered and not tensors.unread


def test_what_npz_does_not_keep_is_reported(tmp_path):
    pickled = np.array([Evil(tmp_path / "marker"), None])
    lost = np.zeros(2, ml_dtypes.bfloat16)
    np.savez(tmp_path / "f.npz", pickled=pickled, lost=lost, fields=np.zeros(2, "f4,i4"), **ARRAYS)
    tensors = weights.read(tmp_path / "f.npz")
    assert_same(tensors, ARRAYS)
    assert tensors.unread.keys() == {"pickled", "lost", "fields"}
    assert "pickled" in tensors.unread["pickled"] and "float32" in tensors.unread["lost"]
    assert not (tmp_path / "marker").exists()


def npy(header):
    content = header.encode().ljust(118) + b"\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(content)) + content + bytes(64)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"not an array",
        npy("{'descr': '<f4', 'fortran_order': False, 'shape': (2**40,)}"),
        npy("{'descr': '<f4', 'fortran_order': False, 'shape': (17,)}"),
        npy("{'descr': '<f4', 'fortran_order': False, 'shape': (1099511627776,)}"),
        npy("{'descr': '<f4', 'fortran_order': False, 'shape': (-1,)}"),
        npy("{'descr': '<f4', 'fortran_order': False, 'shape': (4611686018427387904, 8)}"),
        npy("{'descr': 'f8' * 9**9, 'fortran_order': False, 'shape': (1,)}"),
        npy("__import__('os').system('true')"),
        npy("(" * 100),
        npy("x " * 2500),
        npy(f"{{'descr': '{'x' * 5000}', 'fortran_order': False, 'shape': (1,)}}"),
        pickle.dumps([1]),
    ],
)
def test_a_wrong_array_of_npz_is_refused(tmp_path, content):
    refusal(write_archive(tmp_path / "f.npz", **{"w.npy": content}))


def test_a_damaged_npz_is_refused(tmp_path):
    np.savez_compressed(tmp_path / "f.npz", w=np.arange(1000.0))
    content = bytearray((tmp_path / "f.npz").read_bytes())
    content[100:110] = bytes(10)
    (tmp_path / "f.npz").write_bytes(content)
    assert "damaged" in refusal(tmp_path / "f.npz")


def test_what_is_no_file_is_refused(tmp_path):
    assert "folder" in refusal(tmp_path)
    assert "No such file" in refusal(tmp_path / "missing.pt")
    (tmp_path / "loop.pt").symlink_to("loop.pt")
    assert "cannot read" in refusal(tmp_path / "loop.pt")


@pytest.mark.parametrize("file", ["f.pt", "f.npz", "f.safetensors", "f"])
def test_an_empty_file_is_refused(tmp_path, file):
    (tmp_path / file).touch()
    assert "is empty" in refusal(tmp_path / file)


def test_a_file_that_was_not_fetched_is_refused(tmp_path):
    (tmp_path / "f.pt").write_text("version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n")
    assert "git lfs pull" in refusal(tmp_path / "f.pt")


@pytest.mark.parametrize(
    "content",
    [b"some text\n" * 20, b'{"ab": [{}]}', b"PK", b"\x80\x02K\x01.", b"\x89HDF\r\n\x1a\n" + bytes(80), bytes(100)],
)
def test_other_files_are_refused_with_what_is_expected(tmp_path, content):
    (tmp_path / "f.pt").write_bytes(content)
    message = refusal(tmp_path / "f.pt")
    assert "expected" in message and all(ending in message for row in weights.FORMATS for ending in row.endings)


def test_a_pickle_is_not_run(tmp_path):
    (tmp_path / "f.pkl").write_bytes(pickle.dumps(Evil(tmp_path / "marker")))
    refusal(tmp_path / "f.pkl")
    assert not (tmp_path / "marker").exists()


def test_other_archives_are_refused(tmp_path):
    path = write_archive(tmp_path / "f.zip", **{"notes.txt": b"text", "metadata.pkl": b"N.", "w.npy": b""})
    assert "neither a PyTorch file nor a NumPy .npz" in refusal(path)


@pytest.mark.parametrize(
    "entries",
    [
        {"f/data.pkl": b"N.", "f/constants.pkl": b"N.", "f/code/__torch__.py": b"", "f/data/0": b""},
        {"data.pkl": b"N.", "constants.pkl": b"N.", "code/__torch__.py": b""},
        {"f/model.json": b"{}", "f/code/f.py": b"", "f/tensors/0": b""},
    ],
)
def test_torchscript_is_refused_with_who_reads_it(tmp_path, entries):
    message = refusal(write_archive(tmp_path / "f.pt", **entries))
    assert message.endswith("is a TorchScript program: sicjax.networks.from_file reads it")


def test_a_folder_named_code_is_no_torchscript(tmp_path):
    assert not weights.read(
        write_archive(tmp_path / "code.pt", **{"code/data.pkl": b"}.", "code/version": b"3"})
    ).arrays


def test_a_format_is_told_by_content_not_by_name(tmp_path):
    write_archive(tmp_path / "f.safetensors", **{"f/data.pkl": b"}."})
    assert weights.read(tmp_path / "f.safetensors").ordered


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("formats")
    np.savez(folder / "stored.npz", **ARRAYS)
    np.savez_compressed(folder / "packed.npz", **ARRAYS)
    save_file(ARRAYS, folder / "f.safetensors")
    return folder


FILES = pytest.mark.parametrize("file", ["stored.npz", "packed.npz", "f.safetensors"])


@FILES
def test_a_truncated_file_is_refused(folder, tmp_path, file):
    content = (folder / file).read_bytes()
    for length in {*(len(content) * tenth // 10 for tenth in range(10)), len(content) - 1}:
        (tmp_path / file).write_bytes(content[:length])
        refusal(tmp_path / file)


@FILES
@settings(max_examples=100)
@given(flips=st.lists(st.tuples(st.integers(0, 10**6), st.integers(1, 255)), min_size=1, max_size=4))
def test_flipped_bytes_raise_nothing_else(folder, file, flips):
    content = bytearray((folder / file).read_bytes())
    for at, flip in flips:
        content[at % len(content)] ^= flip
    path = folder / f"flipped {file}"
    path.write_bytes(content)
    try:
        weights.read(path)
    except InputError as error:
        assert str(error).isprintable()
