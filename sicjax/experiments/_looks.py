"""Runs looked at along their training: every pair of layers at steps that double, and how far its layers have come."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import jax
import numpy as np
from jaxtyping import Array, Float

from sicjax import networks, sdr
from sicjax.experiments._lab import Lab

NUMBERS = ("marginal", "adaptation", "coupling", "energy")
DOUBLINGS = 9


def looks(steps: int) -> tuple[int, ...]:
    """The steps at which a run of so many is looked at: 0, and nine that double up to the last.

    >>> looks(4096)
    (0, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096)
    """
    return (0, *sorted({steps >> k for k in range(DOUBLINGS)} - {0}))


def vae(lab: Lab, images: int, seed: int) -> Path:
    """A VAE of half the preset's width trained on so many images: small batches, no mirroring, the smallest beta."""
    config = lab.preset.vae
    halved = {name: tuple(max(c // 2, 2) for c in getattr(config, name)) for name in ("encoder", "decoder")}
    return lab.vae(
        seed, beta=lab.preset.betas[-1], name=f"vae-{images}", subset=images, flip=False, **halved, **_often(config)
    )


def gan(lab: Lab, seed: int) -> Path:
    """The preset's GAN, with small batches."""
    return lab.gan(seed, "gan-looks", **_often(lab.preset.gan))


def _often(config: Any) -> dict[str, Any]:
    ends = dict.fromkeys(("sample_every", "measure_every", "save_every"), config.steps)
    return {"batch": max(config.batch // 4, 2), "save_at": looks(config.steps), **ends}


def course(folder: Path, steps: Sequence[int]) -> dict[str, dict[str, Any]]:
    """Of every pair of layers of a run its numbers at these steps, and the displacements of both its layers."""
    found: dict[str, dict[str, Any]] = {}
    start: dict[str, sdr.Cascade] = {}
    for step in steps:
        for pair in networks.from_file(folder, step=step).pairs:
            if pair.network == "average":
                continue
            before = start.setdefault(pair.name, pair.cascade)
            values = {name: float(value) for name, value in measured(pair.cascade).items()}
            values["first moved"] = displacement(before.first, pair.cascade.first)
            values["second moved"] = displacement(before.second, pair.cascade.second)
            here = found.setdefault(pair.name, {"shape": pair.cascade.shape})
            for name, value in values.items():
                here.setdefault(name, []).append(value)
    return found


@jax.jit
def measured(pair: sdr.Cascade) -> dict[str, Array]:
    """The numbers of a pair."""
    parts, coupling = sdr.decompose(pair), sdr.coupling(pair)
    return {
        "marginal": parts.marginal,
        "adaptation": parts.adaptation,
        "coupling": coupling.coupling,
        "energy": coupling.energy,
    }


def displacement(before: Float[Array, "*k m o"], now: Float[Array, "*k m o"]) -> float:
    """`|W - W0| / |W0|`."""
    return float(np.linalg.norm(now - before) / np.linalg.norm(before))
