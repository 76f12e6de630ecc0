"""ONNX files: kernels however they are stored, and files that are damaged or no ONNX files."""

import subprocess
import sys

import numpy as np
import pytest
from onnx_net import Net, flax, helper, kernel, names, onnx, shuffled, to_tensor

from sicjax import networks
from sicjax._errors import InputError

RNG = np.random.default_rng(0)


def through_a_graph(net, w, path):
    half = net.constant(np.moveaxis(w, 0, -1).reshape(4, -1).astype(np.float16), f"{path}.weight")
    whole = net.op("Reshape", net.op("Identity", net.op("Cast", half, to=1)), net.ints(4, 3, 3, 4))
    return net.op("Transpose", whole, perm=[3, 0, 1, 2])


def quantised(net, w, path):
    held = net.constant((w / 0.5 + 3).astype(np.int8), f"{path}.weight")
    scale, zero = net.constant(np.full(4, 0.5, np.float32)), net.constant(np.full(4, 3, np.int8))
    return net.op("DequantizeLinear", held, scale, zero, axis=0)


def sparse(net, w, path):
    places = to_tensor(np.argwhere(w).astype(np.int64), "places")
    tensor = helper.make_sparse_tensor(to_tensor(w[w != 0], f"{path}.weight"), places, w.shape)
    return net.op("Constant", sparse_value=tensor)


def bfloat16(net, w, path):
    net.initializers.append(helper.make_tensor(f"{path}.weight", onnx.TensorProto.BFLOAT16, w.shape, w.ravel()))
    return f"{path}.weight"


STORED = {
    "a constant node": lambda net, w, path: net.op("Constant", value=to_tensor(w, f"{path}.weight")),
    "computed": through_a_graph,
    "quantised": quantised,
    "sparse": sparse,
    "bfloat16": bfloat16,
    "float16": lambda net, w, path: net.constant(w.astype(np.float16), f"{path}.weight"),
    "float64": lambda net, w, path: net.constant(w.astype(np.float64), f"{path}.weight"),
}


@pytest.mark.parametrize("way", STORED)
def test_kernels_however_they_are_stored(tmp_path, way):
    net = Net()
    whole = RNG.integers(-8, 8, (4, 4, 3, 3)).astype(np.float32)
    x = net.op("Conv", "x", STORED[way](net, whole, "a"), name="node")
    net = net.read(tmp_path, net.chain(x, "b"))
    assert names(net) == ["a to b"]
    np.testing.assert_array_equal(net.pairs[0].cascade.first, flax(whole))


def test_quantised_convolutions(tmp_path):
    net = Net()
    whole = RNG.integers(-8, 8, (4, 4, 3, 3)).astype(np.float32)
    held = net.constant((whole + 2).astype(np.int8), "a.weight_quantized")
    scales = np.array([1, 2, 1, 4], np.float32)
    zero, two = net.constant(np.uint8(0)), net.constant(np.full(4, 2, np.int8))
    q = net.op("QuantizeLinear", "x", net.number(), zero)
    q = net.op("QLinearConv", q, net.number(), zero, held, net.constant(scales), two, net.number(), zero)
    x, scale, point = net.op("DynamicQuantizeLinear", net.op("DequantizeLinear", q, net.number(), zero), outputs=3)
    x = net.op("ConvInteger", x, net.constant(whole.astype(np.int8), "b.weight"), point)
    net = net.read(tmp_path, net.chain(net.op("Mul", net.op("Cast", x, to=1), scale), "c"))
    assert names(net) == ["a to b", "b to c"]
    np.testing.assert_array_equal(net.pairs[0].cascade.first, flax(whole) * scales)
    np.testing.assert_array_equal(net.pairs[0].cascade.second, flax(whole))


def test_the_files_of_a_model_are_itself_and_those_of_its_weights(tmp_path):
    net, file = Net(), tmp_path / "net.onnx"
    model = net.model(net.chain("x", "a", "b"))
    onnx.save(model, file)
    assert networks.files_of(file) == [file]
    onnx.save(model, file, save_as_external_data=True, all_tensors_to_one_file=False, size_threshold=0)
    beside = [path for path in tmp_path.iterdir() if path != file]
    assert len(beside) >= 2 and networks.files_of(file) == [file, *sorted(beside)]


