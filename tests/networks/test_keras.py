"""Keras files to networks: chains, sums, nested models, layers of all kinds, in every format."""

import numpy as np
import pytest
from keras_net import FORMATS, chain, change_weights, conv, kernel, layer, model, names, same, save, start

from sicjax import networks, sdr
from sicjax._errors import InputError


@pytest.mark.parametrize("format", FORMATS)
def test_a_chain_with_what_lies_between(tmp_path, format):
    a, b, c = kernel(4, 4, 3, 8), kernel(3, 3, 8, 6), kernel(3, 3, 6, 5)
    file = save(
        tmp_path,
        chain(
            start(32, 32, 3),
            conv("a", k=a, strides=[2, 2], padding="same", activation="relu"),
            layer("BatchNormalization", "bn", weights={"gamma": np.ones(8)}),
            layer("LeakyReLU", "act"),
            layer("ZeroPadding2D", "pad", padding=[[1, 1], [1, 1]]),
            conv("b", k=b, dilation_rate=[2, 2]),
            layer("Dropout", "drop"),
            conv("c", k=c),
            layer("Flatten", "flat"),
            layer("Dense", "fc", units=4, weights={"kernel": kernel(9, 4)}),
        ),
        format,
    )
    net = networks.from_file(file)
    assert names(net) == ["a to b", "b to c"] and [layer.path for layer in net.layers] == ["a", "b", "c"]
    same(net, "a to b", sdr.Cascade(a, b, down=2, second_dilation=2))
    same(net, "b to c", sdr.Cascade(b, c, first_dilation=2))
    assert dict(net.skipped) == {"c": "the chain ends after it: a dense layer (Dense fc)"}


@pytest.mark.parametrize("format", FORMATS)
def test_a_generator(tmp_path, format):
    a, b, c = kernel(4, 4, 8, 9), kernel(5, 5, 4, 8), kernel(3, 3, 4, 2)
    file = save(
        tmp_path,
        chain(
            layer("Dense", "fc", units=144, shape=[None, 7], weights={"kernel": kernel(7, 144)}),
            layer("Reshape", "to_image", target_shape=[4, 4, 9]),
            conv("a", k=a, kind="Conv2DTranspose", strides=[2, 2], padding="same"),
            layer("ReLU", "act"),
            conv("b", k=b, kind="Conv2DTranspose", strides=2),
            layer("UpSampling2D", "up", size=[2, 2], interpolation="bilinear"),
            conv("c", k=c),
        ),
        format,
    )
    net = networks.from_file(file)
    assert [pair.cascade.direction for pair in net.pairs] == ["generative", "generative"]
    # Keras keeps the kernel of a transposed convolution as (*k, out, in).
    same(net, "a to b", sdr.generative(a.swapaxes(2, 3), b.swapaxes(2, 3), stride=2))
    linear = np.outer([1, 3, 3, 1], [1, 3, 3, 1])
    wide = np.zeros((6, 6, 4, 2))
    for i, j in np.ndindex(4, 4):
        wide[i : i + 3, j : j + 3] += linear[i, j] * c
    same(net, "b to c", sdr.generative(b.swapaxes(2, 3), wide, stride=2))


@pytest.mark.parametrize("format", FORMATS)
def test_residual_sums_and_skips(tmp_path, format):
    file = save(
        tmp_path,
        model(
            start(16, 16, 3),
            conv("a", "in", k=kernel(3, 3, 3, 4), padding="same"),
            conv("b", "a", k=kernel(3, 3, 4, 4), padding="same"),
            layer("Add", "sum", ["a", "b"]),
            layer("MaxPooling2D", "pool", "sum", pool_size=[2, 2]),
            conv("c", "pool", k=kernel(3, 3, 4, 6), padding="same"),
            layer("UpSampling2D", "up", "c", size=[2, 2], interpolation="nearest"),
            layer("Concatenate", "cat", ["up", "sum"], axis=-1),
            conv("d", "cat", k=(d := kernel(3, 3, 10, 2))),
        ),
        format,
    )
    net = networks.from_file(file)
    assert names(net) == ["a to b", "a to c", "b to c", "c to d", "a to d", "b to d"]
    assert net.cascades["a to c"].down == (2, 2) and "max pooling" in net.notes[0]
    assert net.cascades["c to d"].up == (2, 2) and net.cascades["c to d"].shape == (4, 6, 2)
    np.testing.assert_array_equal(net.cascades["a to d"].second, d[..., 6:, :])


