"""Operators of ONNX: that a pair means what the graph computes, and that no convolution is lost on the way."""

import subprocess
import sys
import warnings

import numpy as np
import pytest
from onnx_net import Net, kernel

import sicjax.sdr as sdr
from sicjax import networks
from sicjax._errors import InputError

onnx = pytest.importorskip("onnx")
helper, to_tensor = onnx.helper, onnx.numpy_helper.from_array

RNG = np.random.default_rng(0)
LENGTH = 36


def names(net):
    return [pair.name for pair in net.pairs]


def pairs(net):
    return [(pair.name, pair.cascade.down[0], pair.cascade.up[0]) for pair in net.pairs]


def flax(weight):
    return np.moveaxis(weight, (0, 1), (-1, -2))


def resize(mode, factor, place="half_pixel", **settings):
    def between(net, x):
        settings["coordinate_transformation_mode"] = place
        return net.op("Resize", x, "", net.floats(1, 1, factor), mode=mode, **settings)

    return between


def of_all_places(mode):
    """A mean as a sum, as below."""
    return lambda net, x: net.op("Mul", resize(mode, 0.5, antialias=1)(net, x), net.floats(2))


def pooled(size, **settings):
    """Average pooling as a sum, which is the filter that is folded in."""
    return lambda net, x: net.op("Mul", net.op("AveragePool", x, kernel_shape=[size], **settings), net.floats(size))


def swapped(net, x):
    a, b = net.op("Split", x, net.ints(2, 2), outputs=2, axis=1)
    return net.op("Concat", b, a, axis=1)


def shuffled(net, x):
    x = net.op("Reshape", x, net.ints(0, 2, 2, -1))
    return net.op("Reshape", net.op("Transpose", x, perm=[0, 2, 1, 3]), net.ints(0, 4, -1))


def some_channels(net, x):
    x = net.op("Slice", x, net.ints(1), net.ints(3), net.ints(1))
    return net.op("Pad", x, net.ints(0, 1, 0, 0, 1, 0))


def turned_channels(net, x):
    return net.op("Slice", x, net.ints(-1), net.ints(-9), net.ints(-2), net.ints(-1))


def padded_along_one_axis(net, x):
    return net.op("Pad", x, net.ints(3, 2), "", net.ints(-1), mode="reflect")


def moved(net, x):
    return net.op("Transpose", net.op("Neg", net.op("Transpose", x, perm=[0, 2, 1])), perm=[0, 2, 1])


def repeated(net, x):
    x = net.op("Expand", net.op("Unsqueeze", x, net.ints(3)), net.ints(1, 1, 1, 2))
    return net.op("Reshape", x, net.ints(0, 0, -1))


BETWEEN = {
    "nothing": lambda net, x: x,
    "average pooling": pooled(2, strides=[2]),
    "average pooling in place": pooled(3, pads=[1, 1]),
    "nearest by 2": resize("nearest", 2, "asymmetric"),
    "linear by 2": resize("linear", 2),
    "linear by 3": resize("linear", 3),
    "linear from the first place": resize("linear", 2, "asymmetric"),
    "nearest by a half": resize("nearest", 0.5, "asymmetric"),
    "linear by a half": resize("linear", 0.5),
    "linear by a half of all places": of_all_places("linear"),
    "linear by a third": resize("linear", 1 / 3),
    "cubic by 2": resize("cubic", 2),
    "cubic by 2 with another coefficient": resize("cubic", 2, "pytorch_half_pixel", cubic_coeff_a=-0.5),
    "cubic by a half": resize("cubic", 0.5),
    "cubic by a half of all places": of_all_places("cubic"),
    "repeated": repeated,
    "every third": lambda net, x: net.op("Slice", x, net.ints(0), net.ints(1000), net.ints(2), net.ints(3)),
    "channels swapped": swapped,
    "channels shuffled": shuffled,
    "channels turned round": turned_channels,
    "channels gathered": lambda net, x: net.op("Gather", x, net.ints(3, 1, 0, 2), axis=1),
    "some channels": some_channels,
    "in another layout": moved,
    "a window": lambda net, x: net.op("Slice", x, net.ints(3), net.ints(-2), net.ints(2)),
    "padded along one axis": padded_along_one_axis,
    "padding": lambda net, x: net.op("Pad", x, net.ints(0, 0, 2, 0, 0, 1)),
}
LAYERS = {
    "plain": ({}, {}),
    "extractive, dilated": ({"strides": [2]}, {"dilations": [2]}),
    "generative, dilated": ({"dilations": [2]}, {"up": 2, "dilations": [2]}),
    "turning": ({"strides": [2]}, {"up": 2}),
}
CASES = [(between, "plain") for between in BETWEEN]
CASES += [(between, layers) for between in ("nothing", "average pooling", "nearest by 2") for layers in LAYERS]


