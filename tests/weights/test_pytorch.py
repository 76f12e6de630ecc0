"""PyTorch files are read without PyTorch as PyTorch reads them."""

import argparse
import collections
import datetime
import pathlib
import zipfile

import ml_dtypes
import numpy as np
import pytest
from pickled import (
    VALUES,
    WRITERS,
    assert_same,
    call,
    mapping,
    name,
    plain,
    refusal,
    tensor,
    write_legacy,
    write_zip,
)

from sicjax import weights

FORMATS = pytest.mark.parametrize("zipped", [True, False], ids=["zip", "legacy"])
DTYPES = (
    "float64 float32 float16 bfloat16 float8_e4m3fn float8_e5m2 float8_e4m3fnuz float8_e5m2fnuz float8_e8m0fnu int64 "
    "int32 int16 int8 uint8 uint16 uint32 uint64 bool complex64 complex128"
).split()


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
