"""PyTorch files are read without PyTorch as PyTorch reads them, and nothing in them runs."""

import argparse
import collections
import copyreg
import datetime
import pathlib
import pickle
import struct
import subprocess
import sys
import zipfile

import ml_dtypes
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pickled import (
    BYTES,
    VALUES,
    call,
    group,
    mapping,
    name,
    plain,
    shared_parts,
    storage,
    tensor,
    write_legacy,
    write_zip,
)

from sicjax import weights
from sicjax._errors import InputError
from sicjax.weights import _unpickler

FORMATS = pytest.mark.parametrize("zipped", [True, False], ids=["zip", "legacy"])
DTYPES = (
    "float64 float32 float16 bfloat16 float8_e4m3fn float8_e5m2 float8_e4m3fnuz float8_e5m2fnuz float8_e8m0fnu int64 "
    "int32 int16 int8 uint8 uint16 uint32 uint64 bool complex64 complex128"
).split()
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


@WRITERS
def test_a_minimal_file_is_read(tmp_path, write):
    body = mapping(w=tensor(), net=mapping(bias=tensor(4, (2,), (1,)), turned=tensor(0, (3, 2), (1, 3))))
    tensors = weights.read(write(tmp_path / "file.any", body))
    assert_same(tensors, {"w": VALUES, "net/bias": VALUES[1, 1:], "net/turned": VALUES.T})
    assert tensors.ordered and not tensors.unread


def test_a_big_endian_zip_is_swapped(tmp_path):
    write_zip(tmp_path / "f.pt", mapping(w=tensor()), VALUES.astype(">f4").tobytes(), b"big")
    np.testing.assert_array_equal(weights.read(tmp_path / "f.pt").arrays["w"], VALUES)


def test_a_legacy_file_is_little_endian_from_every_machine(tmp_path):
    write_legacy(tmp_path / "f.pt", mapping(w=tensor()), little=False)
    np.testing.assert_array_equal(weights.read(tmp_path / "f.pt").arrays["w"], VALUES)


def test_a_zip_that_was_compressed_is_read(tmp_path):
    write_zip(tmp_path / "stored.pt", mapping(a=tensor(), b=tensor()))
    with zipfile.ZipFile(tmp_path / "stored.pt") as stored:
        with zipfile.ZipFile(tmp_path / "f.pt", "w", zipfile.ZIP_DEFLATED) as archive:
            for entry in stored.namelist():
                archive.writestr(entry, stored.read(entry))
    arrays = weights.read(tmp_path / "f.pt").arrays
    np.testing.assert_array_equal(arrays["b"], VALUES)
    assert np.shares_memory(arrays["a"], arrays["b"])


def test_mappings_of_python_2_and_defaultdicts_keep_their_tensors(tmp_path):
    pairs = b"](](" + plain("w") + tensor() + b"e](" + plain("v") + tensor() + b"ee"
    grown = call("collections.defaultdict", name("__builtin__.dict")) + plain("u") + tensor() + b"s"
    body = mapping(old=call("collections.OrderedDict", pairs), new=grown)
    assert list(weights.read(write_zip(tmp_path / "f.pt", body)).arrays) == ["old/w", "old/v", "new/u"]


def test_containers_of_the_oldest_protocol_are_read(tmp_path):
    body = b"(S'net'\n(S'w'\n" + tensor() + b"dS'rest'\n(" + tensor() + b"I1\nld"
    assert list(weights.read(write_zip(tmp_path / "f.pt", body)).arrays) == ["net/w", "rest/0"]


def test_text_of_python_2_need_not_be_utf8(tmp_path):
    body = mapping(w=tensor(), note=b"U\x03a\xffb")
    assert list(weights.read(write_zip(tmp_path / "f.pt", body)).arrays) == ["w"]


def test_a_key_that_is_no_name_gives_its_position(tmp_path):
    body = b"}(" + plain((1, (2, 3))) + tensor() + plain(b"x") + tensor() + plain(7) + tensor() + b"u"
    assert list(weights.read(write_zip(tmp_path / "f.pt", body)).arrays) == ["0", "1", "7"]


