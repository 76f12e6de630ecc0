"""ONNX graphs: pairs compared with lists written by hand, and with the same network traced in JAX."""

import jax.numpy as jnp
import numpy as np
import pytest

import sicjax.sdr as sdr
from sicjax import networks
from sicjax._errors import InputError

onnx = pytest.importorskip("onnx")
helper, numpy_helper = onnx.helper, onnx.numpy_helper

RNG = np.random.default_rng(0)


def kernel(*shape):
    return RNG.normal(size=shape).astype(np.float32)


def node(kind, inputs, output, **settings):
    """An operator named after its last input."""
    name = inputs.split()[-1].removesuffix(".weight")
    return helper.make_node(kind, inputs.split(), output.split(), name=name, **settings)


def save(path, nodes, weights, shape=(1, 3, 32, 32), output="y", **model_settings):
    tensors = [numpy_helper.from_array(np.asarray(array), name) for name, array in weights.items()]
    x = helper.make_tensor_value_info("x", onnx.TensorProto.FLOAT, shape)
    y = helper.make_tensor_value_info(output, onnx.TensorProto.FLOAT, None)
    graph = helper.make_graph(nodes, "net", [x], [y], tensors)
    imports = model_settings.pop("opset_imports", [helper.make_opsetid("", 18)])
    model = helper.make_model(graph, opset_imports=imports, **model_settings)
    onnx.save(model, path / "net.onnx")
    return path / "net.onnx"


def names(net):
    return list(net.cascades)


def flax(array, transposed=False):
    return np.moveaxis(array, (0, 1), (-2, -1) if transposed else (-1, -2))


def test_a_dcgan_pair(tmp_path):
    """Generator and discriminator in one graph: transposed, turning at the image, strided; batch norms between."""
    weights = {
        "g.0.weight": kernel(8, 6, 4, 4),
        "g.1.weight": kernel(6, 3, 4, 4),
        "d.0.weight": kernel(5, 3, 4, 4),
        "d.1.weight": kernel(7, 5, 4, 4),
        "one": np.ones(6, np.float32),
    }
    up = {"strides": [2, 2], "pads": [1, 1, 1, 1]}
    nodes = [
        node("ConvTranspose", "x g.0.weight", "a", **up),
        node("BatchNormalization", "a one one one one", "b"),
        node("Relu", "b", "c"),
        node("ConvTranspose", "c g.1.weight", "d", **up),
        node("Tanh", "d", "e"),
        node("Conv", "e d.0.weight", "f", strides=[2, 2], auto_pad="SAME_UPPER"),
        node("LeakyRelu", "f", "g", alpha=0.2),
        node("Conv", "g d.1.weight", "y", **up),
    ]
    net = networks.from_file(save(tmp_path, nodes, weights, (1, 8, 4, 4)))
    assert names(net) == ["g.0 to g.1", "g.1 to d.0", "d.0 to d.1"]
    assert [pair.cascade.direction for pair in net.pairs] == ["generative", "plain", "extractive"]
    np.testing.assert_array_equal(net.cascades["g.0 to g.1"].first, flax(weights["g.0.weight"], True))
    np.testing.assert_array_equal(net.cascades["d.0 to d.1"].second, flax(weights["d.1.weight"]))


def test_residual_concat_split_and_gates(tmp_path):
    weights = {"a": kernel(8, 3, 3, 3), "b": kernel(8, 8, 3, 3), "c": kernel(4, 16, 3, 3), "d": kernel(5, 4, 3, 3)}
    same = {"pads": [1, 1, 1, 1]}
    nodes = [
        node("Conv", "x a", "a1", **same),
        node("Sigmoid", "a1", "a2"),
        node("Mul", "a1 a2", "a3"),
        node("Conv", "a3 b", "b1", **same),
        node("Add", "b1 a3", "s"),
        node("Concat", "s a3", "k", axis=1),
        node("Split", "k", "k1 k2", axis=1, num_outputs=2),
        node("Concat", "k2 k1", "k3", axis=1),
        node("Conv", "k3 c", "c1", **same),
        node("GlobalAveragePool", "c1", "g"),
        node("Mul", "c1 g", "c2"),
        node("Conv", "c2 d", "y"),
    ]
    net = networks.from_file(save(tmp_path, nodes, weights))
    # The input of c is [a3, b + a3]: a reaches it over both halves, apart from one another, b over the second.
    assert sorted(names(net)) == ["a to b", "a to c", "b to c", "c to d"]
    both = net.cascades["a to c"]
    assert both.shape == (3, 16, 4) and net.cascades["b to c"].shape == (8, 8, 4)
    np.testing.assert_array_equal(net.cascades["b to c"].second, flax(weights["c"])[:, :, 8:])


