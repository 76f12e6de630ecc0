"""What the numbers of a verdict scatter by in networks that nobody trained: where their bounds come from."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path

import jax
import numpy as np

from sicjax import networks, sdr, train
from sicjax.experiments._measured import measured_file
from sicjax.experiments._net import NUMBERS, numbers
from sicjax.experiments._preset import Preset
from sicjax.experiments._result import versions, write_json

# Networks drawn of each kind; fewer of those so wide that they hardly scatter.
DRAWS, WIDE, FEWER = 40, 2_000_000, 4

# Of each level and number the mean and standard deviation over draws.
Scatter = list[dict[str, dict[str, float]]]


def untrained(preset: Preset) -> dict[str, Scatter]:
    """Of every network of the plan: `generator`, `discriminator`, `encoder` and a `decoder-N` for its channels."""
    nets = dict(train.gan_task(preset.gan).networks)
    for channels in preset.channels:
        config = dataclasses.replace(preset.vae, decoder=(*preset.vae.decoder[:-1], channels))
        of = train.vae_task(config).networks
        nets |= {"encoder": of["encoder"], f"decoder-{channels}": of["decoder"]}
    return {name: scatter(net, DRAWS) for name, net in nets.items()}


def scatter(net: networks.Network, draws: int | None = None) -> Scatter:
    """Of one network in a file, its kernels drawn from a Gaussian again and again."""
    if draws is None:
        draws = DRAWS if max(pair.cascade.pathways for pair in net.pairs) < WIDE else FEWER
    rows: Sequence[Sequence[Mapping[str, float]]] = [
        numbers(next(iter(measured_file(drawn(net, seed)).values()))) for seed in range(draws)
    ]
    return [
        {
            name: {"mean": float(np.mean(values)), "sd": float(np.std(values, ddof=1))}
            for name in NUMBERS
            for values in [[levels[k][name] for levels in rows]]
        }
        for k in range(len(rows[0]))
    ]


def drawn(net: networks.Network, seed: int) -> networks.Network:
    """The network with Gaussian kernels for its own, of which ratios know the shapes alone."""
    rng = np.random.default_rng(seed)

    def again(pair: networks.Pair) -> networks.Pair:
        old = pair.cascade
        first, second = (rng.standard_normal(kernel.shape, np.float32) for kernel in (old.first, old.second))
        new = sdr.Cascade(first, second, old.down, old.up, old.first_dilation, old.second_dilation)
        return pair._replace(cascade=jax.device_put(new))

    return net._replace(pairs=tuple(again(pair) for pair in net.pairs))


def write_untrained(preset: Preset, file: Path) -> Path:
    """Writes what untrained networks of the plan show, unless it is there."""
    if not file.exists():
        write_json(file, {"draws": DRAWS, "versions": versions(), "networks": untrained(preset)})
    return file
