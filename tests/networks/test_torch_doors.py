"""The networks of `doors.py` through the doors of PyTorch: exported, traced, scripted, as ONNX, as weights alone."""

import numpy as np
import pytest
from doors import DOORS
from of_torch import OF_TORCH
from program import of_pytorch
from same_pairs import compare
from test_doors import STRIDES, run, traced

from sicjax import networks
from sicjax._errors import InputError

torch = pytest.importorskip("torch")
pytest.importorskip("onnx")
import in_torch  # noqa: E402
from torch_modules import MODULES  # noqa: E402

pytestmark = [*OF_TORCH, pytest.mark.filterwarnings("ignore::UserWarning")]


def module_of(name):
    """The network as people write it, where it is in that list, else by its program; with the program's kernels."""
    program, kernels, _, _ = traced(name)
    if name not in MODULES:
        return in_torch.module(program)
    made = MODULES[name]().eval()
    with torch.no_grad():
        for path, layer in made.named_modules():
            if (kernel := kernels.get(path.replace(".", "_"))) is not None:
                groups, turned = getattr(layer, "groups", 1), "Transpose" in type(layer).__name__
                array = kernel.T.copy() if kernel.ndim == 2 else of_pytorch(kernel, groups, transposed=turned)
                layer.weight.copy_(torch.from_numpy(array))
                if layer.bias is not None:
                    layer.bias.zero_()
    return made


def save(name, door, path):
    """Writes the network's file of a door."""
    module, inputs = module_of(name), in_torch.inputs(DOORS[name].program)
    if door == "pt2":
        torch.export.save(torch.export.export(module, inputs), path / "net.pt2")
    elif door == "trace":
        torch.jit.trace(module, inputs, check_trace=False).save(str(path / "net.pt"))
    elif door == "script":
        scripted = torch.jit.script(module) if name in MODULES else in_torch.scripted(DOORS[name].program)
        scripted.save(str(path / "net.pt"))
    elif door == "legacy":
        torch.onnx.export(module, inputs, str(path / "net.onnx"), dynamo=False)
    else:
        # Without its optimiser, which leaves sequences where the network takes chunks.
        settings = dict(dynamo=True, optimize=False, verbose=False)
        torch.onnx.export(module, inputs, str(path / "net.onnx"), **settings)


@pytest.mark.parametrize("door", ["pt2", "trace", "script", "legacy", "dynamo"])
@pytest.mark.parametrize("name", DOORS)
def test_a_file_of_pytorch(tmp_path, name, door):
    if door in DOORS[name].without:
        pytest.skip(DOORS[name].without[door])
    if door == "dynamo":
        pytest.importorskip("onnxscript")
    _, kernels, _, expected = traced(name)
    with torch.no_grad():
        save(name, door, tmp_path)
    # The new exporter of ONNX may put the weights into a file beside it.
    (path,) = (path for path in tmp_path.iterdir() if path.suffix != ".data")
    compare(networks.from_file(path), expected, kernels, door)


@pytest.mark.parametrize("name", [name for name, door in DOORS.items() if not {"pt2", "run"} & {*door.without}])
def test_the_module_computes_what_jax_does(name):
    given, expected = run(name)
    with torch.no_grad():
        found = module_of(name)(*map(torch.from_numpy, given))
    for tensor, other in zip(found if isinstance(found, tuple) else [found], expected, strict=True):
        np.testing.assert_allclose(tensor.numpy().reshape(other.shape), other, atol=2e-5)


@pytest.mark.parametrize("name", MODULES)
def test_weights_alone_give_a_chain_or_say_what_they_do_not_state(tmp_path, name):
    _, kernels, _, expected = traced(name)
    torch.save(module_of(name).state_dict(), tmp_path / "net.pth")
    with pytest.raises(InputError, match="does not say the strides"):
        networks.from_file(tmp_path / "net.pth")
    if name in STRIDES:
        found = networks.from_file(tmp_path / "net.pth", stride=STRIDES[name])
        compare(found, expected, kernels, "state dict")