def layer(net, x, weight, path, up=0, **attributes):
    """A convolution with room on both sides; `weight` is `OIW`."""
    reach = (weight.shape[2] - 1) * attributes.get("dilations", [1])[0]
    if not up:
        return net.conv(x, weight, path, pads=[reach, reach], **attributes)
    return net.conv(x, np.swapaxes(weight, 0, 1), path, "ConvTranspose", strides=[up], **attributes)


def check_power(folder, net, out, *, size, period=None):
    """White noise in; ONNX's reference implementation says what comes out, summed over all places that it came from.

    Arguments:
        size: of the input, along each axis.
        period: after how many places out the power repeats; by default the cascade's expansion.
    """
    from onnx.reference import ReferenceEvaluator

    model = net.model(out)
    pair = net.read(folder, out).pairs[0].cascade
    axes = len(pair.up)
    i, o = 3, 1
    impulses = np.zeros((size**axes, 4, *[size] * axes), np.float32)
    impulses[:, i] = np.eye(size**axes).reshape(-1, *[size] * axes)
    response = ReferenceEvaluator(model).run(None, {"x": impulses})[0][:, o]
    power = (response.astype(np.float64) ** 2).sum(0)
    for axis, n in enumerate(period or pair.up):
        middle = (power.shape[axis] - n) // 2
        power = power.take(range(middle, middle + n), axis)
    a, b = (np.asarray(k, np.float64) for k in (pair.first, pair.second))
    (alone,) = np.flatnonzero(np.any(a, axis=tuple(range(axes + 1))))
    rho = sdr.reference.ratios(pair)[i, alone, o]
    predicted = rho * (a[..., i, alone] ** 2).sum() * (b[..., alone, o] ** 2).sum() / power.size
    np.testing.assert_allclose(power.mean(), predicted, rtol=1e-4)


@pytest.mark.parametrize("between, layers", dict.fromkeys(CASES))
def test_a_pair_predicts_the_power_that_the_graph_puts_out(tmp_path, between, layers):
    first, second = LAYERS[layers]
    k1, k2 = kernel(4, 4, 5), kernel(4, 4, 4)
    k1[np.arange(4) != 2] = 0
    net = Net(("n", 4, "w"))
    out = layer(net, BETWEEN[between](net, layer(net, "x", k1, "a", **first)), k2, "b", **second)
    check_power(tmp_path, net, out, size=LENGTH)


@pytest.mark.parametrize("mode, of_channel", [("DCR", slice(1, None, 2)), ("CRD", slice(4, None))])
def test_a_pixel_shuffle_predicts_the_power_too(tmp_path, mode, of_channel):
    """Eight channels become two, of which one is left."""
    weight = kernel(8, 4, 3, 3)
    kept = weight[of_channel].copy()
    weight[:] = 0
    weight[of_channel] = kept
    net = Net(("n", 4, "h", "w"))
    x = net.op("DepthToSpace", net.conv("x", weight, "a", pads=[1] * 4), blocksize=2, mode=mode)
    check_power(tmp_path, net, net.conv(x, kernel(3, 2, 3, 3), "b", pads=[1] * 4), size=8, period=(2, 2))


def test_padding_that_crops(tmp_path):
    """Of space it leaves what is there, of channels some."""
    net = Net(("n", 4, 8, 8))
    x = net.op("Pad", net.chain("x", "a"), net.ints(-1, 1, -1, 0, -2, 0), "", net.ints(1, -2, 3))
    x = net.op("Add", x, net.constant(np.ones((1, 3, 7, 7), np.float32)))
    (pair,) = net.read(tmp_path, net.conv(x, kernel(4, 3, 3, 3), "b")).pairs
    np.testing.assert_array_equal(pair.cascade.first, net.held("a")[..., 1:])


