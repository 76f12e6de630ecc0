"""The training runs of a replication, in the order in which they are done (`docs/replication/plan.md`)."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from itertools import product
from pathlib import Path
from typing import Literal, NamedTuple, Protocol

from sicjax.experiments._lab import Lab
from sicjax.experiments._preset import Preset


class Train(Protocol):
    """Trains a run in a lab, or finds it trained."""

    def __call__(self, lab: Lab, seed: int) -> Path: ...


class Run(NamedTuple):
    """A training run of the plan.

    Attributes:
        name: of the runs that differ by their seed alone.
        seed: of this one.
        kind: of network.
        train: it.
    """

    name: str
    seed: int
    kind: Literal["gan", "vae"]
    train: Train

    @property
    def label(self) -> str:
        return f"{self.name}-seed{self.seed}"


def planned(preset: Preset) -> list[Run]:
    """Every run: all kinds at the first seed, then at the next, so that what is done first says something of all."""
    kinds = list(_kinds(preset))
    seeds = sorted({*preset.seeds, *preset.seeds_of_vaes}, key=[*preset.seeds, *preset.seeds_of_vaes].index)
    return [Run(name, seed, kind, train) for seed in seeds for name, kind, of, train in kinds if seed in of]


def dropout_name(preset: Preset) -> str:
    return f"gan-dropout{preset.dropout:g}"


def penalty_name(kind: str, weight: float) -> str:
    return f"gan-{kind}{weight:g}"


def vae_name(channels: int, beta: float) -> str:
    return f"vae-{channels}-beta{beta:g}"


def swapped_names(preset: Preset) -> dict[str, str]:
    """The GAN at the VAE's learning rate and the VAE at the GAN's."""
    return {"gan": f"gan-rate{preset.vae.learning_rate:g}", "vae": f"vae-rate{preset.gan.learning_rate:g}"}


def _kinds(preset: Preset) -> Iterator[tuple[str, Literal["gan", "vae"], tuple[int, ...], Train]]:
    seeds, fewer, swapped = preset.seeds, preset.seeds_of_vaes, swapped_names(preset)
    yield "gan", "gan", seeds, partial(_gan, name="gan")
    for channels, beta in product(preset.channels, preset.betas):
        yield vae_name(channels, beta), "vae", fewer, partial(_vae, channels=channels, beta=beta)
    name = dropout_name(preset)
    yield name, "gan", seeds, partial(_gan, name=name, dropout=preset.dropout)
    rates = preset.vae.learning_rate, preset.gan.learning_rate
    yield swapped["gan"], "gan", fewer, partial(_gan, name=swapped["gan"], learning_rate=rates[0])
    yield swapped["vae"], "vae", fewer, partial(_vae, name=swapped["vae"], learning_rate=rates[1])
    for kind in ("departure", "adaptation"):
        for weight in getattr(preset, kind):
            name = penalty_name(kind, weight)
            yield name, "gan", seeds, partial(_gan, name=name, penalty=weight, penalty_kind=kind)


def _gan(lab: Lab, seed: int, **changes) -> Path:
    return lab.gan(seed, **changes)


def _vae(lab: Lab, seed: int, **changes) -> Path:
    return lab.vae(seed, **changes)