@pytest.mark.parametrize(
    "between, weights, down, up, size",
    [
        ([("MaxPool", {"kernel_shape": [2, 2], "strides": [2, 2]})], {}, (2, 2), (1, 1), (3, 3)),
        ([("AveragePool", {"kernel_shape": [2, 2], "strides": [2, 2]})], {}, (2, 2), (1, 1), (4, 4)),
        ([("Resize", {"mode": "nearest"})], {"scales": [1.0, 1, 2, 2]}, (1, 1), (2, 2), (4, 4)),
        ([("Resize", {"mode": "linear"})], {"scales": [1.0, 1, 2, 2]}, (1, 1), (2, 2), (6, 6)),
    ],
)
def test_pooling_and_resizing_are_folded_in(tmp_path, between, weights, down, up, size):
    held = {"a": kernel(4, 3, 3, 3), "b": kernel(5, 4, 3, 3)}
    held |= {name: np.array(array, np.float32) for name, array in weights.items()}
    ((kind, settings),) = between
    inputs = "a1  scales".split(" ") if weights else ["a1"]
    middle = helper.make_node(kind, inputs, ["m"], **settings)
    net = networks.from_file(save(tmp_path, [node("Conv", "x a", "a1"), middle, node("Conv", "m b", "y")], held))
    (pair,) = net.pairs
    assert (pair.cascade.down, pair.cascade.up) == (down, up)
    grown = pair.cascade.first if kind == "AveragePool" else pair.cascade.second
    assert grown.shape[:2] == size


def test_the_same_network_traced_in_jax_has_the_same_ratios(tmp_path):
    import jax

    a, b = kernel(4, 3, 5), kernel(6, 2, 3)
    nodes = [
        node("Conv", "x a", "a1", strides=[2], dilations=[2]),
        node("Conv", "a1 b", "y", group=2, dilations=[3]),
    ]
    found = networks.from_file(save(tmp_path, nodes, {"a": a, "b": b}, (1, 3, 64)))

    def apply(params, x):
        x = jax.lax.conv_general_dilated(x, params[0], (2,), "VALID", rhs_dilation=(2,))
        return jax.lax.conv_general_dilated(x, params[1], (1,), "VALID", rhs_dilation=(3,), feature_group_count=2)

    traced = networks.from_function(apply, (a, b), jnp.zeros((1, 3, 64)))
    (one,), (other,) = found.pairs, traced.pairs
    np.testing.assert_allclose(sdr.ratios(one.cascade), sdr.ratios(other.cascade), atol=1e-6)
    assert one.cascade.shape == (3, 4, 3)


def test_quantised_and_computed_kernels(tmp_path):
    q, scale = RNG.integers(-100, 100, (4, 3, 3, 3)).astype(np.int8), np.array([0.1, 0.2, 0.3, 0.4], np.float32)
    weights = {"q": q, "scale": scale, "zero": np.zeros(4, np.int8), "b": kernel(4, 3, 3, 5)}
    nodes = [
        node("DequantizeLinear", "q scale zero", "w", axis=0),
        node("Transpose", "b", "bt", perm=[3, 0, 1, 2]),
        node("Conv", "x w", "a"),
        node("Conv", "a bt", "y"),
    ]
    (pair,) = networks.from_file(save(tmp_path, nodes, weights)).pairs
    np.testing.assert_allclose(pair.cascade.first, flax(q * scale[:, None, None, None]), rtol=1e-6)
    np.testing.assert_array_equal(pair.cascade.second, flax(np.transpose(weights["b"], (3, 0, 1, 2))))


def test_what_ends_a_chain_is_said(tmp_path):
    weights = {"a": kernel(4, 3, 3, 3), "b": kernel(4, 1, 3, 3)}
    nodes = [
        node("Conv", "x a", "a1"),
        node("GridSample", "a1 x", "a2"),
        node("Conv", "a2 b", "b1"),
        helper.make_node("Wobble", ["b1"], ["y"], domain="my.ops"),
    ]
    imports = [helper.make_opsetid("", 18), helper.make_opsetid("my.ops", 1)]
    net = networks.from_file(save(tmp_path, nodes, weights, opset_imports=imports))
    assert not net.pairs and [layer.path for layer in net.layers] == ["a", "b"]
    reasons = dict(net.skipped)
    assert "GridSample" in reasons["a"] and "Wobble" in reasons["b"] and "is not known" in reasons["b"]


def test_external_weights_stay_in_the_folder(tmp_path):
    weights = {"a": kernel(4, 3, 3, 3), "b": kernel(5, 4, 3, 3)}
    path = save(tmp_path, [node("Conv", "x a", "a1"), node("Conv", "a1 b", "y")], weights)
    model = onnx.load(path)
    onnx.save_model(model, path, save_as_external_data=True, location="net.bin", size_threshold=0)
    np.testing.assert_array_equal(networks.from_file(path).cascades["a to b"].first, flax(weights["a"]))
    (tmp_path / "net.bin").unlink()
    with pytest.raises(InputError, match="net.bin"):
        networks.from_file(path)
    model = onnx.load(path, load_external_data=False)
    for tensor in model.graph.initializer:
        next(entry for entry in tensor.external_data if entry.key == "location").value = "../net.bin"
    (tmp_path.parent / "net.bin").write_bytes(bytes(10_000))
    path.write_bytes(model.SerializeToString())
    with pytest.raises(InputError, match="outside"):
        networks.from_file(path)


@pytest.mark.parametrize("content", [b"", b"hello, not a model", b"\x08\x07" + bytes(40)])
def test_files_that_are_no_model(tmp_path, content):
    (tmp_path / "net.onnx").write_bytes(content)
    with pytest.raises(InputError) as caught:
        networks.from_file(tmp_path / "net.onnx")
    assert str(caught.value).isprintable()


def test_the_graph_states_its_strides(tmp_path):
    path = save(tmp_path, [node("Conv", "x a", "y")], {"a": kernel(4, 3, 3, 3)})
    with pytest.raises(InputError, match="states its strides"):
        networks.from_file(path, stride=2)
