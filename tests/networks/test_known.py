"""Weights of known architectures: the pairs, strides and branches that the library's own module has."""

import json

import numpy as np
import pytest
from of_torch import OF_TORCH
from safetensors.numpy import save_file

from sicjax import networks, weights
from sicjax._errors import InputError
from sicjax.networks.known import KNOWN, from_known

torch = pytest.importorskip("torch")
from torch_libraries import autoencoder, conditioned_unet, timm, torchvision, unet  # noqa: E402

pytestmark = [*OF_TORCH, pytest.mark.filterwarnings("ignore")]
BUILDS = {
    "resnet18": ("torchvision", lambda: torchvision("resnet18")),
    "resnext50": ("torchvision", lambda: torchvision("resnext50_32x4d")),
    "resnet18 of timm": ("timm", lambda: timm("resnet18")),
    "resnet50 of timm": ("timm", lambda: timm("resnet50")),
    "vgg11": ("torchvision", lambda: torchvision("vgg11", 224)),
    "vgg13_bn": ("torchvision", lambda: torchvision("vgg13_bn", 224)),
    "AutoencoderKL": ("diffusers", autoencoder),
    "UNet2DModel": ("diffusers", unet),
    "UNet2DConditionModel": ("diffusers", conditioned_unet),
}


def write(folder, module, prefix="", config=None):
    arrays = {prefix + name: np.ascontiguousarray(tensor.numpy()) for name, tensor in module.state_dict().items()}
    save_file(arrays, folder / "model.safetensors")
    (folder / "config.json").write_text(json.dumps(config or {}))
    return folder / "model.safetensors"


@pytest.mark.parametrize("name", BUILDS)
def test_weights_alone_have_the_pairs_of_the_module(tmp_path, name):
    library, build = BUILDS[name]
    pytest.importorskip(library)
    module, inputs = build()
    expected = networks.from_torch(module, *inputs)
    net = networks.from_file(write(tmp_path, module))
    assert {layer.path for layer in net.layers} == {layer.path for layer in expected.layers}
    assert sorted(net.cascades) == sorted(expected.cascades)
    for pair, cascade in net.cascades.items():
        other = expected.cascades[pair]
        assert (cascade.down, cascade.up) == (other.down, other.up), pair
        for kernel, same in zip(cascade.aligned(), other.aligned(), strict=True):
            np.testing.assert_array_equal(kernel, same)
    settings = lambda layers: {layer.path: (layer.stride, layer.dilation, layer.groups) for layer in layers}
    assert settings(net.layers) == settings(expected.layers)
    assert list(networks.from_torch(module.state_dict()).cascades) == list(net.cascades)
    (note,) = [note for note in net.notes if note.startswith("taken for ")]
    assert "from the names and shapes of the kernels" in note and "--stride if it is not" in note


NAMES = [(name, row.name.split(" of ")[1].split()[0]) for row in KNOWN for name in row.called]


@pytest.mark.parametrize("name", [name for name, library in NAMES if library == "torchvision"])
def test_what_a_config_may_say_of_classifiers(name):
    """All of them, by the strides of every convolution; their kernels have no values."""
    torchvision, timm = (pytest.importorskip(library) for library in ("torchvision", "timm"))
    of_torchvision = torchvision.models.get_model(name, weights=None)
    with torch.device("meta"):
        modules = [of_torchvision, timm.create_model(name)]
    arrays = {key: np.broadcast_to(np.float32(1), t.shape) for key, t in modules[0].state_dict().items() if t.ndim}
    net = from_known(weights.Tensors(arrays, {}, True))
    found = {layer.path: (layer.stride, layer.dilation, layer.groups) for layer in net.layers}
    for module in modules if "vgg" not in name else modules[:1]:
        parts = {path: part for path, part in module.named_modules() if isinstance(part, torch.nn.Conv2d)}
        assert found == {path: (part.stride, part.dilation, part.groups) for path, part in parts.items()}