def test_a_second_tensor_of_one_name_is_reported(tmp_path):
    body = b"}(" + plain("a/b") + tensor() + plain("a") + mapping(b=tensor(4, (2,), (1,))) + b"u"
    tensors = weights.read(write_zip(tmp_path / "f.pt", body))
    assert_same(tensors, {"a/b": VALUES})
    assert list(tensors.unread) == ["a/b"]


def test_a_container_that_holds_itself_is_read_once(tmp_path):
    body = b"}q\xfa(" + plain("w") + tensor() + plain("itself") + b"h\xfau"
    assert list(weights.read(write_zip(tmp_path / "f.pt", body)).arrays) == ["w"]


@pytest.fixture
def torch():
    return pytest.importorskip("torch")


@pytest.fixture
def network(torch):
    nn = torch.nn
    inner = nn.Sequential(nn.Conv2d(4, 2, 3, bias=False), nn.Tanh())
    return nn.Sequential(nn.ConvTranspose2d(3, 4, 4, 2), nn.BatchNorm2d(4), nn.LeakyReLU(0.2), inner)


@pytest.fixture
def check(torch, tmp_path):
    """Saves with PyTorch and compares what is read with what PyTorch loads, found by the slow and obvious way."""

    def to_numpy(value):
        dtype = str(value.dtype).removeprefix("torch.")
        content = value.detach().contiguous().reshape(-1).view(torch.uint8).numpy().tobytes()
        return np.frombuffer(content, getattr(ml_dtypes, dtype, dtype)).reshape(value.shape)

    def named(value, prefix=""):
        if isinstance(value, torch.Tensor):
            return {prefix or "tensor": to_numpy(value)}
        if isinstance(value, torch.nn.Module):
            state = value.state_dict().items()
            return {f"{prefix}.{key}" if prefix else key: to_numpy(child) for key, child in state}
        items = (
            value.items() if isinstance(value, dict) else enumerate(value if isinstance(value, (list, tuple)) else ())
        )
        found = {}
        for key, child in items:
            found |= named(child, f"{prefix}/{key}" if prefix else str(key))
        return found

    def check(saved, zipped, *, loads=True, **settings):
        torch.save(saved, tmp_path / "f.pt", _use_new_zipfile_serialization=zipped, **settings)
        tensors = weights.read(tmp_path / "f.pt")
        assert_same(tensors, named(torch.load(tmp_path / "f.pt", weights_only=False) if loads else saved))
        assert not tensors.unread
        return tensors.arrays

    return check


@pytest.mark.torch
@FORMATS
@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
def test_a_state_dict(check, network, zipped, protocol):
    arrays = check(network.state_dict(), zipped, pickle_protocol=protocol)
    assert list(arrays)[0] == "0.weight" and list(arrays)[-1] == "3.0.weight"


@pytest.mark.torch
@FORMATS
@pytest.mark.parametrize("dtype", DTYPES)
def test_every_dtype(check, torch, zipped, dtype):
    values = torch.tensor([[0.0, 1.0, 2.0], [0.5, 4.0, 8.0]]).to(getattr(torch, dtype))
    # PyTorch writes its newer dtypes to legacy files, but fails to load them.
    loads = zipped or not dtype.startswith(("float8", "uint16", "uint32", "uint64"))
    check({"w": values, "turned": values.T}, zipped, loads=loads)


@pytest.mark.torch
@FORMATS
def test_views_and_shapes(check, torch, zipped):
    base = torch.arange(24.0).reshape(4, 6)
    views = {
        "transposed": base.T,
        "sliced": base[1:3, 2:],
        "stepped": base[::2, ::3],
        "expanded": torch.tensor([1.0, 2.0])[:, None].expand(2, 3),
        "permuted": torch.arange(24.0).reshape(2, 3, 4).permute(2, 0, 1),
        "channels last": torch.randn(2, 3, 4, 4).to(memory_format=torch.channels_last),
        "scalar": torch.tensor(3.0),
        "empty": torch.zeros(0, 3),
        "emptied": base[:0],
        "one": torch.ones(1, 1, 1),
    }
    check(views, zipped)