def test_resizes_of_old_files_start_at_the_first_place(tmp_path):
    net = Net(("n", 4, "w"), opset=10)
    x = layer(net, "x", kernel(4, 4, 5), "a")
    x = net.op("Resize", x, net.floats(1, 1, 2), mode="linear")
    net = net.read(tmp_path, layer(net, x, kernel(4, 4, 1), "b"))
    np.testing.assert_allclose(net.pairs[0].cascade.second, net.layers[1].kernel * [[[0.5]], [[1]], [[0.5]]])


def test_a_fused_convolution_adds_what_it_is_given(tmp_path):
    net = Net()
    x = net.chain("x", "a")
    weight = net.constant(kernel(4, 4, 1, 1), "b.weight")
    x = net.op("FusedConv", x, weight, "", x, domain="com.microsoft", activation="Relu")
    assert names(net.read(tmp_path, net.chain(x, "c"))) == ["a to b", "b to c", "a to c"]


@pytest.mark.parametrize("opset", [12, 13, 18])
def test_channels_that_are_added_up_with_those_of_other_groups(tmp_path, opset):
    """A reduction over one of two channel axes, whose axes were an attribute and became an input."""
    net = Net(("n", 4, 8, 8), opset=opset)
    x = net.op("Reshape", net.conv("x", kernel(6, 4, 3, 3), "a", pads=[1] * 4), net.ints(0, 3, 2, 8, 8))
    as_input = opset >= 18
    given, attributes = ([net.ints(-4)], {}) if as_input else ([], {"axes": [1]})
    x = net.op("ReduceMean", x, *given, keepdims=0, **attributes)
    net = net.read(tmp_path, net.chain(x, "b", channels=2))
    assert [pair.cascade.shape for pair in net.pairs] == [(4, 2, 2)] * 3
    for k, pair in enumerate(net.pairs):
        np.testing.assert_array_equal(pair.cascade.first, net.layers[0].kernel[..., 2 * k : 2 * k + 2])


def test_every_setting_of_a_convolution(tmp_path):
    net = Net()
    x = net.conv("x", kernel(6, 2, 3, 2), "a", group=2, strides=[2, 1], dilations=[1, 2], auto_pad="SAME_UPPER")
    weight = kernel(6, 4, 4, 4)
    up = {"strides": [2, 2], "group": 3, "output_padding": [1, 0]}
    net = net.read(tmp_path, net.conv(x, weight, "b", "ConvTranspose", **up))
    a, b = net.layers
    assert (a.path, a.stride, a.dilation, a.groups, a.transposed, a.inputs) == ("a", (2, 1), (1, 2), 2, False, 4)
    assert (b.path, b.stride, b.groups, b.transposed, b.inputs, b.outputs) == ("b", (2, 2), 3, True, 6, 12)
    # The third output of the second group comes from that group's inputs, 2 and 3.
    np.testing.assert_array_equal(b.kernel[..., 4 + 2], np.moveaxis(weight[2:4, 2], 0, -1))
    (pair,) = net.pairs
    assert pair.cascade.down == (2, 1) and pair.cascade.up == (2, 2) and pair.cascade.first_dilation == (1, 2)
    assert pair.cascade.shape == (2, 6, 4)


@pytest.mark.parametrize("axes", [1, 3])
def test_one_dimension_and_three(tmp_path, axes):
    net = Net(("n", 3, *"dhw"[:axes]))
    x = net.conv("x", kernel(5, 3, *(3, 2, 4)[:axes]), "a", strides=[2] * axes)
    x = net.op("MaxPool", net.op("Relu", x), kernel_shape=[2] * axes, strides=[3] * axes)
    net = net.read(tmp_path, net.conv(x, kernel(2, 5, *[3] * axes), "b"))
    assert net.pairs[0].cascade.down == (6,) * axes and net.pairs[0].cascade.shape == (3, 5, 2)
    assert net.notes == ("max pooling has no linear form: it is taken as its stride alone",)


