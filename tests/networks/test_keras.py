"""Keras files: written here in the layout of Keras 2 and 3 with h5py, json and zipfile, since Keras is not needed."""

import io
import json
import zipfile

import numpy as np
import pytest

from sicjax import networks, sdr
from sicjax._errors import InputError
from sicjax.networks import _keras, _keras_file
from sicjax.networks._keras_weights import snake_case

h5py = pytest.importorskip("h5py")
RNG = np.random.default_rng(0)
FORMATS = ["keras 3", "keras 3 h5", "keras 2 h5"]


def kernel(*shape):
    return RNG.normal(size=shape).astype(np.float32)


def layer(kind, name, *inputs, weights=None, shape=None, extra=(), **config):
    """A layer with its settings, its arrays by name, and the names of the layers it is called on.

    Several lists of inputs are several calls; `other.1` is the value of the second call.
    """
    calls = [call if isinstance(call, list) else [call] for call in inputs]
    return {"kind": kind, "config": {"name": name} | config, "calls": calls, "weights": weights or {}, "shape": shape}


def conv(name, *inputs, k, kind="Conv2D", **config):
    return layer(kind, name, *inputs, weights={"kernel": k, "bias": np.zeros(3, np.float32)}, **config)


def start(*shape, name="in"):
    return layer("InputLayer", name, shape=[None, *shape])


def model(*layers, name="net", inputs=("in",), outputs=None):
    return {"kind": "Functional", "name": name, "layers": layers, "inputs": inputs, "outputs": outputs}


def chain(*layers, name="net", kind="Sequential"):
    return {"kind": kind, "name": name, "layers": layers}


def history(ref):
    name, _, call = ref.partition(".")
    return [name, int(call or 0), 0]


def config_of(entry, version):
    """A model's or a layer's configuration as Keras of a version writes it."""
    if "layers" in entry:
        layers = [config_of(part, version) for part in entry["layers"]]
        settings = {"name": entry["name"], "layers": layers}
        if "inputs" in entry:
            last = entry["outputs"] or [_name(entry["layers"][-1])]
            settings |= {"input_layers": [history(n) for n in entry["inputs"]]}
            settings |= {"output_layers": [history(n) for n in last]}
        found = {"class_name": entry["kind"], "config": settings}
    else:
        found = {"class_name": entry["kind"], "config": dict(entry["config"])}
        if entry["shape"]:
            found["config"]["batch_shape" if version == 3 else "batch_input_shape"] = entry["shape"]
    calls = entry.get("calls", [])
    if version == 3:
        tensor = lambda ref: {"class_name": "__keras_tensor__", "config": {"keras_history": history(ref)}}
        nodes = [[tensor(ref) for ref in call] for call in calls]
        found["inbound_nodes"] = [{"args": [n if len(n) > 1 else n[0]], "kwargs": {}} for n in nodes]
    else:
        found["inbound_nodes"] = [[[*history(ref), {}] for ref in call] for call in calls]
    return found | {"name": _name(entry)} | entry.get("stated", {})


def _name(entry):
    return entry.get("name") or entry["config"]["name"]


def save(path, net, format):
    version = 2 if format == "keras 2 h5" else 3
    config = config_of(net, version)
    if format == "keras 3":
        buffer = io.BytesIO()
        with h5py.File(buffer, "w") as file:
            _numbered(file, net)
        with zipfile.ZipFile(path / "net.keras", "w") as archive:
            archive.writestr("config.json", json.dumps(config))
            archive.writestr("model.weights.h5", buffer.getvalue())
        return path / "net.keras"
    with h5py.File(path / "net.h5", "w") as file:
        file.attrs["model_config"] = json.dumps(config)
        for entry in net["layers"]:
            group = file.create_group(f"model_weights/{_name(entry)}")
            arrays = dict(_flat(entry, "" if version == 2 else f"{_name(net)}/", ":0" if version == 2 else ""))
            group.attrs["weight_names"] = list(arrays)
            for name, array in arrays.items():
                group[name] = array
    return path / "net.h5"


def _flat(entry, prefix, suffix):
    for part in entry.get("layers", []):
        yield from _flat(part, prefix if suffix else f"{prefix}{entry['name']}/", suffix)
    for name, array in entry.get("weights", {}).items():
        yield f"{prefix}{_name(entry)}/{name}{suffix}", array