@pytest.mark.parametrize(
    "change, message",
    [
        ({"location": "sub/../../weights.bin"}, "outside the model's folder"),
        ({"location": "/etc/passwd"}, "outside the model's folder"),
        (
            {"location": "gone.bin"},
            "keeps its weights in gone.bin, which cannot be read .No such file.*: put it beside",
        ),
        ({"length": "999999"}, "weights.bin ends before the weights a.weight of net.onnx"),
        ({"offset": "-5"}, "ends before the weights"),
        ({"length": "8"}, "cannot read a.weight"),
    ],
)
def test_wrong_external_weights_are_explained(tmp_path, change, message):
    net, file = Net(), tmp_path / "net.onnx"
    model = net.model(net.chain("x", "a", "b"))
    onnx.save(model, file, save_as_external_data=True, location="weights.bin", size_threshold=0)
    model = onnx.load(file, load_external_data=False)
    for entry in model.graph.initializer[0].external_data:
        entry.value = change.get(entry.key, entry.value)
    file.write_bytes(model.SerializeToString())
    with pytest.raises(InputError, match=message) as caught:
        networks.from_file(file)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "content, message",
    [
        (b"", "is empty: save or download it again"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:1", "git lfs pull"),
        (b"<!DOCTYPE html><html>not found</html>", "is a web page, not the file: download it again"),
        (RNG.bytes(5000), "not an ONNX file"),
        (onnx.ModelProto(ir_version=8).SerializeToString(), "without a graph"),
    ],
    ids=["empty", "pointer", "page", "noise", "no graph"],
)
def test_what_is_no_onnx_file_is_explained(tmp_path, content, message):
    (tmp_path / "net.onnx").write_bytes(content)
    with pytest.raises(InputError, match=message) as caught:
        networks.from_file(tmp_path / "net.onnx")
    assert "\n" not in str(caught.value)


def test_cut_or_changed_files_never_crash(tmp_path):
    net = Net(("n", 4, "w"))
    x = net.conv(shuffled(net, net.conv("x", kernel(4, 4, 3), "a")), kernel(4, 4, 3), "b")
    whole, rng = net.model(x).SerializeToString(), np.random.default_rng(1)
    for k in range(60):
        damaged = bytearray(whole[: rng.integers(1, len(whole))] if k % 2 else whole)
        for place in rng.integers(0, len(damaged), 3):
            damaged[place] = rng.integers(256)
        (tmp_path / "net.onnx").write_bytes(damaged)
        try:
            networks.from_file(tmp_path / "net.onnx")
        except InputError as error:
            assert "\n" not in str(error)


def test_a_graph_out_of_order_and_one_without_convolutions(tmp_path):
    net = Net()
    with pytest.raises(InputError, match="Relu here uses 'later', which nothing before it gives"):
        net.read(tmp_path, net.op("Relu", "later", name="here"))
    net = Net()
    with pytest.raises(InputError, match="net.onnx has no convolution"):
        net.read(tmp_path, net.op("Relu", "x"))
    with pytest.raises(InputError, match="cannot read .*gone.onnx: No such file"):
        networks.from_file(tmp_path / "gone.onnx")


def test_weights_that_are_not_finite_are_named(tmp_path):
    net, weight = Net(), kernel(4, 4, 3, 3)
    weight[0, 0, 0, 0] = np.nan
    with pytest.raises(InputError, match="a .first. and b .second.: the first kernel has 1 weights that are NaN"):
        net.read(tmp_path, net.chain(net.conv("x", weight, "a"), "b"))


def test_without_onnx_it_says_what_to_install(tmp_path):
    (tmp_path / "net.onnx").write_bytes(b"x")
    code = (
        "import sys; sys.modules['onnx'] = None\n"
        "from sicjax import networks\n"
        f"try: networks.from_file({str(tmp_path / 'net.onnx')!r})\n"
        "except networks._files.InputError as error: print(error)"
    )
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert "pip install 'sicjax[onnx]'" in said