POINTWISE = {
    "silu": lambda n, x: n.op("Mul", x, n.op("Sigmoid", x)),
    "gelu": lambda n, x: n.op("Mul", x, n.op("Add", n.op("Erf", n.op("Div", x, n.number())), n.number())),
    "mish": lambda n, x: n.op("Mul", x, n.op("Tanh", n.op("Softplus", x))),
    "hardswish": lambda n, x: n.op("HardSwish", n.op("Clip", x, n.number(), "")),
    "prelu": lambda n, x: n.op("PRelu", x, n.constant(kernel(4, 1, 1))),
    "where": lambda n, x: n.op("Where", n.op("Greater", x, n.number()), x, n.op("Mul", x, n.number())),
    "dropout, cast": lambda n, x: n.op("Cast", n.op("Dropout", n.op("Cast", x, to=10)), to=1),
    "batch normalisation": lambda n, x: n.op("BatchNormalization", x, *[n.constant(kernel(4))] * 4),
    "quantised values": lambda n, x: n.op("DequantizeLinear", n.op("QuantizeLinear", x, n.number()), n.number()),
    "sum, mean, max": lambda n, x: n.op("Sum", n.op("Mean", x, x), n.op("Max", x, n.number())),
}


@pytest.mark.parametrize("function", POINTWISE)
def test_functions_of_each_place_leave_a_pair_as_it_is(tmp_path, function):
    net = Net()
    net = net.read(tmp_path, net.chain(POINTWISE[function](net, net.chain("x", "a")), "b"))
    assert pairs(net) == [("a to b", 1, 1)] and not net.skipped and not net.notes
    assert net.pairs[0].cascade.first.shape == (3, 3, 4, 4)


def layer_norm_written_out(net, x):
    centred = net.op("Sub", x, net.op("ReduceMean", x, net.ints(1)))
    power = net.op("ReduceMean", net.op("Pow", centred, net.number()), net.ints(1))
    return net.op("Div", centred, net.op("Sqrt", net.op("Add", power, net.number())))


def group_norm_of_pytorch(net, x):
    flat = net.op("Reshape", x, net.ints(0, 2, -1))
    scaled = net.op("InstanceNormalization", flat, net.constant(kernel(2)), net.constant(kernel(2)))
    return net.op("Mul", net.op("Reshape", scaled, net.op("Shape", x)), net.constant(kernel(4, 1, 1)))


@pytest.mark.parametrize("norm", [layer_norm_written_out, group_norm_of_pytorch])
def test_normalisations_are_scaling(tmp_path, norm):
    net = Net()
    net = net.read(tmp_path, net.chain(norm(net, net.chain("x", "a")), "b"))
    assert pairs(net) == [("a to b", 1, 1)] and not net.skipped
    note = "InstanceNormalization is taken as a scaling of each channel, though it depends on the value"
    assert net.notes == ((note,) if norm is group_norm_of_pytorch else ())


def test_a_residual_block_and_squeeze_and_excitation(tmp_path):
    net = Net()
    stem = net.chain("x", "stem")
    main = net.chain(net.op("Relu", stem), "a", "b")
    gate = net.chain(net.op("GlobalAveragePool", main), "squeeze", "excite", k=1)
    out = net.op("Add", net.op("Mul", main, net.op("Sigmoid", gate)), stem)
    pooled = net.op("ReduceMean", net.chain(out, "c"), net.ints(2, 3), keepdims=0)
    net = net.read(tmp_path, net.op("Gemm", pooled, net.constant(kernel(4, 9), "fc.weight")))
    assert names(net) == ["stem to a", "a to b", "squeeze to excite", "b to c", "stem to c"]
    assert dict(net.skipped) == {
        "a weight or shift of whole channels (Mul)": "ends the chain after excite",
        "global pooling (ReduceMean)": "ends the chain after c",
    }


def test_branches_that_are_added_up(tmp_path):
    """Split attention: two branches of channels on an axis of their own, weighted and summed over it."""
    net = Net(("n", 4, 256, 256))
    x = net.op("Reshape", net.conv("x", kernel(8, 4, 3, 3), "a"), net.ints(0, 2, 4, 254, 254))
    net = net.read(tmp_path, net.chain(net.op("ReduceSum", x, net.ints(1), keepdims=0), "b"))
    assert names(net) == ["a to b", "a to b (2)"]
    for k, pair in enumerate(net.pairs):
        np.testing.assert_array_equal(pair.cascade.first, net.layers[0].kernel[..., 4 * k : 4 * k + 4])


