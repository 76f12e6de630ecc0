"""Operations of Keras between two convolutions, with their pairs written by hand."""

import tracemalloc

import numpy as np
import pytest
from keras_net import conv, function, kernel, layer, model, names, operation, same, save, start, tensor

from sicjax import networks, sdr


def test_operations_of_a_functional_graph(tmp_path):
    net = model(
        start(8, 8, 3),
        conv("a", "in", k=kernel(3, 3, 3, 4)),
        layer("Relu", "relu", "a"),
        layer("Split", "split", "relu", indices_or_sections=2, axis=-1),
        conv("b", "split", k=(b := kernel(3, 3, 2, 4))),
    )
    found = networks.from_file(save(tmp_path, net, "keras 3"))
    np.testing.assert_array_equal(found.cascades["a to b"].first, found.layers[0].kernel[..., :2])
    np.testing.assert_array_equal(found.cascades["a to b"].second, b)


def _slice(*places):
    return {"class_name": "__slice__", "config": dict(zip(("start", "stop", "step"), places, strict=True))}


def test_operations_that_cut_and_move(tmp_path):
    ellipsis = {"class_name": "__ellipsis__", "config": {}}
    net = model(
        start(8, 8, 3),
        conv("a", "in", k=kernel(3, 3, 3, 6), padding="same"),
        operation("GetItem", "last", [tensor("a"), [ellipsis, _slice(2, None, None)]]),
        operation("Multiply", "twice", [tensor("last"), 2.0]),
        operation("Flip", "turned", [tensor("twice")], {"axis": -1}),
        operation("Transpose", "first", [tensor("turned")], {"axes": [0, 3, 1, 2]}),
        operation("Pad", "pad", [tensor("first")], {"pad_width": [[0, 0], [0, 0], [1, 1], [1, 1]]}),
        operation("Reshape", "same", [tensor("pad")], {"newshape": [-1, 4, 10, 10]}),
        operation("Moveaxis", "back", [tensor("same")], {"source": 1, "destination": -1}),
        operation("GetItem", "half", [tensor("back"), [ellipsis, _slice(None, None, 2), _slice(None, None, None)]]),
        operation("Repeat", "tall", [tensor("half")], {"repeats": 3, "axis": 1}),
        conv("b", "tall", k=(b := kernel(3, 3, 4, 2))),
    )
    found = networks.from_file(save(tmp_path, net, "keras 3"))
    a = found.layers[0].kernel[..., [5, 4, 3, 2]]
    repeated = np.sum([np.pad(b, [(k, 2 - k), (0, 0), (0, 0), (0, 0)]) for k in range(3)], axis=0)
    same(found, "a to b", sdr.Cascade(a, repeated, down=(1, 2), up=(3, 1)))


def test_functions_of_tensorflow(tmp_path):
    whole = {"start": None, "stop": None, "step": None}
    net = model(
        start(8, 8, 3),
        conv("a", "in", k=kernel(3, 3, 3, 4), padding="same"),
        function("split", "parts", "a", 0, 0, {"num_or_size_splits": [1, 3], "axis": -1}),
        function("math.subtract", "minus", "_CONSTANT_VALUE", -1, 1.0, {"y": ["parts", 0, 1], "name": None}),
        function("concat", "cat", ["minus", 0, 0, {"axis": -1}], ["parts", 0, 0, {"axis": -1}]),
        function("__operators__.getitem", "cut", "cat", 0, 0, {"slice_spec": [whole, {**whole, "start": 2}]}),
        function("math.multiply", "square", "cut", 0, 0, {"y": ["cut", 0, 0]}),
        function("image.resize", "up", "square", 0, 0, {"size": [12, 16], "method": "nearest"}),
        conv("b", "up", k=(b := kernel(3, 3, 4, 2))),
    )
    found = networks.from_file(save(tmp_path, net, "keras 2 h5"))
    near = np.sum([np.pad(b, [(i, 1 - i), (j, 1 - j), (0, 0), (0, 0)]) for i in (0, 1) for j in (0, 1)], axis=0)
    same(found, "a to b", sdr.Cascade(found.layers[0].kernel[..., [1, 2, 3, 0]], near, up=2))


def between(tmp_path, *middle, a=None, b=None, inputs=4):
    """What is found in `a`, these operations one after another, `b`; and the two kernels."""
    a = kernel(3, 3, 3, 4) if a is None else a
    b = kernel(3, 3, inputs, 2) if b is None else b
    last = middle[-1]["config"]["name"]
    net = model(start(12, 12, 3), conv("a", "in", k=a, padding="same"), *middle, conv("b", last, k=b))
    return networks.from_file(save(tmp_path, net, "keras 3")), a, b


