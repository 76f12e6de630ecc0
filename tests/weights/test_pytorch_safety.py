"""Nothing in a PyTorch file runs, whatever its pickle asks for."""

import copyreg
import pickle

import pytest
from pickled import (
    VALUES,
    assert_same,
    call,
    group,
    mapping,
    name,
    plain,
    refusal,
    tensor,
    write_legacy,
    write_zip,
)

from sicjax import weights
from sicjax._errors import InputError
from sicjax.weights import _unpickler


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
