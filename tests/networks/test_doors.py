"""One list of networks: every door finds the pairs that are written by hand there, and the same ratios."""

import numpy as np
import pytest
from safetensors.numpy import save_file

from sicjax import networks, sdr
from sicjax._errors import InputError

torch = pytest.importorskip("torch")
pytest.importorskip("onnx")
import jax.numpy as jnp  # noqa: E402
from doors import DOORS  # noqa: E402

pytestmark = [
    pytest.mark.torch,
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::FutureWarning"),
    pytest.mark.filterwarnings("ignore::UserWarning"),
    pytest.mark.filterwarnings("ignore::torch.jit.TracerWarning"),
]

# Networks that are one chain, with the strides that their weights alone do not state.
STRIDES = {"generator": (1, 2, 2), "discriminator": (2, 2, 1), "vae": (2, 2, 2, 2)}


def flax(path, module):
    """The weights of a PyTorch layer as Flax has them."""
    weight = module.weight.detach().numpy()
    if weight.ndim == 2:
        # A dense layer behind or before an image orders its places channels last.
        return {"mean": lambda w: w.reshape(-1, 6, 4, 4).transpose(2, 3, 1, 0).reshape(96, -1)}.get(
            path, lambda w: image(w.T) if w.shape[0] > w.shape[1] else w.T
        )(weight)
    turned = isinstance(module, torch.nn.modules.conv._ConvTransposeNd)
    return np.moveaxis(weight, (0, 1), (-2, -1) if turned else (-1, -2))


def image(matrix):
    """Columns that PyTorch takes for (channel, 4, 4), in the order of JAX."""
    return matrix.reshape(len(matrix), -1, 4, 4).transpose(0, 2, 3, 1).reshape(len(matrix), -1)


def parameters(module):
    kinds = torch.nn.modules.conv._ConvNd, torch.nn.Linear
    return {path: flax(path, m) for path, m in module.named_modules() if isinstance(m, kinds)}


def network(name):
    """A network of the list, with weights that are the same each time, and without biases."""
    torch.manual_seed(0)
    door = DOORS[name]()
    for path, tensor in door.module.named_parameters():
        if path.endswith("bias"):
            torch.nn.init.zeros_(tensor)
    return door._replace(module=door.module.eval())


def unit(kernel):
    """Up to the scale of each filter, which a batch normalisation may have taken, and which no ratio depends on."""
    kernel = np.asarray(kernel, np.float64)
    return kernel / np.sqrt((kernel**2).sum(tuple(range(kernel.ndim - 1)), keepdims=True))


def rows(net, held):
    """The pairs as the list writes them, each with its ratios; layers go by the parameters that their kernels are."""
    units = {path: unit(array) for path, array in held.items() if array.ndim > 2}

    def name(layer):
        turned = np.flip(layer.kernel, range(layer.kernel.ndim - 2))
        same = lambda array: any(np.allclose(array, unit(k), atol=1e-5) for k in (layer.kernel, turned))
        (found,) = [path for path, array in units.items() if array.shape == layer.kernel.shape and same(array)]
        return found

    found = []
    for pair in net.pairs:
        dilations = pair.first.dilation[0], pair.second.dilation[0]
        words = [name(pair.first), name(pair.second), pair.cascade.down[0], pair.cascade.up[0]]
        words += dilations if max(dilations) > 1 else []
        found.append((" ".join(map(str, words)), sdr.reference.ratios(pair.cascade)))
    # What is one pair for each part of the channels comes in any order.
    return sorted(found, key=lambda row: (row[0], round(float(row[1].sum()), 4)))


def compare(net, expected, held, door):
    found = rows(net, held)
    assert [words for words, _ in found] == [words for words, _ in expected], door
    for (words, rho), (_, other) in zip(found, expected, strict=True):
        np.testing.assert_allclose(rho, other, atol=1e-6, err_msg=f"{words}, {door}")


