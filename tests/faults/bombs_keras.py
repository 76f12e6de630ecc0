"""Keras files that ask for gigabytes, or for hours."""

import json
import zipfile
from pathlib import Path

from keras_net import chain, conv, h5py, kernel, layer, model, save, start


def of_keras(*layers, format="keras 3"):
    """A Keras file of a chain of layers between two convolutions."""

    def write(folder: Path) -> Path:
        ends = conv("a", k=kernel(3, 3, 4, 4)), conv("b", k=kernel(3, 3, 4, 4))
        return save(folder, chain(start(8, 8, 4), ends[0], *layers, ends[1]), format)

    return write


def repeated(count, kind, **settings):
    """The same layer many times."""
    return of_keras(*[layer(kind, f"r{k}", **settings) for k in range(count)])


def nested_keras(folder: Path) -> Path:
    net = model(start(8, 8, 4), conv("x", "in", k=kernel(3, 3, 4, 4)), name="m0")
    for k in range(1, 18):
        net = model(start(8, 8, 4), net | {"calls": [["in"], [f"m{k - 1}"], [f"m{k - 1}.1"]]}, name=f"m{k}")
    return save(folder, net, "keras 3 h5")


def deep_keras(folder: Path) -> Path:
    net = {"class_name": "Conv2D", "config": {"name": "a"}}
    text = (
        '{"class_name": "Sequential", "config": {"name": "s", "layers": [' * 40_000 + json.dumps(net) + "]}}" * 40_000
    )
    path = of_keras()(folder)
    with zipfile.ZipFile(path) as archive:
        weights = archive.read("model.weights.h5")
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("config.json", text)
        archive.writestr("model.weights.h5", weights)
    return path


def dense_keras(layers):
    def write(folder: Path) -> Path:
        parts, held = ["in"], [start(8, 8, 4)]
        for k in range(layers):
            held.append(
                layer("Concatenate", f"cat{k}", parts[:]) if k else layer("Activation", "cat0", "in", activation="relu")
            )
            held.append(conv(f"c{k}", f"cat{k}", k=kernel(1, 1, 4 + 4 * k, 4)))
            parts.append(f"c{k}")
        return save(folder, model(*held), "keras 3")

    return write


def chunked_keras(folder: Path) -> Path:
    """Zeros in HDF5, compressed."""
    path = of_keras(format="keras 2 h5")(folder)
    with h5py.File(path, "a") as file:
        for name in ("a/a/kernel:0", "b/b/kernel:0"):
            del file[f"model_weights/{name}"]
            file.create_dataset(f"model_weights/{name}", (600, 600, 10, 40), "f8", chunks=True, compression="gzip")
    return path


KERAS = {
    "keras: UpSampling2D(2) 24 times": repeated(24, "UpSampling2D", size=[2, 2]),
    "keras: UpSampling2D(64) 3 times": repeated(3, "UpSampling2D", size=[64, 64]),
    "keras: UpSampling2D(4096)": repeated(1, "UpSampling2D", size=[4096, 4096]),
    "keras: UpSampling2D(4096, bilinear)": of_keras(
        layer("UpSampling2D", "u", size=[4096, 4096], interpolation="bilinear")
    ),
    "keras: UpSampling2D(32) twice": repeated(2, "UpSampling2D", size=[32, 32]),
    "keras: AveragePooling2D(64) 3 times": repeated(3, "AveragePooling2D", pool_size=[64, 64]),
    "keras: models in models": nested_keras,
    "keras: 300 dense layers": dense_keras(300),
    "keras: a description 40,000 deep": deep_keras,
    "keras: zeros in HDF5": chunked_keras,
}
