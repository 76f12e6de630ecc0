"""Operators of ONNX: which pairs they leave, and that no convolution is lost on the way."""

import numpy as np
import pytest
from onnx_net import Net, helper, kernel, names, pairs, to_tensor


def test_padding_that_crops(tmp_path):
    """Of space it leaves what is there, of channels some."""
    net = Net(("n", 4, 8, 8))
    x = net.op("Pad", net.chain("x", "a"), net.ints(-1, 1, -1, 0, -2, 0), "", net.ints(1, -2, 3))
    x = net.op("Add", x, net.constant(np.ones((1, 3, 7, 7), np.float32)))
    (pair,) = net.read(tmp_path, net.conv(x, kernel(4, 3, 3, 3), "b")).pairs
    np.testing.assert_array_equal(pair.cascade.first, net.held("a")[..., 1:])


def test_padding_by_amounts_that_the_graph_computes_is_of_space(tmp_path):
    net = Net(("n", 4, 8, 8))
    amounts = net.op("Concat", *[some_number(net)] * 8, axis=0)
    found = net.read(tmp_path, net.chain(net.op("Pad", net.chain("x", "a"), amounts), "b"))
    assert pairs(found) == [("a to b", 1, 1)] and "is taken as padding of space alone" in found.notes[0]
    net = Net(("n", 4, 8, 8))
    amounts = net.op("Concat", *[some_number(net)] * 2, axis=0)
    x = net.op("Pad", net.chain("x", "a"), amounts, "", net.ints(1), name="here")
    found = net.read(tmp_path, net.chain(x, "b"))
    assert not found.pairs and "places that are computed (here)" in dict(found.skipped)["a"]


def test_resizes_to_sizes_that_the_graph_computes_end_the_chain(tmp_path):
    net = Net(("n", 4, 8, 8))
    sizes = net.op("Concat", net.ints(1, 4), some_number(net), some_number(net), axis=0)
    x = net.op("Resize", net.chain("x", "a"), "", "", sizes, name="here")
    net = net.read(tmp_path, net.chain(x, "b"))
    assert not net.pairs and "settings are computed (here)" in dict(net.skipped)["a"]


def test_resizes_of_old_files_start_at_the_first_place(tmp_path):
    net = Net(("n", 4, "w"), opset=10)
    x = net.conv("x", kernel(4, 4, 5), "a")
    x = net.op("Resize", x, net.floats(1, 1, 2), mode="linear")
    net = net.read(tmp_path, net.conv(x, kernel(4, 4, 1), "b"))
    np.testing.assert_allclose(net.pairs[0].cascade.second, net.layers[1].kernel * [[[0.5]], [[1]], [[0.5]]])


def test_places_of_the_first_axes(tmp_path):
    """What PyTorch's exporter makes of `x[:, places]`; a place for each of several axes together is another thing."""
    net = Net(("n", 4, 8, 8))
    first = net.op("Transpose", net.chain("x", "a"), perm=[1, 2, 3, 0])
    grid = np.stack(np.meshgrid([3, 0, -2], np.arange(8), indexing="ij"), -1)
    x = net.op("GatherND", first, net.constant(grid))
    y = net.op("GatherND", first, net.constant(np.array([[0, 1], [2, 3]])), name="here")
    net.chain(net.op("Unsqueeze", y, net.ints(0)), "c", channels=2)
    x = net.op("Transpose", x, perm=[3, 0, 1, 2])
    net = net.read(tmp_path, net.conv(x, kernel(2, 3, 3, 3), "b"))
    (pair,) = net.pairs
    assert pair.name == "a to b" and "places of several axes together (here)" in dict(net.skipped)["c"]
    np.testing.assert_array_equal(pair.cascade.first, net.layers[0].kernel[..., [3, 0, 2]])


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
    if opset >= 18:
        x = net.op("ReduceMean", x, net.ints(-4), keepdims=0)
    else:
        x = net.op("ReduceMean", x, axes=[1], keepdims=0)
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
        "excite": "the chain ends after it: it weighs or shifts whole channels, as in squeeze-and-excitation (Mul)",
        "c": "the chain ends after it: global pooling (ReduceMean)",
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
    box = np.sum([np.pad(last, [(p, 1 - p), (q, 1 - q), (0, 0), (0, 0)]) for p in (0, 1) for q in (0, 1)], axis=0)
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
    assert reasons["a"] == f"before it: the network's input (x); after it: {reason}"
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
    assert not net.pairs and any(kind in reason for _, reason in net.skipped)


def test_what_pairs_take_of_a_layer_in_the_same_way_is_held_once(tmp_path):
    net = Net()
    a = net.conv("x", kernel(4, 4, 3, 3), "a")
    pooled = net.op("AveragePool", a, kernel_shape=[2, 2], strides=[2, 2])
    parts = [net.conv(pooled, kernel(4, 4, 1, 1), path) for path in "bc"]
    part = net.op("Slice", pooled, net.ints(1), net.ints(4), net.ints(1))
    parts.append(net.conv(part, kernel(4, 3, 1, 1), "d"))
    wide = net.op("Concat", *parts[:2], axis=1)
    net = net.read(tmp_path, net.conv(wide, kernel(4, 8, 3, 3), "e"))
    firsts = {name: pair.first for name, pair in net.cascades.items()}
    assert firsts["a to b"] is firsts["a to c"] and firsts["a to b"].shape == (4, 4, 4, 4)
    assert firsts["a to d"] is not firsts["a to b"]
    np.testing.assert_array_equal(firsts["a to d"], firsts["a to b"][..., 1:])
    seconds = {name: pair.second for name, pair in net.cascades.items()}
    assert not np.array_equal(seconds["b to e"], seconds["c to e"])