FOUR = {"down_block_types": ["DownEncoderBlock2D"] * 4, "up_block_types": ["UpDecoderBlock2D"] * 4}
FOUR |= {"block_out_channels": (128, 256, 512, 512), "layers_per_block": 2}
DIFFUSION = {
    "of Stable Diffusion": ("AutoencoderKL", FOUR),
    "of FLUX": ("AutoencoderKL", FOUR | {"latent_channels": 16, "use_quant_conv": False, "use_post_quant_conv": False}),
    "by default": ("UNet2DModel", {}),
}


@pytest.mark.parametrize("whose", DIFFUSION)
def test_the_networks_of_diffusion_in_their_full_size(whose):
    """By the strides of every convolution; the kernels have no values."""
    name, settings = DIFFUSION[whose]
    with torch.device("meta"):
        module = getattr(pytest.importorskip("diffusers"), name)(**settings)
    arrays = {key: np.broadcast_to(np.float32(1), t.shape) for key, t in module.state_dict().items()}
    net = from_known(weights.Tensors(arrays, {}, False))
    parts = {path: part.stride for path, part in module.named_modules() if isinstance(part, torch.nn.Conv2d)}
    assert {layer.path: layer.stride for layer in net.layers} == parts and not net.skipped


def test_a_config_of_another_network_is_believed(tmp_path):
    pytest.importorskip("torchvision")
    module, _ = torchvision("resnet18")
    for config in ({"architecture": "resnetblur18"}, {"_class_name": "UNet2DModel"}):
        with pytest.raises(InputError, match="does not say the strides of its 20 convolutions"):
            networks.from_file(write(tmp_path, module, config=config))
    net = networks.from_file(write(tmp_path, module, config={"architecture": "resnet18"}))
    assert any("(config.json says resnet18)" in note for note in net.notes) and len(net.pairs) == 35
    assert networks.files_of(tmp_path / "model.safetensors")[1] == tmp_path / "config.json"
    (tmp_path / "config.json").write_text("{")
    with pytest.raises(InputError, match=r"config\.json, beside model\.safetensors, cannot be read"):
        networks.from_file(tmp_path / "model.safetensors")


def changed(change):
    """The weights of a small UNet, changed."""
    module, _ = unet()
    arrays = {name: tensor.numpy() for name, tensor in module.state_dict().items()}
    change(arrays)
    return weights.Tensors(arrays, {}, True)


@pytest.mark.parametrize(
    "change",
    [
        lambda arrays: arrays.pop("down_blocks.0.downsamplers.0.conv.weight"),
        lambda arrays: arrays.pop("conv_out.weight"),
        lambda arrays: arrays.pop("down_blocks.1.resnets.0.conv_shortcut.weight"),
        lambda arrays: arrays.pop("up_blocks.0.upsamplers.0.conv.weight"),
        lambda arrays: arrays.update({"extra.conv.weight": arrays["conv_out.weight"]}),
        lambda arrays: arrays.update({"conv_out.weight": arrays["conv_in.weight"]}),
        lambda arrays: arrays.update({"ema/conv_in.weight": arrays["conv_in.weight"]}),
        lambda arrays: arrays.update({"time.weight": np.zeros((3, 3, 3), np.float32)}),
    ],
)
def test_what_does_not_fit_is_not_known(change):
    pytest.importorskip("diffusers")
    assert from_known(changed(lambda arrays: None)) is not None
    assert from_known(changed(change)) is None


def test_names_may_have_more_before_them(tmp_path):
    """As in a Lightning checkpoint."""
    pytest.importorskip("torchvision")
    module, _ = torchvision("resnet18")
    file = tmp_path / "last.ckpt"
    torch.save({"state_dict": {f"model.net.{name}": t for name, t in module.state_dict().items()}}, file)
    net = networks.from_file(file)
    assert len(net.pairs) == 35 and net.pairs[0].name == "model.net.conv1 to model.net.layer1.0.conv1"
    assert list(networks.from_file(file, stride=1).cascades) != list(net.cascades)


def test_another_stem_is_not_known(tmp_path):
    """As those for small images have, under the same names."""
    pytest.importorskip("torchvision")
    module, _ = torchvision("resnet18")
    module.conv1 = torch.nn.Conv2d(3, 64, 3, padding=1)
    with pytest.raises(InputError, match="does not say the strides"):
        networks.from_file(write(tmp_path, module))
