"""How many images a second do the DCGAN's and the VAE's steps train on, against PyTorch doing the same?

    python benchmarks/training.py [--size 64] [--batch 32] [--dtype float32]

Same architecture, batch, losses and optimiser on the same device, random images in memory. On a GPU PyTorch runs with
channels_last, autocast for bfloat16, and `torch.compile`. Also: the gradient of a transposed convolution against the
one XLA derives from `lax.conv_transpose`, and the share of time that training waits for images.
"""

from __future__ import annotations

import argparse
import json
import os
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from statistics import median

import jax
import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from sicjax import data, models, train
from sicjax.train._feed import Feed
from sicjax.train._loop import _advance

ROUNDS = 3
RESULTS = Path(__file__).parent / "results" / "training.json"


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    options.add_argument("--size", type=int, default=64)
    options.add_argument("--batch", type=int, default=32)
    options.add_argument("--dtype", choices=("float32", "bfloat16"), default="float32")
    options.add_argument("--seconds", type=float, default=20, help="of each measurement")
    options.add_argument("--out", type=Path, default=RESULTS)
    given = options.parse_args()
    device = jax.devices()[0]
    torch.set_num_threads(os.cpu_count() or 1)
    result = {
        "device": f"{device.device_kind}, {os.cpu_count()} CPU cores, jax {jax.__version__}, torch {torch.__version__}",
        "batch": given.batch,
        "size": given.size,
        "dtype": given.dtype,
        "images_per_second": {},
    }
    common = dict(size=given.size, batch=given.batch, dtype=given.dtype)
    pixels = np.random.default_rng(0).integers(0, 256, (4096, given.size, given.size, 3), np.uint8)
    cases = {
        "gan": (train.gan_task(train.GanConfig(**common)), train.GanConfig(**common), TorchGan),
        "vae": (train.vae_task(train.VaeConfig(**common)), train.VaeConfig(**common), TorchVae),
    }
    for name, (task, config, peer) in cases.items():
        step, waiting = ours(task, config, pixels)
        theirs = peer(given.size, torch_device(device), given.dtype)
        both = {"sicjax": step, "PyTorch": partial(theirs.step, pixels[: given.batch])}
        rates = alternately(both, given.batch, given.seconds)
        rates["sicjax over PyTorch"] = rates["sicjax"] / rates["PyTorch"]
        rates["share of time waiting for images, on the device"] = waiting(True, given.seconds / 4)
        rates["share of time waiting for images, streamed"] = waiting(False, given.seconds / 4)
        result["images_per_second"][name] = rates
        print(name, json.dumps(rates, indent=1), flush=True)
    result["transposed_convolution_ms"] = transposed(given.batch, given.seconds / 4)
    print(json.dumps(result["transposed_convolution_ms"], indent=1))
    given.out.parent.mkdir(exist_ok=True)
    given.out.write_text(json.dumps(result, indent=1) + "\n")


def alternately(steps: dict[str, Callable[[], object]], images: int, seconds: float) -> dict[str, float]:
    """Images a second of each, run in turns so that what else the machine does hits both alike.

    A turn is several steps after a rest, because the threads of one library still spin when the other starts.
    """
    times: dict[str, list[float]] = {name: [] for name in steps}
    for _ in range(ROUNDS):
        for name, step in steps.items():
            time.sleep(0.5)
            step()
            start = time.perf_counter()
            while not times[name] or time.perf_counter() - start < seconds / ROUNDS / len(steps):
                before = time.perf_counter()
                step()
                times[name].append(time.perf_counter() - before)
    return {name: images / median(found) for name, found in times.items()}


def ours(task: train.Task, config: train.Config, pixels: np.ndarray):
    """A step as training runs it, and the share of its time in which it waits for images."""
    together = 1 if jax.devices()[0].platform == "cpu" else 10
    advance = jax.jit(lambda state, pixels, given: _advance(task.step, state, pixels, given), donate_argnums=0)
    held = {"state": task.init(), "step": 0}
    mesh = jax.sharding.Mesh(np.array(jax.devices()[:1]), ("data",))
    images = data.Images("random", pixels, tuple(map(str, range(len(pixels)))))
    feeds = {
        fits: Feed(images, len(pixels), type(config)(size=config.size, batch=config.batch, on_device=fits), mesh)
        for fits in (True, False)
    }

    def run(fits: bool = True) -> float:
        before = time.perf_counter()
        given = feeds[fits].steps(held["step"], held["step"] + together)
        waited = time.perf_counter() - before
        held["state"], metrics = advance(held["state"], feeds[fits].pixels, given)
        jax.block_until_ready(metrics)
        held["step"] += together
        return waited

    def waiting(fits: bool, seconds: float) -> float:
        run(fits)
        waited, start = 0.0, time.perf_counter()
        while time.perf_counter() - start < seconds:
            waited += run(fits)
        return waited / (time.perf_counter() - start)

    return (lambda: [run() for _ in range(1)]) if together == 1 else run, waiting


def transposed(batch: int, seconds: float) -> dict[str, dict[str, float]]:
    """Milliseconds of the kernel's and the input's gradient for each layer of the generator."""
    found = {}
    for side, i, o in ((4, 512, 256), (8, 256, 128), (16, 128, 64), (32, 64, 3)):
        keys = jax.random.split(jax.random.key(0), 3)
        x, g = (jax.random.normal(key, (batch, n, n, c)) for key, n, c in ((keys[0], side, i), (keys[1], 2 * side, o)))
        kernel = jax.random.normal(keys[2], (4, 4, i, o))
        forms = {
            "lax.conv_transpose": lambda x, k: jax.lax.conv_transpose(x, k, (2, 2), "SAME"),
            "models.conv_transpose": lambda x, k: models.conv_transpose(x, k, 2),
        }
        steps = {}
        for name, form in forms.items():
            gradient = jax.jit(lambda x, k, g, form=form: jax.vjp(form, x, k)[1](g))
            steps[name] = lambda gradient=gradient, x=x, kernel=kernel, g=g: jax.block_until_ready(
                gradient(x, kernel, g)
            )
        rates = alternately(steps, 1, seconds)
        found[f"{i} to {o}"] = {name: 1000 / rate for name, rate in rates.items()}
    totals = {
        name: sum(layer[name] for layer in found.values()) for name in ("lax.conv_transpose", "models.conv_transpose")
    }
    return {**found, "all": totals, "ratio": totals["lax.conv_transpose"] / totals["models.conv_transpose"]}


def torch_device(device: jax.Device) -> torch.device:
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


if __name__ == "__main__":
    main()
