"""The DCGAN and the VAE of `training.py` as one writes them in PyTorch, each with a step of training."""

from __future__ import annotations

import os

import jax
import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from sicjax import train

VERSION = torch.__version__
torch.set_num_threads(os.cpu_count() or 1)


def device_of(device: jax.Device) -> torch.device:
    return torch.device("cuda" if device.platform in ("gpu", "cuda") else "cpu")


def torch_up(latent, channels, strides, kernel, size):
    base = size // int(np.prod(strides))
    layers = [nn.Linear(latent, base * base * channels[0], bias=False), nn.Unflatten(1, (channels[0], base, base))]
    ends = (*channels, 3)
    for k, stride in enumerate(strides):
        layers += [nn.BatchNorm2d(ends[k]), nn.ReLU(True)]
        low, extra = (kernel - stride + 1) // 2, (kernel - stride) % 2
        last = k == len(strides) - 1
        layers.append(nn.ConvTranspose2d(ends[k], ends[k + 1], kernel, stride, low, extra, bias=last))
    return nn.Sequential(*layers, nn.Tanh())


def torch_down(outputs, channels, strides, kernel, size, first_norm, activation):
    layers, ends = [], (3, *channels)
    for k, stride in enumerate(strides):
        bare = k == 0 and not first_norm
        layers.append(nn.Conv2d(ends[k], ends[k + 1], kernel, stride, (kernel - stride + 1) // 2, bias=bare))
        layers += [] if bare else [nn.BatchNorm2d(ends[k + 1])]
        layers.append(activation())
    base = size // int(np.prod(strides))
    return nn.Sequential(*layers, nn.Flatten(), nn.Linear(base * base * channels[-1], outputs))


class TorchPeer:
    """What both peers do alike: place and compile networks, bring images, run a step to its end."""

    def __init__(self, device: torch.device, dtype: str, nets: list[nn.Module]) -> None:
        self.device = device
        self.autocast = torch.autocast(device.type, torch.bfloat16, enabled=dtype == "bfloat16")
        nets = [net.to(device, memory_format=torch.channels_last) for net in nets]
        self.nets = [torch.compile(net) if device.type == "cuda" else net for net in nets]
        self.pixels: torch.Tensor | None = None

    def step(self, pixels: np.ndarray) -> None:
        if self.pixels is None:
            self.pixels = torch.from_numpy(pixels).to(self.device).permute(0, 3, 1, 2)
        x = self.pixels.to(memory_format=torch.channels_last, dtype=torch.float32) / 127.5 - 1
        x = torch.where(torch.rand(len(x), 1, 1, 1, device=x.device) < 0.5, x.flip(3), x)
        self.train(x)
        if self.device.type == "cuda":
            torch.cuda.synchronize()


class TorchGan(TorchPeer):
    def __init__(self, size: int, device: torch.device, dtype: str) -> None:
        config = train.GanConfig(size=size)
        up, down = (2,) * len(config.generator), (2,) * len(config.discriminator)
        leaky = lambda: nn.LeakyReLU(0.2, True)
        generator = torch_up(config.latent, config.generator, up, config.kernel, size)
        discriminator = torch_down(1, config.discriminator, down, config.kernel, size, False, leaky)
        super().__init__(device, dtype, [generator, discriminator])
        self.latent = config.latent
        self.optimisers = [torch.optim.Adam(net.parameters(), 2e-4, (0.5, 0.999)) for net in self.nets]
        self.average = [p.detach().clone() for p in generator.parameters()]

    def train(self, x: torch.Tensor) -> None:
        generator, discriminator = self.nets
        of_generator, of_discriminator = self.optimisers
        with self.autocast:
            fake = generator(torch.randn(len(x), self.latent, device=x.device))
            loss = F.softplus(-discriminator(x)).mean() + F.softplus(discriminator(fake.detach())).mean()
        of_discriminator.zero_grad(set_to_none=True)
        loss.backward()
        of_discriminator.step()
        for p in discriminator.parameters():
            p.requires_grad_(False)
        with self.autocast:
            loss = F.softplus(-discriminator(fake)).mean()
        of_generator.zero_grad(set_to_none=True)
        loss.backward()
        of_generator.step()
        for p in discriminator.parameters():
            p.requires_grad_(True)
        with torch.no_grad():
            torch._foreach_lerp_(self.average, list(generator.parameters()), 0.001)


class TorchVae(TorchPeer):
    def __init__(self, size: int, device: torch.device, dtype: str) -> None:
        config = train.VaeConfig(size=size)
        down, up = (2,) * len(config.encoder), (*(2,) * (len(config.decoder) - 1), 1)
        encoder = torch_down(2 * config.latent, config.encoder, down, config.kernel, size, True, lambda: nn.ReLU(True))
        decoder = torch_up(config.latent, config.decoder, up, config.kernel, size)
        super().__init__(device, dtype, [encoder, decoder])
        self.optimiser = torch.optim.Adam([p for net in self.nets for p in net.parameters()], 1e-3, (0.5, 0.999))

    def train(self, x: torch.Tensor) -> None:
        encoder, decoder = self.nets
        with self.autocast:
            mean, log_variance = encoder(x).float().chunk(2, 1)
            z = mean + (log_variance / 2).exp() * torch.randn_like(mean)
            error = F.mse_loss(decoder(z).float(), x)
        kl = 0.5 * (mean**2 + log_variance.exp() - 1 - log_variance).sum(1).mean()
        self.optimiser.zero_grad(set_to_none=True)
        (error + 0.005 * kl).backward()
        self.optimiser.step()


PEERS = {"gan": TorchGan, "vae": TorchVae}
