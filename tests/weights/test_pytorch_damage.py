"""PyTorch files that are damaged, wrong or ask for much: refused in one line, at no cost."""

import pickle
import struct
import subprocess
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pickled import (
    BYTES,
    VALUES,
    WRITERS,
    assert_same,
    call,
    group,
    mapping,
    name,
    plain,
    refusal,
    shared_parts,
    storage,
    tensor,
    write_legacy,
    write_zip,
)

from sicjax import weights
from sicjax._errors import InputError
from sicjax.weights import _unpickler

KNOWN = sorted(_unpickler._KNOWN)


WRONG = {
    "reaches outside its storage": {
        "an offset": tensor(offset=1),
        "a stride": tensor(strides=(4, 1)),
        "a shape": tensor(shape=(3, 3)),
        "one value": tensor(6, (), ()),
        "a product that overflows": tensor(shape=(2**62, 8), strides=(1, 1)),
        "a reach that overflows": tensor(shape=(2**32 + 1, 2), strides=(2**32, 1)),
    },
    "no valid storage, shape or strides": {
        "a negative offset": tensor(offset=-1),
        "a negative size": tensor(shape=(-2, 3)),
        "two negative sizes": tensor(shape=(-2, -3)),
        "a negative stride": tensor(offset=5, strides=(-3, -1)),
        "fewer strides": tensor(strides=(1,)),
        "more strides": tensor(strides=(3, 1, 1)),
        "a fraction": tensor(shape=(2.0, 3)),
        "a truth value": tensor(shape=(True, 3)),
        "a shape of text": tensor(shape="23"),
        "a list for a shape": tensor(shape=[2, 3]),
        "no shape": tensor(shape=None),
        "too many axes": tensor(shape=(1,) * 65, strides=(1,) * 65),
        "text for a storage": tensor(at=plain("0")),
        "nothing for a storage": tensor(at=b"N"),
        "a tensor for a storage": tensor(at=tensor()),
        "a stand-in for a storage": tensor(at=call("torch.nn.Module")),
    },
    "the file takes more than it may": {
        "more values than memory": tensor(shape=(2**40,), strides=(0,)),
        "more values than a number": tensor(shape=(2**62,) * 64, strides=(0,) * 64),
    },
    "no data for storage": {
        "no such key": tensor(at=storage(plain("1"))),
        "a way out": tensor(at=storage(plain("../byteorder"))),
    },
    "a form that PyTorch does not write": {
        "a number for a key": tensor(at=storage(plain(0))),
        "a list for a key": tensor(at=storage(plain([]))),
        "no type": tensor(at=group(plain("storage"), b"N", plain("0"), plain("cpu"), plain(6)) + b"Q"),
        "a stand-in for a type": tensor(at=storage(kind="torch.nn.Linear")),
        "too short": tensor(at=plain(("storage", "0")) + b"Q"),
        "text": tensor(at=b"P0\n"),
        "a number": tensor(at=plain(0) + b"Q"),
        "another kind": tensor(at=plain(("file", "/etc/passwd", 1, 2, 3)) + b"Q"),
    },
    "views of storages": {
        "a view": tensor(at=storage(plain("0"), "torch.FloatStorage", plain(("0", 0, 6)))),
        "more": tensor(at=storage(plain("0"), "torch.FloatStorage", b"N", plain(1))),
    },
    "a type that is not supported": {
        "calls another": call("torch._tensor._rebuild_from_type_v2", name("torch.nn.Module"), b"N", b")", b"N"),
        "calls itself": (
            b"]q\xfa(" + name("torch._tensor._rebuild_from_type_v2") + b"Nh\xfaNe0"
            b"ctorch._tensor\n_rebuild_from_type_v2\nh\xfaR"
        ),
    },
    "damaged or not complete": {
        "an empty shape too large": tensor(shape=(0, 2**62, 2**62), strides=(1, 1, 1)),
        "an empty shape outside": tensor(7, (0, 1), (1, 1)),
        "a stride too large": tensor(shape=(1, 1), strides=(2**62, 2**62)),
        "a tensor of nothing": call("torch._utils._rebuild_tensor_v2"),
        "a call of a stand-in": call("torch.nn.Module") + b")R",
        "a call of a dtype": call("torch.float32"),
        "a call of text": plain("os.system") + b")R",
        "an item of a function": name("torch.Size") + plain("a") + plain(1) + b"s",
        "an element of a function": name("torch.Size") + plain("a") + b"a",
        "an instance of a function": name("torch.Size") + b")\x81",
        "an odd number of items": b"}(" + plain("a") + b"u",
        "what was never kept": b"h\xfa",
        "an empty stack": b"0" * 9,
        "an unknown instruction": b"\xff",
        "a buffer that is not there": b"\x97",
        "a text for a number": b"F" + b"x" * 10_000 + b"\n",
    },
}


