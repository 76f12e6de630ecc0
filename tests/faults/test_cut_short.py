"""A file that another process cuts short after it was read: what was read stays; a mapped file ends the process."""

import os

import numpy as np
import pytest

pytest.importorskip("onnx")
pytest.importorskip("h5py")

from files import FILES

from sicjax import networks
from sicjax.weights import _bytes


@pytest.mark.parametrize("format", [format for format in FILES if format != "torch.export"])
def test_kernels_of_a_small_file_are_read(tmp_path, monkeypatch, format):
    monkeypatch.setattr(_bytes.mmap, "mmap", None)  # rather than to end the tests
    path = FILES[format](tmp_path)
    stride = 1 if networks.takes_stride(path) else None
    read, again = (networks.from_file(path, stride=stride) for _ in range(2))
    kept = [layer.kernel.copy() for layer in again.layers]
    for file in filter(os.path.isfile, networks.files_of(path)):
        os.truncate(file, 0)
    assert kept and all(map(np.array_equal, kept, (layer.kernel for layer in read.layers)))


def test_a_large_file_is_mapped(tmp_path, monkeypatch):
    (tmp_path / "bytes").write_bytes(bytes(range(100)))
    read = _bytes.whole(tmp_path / "bytes"), _bytes.part(tmp_path / "bytes", 10, 20)
    monkeypatch.setattr(_bytes, "READ", 10)
    mapped = _bytes.whole(tmp_path / "bytes"), _bytes.part(tmp_path / "bytes", 10, 20)
    assert read[0] == mapped[0][:] and type(read[0]) is not type(mapped[0])
    assert (read[1] == mapped[1]).all() and type(read[1]) is not type(mapped[1])
