"""ONNX: branches that the file does not decide, sequences, and files made to take memory without end."""

import numpy as np
import pytest
from onnx_net import Net, helper, kernel, onnx, to_tensor

from sicjax.networks.graph import BOTH

FLOAT = onnx.TensorProto.FLOAT


def names(net):
    return [pair.name for pair in net.pairs]


def branch(x, path, kind="Relu", weight=(4, 4, 3, 3), outputs=1):
    """A convolution, and what follows it, as the body of a branch."""
    nodes = [
        helper.make_node("Conv", [x, f"{path}.weight"], [f"{path}.1"], pads=[1] * 4),
        helper.make_node(kind, [f"{path}.1"], [f"{path}.y"]),
        helper.make_node("Identity", [f"{path}.y"], [f"{path}.z"]),
    ]
    results = [helper.make_tensor_value_info(f"{path}.{end}", FLOAT, None) for end in "yz"[:outputs]]
    return helper.make_graph(nodes, path, [], results, [to_tensor(kernel(*weight), f"{path}.weight")])


def undecided(net):
    """A condition that depends on the input."""
    return net.op("Greater", net.op("ReduceMax", "x", keepdims=0), net.number())


def test_both_branches_are_followed_where_the_file_does_not_decide(tmp_path):
    net = Net()
    x = net.chain("x", "a")
    y, z = net.op("If", undecided(net), outputs=2, then_branch=branch(x, "t", outputs=2),
                  else_branch=branch(x, "e", "Tanh", outputs=2))  # fmt: skip
    net = net.read(tmp_path, net.chain(net.op("Add", y, z), "b"))
    assert sorted(names(net)) == ["a to e", "a to t", "e to b", "t to b"]
    assert net.notes == (BOTH,) and not net.skipped


def test_a_branch_that_leaves_a_value_as_it_is(tmp_path):
    net = Net()
    x = net.chain("x", "a")
    info = [helper.make_tensor_value_info("same", FLOAT, None)]
    same = helper.make_graph([helper.make_node("Identity", [x], ["same"])], "same", [], info)
    x = net.op("If", undecided(net), then_branch=branch(x, "t"), else_branch=same)
    assert sorted(names(net.read(tmp_path, net.chain(x, "b")))) == ["a to b", "a to t", "t to b"]


def test_branches_of_different_shapes_end_their_chains_and_say_so(tmp_path):
    net = Net()
    x = net.chain("x", "a")
    then, other = branch(x, "t"), branch(x, "e", weight=(5, 4, 3, 3))
    x = net.op("If", undecided(net), then_branch=then, else_branch=other)
    net = net.read(tmp_path, net.chain(x, "b"))
    assert names(net) == ["a to t", "a to e"]
    reasons = dict(net.skipped)
    assert "two branches of the program that give values of different shapes" in reasons["b"]


def test_an_if_without_a_branch_names_what_is_inside(tmp_path):
    net = Net()
    x = net.op("If", undecided(net), then_branch=branch(net.chain("x", "a"), "t"), name="half")
    net = net.read(tmp_path, net.chain(x, "b"))
    assert not net.pairs and any("it is inside half, which is not followed" in reason for _, reason in net.skipped)


@pytest.mark.parametrize("opset", [11, 12, 18])
@pytest.mark.parametrize(
    "lengths, sizes",
    [(None, [1] * 4), (2, [2, 2]), ((2, 2), [2, 2]), ((1, 3), [1, 3])],
    ids=["single", "2", "2 2", "1 3"],
)
def test_parts_of_a_sequence_keep_their_channels(tmp_path, opset, lengths, sizes):
    """As PyTorch's exporter writes chunk and split: the parts change places before they meet the next layer."""
    net = Net(opset=opset)
    given = [] if lengths is None else [net.constant(np.array(lengths, np.int64))]
    parts = net.op("SplitToSequence", net.chain("x", "a"), *given, axis=1)
    count = 4 if lengths is None else 2
    places = [net.constant(np.int64(k - count)) for k in range(count)]
    taken = [net.op("SequenceAt", parts, place) for place in places]
    x = net.op("Concat", *reversed(taken), axis=1)
    weight = kernel(4, 4, 3, 3)
    (pair,) = net.read(tmp_path, net.conv(x, weight, "b")).pairs
    order = np.concatenate(np.split(np.arange(4), np.cumsum(sizes)[:-1])[::-1])
    np.testing.assert_array_equal(pair.cascade.first, net.held("a")[..., order])
    np.testing.assert_array_equal(pair.cascade.second, np.moveaxis(weight, (0, 1), (-1, -2)))


def test_sequences_are_put_together_again(tmp_path):
    net = Net()
    x = net.chain("x", "a")
    parts = net.op("SequenceConstruct", net.chain(x, "b"), net.op("Relu", x))
    x = net.op("ConcatFromSequence", parts, axis=1)
    x = net.conv(x, kernel(4, 8, 3, 3), "c")
    split = net.op("SplitToSequence", x, axis=1, keepdims=0)
    again = net.op("ConcatFromSequence", split, axis=1, new_axis=1)
    net = net.read(tmp_path, net.chain(again, "d"))
    # Channels that were alone without an axis of their own have one again.
    assert names(net) == ["a to b", "b to c", "a to c", "c to d"] and not net.skipped
    np.testing.assert_array_equal(net.cascades["c to d"].first, net.layers[2].kernel)


def test_sequences_that_cannot_be_followed_end_their_chains_and_say_so(tmp_path):
    net = Net()
    parts = net.op("SplitToSequence", net.chain("x", "a"), net.constant(np.int64(2)), axis=1)
    x = net.op("SequenceAt", parts, net.op("ArgMax", net.op("Flatten", "x", axis=0), axis=1, keepdims=0), name="some")
    net = net.read(tmp_path, net.chain(x, "b"))
    assert not net.pairs and "an operation whose settings are computed (some)" in dict(net.skipped)["a"]


@pytest.mark.parametrize("pooled", [1, 3])
def test_a_few_bytes_cannot_ask_for_gigabytes(tmp_path, pooled):
    """A filter after a long stride reaches far: each is folded into a kernel, tap by tap."""
    net = Net(("n", 4, 2**14, 2**14))
    x = net.conv("x", kernel(4, 4, 3, 3), "a", strides=[4096, 4096])
    for _ in range(pooled):
        x = net.op("AveragePool", x, kernel_shape=[3, 3], pads=[1] * 4)
    net = net.read(tmp_path, net.conv(x, kernel(4, 4, 3, 3), "b", pads=[1] * 4))
    assert not net.pairs and "filters over too many places (AveragePool)" in str(net.skipped)


def test_filters_that_grow_in_an_expansion_end_their_chain(tmp_path):
    net = Net(("n", 4, 8, 8))
    x = net.op("Resize", net.chain("x", "a"), "", net.floats(1, 1, 2, 2), mode="nearest")
    net = net.read(tmp_path, net.conv(x, kernel(4, 4, 3, 3), "b", "ConvTranspose", strides=[4096, 4096]))
    assert not net.pairs and "filters over too many places (b)" in str(net.skipped)
