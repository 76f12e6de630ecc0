"""What is said of what cannot be read: whose fault it is, and what to do."""

import json
import warnings

import jax
import jax.numpy as jnp
import ml_dtypes
import numpy as np
import pytest
from flax import linen
from safetensors.numpy import save_file

from sicjax import cli, networks, sdr, weights
from sicjax._errors import InputError

LAYER = {"type": "conv", "weight": "a", "layout": "HWIO", "stride": 2}
LONG = "x" * 15_000


def npz(folder, name="net.npz", **arrays):
    np.savez(folder / name, **arrays)
    return folder / name


@pytest.mark.parametrize(
    "networks_stated",
    [
        {"n": [LAYER | {"stride": LONG}]},
        {"n": [LAYER | {"weight": LONG}]},
        {"n": [LAYER | {"layout": [LONG]}]},
        {"n": [LAYER | {"stride": [2] * 5000}]},
        {LONG: 3},
    ],
    ids=["stride", "weight", "layout", "strides", "network"],
)
def test_what_a_sidecar_has_wrong_is_said_in_short(tmp_path, networks_stated):
    file = npz(tmp_path, a=np.ones((4, 4, 2, 2), np.float32))
    file.with_suffix(".json").write_text(json.dumps({"networks": networks_stated}))
    with pytest.raises(InputError, match=r"net\.(json|npz)") as raised:
        networks.from_file(file)
    assert len(str(raised.value)) < 500 + 2 * len(str(file))


KERNELS = np.ones((2, 4, 4, 3, 3), np.float32)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda kernel: kernel * np.nan, r"net\.npz: .* weights that are NaN or infinite"),
        (lambda kernel: kernel.astype(np.complex64), r"net\.npz: .* must hold real numbers, got dtype complex64"),
    ],
    ids=["NaN", "complex"],
)
@pytest.mark.usefixtures("without_type_checks")
def test_weights_that_are_no_numbers_name_the_file(tmp_path, change, says):
    first, second = change(KERNELS)
    with pytest.raises(InputError, match=says):
        networks.from_file(npz(tmp_path, **{"a.weight": first, "b.weight": second}), stride=2, transposed=False)


def test_numbers_of_8_bits_are_read(tmp_path):
    kernels = np.random.default_rng(0).normal(size=(2, 4, 4, 3, 3)).astype(ml_dtypes.float8_e4m3fn)
    pair = sdr.generative(*kernels, stride=2)
    np.testing.assert_array_equal(pair.first, kernels[0].astype(np.float32))
    assert sdr.generative(*map(jnp.asarray, kernels), stride=2).first.dtype == jnp.float32
    save_file({f"net.{k}.weight": kernel for k, kernel in enumerate(kernels)}, tmp_path / "net.safetensors")
    (layer, _) = networks.from_file(tmp_path / "net.safetensors", stride=2, transposed=False).layers
    np.testing.assert_array_equal(layer.kernel, kernels[0].transpose(2, 3, 1, 0))


def test_a_folder_is_said_to_be_one_also_with_a_stride(tmp_path):
    with pytest.raises(InputError, match="is a folder, and not one of a training run"):
        networks.from_file(tmp_path, stride=2)


def test_what_is_no_path_is_told_its_door(without_type_checks):
    for door in (networks.from_file, weights.read):
        with pytest.raises(InputError, match="expected a path, got dict"):
            door({"a.weight": KERNELS[0]})
    with pytest.raises(InputError, match="got dict: from_torch takes PyTorch's modules and state dicts"):
        networks.from_module({"a.weight": KERNELS[0]})
    with pytest.raises(InputError, match="got function: see from_function"):
        networks.from_module(lambda x: x)


def test_pytorch_is_told_its_door_and_what_is_quantised(tmp_path):
    torch = pytest.importorskip("torch")
    with pytest.raises(InputError, match="got Conv2d: from_torch takes PyTorch's modules"):
        networks.from_module(torch.nn.Conv2d(3, 4, 3))
    with warnings.catch_warnings(action="ignore"):  # it will go, the files will stay
        quantised = torch.quantize_per_tensor(torch.ones(2, 2, 3, 3), 0.1, 0, torch.qint8)
        torch.save({"a.weight": quantised}, tmp_path / "q.pt")
    with pytest.raises(InputError, match=r"q\.pt was not loaded: its weights are quantised: save them as floats"):
        weights.read(tmp_path / "q.pt")


def test_an_ending_that_no_graph_has_is_refused_before_anything_is_measured(chain, capsys):
    assert cli.main(["measure", str(chain[0]), "--stride", "2", "--graph", "net.bmp"]) == 1
    shown = capsys.readouterr()
    assert shown.out == "" and "--graph writes .svg, .png, .pdf, .dot or .txt, got net.bmp" in shown.err


class Net(linen.Module):
    dropout: float = 0.0

    @linen.compact
    def __call__(self, x, train: bool = True):
        x = linen.Conv(4, (3, 3))(x)
        x = linen.Dropout(self.dropout, deterministic=not train)(x) if self.dropout else x
        return linen.Conv(4, (3, 3))(linen.BatchNorm(use_running_average=not train)(x))


def test_linen_modules_in_training_and_without_all_variables_are_told_what_to_do():
    x = jnp.zeros((1, 8, 8, 3))
    variables = jax.eval_shape(lambda: Net().init(jax.random.key(0), x))
    variables = jax.tree.map(lambda leaf: jnp.ones(leaf.shape), variables)
    with pytest.raises(InputError, match=r"as batch norms in training do: .* from_module\(..., train=False\)"):
        networks.from_module(Net(), x, variables=variables)
    with pytest.raises(InputError, match="as dropout in training does: .*train=False"):
        networks.from_module(Net(0.5), x, variables=variables)
    with pytest.raises(InputError, match="are not all that the module has: pass all that module.init returned"):
        networks.from_module(Net(), x, variables={"params": variables["params"]}, train=False)
    net = networks.from_module(Net(), x, variables=variables, train=False)
    assert net.bind(variables).keys() == net.cascades.keys()
    for less in (variables["params"], {"params": variables["params"]}):
        with pytest.raises(InputError, match=r"bind takes all variables .*'batch_stats': .*; no .*batch_stats"):
            net.bind(less)