def _numbered(group, entry):
    for k, array in enumerate(entry.get("weights", {}).values()):
        group[f"vars/{k}"] = array
    count = {}
    for part in entry.get("layers", []):
        kind = snake_case(part["kind"])
        count[kind] = count.get(kind, -1) + 1
        _numbered(group.create_group(f"layers/{kind}_{count[kind]}" if count[kind] else f"layers/{kind}"), part)


def tensor(name, output=0, call=0):
    """A value as Keras 3 names it in a call."""
    return {"class_name": "__keras_tensor__", "config": {"keras_history": [name, call, output]}}


def operation(kind, name, args, config=(), **kwargs):
    """An operation of Keras 3 with what it takes, as the file has it."""
    stated = {"inbound_nodes": [{"args": args, "kwargs": kwargs}], "module": "keras.src.ops.numpy"}
    return layer(kind, name, **dict(config)) | {"stated": stated}


def function(called, name, *node):
    """A function of TensorFlow in a model of Keras 2, with what it takes, as the file has it."""
    kind = "SlicingOpLambda" if "getitem" in called else "TFOpLambda"
    return layer(kind, name, function=called) | {"stated": {"inbound_nodes": [list(node)]}}


def names(net):
    return [pair.name for pair in net.pairs]


def same(net, name, cascade):
    """A pair has the ratios of a cascade that was written by hand."""
    np.testing.assert_allclose(sdr.ratios(net.cascades[name]), sdr.ratios(cascade), atol=1e-6)


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
    assert dict(net.skipped) == {"Flatten (flat), which mixes space and channels": "ends the chain after c"}


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
        (layer("Lambda", "my_code", "a", function="code"), "its code is not run (my_code)"),
        (layer("Wonder>Mixer", "mixer", "a"), "layer type Mixer is not known (mixer)"),
        (layer("GlobalAveragePooling2D", "gap", "a", keepdims=True), "global pooling GlobalAveragePooling2D (gap)"),
        (layer("Dense", "fc", "a", units=4), "a dense layer (fc)"),
        (layer("UpSampling2D", "up", "a", size=[2, 2], interpolation="bicubic"), "bicubic UpSampling2D (up)"),
        (layer("Softmax", "soft", "a"), "Softmax (soft)"),
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
    assert skipped["each/hidden"] == "layer type TimeDistributed is not known"
    assert skipped["lstm"] == "layer type ConvLSTM2D is not known"
    assert "its kernel is not in the file" in skipped["no_weights"]


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
    repeated = sum(np.pad(b, [(k, 2 - k), (0, 0), (0, 0), (0, 0)]) for k in range(3))
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
    near = sum(np.pad(b, [(i, 1 - i), (j, 1 - j), (0, 0), (0, 0)]) for i in (0, 1) for j in (0, 1))
    same(found, "a to b", sdr.Cascade(found.layers[0].kernel[..., [1, 2, 3, 0]], near, up=2))


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
    assert names(found) == ["a to b", "a to b (2)", "b to c"] and found.notes == (
        "activation my_function is taken as acting on each place alone",
    )
    halves = [found.cascades[name].first for name in ("a to b", "a to b (2)")]
    np.testing.assert_array_equal(np.concatenate(halves, axis=-1), found.layers[0].kernel)
    assert "softmax (c)" in dict(found.skipped)["d"]


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
    assert "a weight or shift of whole channels (Multiply scaled)" in dict(found.skipped)["gate"]


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
        _change_weights(path, lambda file: file.move("layers/spectral_normalization/vars/0", f"{SN}/layer/vars/0"))
    same(networks.from_file(path), "sn/inner to b", sdr.Cascade(a, b, down=2))


SN = "layers/spectral_normalization"


def _change_weights(path, change):
    """Changes the arrays in a `.keras` file."""
    with zipfile.ZipFile(path) as archive:
        config, buffer = archive.read("config.json"), io.BytesIO(archive.read("model.weights.h5"))
    with h5py.File(buffer, "a") as file:
        change(file)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("config.json", config)
        archive.writestr("model.weights.h5", buffer.getvalue())