def traced(name):
    """The network, its parameters, its input for JAX, and its pairs in JAX."""
    door = network(name)
    held = parameters(door.module)
    x = jnp.zeros((door.shape[0], *door.shape[2:], door.shape[1]) if len(door.shape) > 2 else door.shape)
    net = networks.from_function(door.apply, {k: jnp.asarray(v) for k, v in held.items()}, x)
    return door, held, x, net


@pytest.mark.parametrize("name", DOORS)
def test_jax_and_flax_find_the_pairs_written_by_hand(name):
    nnx = pytest.importorskip("flax.nnx")
    door, held, x, net = traced(name)
    expected = rows(net, held)
    assert [words for words, _ in expected] == sorted(door.pairs.split(", "))

    class Module(nnx.Module):
        def __init__(self):
            for path, array in held.items():
                setattr(self, f"at_{path.replace('.', '_')}", nnx.Param(jnp.asarray(array)))

        def __call__(self, x):
            return door.apply({path: getattr(self, f"at_{path.replace('.', '_')}")[...] for path in held}, x)

    compare(networks.from_module(Module(), x), expected, held, "Flax")


@pytest.mark.parametrize("name", DOORS)
def test_both_forms_are_one_network(name):
    door, held, x, _ = traced(name)
    given = np.random.default_rng(0).normal(size=door.shape).astype(np.float32)
    with torch.no_grad():
        out = door.module(torch.from_numpy(given)).numpy()
    last = lambda array: np.moveaxis(array, 1, -1) if array.ndim > 2 else array
    np.testing.assert_allclose(door.apply(held, last(given)), last(out), atol=2e-5)


@pytest.mark.parametrize("name", DOORS)
def test_every_file_has_the_pairs_and_ratios_of_the_trace(tmp_path, name):
    door, held, _, net = traced(name)
    expected = rows(net, held)
    module, x = door.module, torch.randn(door.shape)
    with torch.no_grad():
        torch.onnx.export(module, (x,), str(tmp_path / "legacy.onnx"), dynamo=False)
        program = torch.export.export(module, (x,))
        torch.export.save(program, tmp_path / "export.pt2")
        torch.jit.trace(module, x, check_trace=False).save(str(tmp_path / "trace.pt"))
        torch.jit.script(module).save(str(tmp_path / "script.pt"))
    for path in sorted(tmp_path.iterdir()):
        compare(networks.from_file(path), expected, held, path.name)


@pytest.mark.parametrize("name", DOORS)
def test_the_new_exporter_of_onnx_too(tmp_path, name):
    """Without its optimiser, which leaves sequences where the network takes chunks."""
    pytest.importorskip("onnxscript")
    door, held, _, net = traced(name)
    with torch.no_grad():
        x = torch.randn(door.shape)
        torch.onnx.export(door.module, (x,), str(tmp_path / "net.onnx"), dynamo=True, optimize=False, verbose=False)
    compare(networks.from_file(tmp_path / "net.onnx"), rows(net, held), held, "dynamo")


@pytest.mark.parametrize("name", DOORS)
def test_weights_alone_give_a_chain_or_say_what_they_do_not_state(tmp_path, name):
    door, held, _, net = traced(name)
    torch.save(door.module.state_dict(), tmp_path / "net.pth")
    with pytest.raises(InputError, match="does not say the strides"):
        networks.from_file(tmp_path / "net.pth")
    if name in STRIDES:
        found = networks.from_file(tmp_path / "net.pth", stride=STRIDES[name])
        compare(found, rows(net, held), held, "state dict")
    tensors = {path: tensor.numpy() for path, tensor in door.module.state_dict().items()}
    save_file(tensors, tmp_path / "net.safetensors")
    if name in ("generator", "discriminator"):
        found = networks.from_file(tmp_path / "net.safetensors", stride=STRIDES[name])
        compare(found, rows(net, held), held, "safetensors")
    elif name not in ("chain", "volume"):
        with pytest.raises(InputError, match="keeps no order of its layers"):
            networks.from_file(tmp_path / "net.safetensors", stride=1)
