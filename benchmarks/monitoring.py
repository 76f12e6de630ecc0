"""What does it cost to watch the measure during training? A DCGAN step with and without the moments of every pair.

    python benchmarks/monitoring.py [--batch 32] [--size 64]

Full-width DCGAN (512-256-128-64-3 and back, 4 x 4 kernels), both losses and Adam updates in one jitted step; the pairs
are found once, and their moments computed inside the step. Writes benchmarks/results/monitoring.json.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import time
from pathlib import Path

import jax
import jax.numpy as jnp
import optax
from flax import nnx

import sicjax.sdr as sdr
from sicjax import networks

RESULTS = Path(__file__).parent / "results"


class Generator(nnx.Module):
    def __init__(self, size: int, rngs: nnx.Rngs):
        channels = (512, 256, 128, 64, 3)[-(size.bit_length() - 2) :]
        self.first = channels[0]
        self.dense = nnx.Linear(100, 4 * 4 * channels[0], rngs=rngs)
        pairs = list(zip(channels, channels[1:], strict=False))
        self.convs = nnx.List([nnx.ConvTranspose(i, o, (4, 4), strides=2, rngs=rngs) for i, o in pairs])
        self.norms = nnx.List([nnx.BatchNorm(i, rngs=rngs) for i, _ in pairs])

    def __call__(self, z):
        x = self.dense(z).reshape(-1, 4, 4, self.first)
        for norm, conv in zip(self.norms, self.convs, strict=True):
            x = conv(jax.nn.relu(norm(x)))
        return jnp.tanh(x)


class Discriminator(nnx.Module):
    def __init__(self, size: int, rngs: nnx.Rngs):
        channels = (3, 64, 128, 256, 512)[: size.bit_length() - 2]
        pairs = list(zip(channels, channels[1:], strict=False))
        self.convs = nnx.List([nnx.Conv(i, o, (4, 4), strides=2, rngs=rngs) for i, o in pairs])
        self.dense = nnx.Linear(4 * 4 * channels[-1], 1, rngs=rngs)

    def __call__(self, x):
        for conv in self.convs:
            x = jax.nn.leaky_relu(conv(x), 0.2)
        return self.dense(x.reshape(x.shape[0], -1))


def losses(generator, discriminator, z, images):
    fake, real = discriminator(generator(z)), discriminator(images)
    ones, zeros = jnp.ones_like(fake), jnp.zeros_like(fake)
    entropy = optax.sigmoid_binary_cross_entropy
    return entropy(fake, ones).mean(), (entropy(real, ones) + entropy(fake, zeros)).mean()


def watched(nets, models):
    return {name: sdr.moments(p) for net, m in zip(nets, models, strict=True) for name, p in net.bind(m).items()}


def make_step(nets, watch: bool):
    @nnx.jit
    def step(models, optimizers, z, images):
        generator, discriminator = models
        of_generator = nnx.grad(lambda *given: losses(*given)[0], argnums=0)(generator, discriminator, z, images)
        of_discriminator = nnx.grad(lambda *given: losses(*given)[1], argnums=1)(generator, discriminator, z, images)
        for optimizer, model, gradients in zip(optimizers, models, (of_generator, of_discriminator), strict=True):
            optimizer.update(model, gradients)
        return watched(nets, models) if watch else {}

    return step


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--size", type=int, default=64, choices=(32, 64))
    args = parser.parse_args()
    rngs = nnx.Rngs(0)
    models = Generator(args.size, rngs), Discriminator(args.size, rngs)
    z = jax.random.normal(jax.random.key(0), (args.batch, 100))
    images = jax.random.normal(jax.random.key(1), (args.batch, args.size, args.size, 3))
    start = time.perf_counter()
    nets = networks.from_module(models[0], z), networks.from_module(models[1], images)
    found = time.perf_counter() - start
    optimizers = tuple(nnx.Optimizer(m, optax.adam(2e-4, b1=0.5), wrt=nnx.Param) for m in models)
    steps = {"step": make_step(nets, False), "step with moments": make_step(nets, True)}
    seconds = {name: [] for name in steps}
    for step in steps.values():
        jax.block_until_ready((step(models, optimizers, z, images), nnx.state(models)))
    for _ in range(7):
        for name, step in steps.items():
            begin = time.perf_counter()
            jax.block_until_ready((step(models, optimizers, z, images), nnx.state(models)))
            seconds[name].append(time.perf_counter() - begin)
    moments = nnx.jit(lambda models: watched(nets, models))
    jax.block_until_ready(moments(models))
    begin = time.perf_counter()
    jax.block_until_ready(moments(models))
    only = time.perf_counter() - begin
    median = {name: statistics.median(s) for name, s in seconds.items()}
    device = f"{jax.devices()[0].device_kind}, {os.cpu_count()} CPU cores, jax {jax.__version__}"
    result = {
        "device": device,
        "batch": args.batch,
        "size": args.size,
        "pairs": sum(len(net.pairs) for net in nets),
        "seconds to find the pairs": found,
        "seconds a step": median["step"],
        "seconds a step with moments": median["step with moments"],
        "seconds of the moments alone": only,
        "moments over step": only / median["step"],
    }
    RESULTS.mkdir(exist_ok=True)
    RESULTS.joinpath("monitoring.json").write_text(json.dumps(result, indent=1) + "\n")
    print(json.dumps(result, indent=1))


if __name__ == "__main__":
    main()