@pytest.mark.torch
@FORMATS
def test_tied_weights_and_parameters(check, torch, zipped):
    tied = torch.nn.Parameter(torch.randn(3, 2))
    noted = torch.nn.Parameter(torch.randn(2), requires_grad=False)
    noted.note = "saved with the parameter"
    arrays = check([tied, tied, tied.detach().T, noted, torch.nn.Buffer(torch.randn(2))], zipped)
    assert np.shares_memory(arrays["0"], arrays["2"])


@pytest.mark.torch
@FORMATS
def test_a_checkpoint_with_an_optimiser_and_arguments(check, torch, network, zipped):
    optimiser = torch.optim.Adam(network.parameters())
    network(torch.randn(2, 3, 4, 4)).sum().backward()
    optimiser.step()
    checkpoint = {
        "netG_state_dict": network.state_dict(),
        "optimizerG": optimiser.state_dict(),
        "epoch": 3,
        "args": argparse.Namespace(lr=0.1, layers=[1, 2], kind=int, out=pathlib.PurePosixPath("out")),
        "losses": [0.5, np.float64(0.25)],
        "rng": (torch.get_rng_state(), np.random.RandomState(0).get_state()),
        "history": collections.defaultdict(list, loss=[1.0]),
        "seen": {1, 2},
        "blob": b"\x00\xff",
    }
    arrays = check(checkpoint, zipped)
    assert {"netG_state_dict/3.0.weight", "optimizerG/state/0/exp_avg", "rng/0"} <= set(arrays)


@pytest.mark.torch
@FORMATS
def test_a_checkpoint_as_lightning_writes_it(check, torch, network, zipped):
    checkpoint = {
        "epoch": 1,
        "pytorch-lightning_version": "2.4.0",
        "state_dict": collections.OrderedDict((f"model.{key}", value) for key, value in network.state_dict().items()),
        "callbacks": {"ModelCheckpoint{'monitor': None}": {"best_model_score": torch.tensor(0.5), "dirpath": "a"}},
        "optimizer_states": [torch.optim.SGD(network.parameters(), momentum=0.9).state_dict()],
        "lr_schedulers": [],
        "hyper_parameters": {"lr": 1e-3, "size": torch.Size([64, 64]), "device": torch.device("cpu")},
        "ended": datetime.datetime(2024, 1, 1),
    }
    assert "state_dict/model.0.weight" in check(checkpoint, zipped)


@pytest.mark.torch
@FORMATS
def test_whole_models_and_optimisers(check, torch, network, zipped):
    assert "3.0.weight" in check(network, zipped)
    assert "ema.3.0.weight" in check({"ema": network, "epoch": 1}, zipped)
    check({"optimiser": torch.optim.Adam(network.parameters()), "w": torch.ones(2)}, zipped)


@pytest.mark.torch
@FORMATS
def test_a_bare_tensor_and_bare_storages(check, torch, zipped):
    check(torch.ones(2), zipped)
    check([torch.ones(2).untyped_storage(), torch.zeros(3)], zipped, loads=zipped)


@pytest.mark.torch
@FORMATS
def test_tensors_of_other_kinds_are_refused(torch, tmp_path, zipped):
    kinds = {
        "_rebuild_sparse_tensor": torch.eye(2).to_sparse(),
        "_rebuild_meta_tensor": torch.ones(2, device="meta"),
        "resolve_conj": torch.ones(2, dtype=torch.complex64).conj(),
        "resolve_neg": torch.ones(2, dtype=torch.complex64).conj().imag,
    }
    for what, value in kinds.items():
        torch.save({"w": value}, tmp_path / "f.pt", _use_new_zipfile_serialization=zipped)
        assert what in refusal(tmp_path / "f.pt")


def touch(marker):
    return plain(f"touch {marker}")


