"""Figures 7, 8, 9 and 11: VAEs with more or fewer channels and a stronger or weaker KL term."""

from __future__ import annotations

from itertools import product
from pathlib import Path
from typing import Any

import numpy as np

from sicjax import figures, models, runs
from sicjax.experiments._experiment import Experiment
from sicjax.experiments._images import draw as samples
from sicjax.experiments._images import judge, real
from sicjax.experiments._lab import Lab
from sicjax.experiments._levels import curves, measured_seeds
from sicjax.experiments._result import to_uint8

SHOWN, ACROSS = 64, 6


def run(lab: Lab):
    preset, found, images = lab.preset, [], {}
    reference = real(preset.vae, preset.judged)
    for channels, beta in product(preset.channels, preset.betas):
        folders = [lab.vae(seed, channels, beta) for seed in preset.seeds]
        drawn = [samples(models.load(folder)["decoder"], max(len(reference), SHOWN)) for folder in folders]
        found.append(
            {
                "channels": channels,
                "beta": beta,
                **measured_seeds(lab, folders),
                "quality": [judge(each, reference) for each in drawn],
                "training": [_last(folder) for folder in folders],
            }
        )
        images[f"{channels} channels, beta {beta:g}"] = to_uint8(drawn[0][:SHOWN])
    return {"variants": found}, images


def _last(folder: Path) -> dict[str, Any]:
    """The error on images held out, and the KL term, at the end."""
    last = lambda name: runs.log(folder, name)[-1]
    return {"held_out_error": last(runs.SCORES)["score"], "kl": last(runs.METRICS)["kl"]}


def draw(result, images):
    variants = result["variants"]
    label = lambda v: f"{v['channels']} ch, β = {v['beta']:g}"
    worst, best = variants[0], variants[-1]
    grid = {
        (f"{v['channels']} channels", f"β = {v['beta']:g}"): images[f"{v['channels']} channels, beta {v['beta']:g}"][
            : 3 * ACROSS
        ]
        for v in variants
    }
    plain = images[f"{worst['channels']} channels, beta {worst['beta']:g}"]
    rows = len(plain) // 8
    return {
        "fig7": figures.blocks(grid, across=ACROSS),
        "fig8": figures.distributions(curves({label(v): v["networks"]["encoder"] for v in variants}), title="encoder"),
        "fig9": figures.distributions(
            curves({f"{label(v)}": v["networks"]["decoder"] for v in (worst, best)}), title="decoder"
        ),
        "fig11": figures.table(np.reshape(plain[: rows * 8], (rows, 8, *plain.shape[1:])), columns=[""] * 8, width=4.5),
    }


EXPERIMENT = Experiment("sweep", ("fig7", "fig8", "fig9", "fig11"), "VAEs by channels and beta", run, draw)