@WRITERS
@pytest.mark.parametrize("expected, kind", [(expected, kind) for expected in WRONG for kind in WRONG[expected]])
def test_what_pytorch_does_not_write_is_refused(tmp_path, write, expected, kind):
    assert expected in refusal(write(tmp_path / "f.pt", mapping(w=WRONG[expected][kind], v=tensor())))


@pytest.mark.parametrize("keys", [plain(0), plain([0]), plain([["0"]]), b"N", plain(["0", "0"]), plain(["1"]), b"]"])
def test_a_wrong_list_of_storages_is_refused(tmp_path, keys):
    assert "damaged" in refusal(write_legacy(tmp_path / "f.pt", mapping(w=tensor()), keys=keys))


def test_a_legacy_file_that_ends_early_is_refused(tmp_path):
    for count in (-1, 7, 2**62, -(2**62)):
        path = write_legacy(tmp_path / "f.pt", mapping(w=tensor()), count=count)
        assert "a storage ends beyond the file" in refusal(path)
    path.write_bytes(path.read_bytes()[: -len(BYTES) - 1])
    assert "does not say where its tensors are" in refusal(path)


def test_a_legacy_file_of_another_version_is_refused(tmp_path):
    path = write_legacy(tmp_path / "f.pt", mapping(w=tensor()))
    path.write_bytes(path.read_bytes().replace(plain(1001), plain(1002), 1))
    assert "not a PyTorch file of a known version" in refusal(path)


@pytest.mark.parametrize("field", [24, 42], ids=["size", "place"])
def test_an_entry_that_lies_about_its_data_is_refused(tmp_path, field):
    path = write_zip(tmp_path / "f.pt", mapping(w=tensor()))
    content = bytearray(path.read_bytes())
    struct.pack_into("<I", content, content.rindex(b"PK\x01\x02") + field, 2**31 - 1)
    path.write_bytes(content)
    refusal(path)


def test_an_entry_that_is_encrypted_is_refused(tmp_path):
    path = write_zip(tmp_path / "f.pt", mapping(w=tensor()))
    content = bytearray(path.read_bytes())
    content[content.rindex(b"PK\x01\x02") + 8] |= 1
    path.write_bytes(content)
    assert "encrypted" in refusal(path)


# What a file claims must cost neither memory nor time. Each of these is small and would take gigabytes, or years.
KEEP, KEPT = b"r\x9f\x86\x01\x00", b"j\x9f\x86\x01\x00"
BOMBS = {
    "an index": plain(1) + b"r\xff\xff\xff\x7f",
    "a bytearray": b"\x96" + struct.pack("<Q", 2**35),
    "bytes": b"\x8e" + struct.pack("<Q", 2**35),
    "text": b"\x8d" + struct.pack("<Q", 2**35),
    "a frame": b"\x95" + struct.pack("<Q", 2**35),
    "an integer": b"\x8b" + struct.pack("<i", 2**31 - 1),
    "a product of integers": (
        plain((1 << 10_000_000) - 1)
        + KEEP
        + call("torch._utils._rebuild_tensor_v2", storage(), plain(0), group(KEPT * 60), plain((1,) * 60))
    ),
    "a key": b"}" + shared_parts(60) + b"Ns",
    "keys": b"}(" + shared_parts(60) + b"Nu",
    "a dict": b"(" + shared_parts(60) + b"Nd",
    "a set": b"\x8f(" + shared_parts(60) + b"\x90",
    "a frozenset": b"(" + shared_parts(60) + b"\x91",
    "a set by name": call("builtins.set", b"]" + shared_parts(60) + b"a"),
    "pairs": call("collections.OrderedDict", b"]](" + shared_parts(60) + b"Nea"),
    "a storage": mapping(w=tensor(at=shared_parts(60) + b"Q")),
    "the key of a storage": mapping(w=tensor(at=storage(shared_parts(60)))),
    "the shape of a tensor": mapping(w=call("torch._utils._rebuild_tensor", storage(), b"N", shared_parts(60), b")")),
    "a list copied": plain([0] * 200_000) + KEEP + b"](" + call("torch.Size", KEPT) * 50_000 + b"e",
    "pairs copied": (
        plain([[i, i] for i in range(10_000)]) + KEEP + b"](" + call("collections.OrderedDict", KEPT) * 20_000 + b"e"
    ),
    "a long name": (
        tensor() + b"q\xfa0" + plain("k" * 10**6) + KEEP + b"](" + (b"}" + KEPT + b"h\xfas") * 20_000 + b"e"
    ),
    "nested names": tensor() + KEEP + b"](" * 100_000 + (KEPT + b"e") * 100_000,
    "nested lists": b"]" * 1_000_000 + b"a" * 999_999,
    "nested tuples": b")" + b"\x85" * 1_000_000,
    "nested stand-ins": name("torch.nn.Module") + b")\x81" + (b"}" + plain("_modules") + b"}K\x00" + b"Nssb") * 10_000,
}
LIMITED = """
import resource, sys
from sicjax import weights
from sicjax._errors import InputError
resource.setrlimit(resource.RLIMIT_AS, (4 * 2**30, 4 * 2**30))
for path in sys.argv[1:]:
    print(path, flush=True)
    try:
        weights.read(path)
    except InputError as error:
        print(error)
print("peak", next(line.split()[1] for line in open("/proc/self/status") if line.startswith("VmHWM")))
"""


