"""Keras files in the making: in the layout of Keras 2 and 3, with h5py, json and zipfile; Keras is not needed."""

import io
import json
import zipfile

import numpy as np
import pytest

from sicjax import sdr
from sicjax.weights._keras_layers import snake_case

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
    return layer(kind, name) | {"config": {"name": name, **dict(config)}, "stated": stated}


def function(called, name, *node):
    """A function of TensorFlow in a model of Keras 2, with what it takes, as the file has it."""
    kind = "SlicingOpLambda" if "getitem" in called else "TFOpLambda"
    return layer(kind, name, function=called) | {"stated": {"inbound_nodes": [list(node)]}}


def names(net):
    return [pair.name for pair in net.pairs]


def same(net, name, cascade):
    """A pair has the ratios of a cascade that was written by hand."""
    np.testing.assert_allclose(sdr.ratios(net.cascades[name]), sdr.ratios(cascade), atol=1e-6)


def change_weights(path, change):
    """Changes the arrays in a `.keras` file."""
    with zipfile.ZipFile(path) as archive:
        config, buffer = archive.read("config.json"), io.BytesIO(archive.read("model.weights.h5"))
    with h5py.File(buffer, "a") as file:
        change(file)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("config.json", config)
        archive.writestr("model.weights.h5", buffer.getvalue())