def test_sizes_that_the_graph_computes(tmp_path):
    """A decoder that resizes to, and crops by, the size of a value of the encoder, with open sizes."""
    net = Net()
    fine = net.conv("x", kernel(4, 4, 3, 3), "fine", pads=[1] * 4)
    x = net.conv(fine, kernel(4, 4, 2, 2), "coarse", strides=[2, 2])
    space = net.op("Slice", net.op("Shape", fine), net.ints(2), net.ints(4))
    sizes = net.op("Concat", net.op("Slice", net.op("Shape", x), net.ints(0), net.ints(2)), space, axis=0)
    x = net.op("Resize", x, "", "", sizes, mode="nearest")
    x = net.op("Slice", x, net.ints(0), net.op("Gather", net.op("Shape", fine), net.ints(2)), net.ints(2))
    net = net.read(tmp_path, net.chain(net.op("Concat", x, fine, axis=1), "out", channels=8))
    assert pairs(net) == [("fine to coarse", 1, 1), ("coarse to out", 2, 2), ("fine to out", 1, 1)]
    last = net.layers[2].kernel
    box = sum(np.pad(last, [(p, 1 - p), (q, 1 - q), (0, 0), (0, 0)]) for p in (0, 1) for q in (0, 1))
    np.testing.assert_allclose(net.pairs[1].cascade.second, box[:, :, :4], rtol=1e-6)
    np.testing.assert_array_equal(net.pairs[2].cascade.second, last[:, :, 4:])


def dense(net, x):
    return net.op("MatMul", net.op("Reshape", x, net.ints(0, -1)), net.constant(kernel(4, 9), "fc.weight"))


def lstm(net, x):
    return net.op("LSTM", x, *[net.constant(kernel(1, 8, 2))] * 2, name="here", hidden_size=2)


def by(mode, *factors):
    return lambda net, x: net.op("Resize", x, "", net.floats(1, 1, *factors), mode=mode, name="here")


def pooled_after_upsampling(net, x):
    x = by("nearest", 2, 2)(net, x)
    return net.op("AveragePool", x, kernel_shape=[3, 3], strides=[2, 2], name="pool")


def turned_round(net, x):
    return net.op("Slice", x, net.ints(-1), net.ints(-10000), net.ints(2), net.ints(-1), name="here")


def cropped(net, x):
    place = {"coordinate_transformation_mode": "tf_crop_and_resize", "mode": "linear"}
    return net.op("Resize", x, net.floats(0, 0, 0, 0, 1, 1, 1, 1), net.floats(1, 1, 2, 2), name="here", **place)


def some_number(net):
    """One that depends on the input."""
    return net.op("Cast", net.op("Reshape", net.op("ReduceMax", "x"), net.ints(1)), to=7)


def cut_somewhere(net, x):
    return net.op("Slice", x, some_number(net), net.ints(3), net.ints(1), name="here")


def parts_of_some_size(net, x):
    sizes = net.op("Concat", some_number(net), some_number(net), axis=0)
    return net.op("Split", x, sizes, outputs=2, axis=1, name="here")[0]


ENDS = {
    "a dense layer (fc)": dense,
    "a product of two values that depend on the input, as in attention (here)": lambda n, x: n.op(
        "MatMul", x, x, name="here"
    ),
    "a softmax (here)": lambda n, x: n.op("Softmax", x, name="here"),
    "a recurrent layer (here)": lstm,
    "a layer that takes 4 channels in an order that is not known (b)": lambda n, x: n.op(
        "DepthToSpace", x, blocksize=2
    ),
    "a tf_crop_and_resize resize (here)": cropped,
    "a linear resize by 1.5x1.5, not by a whole factor (here)": by("linear", 1.5, 1.5),
    "an operation that is not known (custom.Whirl)": lambda n, x: n.op("Whirl", x, domain="custom"),
    "an operation that is not known (ai.onnx.GridSample)": lambda n, x: n.op("GridSample", x, "x"),
    "a reshape that mixes space and channels (b)": lambda n, x: n.op("Reshape", x, n.ints(0, 4, 128, -1)),
    "an operation that gives a size that is not known (here)": lambda n, x: n.op("Reshape", x, "x", name="here"),
    "a flip of space (here)": turned_round,
    "an operation whose settings are computed (here)": lambda n, x: n.op(
        "Gather", x, n.op("Cast", "x", to=7), name="here"
    ),
    "places that are computed (here)": cut_somewhere,
    "parts of sizes that are not known (here)": parts_of_some_size,
    "global pooling (AveragePool)": lambda n, x: n.op("AveragePool", x, kernel_shape=[256, 256]),
    "every so many places of a value between whose places zeros were put (pool)": pooled_after_upsampling,
}