FORMS = {
    "GLOBAL and REDUCE": lambda marker: call("os.system", touch(marker)),
    "STACK_GLOBAL": lambda marker: plain("os") + plain("system") + b"\x93" + group(touch(marker)) + b"R",
    "INST": lambda marker: b"(" + touch(marker) + b"ios\nsystem\n",
    "OBJ": lambda marker: b"(" + name("os.system") + touch(marker) + b"o",
    "NEWOBJ": lambda marker: name("os.system") + group(touch(marker)) + b"\x81",
    "NEWOBJ_EX": lambda marker: name("os.system") + group(touch(marker)) + b"}\x92",
    "BUILD": lambda marker: b"}" + mapping(__setstate__=name("os.system")) + b"b" + touch(marker) + b"b",
}

REFUSED = {
    "os.system": b")R",
    "posix.system": b")R",
    "builtins.eval": group(plain("1")) + b"R",
    "builtins.exec": b")R",
    "builtins.getattr": group(name("torch.nn.Module"), plain("__globals__")) + b"R",
    "builtins.setattr": b")R",
    "builtins.open": b")R",
    "builtins.type": b")R",
    "builtins.map": b")R",
    "builtins.__import__": b")R",
    "subprocess.Popen": group(plain(["true"])) + b"\x81}b",
    "copyreg._reconstructor": b")R",
    "copyreg.add_extension": b")R",
    "copy_reg._reconstructor": b")R",
    "operator.attrgetter": group(plain("system")) + b"R",
    "operator.methodcaller": b")R",
    "functools.partial": b")R",
    "types.FunctionType": b")\x81",
    "types.CodeType": b")\x81",
    "importlib.import_module": b")R",
    "pickle.loads": b")R",
    "marshal.loads": b")R",
    "runpy.run_path": b")R",
    "torch.load": b")R",
    "torch.hub.load": b")R",
    "torch.jit.load": b")R",
    "torch.storage._load_from_bytes": b")R",
    "torch.utils.cpp_extension.load": b")R",
    "torch.serialization.load": b")R",
    "torch._utils._import_dotted_name": b")R",
    "torch.nnx.Module": b")\x81",
    "sicjax.weights.read": b")R",
    "__main__.Model": b")\x81",
    "": b")R",
}


@pytest.mark.parametrize("form", FORMS)
def test_no_form_of_call_runs(tmp_path, form):
    for write in (write_zip, write_legacy):
        message = refusal(write(tmp_path / "f.pt", mapping(w=tensor(), x=FORMS[form](tmp_path / "marker"))))
        assert "'os.system'" in message and "refused" in message
    assert not (tmp_path / "marker").exists()


@pytest.mark.parametrize("form", ["GLOBAL and REDUCE", "STACK_GLOBAL", "INST", "OBJ"])
def test_the_forms_do_run_where_nothing_guards(tmp_path, form):
    pickle.loads(FORMS[form](tmp_path / "marker") + b".")
    assert (tmp_path / "marker").exists()


@pytest.mark.parametrize("full", REFUSED)
def test_names_are_refused(tmp_path, full):
    assert f"asks for '{full or '.'}'" in refusal(write_zip(tmp_path / "f.pt", name(full) + REFUSED[full]))


def test_names_within_names_are_refused(tmp_path):
    for module, attributes in (
        ("collections", "OrderedDict.__class__"),
        ("torch._utils", "_rebuild_tensor.__globals__"),
    ):
        body = plain(module) + plain(attributes) + b"\x93"
        assert f"'{module}.{attributes}'" in refusal(write_zip(tmp_path / "f.pt", body))


def test_quantised_weights_are_told_to_be_saved_as_floats(tmp_path):
    body = mapping(**{"a.weight": name("torch._utils._rebuild_qtensor")})
    assert "its weights are quantised: save them as floats" in refusal(write_zip(tmp_path / "f.pt", body))


def test_a_name_cannot_forge_the_message(tmp_path):
    body = plain("os") + plain("\x1b[2Jsystem\nall is well" + "x" * 10_000) + b"\x93"
    assert "\\x1b[2Jsystem\\n" in refusal(write_zip(tmp_path / "f.pt", body))


