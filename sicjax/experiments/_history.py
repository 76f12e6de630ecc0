"""A run along its training: what its directory logged of every pair, and the images it drew from the same latents."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float, UInt8

from sicjax import quality, sdr

LOGGED = ("mean", "std", "marginal", "adaptation", "z")
QUANTILES = {"low": 0.05, "median": 0.5, "high": 0.95}


def history(folder: Path, names: Sequence[str]) -> dict[str, Any]:
    """The steps at which a run was measured, and of each pair named its numbers at all of them."""
    lines = [json.loads(line) for line in (folder / "sdr.jsonl").read_text().splitlines()]
    pairs: dict[str, dict[str, list[float]]] = {}
    for name in names:
        pairs[name] = {key: [line["pairs"][name][key] for line in lines] for key in LOGGED}
        counted = [_counted(folder, line["step"], name) for line in lines]
        for key, q in QUANTILES.items():
            pairs[name][key] = [histogram.quantile(q) for histogram in counted]
    return {"steps": [line["step"] for line in lines], "pairs": pairs}


def _counted(folder: Path, step: int, name: str) -> sdr.Histogram:
    with np.load(folder / "sdr" / f"{step:07}.npz", allow_pickle=False) as arrays:
        return sdr.Histogram(arrays[name], arrays["edges"], 0, 0, 0)


def pictures(folder: Path, size: int) -> tuple[list[int], UInt8[np.ndarray, "steps n size size 3"]]:
    """The steps at which a run drew samples, and the samples, always of the same latent variables."""
    from PIL import Image

    files = sorted((folder / "samples").glob("*.png"))
    drawn = []
    for file in files:
        with Image.open(file) as page:
            pixels = np.asarray(page.convert("RGB"))
        rows, columns = pixels.shape[0] // size, pixels.shape[1] // size
        parts = pixels.reshape(rows, size, columns, size, 3).swapaxes(1, 2)
        drawn.append(parts.reshape(-1, size, size, 3))
    return [int(file.stem) for file in files], np.stack(drawn)


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