@pytest.mark.parametrize("reason", ENDS)
def test_what_no_pair_reaches_across_is_named(tmp_path, reason):
    net = Net(("n", 4, 256, 256))
    net = net.read(tmp_path, net.chain(ENDS[reason](net, net.chain("x", "a")), "b"))
    assert not net.pairs and [layer.path for layer in net.layers] == ["a", "b"]
    reasons = dict(net.skipped)
    assert reasons[reason] == "ends the chain after a" and reason in reasons["a"]
    assert "no convolution follows" in reasons["b"]


def test_convolutions_that_cannot_be_layers_are_named(tmp_path):
    net = Net()
    x = net.op("Conv", net.chain("x", "a"), "x", name="hyper")
    x = net.op("NhwcConv", x, net.constant(kernel(4, 4, 3, 3)), name="fused", domain="com.microsoft")
    x = net.op("Conv", x, net.constant(kernel(4, 4, 3, 3)), name="odd", group=3)
    body = helper.make_graph(
        [helper.make_node("Conv", ["v0", "inner.weight"], ["y"], name="inner"), helper.make_node("Not", ["c"], ["d"])],
        "body",
        [helper.make_tensor_value_info("k", 7, []), helper.make_tensor_value_info("c", 9, [])],
        [helper.make_tensor_value_info("d", 9, []), helper.make_tensor_value_info("y", 1, None)],
        [to_tensor(kernel(4, 4, 3, 3), "inner.weight")],
    )
    reasons = dict(net.read(tmp_path, net.op("Loop", net.ints(3), "", name="again", body=body)).skipped)
    assert reasons["hyper"] == "a convolution whose kernel is computed from the input (hyper)"
    assert reasons["fused"] == "an operation that is not known (com.microsoft.NhwcConv)"
    assert "a kernel of shape (4, 4, 3, 3) in 3 groups" in reasons["odd"]
    assert reasons["inner"] == "it is inside again, which is not followed"
    assert "a part of the program that may run any number of times (again)" in reasons["a"]


def test_a_branch_that_is_always_taken_is_followed(tmp_path):
    net = Net()
    x = net.chain("x", "a")

    def branch(path):
        weight = to_tensor(kernel(4, 4, 3, 3), f"{path}.weight")
        node = helper.make_node("Conv", [x, f"{path}.weight"], ["inside"])
        return helper.make_graph([node], path, [], [helper.make_tensor_value_info("inside", 1, None)], [weight])

    rank = net.op("Size", net.op("Shape", x))
    four = net.op("Equal", rank, net.constant(np.int64(4)))
    x = net.op("If", four, then_branch=branch("then"), else_branch=branch("other"))
    assert names(net.read(tmp_path, net.chain(x, "b"))) == ["a to then", "then to b"]


def test_functions_of_the_model_are_written_out(tmp_path):
    net = Net()
    nodes = [helper.make_node("Conv", ["x", "w"], ["y"]), helper.make_node("Relu", ["y"], ["z"])]
    net.functions.append(
        helper.make_function("custom", "Block", ["x", "w"], ["z"], nodes, [helper.make_opsetid("", 18)])
    )
    x = "x"
    for path in ("a", "b"):
        x = net.op("Block", x, net.constant(kernel(4, 4, 3, 3), f"{path}.weight"), domain="custom")
    assert names(net.read(tmp_path, x)) == ["a to b"]


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
    scales = np.float32([1, 2, 1, 4])
    zero, two = net.constant(np.uint8(0)), net.constant(np.full(4, 2, np.int8))
    q = net.op("QuantizeLinear", "x", net.number(), zero)
    q = net.op("QLinearConv", q, net.number(), zero, held, net.constant(scales), two, net.number(), zero)
    x, scale, point = net.op("DynamicQuantizeLinear", net.op("DequantizeLinear", q, net.number(), zero), outputs=3)
    x = net.op("ConvInteger", x, net.constant(whole.astype(np.int8), "b.weight"), point)
    net = net.read(tmp_path, net.chain(net.op("Mul", net.op("Cast", x, to=1), scale), "c"))
    assert names(net) == ["a to b", "b to c"]
    np.testing.assert_array_equal(net.pairs[0].cascade.first, flax(whole) * scales)
    np.testing.assert_array_equal(net.pairs[0].cascade.second, flax(whole))


