"""PyTorch files assembled from the instructions of pickle, so that they can be hostile, and PyTorch absent."""

import pickle
import struct
import zipfile

import numpy as np
import pytest

from sicjax import weights
from sicjax._errors import InputError

VALUES = np.arange(6, dtype="<f4").reshape(2, 3)
BYTES = VALUES.tobytes()


def plain(value):
    return pickle.dumps(value, 2)[2:-1]


def name(full):
    module, _, attribute = full.rpartition(".")
    return f"c{module}\n{attribute}\n".encode()


def group(*parts):
    return b"(" + b"".join(parts) + b"t"


def call(full, *arguments):
    return name(full) + group(*arguments) + b"R"


def storage(key=b"U\x010", kind="torch.FloatStorage", *view):
    return group(plain("storage"), name(kind), key, plain("cpu"), plain(6), *view) + b"Q"


def tensor(offset=0, shape=(2, 3), strides=(3, 1), at=None):
    stated = plain(offset), plain(shape), plain(strides), plain(False), call("collections.OrderedDict")
    return call("torch._utils._rebuild_tensor_v2", at or storage(), *stated)


def mapping(**entries):
    return b"}(" + b"".join(plain(key) + value for key, value in entries.items()) + b"u"


def shared_parts(depth):
    """A tuple as deep as stated whose two parts are the same, so whoever walks it takes two to the depth steps."""
    return b")" + b"2\x86" * depth


def write_zip(path, body, values=BYTES, byteorder=b"little"):
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("archive/data.pkl", b"\x80\x02" + body + b".")
        archive.writestr("archive/byteorder", byteorder)
        archive.writestr("archive/data/0", values)
    return path


def write_legacy(path, body, values=BYTES, keys=b"]U\x010a", count=6, little=True):
    header = [0x1950A86A20F9469CFC6C, 1001, {"protocol_version": 1001, "little_endian": little, "type_sizes": {}}]
    pickles = [*map(plain, header), body, keys]
    path.write_bytes(b"".join(b"\x80\x02" + part + b"." for part in pickles) + struct.pack("<q", count) + values)
    return path


WRITERS = pytest.mark.parametrize("write", [write_zip, write_legacy])


def refusal(path):
    """The one line with which a file is refused."""
    with pytest.raises(InputError) as caught:
        weights.read(path)
    message = str(caught.value)
    assert message.isprintable() and str(path) in message and len(message) < len(str(path)) + 300
    return message


def assert_same(tensors, expected):
    assert list(tensors.arrays) == list(expected)
    for key, array in expected.items():
        read = tensors.arrays[key]
        assert (read.dtype, read.shape) == (array.dtype, array.shape), key
        assert read.tobytes() == array.tobytes(), key
        assert not read.flags.writeable