def test_sums_over_a_channel_axis_are_branches_that_are_added(tmp_path):
    for kind in ("Sum", "Mean", "Max"):
        parts = operation("Reshape", "parts", [tensor("a")], {"newshape": [-1, 12, 12, 2, 2]})
        total = operation(kind, "total", [tensor("parts")], {"axis": -1, "keepdims": False})
        found, a, b = between(tmp_path, parts, total, inputs=2)
        assert names(found) == ["a to b", "a to b (2)"]
        same(found, "a to b", sdr.Cascade(a[..., ::2], b))
        same(found, "a to b (2)", sdr.Cascade(a[..., 1::2], b))
    found, *_ = between(tmp_path, operation("Sum", "all", [tensor("a")], {"axis": -1, "keepdims": True}), inputs=1)
    assert "a reduction over channels (Sum all)" in dict(found.skipped)["a"]


def test_channels_that_are_padded_with_zeros_are_in_no_pair(tmp_path):
    widths = [[0, 0], [1, 2], [0, 0], [1, 3]]
    found, a, b = between(tmp_path, operation("Pad", "pad", [tensor("a")], {"pad_width": widths}), inputs=8)
    same(found, "a to b", sdr.Cascade(a, b[..., 1:5, :]))
    mirrored = {"pad_width": widths, "mode": "reflect"}
    found, *_ = between(tmp_path, operation("Pad", "pad", [tensor("a")], mirrored), inputs=8)
    assert "padding that copies channels (Pad pad)" in dict(found.skipped)["a"]


def test_channels_by_number_in_copies_and_side_by_side(tmp_path):
    chosen = {"class_name": "__numpy__", "config": {"value": [2, -1, 0], "dtype": "int64"}}
    found, a, b = between(tmp_path, operation("Take", "take", [tensor("a"), chosen], {"axis": -1}), inputs=3)
    same(found, "a to b", sdr.Cascade(a[..., [2, 3, 0]], b))

    for kind, repeats, order in (("Tile", [1, 1, 1, 2], [0, 1, 2, 3] * 2), ("Repeat", 2, [0, 0, 1, 1, 2, 2, 3, 3])):
        copies = operation(kind, "copies", [tensor("a")], {"repeats": repeats, "axis": -1})
        found, a, b = between(tmp_path, copies, inputs=8)
        same(found, "a to b", sdr.Cascade(a[..., order], b))

    part = operation("Slice", "part", [tensor("a"), [0, 0, 0, 1]], {"shape": [1, 12, 12, 2]})
    found, a, b = between(tmp_path, part, inputs=2)
    same(found, "a to b", sdr.Cascade(a[..., 1:3], b))


def test_values_on_a_new_axis(tmp_path):
    halves = operation("Split", "halves", [tensor("a")], {"indices_or_sections": [2], "axis": -1})
    stacked = operation("Stack", "stacked", [[tensor("halves", 1), tensor("halves", 0)]], {"axis": 1})
    total = operation("Sum", "total", [tensor("stacked")], {"axis": 1, "keepdims": False})
    found, a, b = between(tmp_path, halves, stacked, total, inputs=2)
    same(found, "a to b", sdr.Cascade(a[..., 2:], b))
    same(found, "a to b (2)", sdr.Cascade(a[..., :2], b))

    single = operation("Unstack", "single", [tensor("a")], {"num": None, "axis": -1})
    pair = operation("Stack", "pair", [[tensor("single", 3), tensor("single", 1)]], {"axis": -1})
    found, a, b = between(tmp_path, single, pair, inputs=2)
    same(found, "a to b", sdr.Cascade(a[..., [3, 1]], b))

    parts = operation("Reshape", "parts", [tensor("a")], {"newshape": [-1, 12, 12, 2, 2]})
    each = operation("Unstack", "each", [tensor("parts")], {"num": None, "axis": 3})
    turned = layer("Concatenate", "turned", ["each", "each"], axis=-1)
    turned["stated"] = {"inbound_nodes": [{"args": [[tensor("each", 1), tensor("each", 0)]], "kwargs": {}}]}
    found, a, b = between(tmp_path, parts, each, turned)
    same(found, "a to b", sdr.Cascade(a[..., [2, 3, 0, 1]], b))


def test_a_pixel_shuffle_is_a_transposed_convolution(tmp_path):
    shuffle = operation("DepthToSpace", "shuffle", [tensor("a")], {"block_size": 2, "data_format": "channels_last"})
    found, a, b = between(tmp_path, shuffle, a=kernel(3, 3, 3, 8), inputs=2)
    fine = np.zeros((6, 6, 3, 2), np.float32)
    for i, j in np.ndindex(2, 2):
        # The place in a block counts before the channel; a later place is an earlier tap.
        fine[1 - i :: 2, 1 - j :: 2] = a[..., 2 * (2 * i + j) : 2 * (2 * i + j) + 2]
    same(found, "a to b", sdr.Cascade(fine, b))