def test_registered_extensions_are_not_reached(tmp_path):
    copyreg.add_extension("os", "system", 240)
    try:
        pickle.loads(b"\x82\xf0.")  # as an unpickler of another library would, which caches the function
        refusal(write_zip(tmp_path / "f.pt", b"\x82\xf0" + group(touch(tmp_path / "marker")) + b"R"))
    finally:
        copyreg.remove_extension("os", "system", 240)
        copyreg.clear_extension_cache()
    assert not (tmp_path / "marker").exists()


HARMLESS = {
    "a gadget of NumPy": lambda m: call(
        "numpy.testing._private.utils.runstring", plain(f"open({str(m)!r}, 'w')"), b"}"
    ),
    "a file by NumPy": lambda m: call("numpy.save", plain(str(m)), plain(1)),
    "a method of a path": lambda m: call("pathlib.Path.touch", call("pathlib.Path", plain(str(m)))),
    "a module of a module": lambda m: plain("torch.nn") + plain("os.system") + b"\x93" + group(touch(m)) + b"R",
    "a factory": lambda m: call("collections.defaultdict", name("numpy.os.system")) + touch(m) + b"Ns",
    "encode": lambda m: call("_codecs.encode", plain(str(m)), plain("zip")),
    "attributes": lambda m: (
        call("torch.nn.Module")
        + mapping(__class__=plain(1), __setstate__=plain(2), state=plain(3), __dict__=b"}")
        + b"b"
    ),
    "slots": lambda m: call("torch.nn.Module") + b"N" + mapping(__class__=name("torch.nn.Linear")) + b"\x86b",
    "items": lambda m: call("torch.nn.Module") + plain("append") + plain(1) + b"s" + b"(" + plain(1) + b"e",
    "modules that are no modules": lambda m: (
        call("torch.nn.Module") + mapping(_modules=plain(1), _parameters=call("torch.nn.Module"), _buffers=b"N") + b"b"
    ),
}


@pytest.mark.parametrize("kind", HARMLESS)
def test_stand_ins_do_nothing(tmp_path, kind):
    body = mapping(x=HARMLESS[kind](tmp_path / "marker"), w=tensor())
    assert_same(weights.read(write_zip(tmp_path / "f.pt", body)), {"w": VALUES})
    assert not (tmp_path / "marker").exists()


KNOWN = sorted(_unpickler._KNOWN)


@pytest.mark.parametrize("state", ["attributes", "slots"])
def test_a_file_cannot_change_how_the_next_is_read(tmp_path, state):
    tampered = mapping(
        __defaults__=plain((1, 2)),
        __kwdefaults__=b"}",
        __name__=plain("x"),
        __code__=b"N",
        __setstate__=name("builtins.dict"),
        state=b"}",
    )
    state = tampered if state == "attributes" else b"N" + tampered + b"\x86"
    before = {full: dict(getattr(known, "__dict__", {})) for full, known in _unpickler._KNOWN.items()}
    for full in KNOWN:
        for made in (b"", b")R"):
            try:
                weights.read(write_zip(tmp_path / "f.pt", name(full) + made + state + b"b"))
            except InputError:
                pass
    assert before == {full: dict(getattr(known, "__dict__", {})) for full, known in _unpickler._KNOWN.items()}
    assert _unpickler._tensor.__defaults__ is None and _unpickler.Inert.state is None
    assert_same(weights.read(write_zip(tmp_path / "g.pt", mapping(w=tensor()))), {"w": VALUES})


def test_attributes_of_a_mapping_are_ignored(tmp_path):
    for attribute in ("items", "values", "get", "__iter__", "__setstate__", "_metadata"):
        body = call("collections.OrderedDict") + plain("w") + tensor() + b"s"
        body += mapping(**{attribute: name("builtins.set")}) + b"b"
        assert_same(weights.read(write_zip(tmp_path / "f.pt", body)), {"w": VALUES})


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
