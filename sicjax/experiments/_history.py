"""A run along its training: what its directory logged of every pair, and the images it drew from the same latents."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float, UInt8

from sicjax import quality, runs

LOGGED = ("mean", "std", "marginal", "adaptation", "z")
QUANTILES = {"low": 0.05, "median": 0.5, "high": 0.95}


def history(folder: Path, names: Sequence[str]) -> dict[str, Any]:
    """The steps at which a run was measured, and of each pair named its numbers at all of them."""
    found = runs.measures(folder)
    pairs: dict[str, dict[str, list[float | None]]] = {}
    for name in names:
        pairs[name] = {key: [measure.pairs[name][key] for measure in found] for key in LOGGED}
        for key, q in QUANTILES.items():
            pairs[name][key] = [measure.histograms[name].quantile(q) for measure in found]
    return {"steps": [measure.step for measure in found], "pairs": pairs}


def pictures(folder: Path, size: int) -> tuple[list[int], UInt8[np.ndarray, "steps n size size 3"]]:
    """The steps at which a run drew samples, and the samples, always of the same latent variables."""
    return runs.pictures(folder, runs.SAMPLES, size=size)


def quality_along(
    steps: Sequence[int], images: UInt8[np.ndarray, "steps n h w 3"], reference: Float[np.ndarray, "m h w 3"]
) -> dict[str, Any]:
    """How far the samples of each step are from real images, as many of these, and how much they differ."""
    count = min(images.shape[1], len(reference))
    scaled = images[:, :count].astype(np.float32) / 127.5 - 1
    return {
        "steps": list(steps),
        "images": count,
        "sliced_wasserstein": [quality.sliced_wasserstein(each, reference[:count]) for each in scaled],
        "diversity": [quality.diversity(each) for each in scaled],
    }
