"""Networks as people have them, with random weights: of torchvision, timm and diffusers, and one for sound."""

import importlib
import itertools

import torch
from torch import nn
from torch.nn.utils import parametrizations, weight_norm

# Settings under which diffusers builds its networks small.
SMALL = {"block_out_channels": (8, 16), "layers_per_block": 1, "norm_num_groups": 4}
DOWN, UP = "DownBlock2D AttnDownBlock2D".split(), "AttnUpBlock2D UpBlock2D".split()


class Residual(nn.Module):
    """Dilated convolutions in a residual block, each with its weight normalised."""

    def __init__(self, channels, kernel, norm):
        super().__init__()
        conv = lambda d: norm(nn.Conv1d(channels, channels, kernel, dilation=d, padding=(kernel - 1) * d // 2))
        self.dilated, self.plain = nn.ModuleList(map(conv, (1, 3))), nn.ModuleList(map(conv, (1, 1)))

    def forward(self, x):
        for dilated, plain in zip(self.dilated, self.plain, strict=True):
            x = x + plain(nn.functional.leaky_relu(dilated(nn.functional.leaky_relu(x, 0.1)), 0.1))
        return x


class HiFiGan(nn.Module):
    """A vocoder: transposed convolutions, after each the mean of residual blocks of several kernel sizes."""

    def __init__(self, norm):
        super().__init__()
        self.pre = norm(nn.Conv1d(10, 16, 7, padding=3))
        self.ups = nn.ModuleList(
            norm(nn.ConvTranspose1d(16 >> k, 8 >> k, 2 * s, s, s // 2)) for k, s in ((0, 4), (1, 2))
        )
        self.blocks = nn.ModuleList(Residual(8 >> k, size, norm) for k in range(2) for size in (3, 5))
        self.post = norm(nn.Conv1d(4, 1, 7, padding=3))

    def forward(self, x):
        x = self.pre(x)
        for k, up in enumerate(self.ups):
            x = up(nn.functional.leaky_relu(x, 0.1))
            x = sum(block(x) for block in self.blocks[2 * k : 2 * k + 2]) / 2
        return torch.tanh(self.post(nn.functional.leaky_relu(x)))


def torchvision(name, size=64, **settings):
    models = importlib.import_module("torchvision.models")
    return models.get_model(name, weights=None, **settings), (torch.zeros(1, 3, size, size),)


def densenet():
    small = importlib.import_module("torchvision.models").DenseNet(8, (2, 2), 8)
    return small, (torch.zeros(1, 3, 64, 64),)


def timm(name, size=64, **settings):
    return importlib.import_module("timm").create_model(name, **settings), (torch.zeros(1, 3, size, size),)


def unet():
    settings = {"down_block_types": DOWN, "up_block_types": UP, "attention_head_dim": 4, "sample_size": 16, **SMALL}
    return importlib.import_module("diffusers").UNet2DModel(**settings), (torch.zeros(1, 3, 16, 16), torch.tensor([3]))


def conditioned_unet():
    """As in Stable Diffusion: convolutions before and after each attention."""
    down, up = ["CrossAttnDownBlock2D", "DownBlock2D"], ["UpBlock2D", "CrossAttnUpBlock2D"]
    settings = {
        "down_block_types": down,
        "up_block_types": up,
        "attention_head_dim": 4,
        "cross_attention_dim": 8,
        **SMALL,
    }
    inputs = torch.zeros(1, 4, 16, 16), torch.tensor([3]), torch.zeros(1, 5, 8)
    return importlib.import_module("diffusers").UNet2DConditionModel(sample_size=16, **settings), inputs


def autoencoder():
    settings = {"down_block_types": ["DownEncoderBlock2D"] * 2, "up_block_types": ["UpDecoderBlock2D"] * 2, **SMALL}
    return importlib.import_module("diffusers").AutoencoderKL(**settings), (torch.zeros(1, 3, 16, 16),)


# For each network the library that it takes and what builds it, with an input, and how many pairs it has.
NETWORKS = {
    "HiFi-GAN": (None, lambda: (HiFiGan(weight_norm), (torch.zeros(1, 10, 16),)), 31),
    "HiFi-GAN, parametrized": (None, lambda: (HiFiGan(parametrizations.weight_norm), (torch.zeros(1, 10, 16),)), 31),
    "ResNet": ("torchvision", lambda: torchvision("resnet18"), 35),
    "VGG": ("torchvision", lambda: torchvision("vgg11_bn", 224), 7),
    "DenseNet": ("torchvision", densenet, 13),
    "MobileNetV3": ("torchvision", lambda: torchvision("mobilenet_v3_small"), 50),
    "ConvNeXt": ("torchvision", lambda: torchvision("convnext_tiny"), 21),
    "LR-ASPP": ("torchvision", lambda: torchvision("lraspp_mobilenet_v3_large", weights_backbone=None), 71),
    "EfficientNet": ("timm", lambda: timm("efficientnet_b0"), 78),
    "ResNet-D": ("timm", lambda: timm("resnet18d"), 37),
    "RegNet": ("timm", lambda: timm("regnetx_002"), 82),
    "MobileNetV4": ("timm", lambda: timm("mobilenetv4_conv_small"), 74),
    "ConvNeXtV2": ("timm", lambda: timm("convnextv2_atto"), 67),
    "GhostNet": ("timm", lambda: timm("ghostnet_050"), 194),
    "UNet2DModel": ("diffusers", unet, 48),
    "AutoencoderKL": ("diffusers", autoencoder, 49),
}


def build(name):
    """A network, its weights and statistics random, and its inputs."""
    torch.manual_seed(0)
    module, inputs = NETWORKS[name][1]()
    with torch.no_grad():
        for part in module.modules():
            if isinstance(part, nn.modules.batchnorm._BatchNorm):
                for tensor in itertools.chain(part.parameters(recurse=False), [part.running_mean, part.running_var]):
                    tensor.uniform_(0.5, 1.5)
    return module, inputs