def test_places_of_arrays_that_keras_does_not_state_plainly(tmp_path):
    a, b, c = kernel(3, 3, 3, 4), kernel(3, 3, 4, 4), kernel(3, 3, 4, 2)
    path = save(tmp_path, chain(start(16, 16, 3), conv("a", k=a), conv("b", k=b), conv("c", k=c)), "keras 3")

    def as_in_2_13(file):
        file.move("layers", "_layer_checkpoint_dependencies")
        folder = file["_layer_checkpoint_dependencies"]
        folder.move("conv2d_2", "conv2d_4")
        folder.move("conv2d_1", "conv2d_2")

    _change_weights(path, as_in_2_13)
    same(networks.from_file(path), "b to c", sdr.Cascade(b, c))

    def in_half(file):
        folder = file["_layer_checkpoint_dependencies/conv2d_2/vars"]
        del folder["0"]
        folder["0"] = (b.view(np.uint32) >> 16).astype(np.uint16).view("V2")

    _change_weights(path, in_half)
    found = networks.from_file(path)
    assert not found.skipped
    np.testing.assert_allclose(found.layers[1].kernel, b, rtol=2**-7)

    inner = model(start(16, 16, 4, name="i"), conv("b", "i", k=b), name="block", inputs=["i"])
    outer = [start(16, 16, 3), conv("a", "in", k=a), conv("b", "a", k=b), inner | {"calls": [["b"]]}]
    path = save(tmp_path, model(*outer, outputs=["block"]), "keras 3")

    def once(file):
        file["layers/conv2d_1/vars"].attrs["name"] = "b"
        del file["layers/functional/layers/conv2d"]

    _change_weights(path, once)
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
    assert not found.pairs and dict(found.skipped)["own"] == "layer type Wonder>Conv2D is not known"

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
    for format in FORMATS:
        skipped = dict(networks.from_file(save(tmp_path, net, format)).skipped)
        assert skipped["a"] == "its kernel has shape (3, 3, 3, 4), its settings say 3 x 3 x any x 8"
        assert skipped["b"] == "its kernel has shape (5, 3, 4, 4), its settings say 3 x 3 x any x 4"
        assert "in 2 groups" in skipped["c"] and "stored as int8" in skipped["d"] and "strides" in skipped["e"]


def test_strides_are_not_asked_of_the_user(tmp_path):
    file = save(tmp_path, chain(start(8, 8, 3), conv("a", k=kernel(3, 3, 3, 4))), "keras 3")
    with pytest.raises(InputError, match="states its strides and directions itself"):
        networks.from_file(file, stride=2)