@pytest.mark.parametrize("format", FORMATS)
def test_depthwise_and_separable(tmp_path, format):
    a, depth, point = kernel(3, 3, 3, 4), kernel(5, 5, 4, 2), kernel(1, 1, 8, 6)
    separable = {"depthwise_kernel": depth, "pointwise_kernel": point}
    file = save(
        tmp_path,
        chain(
            start(16, 16, 3),
            conv("a", k=a),
            layer("SeparableConv2D", "sep", weights=separable, strides=[2, 2]),
            layer("DepthwiseConv2D", "deep", weights={"depthwise_kernel": kernel(3, 3, 6, 1)}),
            conv("b", k=kernel(3, 3, 3, 4), groups=2),
        ),
        format,
    )
    net = networks.from_file(file)
    assert names(net) == ["a to sep/depthwise", "sep/depthwise to sep/pointwise", "sep/pointwise to deep", "deep to b"]
    assert [layer.groups for layer in net.layers] == [1, 4, 1, 6, 2]
    same(net, "a to sep/depthwise", sdr.Cascade(a, depth))
    same(net, "sep/depthwise to sep/pointwise", sdr.Cascade(depth.reshape(5, 5, 1, 8), point, down=2))


@pytest.mark.parametrize("format", FORMATS)
def test_nested_models_and_layers_called_twice(tmp_path, format):
    inner = model(
        start(16, 16, 4, name="inner_in"),
        conv("x", "inner_in", k=(x := kernel(3, 3, 4, 4)), padding="same"),
        layer("Activation", "act", "x", activation="relu"),
        name="block",
        inputs=["inner_in"],
    )
    net = model(
        start(16, 16, 3),
        start(16, 16, 4, name="other"),
        conv("a", "in", k=(a := kernel(3, 3, 3, 4)), padding="same"),
        inner | {"calls": [["a"], ["other"]]},
        conv("x", "block", "block.1", k=kernel(3, 3, 4, 2)),
        inputs=["in", "other"],
        outputs=["x", "x.1"],
    )
    found = networks.from_file(save(tmp_path, net, format))
    assert names(found) == ["a to block/x", "block/x to x", "block/x#2 to x#2"]
    same(found, "a to block/x", sdr.Cascade(a, x))
    assert found.cascades["block/x to x"].shape == (4, 4, 2)


@pytest.mark.parametrize("axes", [1, 3])
def test_one_dimension_and_three(tmp_path, axes):
    k, n = (3,) * axes, f"{axes}D"
    file = save(
        tmp_path,
        chain(
            start(*(8,) * axes, 3),
            conv("a", kind=f"Conv{n}", k=(a := kernel(*k, 3, 4)), strides=[2] * axes),
            layer(f"AveragePooling{n}", "pool", pool_size=[2] * axes),
            conv("b", kind=f"Conv{n}Transpose", k=kernel(*k, 5, 4), strides=[3] * axes),
        ),
        "keras 3",
    )
    net = networks.from_file(file)
    cascade = net.cascades["a to b"]
    assert cascade.down == (4,) * axes and cascade.up == (3,) * axes
    # The pooling lies at half the resolution of the first layer's taps, which grow by 2 (2 - 1) for it.
    box = np.zeros((5,) * axes + (3, 4))
    for at in np.ndindex((2,) * axes):
        box[tuple(slice(2 * p, 2 * p + 3) for p in at)] += a
    np.testing.assert_allclose(cascade.first, box, atol=1e-6)


def test_channels_first_and_a_channel_shuffle(tmp_path):
    file = save(
        tmp_path,
        model(
            start(3, 8, 8),
            conv("a", "in", k=kernel(3, 3, 3, 6), padding="same", data_format="channels_first"),
            layer("Reshape", "r", "a", target_shape=[2, 3, 8, 8]),
            layer("Permute", "p", "r", dims=[2, 1, 3, 4]),
            layer("Reshape", "s", "p", target_shape=[6, 8, 8]),
            conv("b", "s", k=(b := kernel(3, 3, 6, 2)), data_format="channels_first"),
        ),
        "keras 3",
    )
    net = networks.from_file(file)
    np.testing.assert_array_equal(net.cascades["a to b"].first, net.layers[0].kernel[..., [0, 3, 1, 4, 2, 5]])
    np.testing.assert_array_equal(net.cascades["a to b"].second, b)