def test_a_kernel_that_several_convolutions_share(tmp_path):
    net = Net()
    net = net.read(tmp_path, net.chain("x", "a", "a", "b"))
    assert len(net.layers) == 3 and len(net.cascades) == 2
    assert [pair.second.path for pair in net.pairs] == ["a#2", "b"]


def test_names_without_weight_fall_back_to_the_nodes(tmp_path):
    net = Net()
    x = net.op("Conv", "x", net.constant(kernel(4, 4, 3, 3), "onnx::Conv_12"), name="/block/Conv")
    x = net.op("Conv", x, net.constant(kernel(4, 4, 3, 3), "model/conv2/kernel"), name="node")
    assert names(net.read(tmp_path, x)) == ["/block/Conv to model/conv2"]


def test_old_operators_and_initializers_among_the_inputs(tmp_path):
    net = Net(opset=9)
    x = net.op("Upsample", net.chain("x", "a"), net.floats(1, 1, 2, 2), mode="nearest")
    x = net.op("Slice", x, starts=[1], ends=[3], axes=[1])
    x = net.op("Pad", x, pads=[0, 2, 1, 1, 0, 0, 1, 1])
    net.inputs += [helper.make_tensor_value_info(t.name, t.data_type, t.dims) for t in net.initializers]
    net = net.read(tmp_path, net.chain(x, "b"))
    assert pairs(net) == [("a to b", 1, 2)] and net.pairs[0].cascade.shape == (4, 2, 4)
    np.testing.assert_array_equal(net.pairs[0].cascade.first, net.layers[0].kernel[..., 1:3])


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
        (b"", "is empty: export or download it again"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:1", "git lfs pull"),
        (b"<!DOCTYPE html><html>not found</html>", "not an ONNX file"),
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


@pytest.mark.parametrize(
    "kind, inputs, attributes",
    [
        ("Concat", ["x", "x"], {"axis": 9}),
        ("Transpose", ["x"], {"perm": [0, 5, 1, 2]}),
        ("AveragePool", ["x"], {"kernel_shape": [10**12, 10**12]}),
        ("Tile", ["x", [1, 10**12, 1, 1]], {}),
        ("Expand", ["x", [1, 10**12, 1, 1]], {}),
        ("Pad", ["x", [0, 10**12, 0, 0, 0, 0, 0, 0]], {}),
        ("Gather", ["x", [99]], {"axis": 1}),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_settings_that_are_not_possible_end_the_chain(tmp_path, kind, inputs, attributes):
    net = Net()
    a = net.chain("x", "a")
    inputs = [a if value == "x" else net.ints(*value) for value in inputs]
    net = net.read(tmp_path, net.chain(net.op(kind, *inputs, **attributes), "b"))
    assert [layer.path for layer in net.layers] == ["a", "b"]
    assert not net.pairs and any(kind in reason for reason, _ in net.skipped)


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


def modules():
    """Networks of PyTorch, an input, and their pairs with down and up, written by hand."""
    import torch
    from torch import nn
    from torch.nn import functional

    def conv(i, o, k=3, s=1, **settings):
        return nn.Conv2d(i, o, k, s, (k - 1) // 2, bias=False, **settings)

    class Residual(nn.Module):
        def __init__(self):
            super().__init__()
            self.stem, self.norm = conv(3, 8, 7, 2), nn.GroupNorm(2, 8)
            self.a, self.b, self.side = conv(8, 16, 3, 2), conv(16, 16), conv(8, 16, 1, 2)
            self.c, self.fc = conv(16, 16), nn.Linear(16, 5)

        def forward(self, x):
            x = functional.max_pool2d(functional.silu(self.norm(self.stem(x))), 3, 2, 1)
            x = functional.relu(self.b(functional.relu(self.a(x))) + self.side(x))
            return self.fc(functional.adaptive_avg_pool2d(self.c(x), 1).flatten(1))

    class Unet(nn.Module):
        def __init__(self):
            super().__init__()
            self.a, self.down, self.b = conv(3, 8), conv(8, 16, 4, 2), conv(16, 16)
            self.up, self.c, self.out = nn.ConvTranspose2d(16, 8, 2, 2), conv(16, 8), conv(8, 1)

        def forward(self, x):
            fine = functional.gelu(self.a(x))
            x = self.up(functional.gelu(self.b(functional.mish(self.down(fine)))))
            x = functional.pad(x, [0, fine.shape[3] - x.shape[3], 0, fine.shape[2] - x.shape[2]])
            x = functional.interpolate(self.c(torch.cat([fine, x], 1)), scale_factor=2, mode="bilinear")
            return self.out(x)

    class Mobile(nn.Module):
        def __init__(self):
            super().__init__()
            self.stem, self.wide = conv(3, 8, 3, 2), conv(8, 24, 1)
            self.deep, self.narrow, self.head = conv(24, 24, 5, 2, groups=24), conv(24, 8, 1), conv(8, 16, 1)
            self.reduce, self.expand = conv(24, 6, 1), conv(6, 24, 1)

        def forward(self, x):
            x = functional.hardswish(self.stem(x))
            x = functional.relu6(self.deep(functional.relu6(self.wide(x))))
            gate = functional.relu(self.reduce(functional.adaptive_avg_pool2d(x, 1)))
            return self.head(self.narrow(x * functional.hardsigmoid(self.expand(gate)))).mean((2, 3))

    class Dense(nn.Module):
        def __init__(self):
            super().__init__()
            self.stem, self.a, self.b = conv(3, 8), conv(8, 4), conv(12, 4)
            self.squeeze, self.last = conv(16, 8, 1), conv(8, 4)

        def forward(self, x):
            x = self.stem(x)
            for layer in (self.a, self.b):
                x = torch.cat([x, layer(functional.relu(x))], 1)
            return self.last(functional.avg_pool2d(self.squeeze(functional.relu(x)), 2))

    generator = nn.Sequential(nn.ConvTranspose2d(9, 8, 4), nn.BatchNorm2d(8), nn.ReLU())
    generator.extend([nn.ConvTranspose2d(8, 6, 4, 2, 1, bias=False), nn.ReLU()])
    generator.extend([nn.ConvTranspose2d(6, 3, 4, 2, 1, bias=False), nn.Tanh()])
    critic = nn.Sequential(nn.Conv2d(3, 6, 4, 2, 1), nn.LeakyReLU(0.2), nn.Conv2d(6, 8, 4, 2, 1, bias=False))
    critic.extend([nn.BatchNorm2d(8), nn.LeakyReLU(0.2), nn.Conv2d(8, 1, 4), nn.Sigmoid()])
    image = torch.zeros(1, 3, 36, 36)
    residual = ["stem a 4 1", "a b 2 1", "stem side 4 1", "b c 1 1", "side c 2 1"]
    unet = ["a down 1 1", "down b 2 1", "b up 1 2", "a c 1 1", "up c 1 1", "c out 1 2"]
    mobile = ["stem wide 2 1", "wide deep 1 1", "reduce expand 1 1", "deep narrow 2 1", "narrow head 1 1"]
    dense = ["stem a 1 1", "stem b 1 1", "a b 1 1", "stem squeeze 1 1", "a squeeze 1 1", "b squeeze 1 1"]
    return {
        "residual": (Residual(), image, residual),
        "u-net": (Unet(), torch.zeros(1, 3, 33, 37), unet),
        "mobile": (Mobile(), image, mobile),
        "dense": (Dense(), image, [*dense, "squeeze last 2 1"]),
        "generator": (generator, torch.zeros(1, 9, 1, 1), ["0 3 1 2", "3 5 1 2"]),
        "critic": (critic, image, ["0 2 2 1", "2 5 2 1"]),
    }


@pytest.mark.torch
@pytest.mark.parametrize("dynamo", [False, True], ids=["torchscript", "dynamo"])
@pytest.mark.parametrize("which", ["residual", "u-net", "mobile", "dense", "generator", "critic"])
def test_exports_of_pytorch(tmp_path, which, dynamo):
    torch = pytest.importorskip("torch")
    if dynamo:
        pytest.importorskip("onnxscript")
    module, x, expected = modules()[which]
    with warnings.catch_warnings():
        # The exporters warn of themselves.
        warnings.simplefilter("ignore")
        torch.onnx.export(module.eval(), (x,), str(tmp_path / "net.onnx"), dynamo=dynamo, verbose=False)
    net = networks.from_file(tmp_path / "net.onnx")
    # Where a batch norm was folded in, only the node's name is left.
    short = lambda layer: layer.path.strip("/").removesuffix("/Conv").removesuffix("/ConvTranspose")
    found = [(short(p.first), short(p.second), str(p.cascade.down[0]), str(p.cascade.up[0])) for p in net.pairs]
    assert sorted(map(" ".join, found)) == sorted(expected)