def test_files_that_cannot_be_used_are_explained_in_one_line(tmp_path):
    def refused(path, match):
        with pytest.raises(InputError, match=match) as caught:
            networks.from_file(path)
        assert "\n" not in str(caught.value) and str(path) in str(caught.value)

    with h5py.File(tmp_path / "weights.h5", "w") as file:
        file["conv/conv/kernel:0"] = kernel(3, 3, 3, 4)
    refused(tmp_path / "weights.h5", "weights alone.*model.save.*sidecar")

    good = save(tmp_path, chain(start(8, 8, 3), conv("a", k=kernel(3, 3, 3, 4))), "keras 3")
    data = good.read_bytes()
    (tmp_path / "cut.keras").write_bytes(data[: len(data) // 2])
    refused(tmp_path / "cut.keras", "not an HDF5 file|damaged")
    (tmp_path / "text.h5").write_text("hello")
    refused(tmp_path / "text.h5", "not an HDF5 file")
    refused(tmp_path / "absent.h5", "cannot read")

    refused(save(tmp_path, chain(kind="MyModel"), "keras 3"), "class 'MyModel'.*not run")
    circle = model(start(8, 8, 3), conv("a", "b", k=kernel(3, 3, 3, 3)), conv("b", "a", k=kernel(3, 3, 3, 3)))
    refused(save(tmp_path, circle, "keras 3"), "take values that no layer gives")
    refused(save(tmp_path, chain(start(8, 8, 3)), "keras 3"), "no convolution")


def test_a_file_reads_no_other_file_and_unpacks_to_no_flood(tmp_path):
    secret = tmp_path / "secret.bin"
    secret.write_bytes(kernel(3, 3, 3, 4).tobytes())
    net = chain(start(8, 8, 3), layer("Conv2D", "a"), conv("b", k=kernel(3, 3, 4, 2)))

    def with_first(write):
        path = save(tmp_path, net, "keras 2 h5")
        with h5py.File(path, "a") as file:
            group = file["model_weights/a"]
            group.attrs["weight_names"] = ["a/kernel:0"]
            write(group.require_group("a"))
        return path

    link = lambda group: group.__setitem__("kernel:0", h5py.ExternalLink(str(tmp_path / "x.h5"), "/k"))
    with pytest.raises(InputError, match="is a link"):
        networks.from_file(with_first(link))
    outside = [(str(secret), 0, h5py.h5f.UNLIMITED)]
    raw = lambda group: group.create_dataset("kernel:0", (3, 3, 3, 4), "f4", external=outside)
    with pytest.raises(InputError, match="in another file"):
        networks.from_file(with_first(raw))
    huge = lambda group: group.create_dataset("kernel:0", (3, 3, 30000, 40000), "f4", chunks=(3, 3, 100, 100))
    with pytest.raises(InputError, match="unpacks to 43,200,000,000 bytes"):
        networks.from_file(with_first(huge))

    def virtual(group):
        layout = h5py.VirtualLayout((3, 3, 3, 4), "f4")
        layout[:] = h5py.VirtualSource(str(tmp_path / "x.h5"), "k", (3, 3, 3, 4))
        group.create_virtual_dataset("kernel:0", layout)

    with pytest.raises(InputError, match="in another file"):
        networks.from_file(with_first(virtual))
    soft = lambda group: group.__setitem__("kernel:0", h5py.SoftLink("/model_weights/b/b/kernel:0"))
    with pytest.raises(InputError, match="is a link"):
        networks.from_file(with_first(soft))
    circle = lambda group: group.__setitem__("kernel:0", group.parent)
    with pytest.raises(InputError, match="is a link"):
        networks.from_file(with_first(circle))
    net = chain(start(8, 8, 3), layer("Conv2D", "../../b"), conv("b", k=kernel(3, 3, 4, 2)))
    assert "not in the file" in dict(networks.from_file(save(tmp_path, net, "keras 3")).skipped)["../../b"]


def test_archives_and_models_that_grow_without_end_are_refused(tmp_path, monkeypatch):
    path = save(tmp_path, chain(start(8, 8, 3), conv("a", k=np.zeros((3, 3, 3, 64), np.float32))), "keras 3")
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, part in parts.items():
            archive.writestr(name, part)
    assert networks.from_file(path).layers
    with monkeypatch.context() as patch, pytest.raises(InputError, match="unpacks to .* bytes"):
        patch.setattr(_keras_file, "_room", lambda size: 2 * size)
        networks.from_file(path)

    net = model(start(8, 8, 4), conv("x", "in", k=kernel(3, 3, 4, 4)), name="m0")
    for k in range(1, 9):
        net = model(start(8, 8, 4), net | {"calls": [["in"], [f"m{k - 1}"], [f"m{k - 1}.1"]]}, name=f"m{k}")
    monkeypatch.setattr(_keras, "_MOST_CALLS", 1000)
    with pytest.raises(InputError, match="more than 1,000 times"):
        networks.from_file(save(tmp_path, net, "keras 3 h5"))


def test_damaged_descriptions_are_explained_in_one_line(tmp_path):
    net = model(start(8, 8, 3), conv("a", "in", k=kernel(3, 3, 3, 4)), conv("b", "a", k=kernel(3, 3, 4, 2)))
    path = save(tmp_path, net, "keras 2 h5")
    choose = np.random.default_rng(1)
    with h5py.File(path) as file:
        text = file.attrs["model_config"]
    for _ in range(150):
        at, length = choose.integers(len(text)), choose.integers(1, 12)
        with h5py.File(path, "a") as file:
            file.attrs["model_config"] = (
                text[:at] + choose.choice(["", "null", "7", "[]", "{}", '"a"']) + text[at + length :]
            )
        try:
            networks.from_file(path)
        except InputError as error:
            assert "\n" not in str(error) and str(path) in str(error)


def test_what_hdf5_does_not_survive_is_refused_before(tmp_path):
    path = save(tmp_path, chain(start(8, 8, 3), conv("a", k=kernel(3, 3, 3, 4))), "keras 2 h5")
    data = bytearray(path.read_bytes())
    heap = data.find(b"GCOL") + 16
    data[heap : heap + 16] = bytes(16)
    path.write_bytes(data)
    with pytest.raises(InputError, match="is damaged"):
        networks.from_file(path)

    path = save(tmp_path, chain(start(8, 8, 3), conv("a", k=kernel(3, 3, 3, 4))), "keras 2 h5")
    with h5py.File(path, "a") as file:
        file.attrs["model_config"] = np.zeros(3)
    with pytest.raises(InputError, match="weights alone"):
        networks.from_file(path)
