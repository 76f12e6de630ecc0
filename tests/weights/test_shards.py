"""Weights in several files: read as one, and what is wrong with them said in one line."""

import json

import numpy as np
import pytest
from safetensors.numpy import save_file

from sicjax import measure, networks, weights
from sicjax._errors import InputError

RNG = np.random.default_rng(0)
KERNELS = {f"conv{k}.weight": RNG.normal(size=(k + 1, k, 3, 3)).astype(np.float32) for k in range(3, 7)}
NAMES = [f"model-0000{k}-of-00002.safetensors" for k in (1, 2)]
PLACES = {name: NAMES[k // 2] for k, name in enumerate(KERNELS)}


def write(folder, places=None, name="model.safetensors.index.json"):
    places = PLACES if places is None else places
    (folder / name).write_text(json.dumps({"metadata": {"total_size": 1}, "weight_map": places}))
    return folder / name


@pytest.fixture
def index(tmp_path):
    for shard in NAMES:
        save_file({name: KERNELS[name] for name, place in PLACES.items() if place == shard}, tmp_path / shard)
    return write(tmp_path)


def test_it_is_one_network(index):
    tensors = weights.read(index)
    assert tensors.arrays.keys() == KERNELS.keys() and not tensors.ordered
    for name, kernel in KERNELS.items():
        np.testing.assert_array_equal(tensors.arrays[name], kernel)
    expected = ["conv3 to conv4", "conv4 to conv5", "conv5 to conv6"]
    for path in (index, index.parent):
        assert list(networks.from_file(path, stride=1).cascades) == expected
        assert networks.files_of(path) == [index, *(index.parent / name for name in NAMES)]
    assert networks.takes_stride(index)
    with pytest.raises(InputError, match=r"or a sidecar model\.json"):
        networks.from_file(index)


def test_arrays_are_mapped_and_not_read(index):
    for array in weights.read(index).arrays.values():
        assert not array.flags.owndata and not array.flags.writeable


def test_a_search_finds_the_index_and_not_its_parts(index):
    save_file({"w": KERNELS["conv3.weight"]}, index.parent / "other-00001-of-00002.safetensors")
    found = [source.file for source in measure.find([index.parent])]
    assert found == [str(index), str(index.parent / "other-00001-of-00002.safetensors")]


def test_another_part_makes_another_result(index):
    before = measure.measure([index], stride=1)[0].identity
    save_file({name: 2 * KERNELS[name] for name in list(KERNELS)[:2]}, index.parent / NAMES[0])
    after = measure.measure([index], stride=1)[0].identity
    assert before.sha256 == after.sha256 and before.key != after.key


def test_parts_of_pytorch(tmp_path):
    torch = pytest.importorskip("torch")
    for shard in ("a.bin", "b.bin"):
        held = [name for k, name in enumerate(KERNELS) if ("a.bin", "b.bin")[k // 2] == shard]
        torch.save({name: torch.from_numpy(KERNELS[name]) for name in held}, tmp_path / shard)
    places = {name: ("a.bin", "b.bin")[k // 2] for k, name in enumerate(KERNELS)}
    tensors = weights.read(write(tmp_path, places, "pytorch_model.bin.index.json"))
    assert tensors.ordered and list(tensors.arrays) == list(KERNELS)


@pytest.mark.parametrize(
    "places, said",
    [
        ({"w": "gone.safetensors", **PLACES}, "names 3 files, of which 1 are not beside it: get gone.safetensors"),
        ({"w": NAMES[0]}, f"says that 'w' is in {NAMES[0]}, which does not have it"),
        ({"w": "../secret.safetensors"}, "it names '../secret.safetensors', which is no weights file beside it"),
        ({"w": "/etc/passwd"}, "it names '/etc/passwd', which is no weights file beside it"),
        ({"w": ".."}, "which is no weights file beside it"),
        ({"w": "C:\\x"}, "which is no weights file beside it"),
        ({"w": "model.safetensors.index.json"}, "which is no weights file beside it"),
        ({"w": 3}, "it does not name a file for each array"),
        ({}, "it does not name a file for each array"),
        ([], "is no index of weights|it does not name a file"),
    ],
)
def test_what_is_wrong_is_one_line(index, places, said):
    write(index.parent, places)
    with pytest.raises(InputError, match=said.replace("\\", "\\\\")) as refused:
        networks.from_file(index, stride=1)
    assert str(index) in str(refused.value) and "\n" not in str(refused.value)


def test_a_damaged_index_and_a_damaged_part(index):
    (index.parent / NAMES[1]).write_bytes(b"cut")
    with pytest.raises(InputError, match=f"{NAMES[1]} is damaged"):
        weights.read(index)
    index.write_text('{"weight_map": {"a"')
    with pytest.raises(InputError, match="is damaged, or no index of weights"):
        networks.from_file(index, stride=1)
