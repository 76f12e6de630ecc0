"""Which architecture the names of a file's arrays are of."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np

from sicjax.networks.graph import Network
from sicjax.networks.known._classifiers import resnet, vgg
from sicjax.networks.known._diffusers import autoencoder, unet
from sicjax.networks.known._walk import Unlike, Walk
from sicjax.weights import Tensors, is_kernel, layer_name

_RESNETS = (
    "resnet18 resnet34 resnet50 resnet101 resnet152 wide_resnet50_2 wide_resnet101_2 "
    "resnext50_32x4d resnext101_32x8d resnext101_64x4d"
)
_VGGS = " ".join(f"vgg{depth}{norm}" for depth in (11, 13, 16, 19) for norm in ("", "_bn"))


class Architecture(NamedTuple):
    """A family of networks.

    Attributes:
        name: with its library, as the note has it.
        first: its first convolution; what stands before that in a file is before all names.
        follow: walks it.
        called: what a `config.json` calls its members.
    """

    name: str
    first: str
    follow: Callable[[Walk], None]
    called: tuple[str, ...]


KNOWN = (
    Architecture("a ResNet of torchvision or timm", "conv1", resnet, tuple(_RESNETS.split())),
    Architecture("a VGG of torchvision", "features.0", vgg, tuple(_VGGS.split())),
    Architecture("AutoencoderKL of diffusers", "encoder.conv_in", autoencoder, ("AutoencoderKL",)),
    Architecture("a UNet of diffusers", "conv_in", unet, ("UNet2DModel", "UNet2DConditionModel")),
)


def from_known(tensors: Tensors, config: Mapping[str, Any] | None = None) -> Network | None:
    """The network whose weights are, each of them, those of an architecture; None where they are of none.

    Arguments:
        tensors: the names, the shapes of the kernels and the channels where they meet must fit.
        config: of the `config.json` beside them; one that says whose they are excludes all others.
    """
    kernels: dict[str, np.ndarray] = {}
    for name, array in tensors.arrays.items():
        if is_kernel(name, array):
            layer = layer_name(name.rpartition("/")[2])
            if layer in kernels or array.ndim != 4:
                return None
            kernels[layer] = array
    config = config or {}
    called = config.get("_class_name") or config.get("architecture")
    for architecture in KNOWN:
        if called is None or called in architecture.called:
            found = _followed(kernels, architecture)
            if found is not None:
                named = f"config.json says {called}" if called else "from the names and shapes of the kernels"
                note = f"taken for {architecture.name} ({named}), with its strides and branches; --stride if it is not"
                return found._replace(notes=(*found.notes, note))
    return None


def _followed(kernels: Mapping[str, np.ndarray], architecture: Architecture) -> Network | None:
    ends = [name.removesuffix(architecture.first) for name in kernels if name.endswith(architecture.first)]
    for prefix in ends:
        if all(name.startswith(prefix) for name in kernels) and prefix[-1:] in ("", "."):
            walk = Walk(kernels, prefix)
            try:
                architecture.follow(walk)
            except Unlike:
                continue
            if not walk.left:
                return walk.graph.network()
    return None
