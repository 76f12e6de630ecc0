"""Modules of well-known libraries in memory, against the same modules saved to ONNX."""

import collections
import dataclasses

import numpy as np
import pytest
from of_torch import OF_TORCH
from same_pairs import unit

from sicjax import measure, networks, sdr

torch = pytest.importorskip("torch")
pytest.importorskip("onnx")
from torch_libraries import NETWORKS, build  # noqa: E402

pytestmark = [*OF_TORCH, pytest.mark.filterwarnings("ignore")]
# Channels on each axis of which the ratios are compared; of the kernels every tap is.
SOME = 6


def some(cascade):
    """A pair of a few of its channels."""
    first, second = (np.asarray(kernel, np.float64) for kernel in cascade.aligned())
    i, m, o = (np.unique(np.linspace(0, n - 1, SOME).astype(int)) for n in cascade.shape)
    first, second = first[..., i, :][..., m], second[..., m, :][..., o]
    return dataclasses.replace(cascade, first=first, second=second, first_groups=1, second_groups=1)


def keyed(net, names):
    """The pairs by their layers and what lies between, with the ratios of some pathways of each."""
    found = collections.defaultdict(list)
    for pair in net.pairs:
        cascade = pair.cascade
        key = names[pair.first.path], names[pair.second.path], cascade.down, cascade.up, cascade.shape
        found[key].append(sdr.reference.ratios(some(cascade)))
    return {key: sorted(group, key=lambda rho: np.nansum(rho)) for key, group in found.items()}


def same_layers(net, other):
    """For each layer of a network its name in another: that of the same kernel, up to the scale of each filter."""
    units = collections.defaultdict(dict)
    for layer in other.layers:
        units[layer.kernel.shape, layer.stride, layer.dilation, layer.groups][layer.path] = unit(layer.kernel)
    names = {}
    for layer in net.layers:
        near = units[layer.kernel.shape, layer.stride, layer.dilation, layer.groups]
        (names[layer.path],) = [name for name, u in near.items() if np.allclose(u, unit(layer.kernel), atol=1e-5)]
    return names


@pytest.mark.parametrize("name", NETWORKS)
def test_a_module_in_memory_has_the_pairs_of_its_onnx(tmp_path, name):
    library, _, pairs = NETWORKS[name]
    if library is not None:
        pytest.importorskip(library)
    module, inputs = build(name)
    net = networks.from_torch(module, *inputs)
    torch.onnx.export(module.eval(), inputs, str(tmp_path / "net.onnx"), dynamo=False, verbose=False)
    other = networks.from_file(tmp_path / "net.onnx")
    names = same_layers(other, net)
    assert sorted(names.values()) == sorted(layer.path for layer in net.layers)
    found, expected = keyed(net, {path: path for path in names.values()}), keyed(other, names)
    assert found.keys() == expected.keys()
    for key, group in found.items():
        for rho, same in zip(group, expected[key], strict=True):
            np.testing.assert_allclose(rho, same, atol=1e-6, err_msg=str(key))
    assert len(net.pairs) == len(other.pairs) == pairs
    assert {layer.path for layer in net.layers} <= dict(module.named_modules()).keys()


def test_from_a_module_to_a_table_in_three_lines():
    """The README's."""
    pytest.importorskip("torchvision")
    module, inputs = build("ResNet")
    net = networks.from_torch(module, *inputs)
    (result,) = measure.measure([net._replace(pairs=net.pairs[:3])])
    assert result.file == "ResNet" and [row.name for row in result.rows] == list(net.cascades)[:3]
    assert result.to_pandas()["mean"].between(0.5, 2).all() and "ResNet" in result._repr_html_()
