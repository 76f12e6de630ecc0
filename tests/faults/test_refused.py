"""What is damaged in one place only, and what to say of it; each ended in a traceback, or said something else."""

import json
import struct
import warnings
import zipfile

import numpy as np
import pytest
from onnx_net import kernel
from pickled import BYTES, mapping, tensor, write_zip
from safetensors.numpy import save_file

from sicjax import _limits, networks, weights
from sicjax._errors import InputError

KERNELS = {"a.weight": kernel(4, 3, 3, 3), "b.weight": kernel(5, 4, 3, 3)}


def refusal(path):
    with pytest.raises(InputError) as caught:
        networks.from_file(path, stride=1)
    assert str(path) in str(caught.value) and "\n" not in str(caught.value)
    return str(caught.value)


def test_a_name_that_is_too_long_for_a_file_is_said(tmp_path):
    assert "File name too long" in refusal(tmp_path / ("n" * 300 + ".safetensors"))


def test_a_file_whose_sidecar_would_have_too_long_a_name_is_read(tmp_path):
    path = tmp_path / ("n" * 252 + ".pt")
    assert weights.read(write_zip(path, mapping(**{"a.weight": tensor()}))).arrays
    np.savez(tmp_path / "net.npz", **KERNELS)
    path = (tmp_path / "net.npz").rename(tmp_path / ("n" * 251 + ".npz"))
    assert len(networks.from_file(path, stride=1).layers) == 2 and networks.files_of(path) == [path]


@pytest.mark.parametrize("name, field, value", [("a name", 28, 0), ("a version", 6, 200), ("a name", 46, 0xFF)])
def test_what_python_does_not_know_of_a_member_is_no_traceback(tmp_path, name, field, value):
    np.savez(tmp_path / "net.npz", **KERNELS)
    content = bytearray((tmp_path / "net.npz").read_bytes())
    entry = content.index(b"PK\x01\x02")
    content[entry + 8 + 1] |= 8  # its name is UTF-8
    content[entry + field] = value
    (tmp_path / "net.npz").write_bytes(content)
    assert "damaged" in refusal(tmp_path / "net.npz")
    with pytest.raises(InputError):
        networks.files_of(tmp_path / "gone.npz")


def test_two_entries_of_one_name_are_refused(tmp_path):
    path = write_zip(tmp_path / "net.pt", mapping(**{"a.weight": tensor()}))
    with warnings.catch_warnings(), zipfile.ZipFile(path, "a") as archive:
        warnings.simplefilter("ignore")
        archive.writestr("archive/data/0", bytes(len(BYTES)))
    assert "2 entries named 'archive/data/0'" in refusal(path)


def test_a_storage_of_two_sizes_is_refused(tmp_path):
    path = write_zip(tmp_path / "net.pt", mapping(**{"a.weight": tensor()}))
    content = bytearray(path.read_bytes())
    entry = content.rindex(b"PK\x01\x02")
    struct.pack_into("<I", content, entry + 24, 2 * len(BYTES))
    path.write_bytes(content)
    assert "has two sizes" in refusal(path)


def test_numbers_in_names_may_have_any_length(tmp_path):
    long = "9" * 5000
    save_file(
        {f"layer.{long}.weight": KERNELS["b.weight"], "layer.08.weight": KERNELS["a.weight"]},
        tmp_path / "net.safetensors",
    )
    net = networks.from_file(tmp_path / "net.safetensors", stride=1)
    assert [layer.path for layer in net.layers] == ["layer.08", f"layer.{long}"] and len(net.pairs) == 1


def test_npz_arrays_are_as_numpy_reads_them(tmp_path):
    held = {
        "by columns": np.asfortranarray(KERNELS["a.weight"]),
        "big endian": np.arange(6, dtype=">f4").reshape(2, 3),
        "empty": np.zeros((0, 3)),
        "a number": np.array(2.5),
        "objects": np.array([{}], object),
    }
    np.savez_compressed(tmp_path / "net.npz", **held)
    read = weights.read(tmp_path / "net.npz")
    with np.load(tmp_path / "net.npz") as expected:
        for name, array in read.arrays.items():
            np.testing.assert_array_equal(array, expected[name])
            assert array.dtype == held[name].dtype
    assert list(read.arrays) == list(held)[:-1] and list(read.unread) == ["objects"]


def test_a_file_may_take_as_much_as_goes_with_its_size(tmp_path, monkeypatch):
    """And one that is in another, such as a shard, adds to it."""
    kernels = {f"layer{k}.weight": array for k, array in enumerate(KERNELS.values())}
    save_file(kernels, tmp_path / "part.safetensors")
    index = tmp_path / "net.safetensors.index.json"
    index.write_text(json.dumps({"weight_map": dict.fromkeys(kernels, "part.safetensors")}))
    monkeypatch.setattr(_limits, "MOST_MADE", 0)
    assert networks.from_file(tmp_path / "part.safetensors", stride=1).pairs
    monkeypatch.setattr(_limits, "MADE_EACH", 1)
    assert "header: with its" in refusal(tmp_path / "part.safetensors")
    monkeypatch.setattr(_limits, "MADE_EACH", 33)
    assert networks.from_file(index, stride=1).pairs


def test_outside_of_a_file_nothing_is_counted():
    _limits.make(2**60)
    _limits.spend(2**60)