@pytest.mark.parametrize(
    "between, reason",
    [
        (layer("Lambda", "my_code", "a", function="code"), "code of the user's, which is not run (Lambda my_code)"),
        (layer("Wonder>Mixer", "mixer", "a"), "a type of layer that is not known (Wonder>Mixer mixer)"),
        (layer("GlobalAveragePooling2D", "gap", "a", keepdims=True), "global pooling (GlobalAveragePooling2D gap)"),
        (layer("Dense", "fc", "a", units=4), "a dense layer (Dense fc)"),
        (
            layer("UpSampling2D", "up", "a", size=[2, 2], interpolation="lanczos3"),
            "a lanczos3 resize (UpSampling2D up)",
        ),
    ],
)
def test_what_ends_a_chain_is_named(tmp_path, between, reason):
    after = conv("b", between["config"]["name"], k=kernel(3, 3, 4, 2))
    file = save(tmp_path, model(start(8, 8, 3), conv("a", "in", k=kernel(3, 3, 3, 4)), between, after), "keras 3")
    net = networks.from_file(file)
    assert not net.pairs and reason in dict(net.skipped)["a"] and reason in dict(net.skipped)["b"]


def test_no_convolution_is_dropped_in_silence(tmp_path):
    wrapped = {"class_name": "Conv2D", "config": {"name": "hidden"}}
    net = chain(
        start(8, 8, 3),
        layer("TimeDistributed", "each", layer=wrapped),
        layer("ConvLSTM2D", "lstm", weights={"kernel": kernel(3, 3, 3, 8)}),
        layer("Conv2D", "no_weights", strides=[1, 1]),
    )
    skipped = dict(networks.from_file(save(tmp_path, net, "keras 3")).skipped)
    assert skipped["each/hidden"] == "it is inside TimeDistributed, which is not followed"
    assert skipped["lstm"] == "a type of layer that is not known (ConvLSTM2D lstm)"
    assert "a convolution whose kernel is not in the file" in skipped["no_weights"]


def test_activations_that_are_more_than_that(tmp_path):
    own = {"module": "builtins", "class_name": "function", "config": "my_function", "registered_name": "function"}
    net = chain(
        start(16, 16, 3),
        conv("a", k=kernel(3, 3, 3, 8), activation="glu"),
        conv("b", k=kernel(3, 3, 4, 4), activation=own),
        conv("c", k=kernel(3, 3, 4, 4), activation="softmax"),
        conv("d", k=kernel(3, 3, 4, 4)),
    )
    found = networks.from_file(save(tmp_path, net, "keras 3"))
    assert names(found) == ["a to b", "a to b (2)", "b to c", "c to d"] and found.notes == (
        "activation my_function is taken as acting on each place alone",
        "softmax is taken as a scaling of each channel, though it depends on the value",
    )
    halves = [found.cascades[name].first for name in ("a to b", "a to b (2)")]
    np.testing.assert_array_equal(np.concatenate(halves, axis=-1), found.layers[0].kernel)
    assert not found.skipped


def test_weights_of_whole_channels_end_their_chain_and_no_other(tmp_path):
    net = model(
        start(8, 8, 3),
        conv("a", "in", k=kernel(3, 3, 3, 4), padding="same"),
        layer("GlobalAveragePooling2D", "mean", "a", keepdims=True),
        conv("gate", "mean", k=kernel(1, 1, 4, 4), activation="sigmoid"),
        layer("Multiply", "scaled", ["a", "gate"]),
        conv("b", "scaled", k=kernel(3, 3, 4, 2)),
    )
    found = networks.from_file(save(tmp_path, net, "keras 3"))
    assert names(found) == ["a to b"]
    assert (
        "it weighs or shifts whole channels, as in squeeze-and-excitation (Multiply scaled)"
        in dict(found.skipped)["gate"]
    )


@pytest.mark.parametrize("format", FORMATS)
def test_wrappers_that_scale_a_kernel(tmp_path, format):
    inner = {"class_name": "Conv2D", "config": {"name": "inner", "strides": [2, 2]}}
    net = chain(
        start(16, 16, 3),
        layer("SpectralNormalization", "sn", weights={"inner/kernel": (a := kernel(4, 4, 3, 4))}, layer=inner),
        conv("b", k=(b := kernel(3, 3, 4, 2))),
    )
    path = save(tmp_path, net, format)
    if format == "keras 3":
        change_weights(path, lambda file: file.move("layers/spectral_normalization/vars/0", f"{SN}/layer/vars/0"))
    same(networks.from_file(path), "sn/inner to b", sdr.Cascade(a, b, down=2))


SN = "layers/spectral_normalization"


