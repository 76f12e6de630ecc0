"""Runs looked at along their training: every pair of layers at steps that double, and how far its layers have come."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import jax
import numpy as np
from jaxtyping import Array, Float

from sicjax import figures, networks, runs, sdr
from sicjax.experiments._lab import Lab
from sicjax.experiments._result import write_json

NUMBERS = ("marginal", "adaptation", "coupling", "energy")
LAYERS = ("first moved", "second moved")
DOUBLINGS = 9

# Of every pair of layers, by name, a value at each look for every number and for both layers' displacements.
Course = dict[str, dict[str, list[float]]]


def looks(steps: int) -> tuple[int, ...]:
    """The steps at which a run of so many is looked at: 0, and nine that double up to the last.

    >>> looks(4096)
    (0, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096)
    """
    return (0, *sorted({steps >> k for k in range(DOUBLINGS)} - {0}))


def vae(lab: Lab, images: int, seed: int) -> Path:
    """A VAE of half the preset's width trained on so many images: small batches, no mirroring, the smallest beta."""
    config = lab.preset.vae
    halved: dict[str, Any] = {
        name: tuple(max(c // 2, 2) for c in getattr(config, name)) for name in ("encoder", "decoder")
    }
    return lab.vae(
        seed, beta=lab.preset.betas[-1], name=f"vae-{images}", subset=images, flip=False, **halved, **_often(config)
    )


def gan(lab: Lab, seed: int) -> Path:
    """The preset's GAN, with small batches."""
    return lab.gan(seed, "gan-looks", **_often(lab.preset.gan))


def _often(config: Any) -> dict[str, Any]:
    ends = dict.fromkeys(("sample_every", "measure_every", "save_every"), config.steps)
    return {"batch": max(config.batch // 4, 2), "save_at": looks(config.steps), **ends}


def pairs_at(folder: Path, step: int) -> dict[str, sdr.Cascade]:
    """The pairs of layers of a run at a step; of a GAN those of the weights as trained, not of their average."""
    return {
        pair.name: pair.cascade for pair in networks.from_file(folder, step=step).pairs if pair.network != "average"
    }


def course(lab: Lab, folder: Path) -> Course:
    """The numbers and displacements of a run's pairs at all its looks; computed once."""
    steps = looks(runs.checkpoints(folder)[-1])
    name = "-".join(folder.relative_to(lab.out / "runs").parts)
    kept = lab.out / "measured" / f"{name}-looks-{steps[-1]}.json"
    if not kept.exists():
        lab.say(f"measuring {name} at {len(steps)} steps")
        start, found = pairs_at(folder, 0), {}
        for now in (pairs_at(folder, step) for step in steps):
            for pair, cascade in now.items():
                moved = displacement(start[pair].first, cascade.first), displacement(start[pair].second, cascade.second)
                for key, value in (numbers(cascade) | dict(zip(LAYERS, moved, strict=True))).items():
                    found.setdefault(pair, {}).setdefault(key, []).append(value)
        write_json(kept, found)
    return json.loads(kept.read_text())


def numbers(pair: sdr.Cascade) -> dict[str, float]:
    """The numbers of a pair."""
    parts, coupling = sdr.decompose(pair), sdr.coupling(pair)
    found = (parts.marginal, parts.adaptation, coupling.coupling, coupling.energy)
    return dict(zip(NUMBERS, map(float, jax.device_get(found)), strict=True))


def displacement(before: Float[Array, "*k m o"], now: Float[Array, "*k m o"]) -> float:
    """`|W - W0| / |W0|`."""
    return float(np.linalg.norm(np.subtract(now, before)) / np.linalg.norm(before))


def moved(pair: Mapping[str, Sequence[float]]) -> list[float]:
    """How far a pair has come at each look: the mean over its two layers."""
    return np.mean([pair[layer] for layer in LAYERS], axis=0).tolist()


def untrained(pair: sdr.Cascade, count: int) -> dict[str, list[float]]:
    """The numbers of so many pairs like this one whose weights are drawn from a Gaussian, as all training begins."""
    rng, found = np.random.default_rng(0), {name: [] for name in NUMBERS}
    for _ in range(count):
        first, second = (rng.standard_normal(kernel.shape, np.float32) for kernel in (pair.first, pair.second))
        drawn = sdr.Cascade(first, second, pair.down, pair.up, pair.first_dilation, pair.second_dilation)
        for name, value in numbers(drawn).items():
            found[name].append(value)
    return found


def panels(
    named: Mapping[str, Iterable[Mapping[str, Mapping[str, Sequence[float]]]]], steps: Sequence[int] | None = None
) -> dict[str, dict[str, list[figures.Curve]]]:
    """A panel for each number and pair, as `figures.lines` takes them: the course of every run.

    Arguments:
        named: runs by what they are to be called.
        steps: of the looks, to draw against; without them displacement.
    """
    found: dict[str, dict[str, list[figures.Curve]]] = {number: {} for number in NUMBERS}
    for label, given in named.items():
        for each in given:
            for pair, values in each.items():
                x = moved(values) if steps is None else steps
                for number in NUMBERS:
                    column = found[number].setdefault(pair.replace(".", "\n", 1), [])
                    column.append(figures.Curve(label, x, values[number]))
    return found
