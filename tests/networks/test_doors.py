"""One list of networks: every door finds the pairs that are written by hand there, and the same ratios.

The doors of PyTorch are in test_torch_doors.py.
"""

import functools
import os
import tracemalloc

import in_jax
import jax
import numpy as np
import pytest
from doors import DOORS
from program import of_pytorch
from safetensors.numpy import save_file
from same_pairs import compare, rows

from sicjax import networks
from sicjax._errors import InputError

# The backend that is there wherever this package is.
os.environ["KERAS_BACKEND"] = "jax"


def in_door(door):
    return pytest.mark.parametrize("name", [name for name in DOORS if door not in DOORS[name].without])


@functools.cache
def traced(name):
    """The program, its kernels, its network in JAX, and the pairs there."""
    program = DOORS[name].program
    apply, kernels, inputs = in_jax.of(program)
    net = networks.from_function(apply, kernels, *inputs)
    return program, program.kernels, net, rows(net, program.kernels)


def stated(row):
    """A pair as the list writes it; all axes have the same settings there."""
    (first, second, *settings), _ = row
    down, up, *dilations = (setting[0] for setting in settings)
    return " ".join(map(str, [first, second, down, up, *(dilations if max(dilations) > 1 else [])]))


@in_door("jax")
def test_a_function_of_jax(name):
    _, _, net, found = traced(name)
    assert sorted(map(stated, found)) == sorted(DOORS[name].pairs.split(", "))
    compare(net, found, traced(name)[1], "JAX")


@in_door("jax")
def test_a_module_of_flax(name):
    nnx = pytest.importorskip("flax.nnx")
    program, kernels, _, expected = traced(name)
    apply, held, inputs = in_jax.of(program)

    class Module(nnx.Module):
        def __init__(self):
            for path, kernel in held.items():
                setattr(self, f"at_{path}", nnx.Param(kernel))

        def __call__(self, *inputs):
            return apply({path: getattr(self, f"at_{path}")[...] for path in held}, *inputs)

    compare(networks.from_module(Module(), *inputs), expected, kernels, "Flax")


@in_door("onnx")
def test_a_file_of_onnx(tmp_path, name):
    onnx = pytest.importorskip("onnx")
    import in_onnx

    program, kernels, _, expected = traced(name)
    onnx.save(in_onnx.of(program), tmp_path / "net.onnx")
    compare(networks.from_file(tmp_path / "net.onnx"), expected, kernels, "ONNX")


@in_door("keras")
def test_a_file_of_keras_written_by_hand(tmp_path, name):
    pytest.importorskip("h5py")
    import in_keras
    import keras_net

    program, kernels, _, expected = traced(name)
    for format in ("keras 3", "keras 3 h5"):
        path = keras_net.save(tmp_path, in_keras.entry(program), format)
        compare(networks.from_file(path), expected, kernels, format)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", [name for name, door in DOORS.items() if not {"keras", "built"} & {*door.without}])
def test_a_model_built_with_keras(tmp_path, name):
    pytest.importorskip("keras")
    import in_keras

    program, kernels, _, expected = traced(name)
    model = in_keras.model(program)
    for ending in (".keras", ".h5"):
        model.save(tmp_path / f"net{ending}")
        compare(networks.from_file(tmp_path / f"net{ending}"), expected, kernels, ending)


def test_filters_that_would_fill_the_memory_end_the_chain_in_every_door(tmp_path):
    pytest.importorskip("onnx")
    import in_keras
    import in_onnx
    import keras_net
    import onnx

    program, kernels, _, expected = traced("flood")
    apply, held, inputs = in_jax.of(program)
    onnx.save(in_onnx.of(program), tmp_path / "net.onnx")
    keras = keras_net.save(tmp_path, in_keras.entry(program), "keras 3")
    reads = {
        "JAX": lambda: networks.from_function(apply, held, *inputs),
        "ONNX": lambda: networks.from_file(tmp_path / "net.onnx"),
        "Keras": lambda: networks.from_file(keras),
    }
    for door, read in reads.items():
        tracemalloc.start()
        net = read()
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert peak < 2**24, door
        compare(net, expected, kernels, door)
        assert "over too many places" in dict(net.skipped)["a"], door


@functools.cache
def run(name):
    """Inputs, channels first, and what the network gives in JAX."""
    program = DOORS[name].program
    apply, kernels, _ = in_jax.of(program)
    rng = np.random.default_rng(1)
    given = [rng.normal(size=(1, *shape)).astype(np.float32) for shape in program.inputs]
    found = jax.jit(apply)(kernels, *(np.moveaxis(x, 1, -1) for x in given))
    return given, [np.moveaxis(np.asarray(y), -1, 1) for y in found]


@pytest.mark.parametrize(
    "name", [name for name, door in DOORS.items() if not {"onnx", "run", "reference"} & {*door.without}]
)
def test_the_model_of_onnx_computes_what_jax_does(name):
    reference = pytest.importorskip("onnx.reference")
    import in_onnx

    given, expected = run(name)
    model = reference.ReferenceEvaluator(in_onnx.of(DOORS[name].program))
    for found, other in zip(model.run(None, in_onnx.inputs(given)), expected, strict=True):
        np.testing.assert_allclose(found, other, atol=2e-5)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(
    "name", [name for name, door in DOORS.items() if not {"keras", "built", "run"} & {*door.without}]
)
def test_the_model_of_keras_computes_what_jax_does(name):
    pytest.importorskip("keras")
    import in_keras

    given, expected = run(name)
    model = in_keras.model(DOORS[name].program)
    found = model.predict([np.moveaxis(x, 1, -1) for x in given], verbose=0)
    for array, other in zip(found if isinstance(found, list) else [found], expected, strict=True):
        np.testing.assert_allclose(np.moveaxis(array, -1, 1), other, atol=2e-5)


# Networks that are one chain, with the strides that their weights alone do not state.
STRIDES = {"generator": (1, 2, 2), "discriminator": (2, 2, 1), "vae": (2, 2, 2, 2)}


@pytest.mark.parametrize("name", STRIDES)
def test_weights_alone_give_a_chain(tmp_path, name):
    program, kernels, _, expected = traced(name)
    turned = {step.settings["name"] for step in program.steps if step.op == "up"}
    tensors = {f"{path}.weight": of_pytorch(kernel, transposed=path in turned) for path, kernel in kernels.items()}
    np.savez(tmp_path / "net.npz", **tensors)
    with pytest.raises(InputError, match="does not say the strides"):
        networks.from_file(tmp_path / "net.npz")
    compare(networks.from_file(tmp_path / "net.npz", stride=STRIDES[name]), expected, kernels, "npz")
    save_file(tensors, tmp_path / "net.safetensors")
    if name == "vae":
        with pytest.raises(InputError, match="keeps no order of its layers"):
            networks.from_file(tmp_path / "net.safetensors", stride=1)
    else:
        compare(
            networks.from_file(tmp_path / "net.safetensors", stride=STRIDES[name]), expected, kernels, "safetensors"
        )