def test_places_of_arrays_that_keras_does_not_state_plainly(tmp_path):
    a, b, c = kernel(3, 3, 3, 4), kernel(3, 3, 4, 4), kernel(3, 3, 4, 2)
    path = save(tmp_path, chain(start(16, 16, 3), conv("a", k=a), conv("b", k=b), conv("c", k=c)), "keras 3")

    def as_in_2_13(file):
        file.move("layers", "_layer_checkpoint_dependencies")
        folder = file["_layer_checkpoint_dependencies"]
        folder.move("conv2d_2", "conv2d_4")
        folder.move("conv2d_1", "conv2d_2")

    change_weights(path, as_in_2_13)
    same(networks.from_file(path), "b to c", sdr.Cascade(b, c))

    def in_half(file):
        folder = file["_layer_checkpoint_dependencies/conv2d_2/vars"]
        del folder["0"]
        folder["0"] = (b.view(np.uint32) >> 16).astype(np.uint16).view("V2")

    change_weights(path, in_half)
    found = networks.from_file(path)
    assert not found.skipped
    np.testing.assert_allclose(found.layers[1].kernel, b, rtol=2**-7)

    inner = model(start(16, 16, 4, name="i"), conv("b", "i", k=b), name="block", inputs=["i"])
    outer = [start(16, 16, 3), conv("a", "in", k=a), conv("b", "a", k=b), inner | {"calls": [["b"]]}]
    path = save(tmp_path, model(*outer, outputs=["block"]), "keras 3")

    def once(file):
        file["layers/conv2d_1/vars"].attrs["name"] = "b"
        del file["layers/functional/layers/conv2d"]

    change_weights(path, once)
    same(networks.from_file(path), "b to block/b", sdr.Cascade(b, b))


@pytest.mark.parametrize("format", ["keras 3", "keras 2 h5"])
def test_calls_of_nested_models_are_counted_as_keras_does(tmp_path, format):
    inner = model(start(16, 16, 4, name="i"), conv("x", "i", k=kernel(3, 3, 4, 4)), name="block", inputs=["i"])
    first = "block.0" if format == "keras 3" else "block.1"
    net = model(
        start(16, 16, 3),
        conv("a", "in", k=kernel(3, 3, 3, 4)),
        inner | {"calls": [["a"], [first]]},
        outputs=["block.2"],
    )
    assert names(networks.from_file(save(tmp_path, net, format))) == ["a to block/x", "block/x to block/x#2"]


def test_layers_that_are_not_keras_s_own_are_not_taken_for_it(tmp_path):
    own = conv("own", "a", k=kernel(3, 3, 4, 4), kind="Conv2D") | {"stated": {"registered_name": "Wonder>Conv2D"}}
    net = model(start(8, 8, 3), conv("a", "in", k=kernel(3, 3, 3, 4)), own, conv("b", "own", k=kernel(3, 3, 4, 2)))
    found = networks.from_file(save(tmp_path, net, "keras 3"))
    assert not found.pairs and "not known (Wonder>Conv2D own)" in dict(found.skipped)["own"]

    path = save(tmp_path, model(start(8, 8, 3), conv("a", "in", k=kernel(3, 3, 3, 4))) | {"kind": "MyModel"}, "keras 3")
    assert "class MyModel is taken to call its layers as the file states" in networks.from_file(path).notes[0]


def test_a_kernel_that_is_not_what_the_settings_say_is_left_out(tmp_path):
    net = chain(
        start(8, 8, 3),
        conv("a", k=kernel(3, 3, 3, 4), filters=8, kernel_size=[3, 3]),
        conv("b", k=kernel(5, 3, 4, 4), filters=4, kernel_size=3),
        conv("c", k=kernel(3, 3, 4, 3), groups=2),
        conv("d", k=kernel(3, 3, 4, 3).astype(np.int8)),
        conv("e", k=kernel(3, 3, 3, 3), strides=[0, 1]),
    )
    misfit = "Conv2D %s with settings that do not fit together:"
    for format in FORMATS:
        skipped = dict(networks.from_file(save(tmp_path, net, format)).skipped)
        assert skipped["a"] == f"{misfit % 'a'} its kernel has shape (3, 3, 3, 4), its settings say 3 x 3 x any x 8"
        assert skipped["b"] == f"{misfit % 'b'} its kernel has shape (5, 3, 4, 4), its settings say 3 x 3 x any x 4"
        assert "in 2 groups" in skipped["c"] and "stored as int8" in skipped["d"] and "strides" in skipped["e"]


def test_strides_are_not_asked_of_the_user(tmp_path):
    file = save(tmp_path, chain(start(8, 8, 3), conv("a", k=kernel(3, 3, 3, 4))), "keras 3")
    with pytest.raises(InputError, match="states its strides and directions itself"):
        networks.from_file(file, stride=2)