def test_a_reshape_that_is_taken_back_after_operations_on_each_place(tmp_path):
    flat = layer("Flatten", "flat", "a")
    back = layer("Reshape", "back", "act", target_shape=[12, 12, 4])
    found, a, b = between(tmp_path, flat, layer("ReLU", "act", "flat"), back)
    same(found, "a to b", sdr.Cascade(a, b))
    other = layer("Reshape", "back", "flat", target_shape=[6, 24, 4])
    found, *_ = between(tmp_path, flat, other)
    assert "a reshape that mixes space and channels (b)" in dict(found.skipped)["a"]


def _spread(k, taps):
    """A kernel convolved along both axes with the taps of a filter."""
    height, width, inputs, outputs = k.shape
    wide = np.zeros((height + len(taps) - 1, width + len(taps) - 1, inputs, outputs))
    for i, down in enumerate(taps):
        for j, across in enumerate(taps):
            wide[i : i + height, j : j + width] += down * across * k
    return wide


def test_cubic_and_smaller_resizes(tmp_path):
    cubic = np.array([-3, -9, 29, 111, 111, 29, -9, -3]) / 128
    found, a, b = between(tmp_path, layer("UpSampling2D", "up", "a", size=[2, 2], interpolation="bicubic"))
    same(found, "a to b", sdr.generative(a, _spread(b, cubic), stride=2))
    for layer_of in (
        lambda **s: layer("Resizing", "down", "a", height=6, width=6, **s),
        lambda **s: operation("Resize", "down", [tensor("a")], {"size": [6, 6], **s}),
    ):
        found, a, b = between(tmp_path, layer_of(interpolation="bilinear"))
        same(found, "a to b", sdr.extractive(_spread(a, [1, 1]), b, stride=2))
        found, a, b = between(tmp_path, layer_of(interpolation="bilinear", antialias=True))
        same(found, "a to b", sdr.extractive(_spread(a, [1, 3, 3, 1]), b, stride=2))
    found, a, b = between(tmp_path, layer("Resizing", "both", "a", height=6, width=24))
    assert found.cascades["a to b"].down == (2, 1) and found.cascades["a to b"].up == (1, 2)
    found, *_ = between(tmp_path, layer("Resizing", "r", "a", height=6, width=8))
    assert "a linear resize by 0.5x0.6667, not by a whole factor (Resizing r)" in dict(found.skipped)["a"]
    found, *_ = between(tmp_path, layer("Resizing", "r", "a", height=6, width=12, crop_to_aspect_ratio=True))
    assert "a resize that keeps the ratio of the sides (Resizing r)" in dict(found.skipped)["a"]


def test_pooling_to_a_size(tmp_path):
    found, a, b = between(tmp_path, layer("AdaptiveAveragePooling2D", "pool", "a", output_size=[4, 4]))
    same(found, "a to b", sdr.extractive(_spread(a, [1, 1, 1]), b, stride=3))
    found, *_ = between(tmp_path, layer("AdaptiveAveragePooling2D", "pool", "a", output_size=[5, 4]))
    assert "adaptive pooling with windows of several sizes (AdaptiveAveragePooling2D pool)" in dict(found.skipped)["a"]
    found, *_ = between(tmp_path, layer("AdaptiveMaxPooling2D", "pool", "a", output_size=[1, 1]))
    assert "global pooling (AdaptiveMaxPooling2D pool)" in dict(found.skipped)["a"]


@pytest.mark.parametrize(
    "middle",
    [
        layer("Cropping2D", "m", "a", cropping=[[1, 2], [0, 3]]),
        layer("CenterCrop", "m", "a", height=5, width=7),
        operation(
            "PadImages",
            "m",
            [tensor("a")],
            {"top_padding": 1, "left_padding": 2, "target_height": 16} | {"target_width": 20},
        ),
        operation(
            "CropImages",
            "m",
            [tensor("a")],
            {"top_cropping": 1, "left_cropping": 1, "bottom_cropping": 2} | {"right_cropping": 0},
        ),
        operation("BroadcastTo", "m", [tensor("a")], {"shape": [None, 12, 12, 4]}),
        operation("Swapaxes", "m", [tensor("a")], {"axis1": 1, "axis2": -3}),
    ],
    ids=lambda middle: middle["kind"],
)
def test_margins_and_what_changes_nothing(tmp_path, middle):
    found, a, b = between(tmp_path, middle)
    same(found, "a to b", sdr.Cascade(a, b))


def test_filters_that_would_fill_the_memory_end_the_chain(tmp_path):
    wide = [layer("UpSampling2D", f"up{k}", "a" if k == 0 else f"up{k - 1}", size=[64, 64]) for k in range(2)]
    tracemalloc.start()
    found, *_ = between(tmp_path, *wide)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert "filters over too many places (UpSampling2D up1)" in dict(found.skipped)["a"] and peak < 2**24