@WRITERS
def test_claims_cost_neither_memory_nor_time(tmp_path, write):
    paths = [write(tmp_path / f"{kind}.pt", body) for kind, body in BOMBS.items()]
    paths.append(write_legacy(tmp_path / "the list of storages.pt", b"N", keys=b"]" + shared_parts(60) + b"a"))
    result = subprocess.run([sys.executable, "-c", LIMITED, *paths], capture_output=True, text=True, timeout=60)
    assert result.returncode == 0 and "MemoryError" not in result.stdout, result.stdout + result.stderr
    assert int(result.stdout.split()[-1]) < 600_000, "kilobytes at the peak"


def assert_survives(path):
    try:
        arrays = weights.read(path).arrays
    except InputError as error:
        assert str(error).isprintable()
    else:
        assert all(array.size > 10**6 or len(array.tobytes()) == array.nbytes for array in arrays.values())


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("fuzz")


@WRITERS
def test_a_truncated_file_is_refused_or_read_the_same(tmp_path, write):
    path = write(tmp_path / "f.pt", mapping(w=tensor(), v=tensor(3, (3,), (1,))))
    content = path.read_bytes()
    for length in {*(len(content) * tenth // 10 for tenth in range(10)), len(content) - 1}:
        path.write_bytes(content[:length])
        try:
            assert_same(weights.read(path), {"w": VALUES, "v": VALUES[1]})
        except InputError as error:
            assert str(error).isprintable()


@WRITERS
@settings(max_examples=200)
@given(flips=st.lists(st.tuples(st.integers(0, 10**6), st.integers(1, 255)), min_size=1, max_size=4))
def test_flipped_bytes_raise_nothing_else(folder, write, flips):
    path = write(
        folder / "flipped.pt", mapping(w=tensor(), net=call("torch.nn.Module") + mapping(_modules=b"}") + b"b")
    )
    content = bytearray(path.read_bytes())
    for at, flip in flips:
        content[at % len(content)] ^= flip
    path.write_bytes(content)
    assert_survives(path)


INSTRUCTIONS = [
    *(bytes([code]) for code in sorted(pickle._Unpickler.dispatch)),
    *(name(full) for full in KNOWN),
    *map(plain, (0, -1, 2**70, 0.5, "_modules", "w", b"x", (), (2, 3), [1], {"a": 1}, None, True)),
    *(b"q\x01", b"h\x01", b"q\x02", b"h\x02", b"(", b"t", b"R", b"b", b"s", b"u", b"e", b"d", b"Q", b"\x81"),
    *(storage(), tensor(), call("torch.nn.Module"), call("collections.OrderedDict"), plain("storage")),
]


@WRITERS
@settings(max_examples=300)
@given(program=st.lists(st.sampled_from(INSTRUCTIONS), max_size=40))
def test_no_program_raises_anything_else(folder, write, program):
    assert_survives(write(folder / "program.pt", b"".join(program)))
    assert_same(weights.read(write(folder / "good.pt", mapping(w=tensor()))), {"w": VALUES})
