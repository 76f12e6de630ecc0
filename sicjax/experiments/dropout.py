"""Figures 12 and 13: the GAN with and without dropout between the two finest layers, along training."""

from __future__ import annotations

import numpy as np

from sicjax import figures, models
from sicjax.experiments._experiment import Experiment
from sicjax.experiments._history import history, pictures, quality_along
from sicjax.experiments._images import draw as samples
from sicjax.experiments._images import judge, real
from sicjax.experiments._lab import Lab
from sicjax.experiments._levels import measured_seeds

LATENTS, MOMENTS = 5, 6


def run(lab: Lab):
    preset = lab.preset
    reference = real(preset.gan, preset.judged)
    found, images = {}, {}
    for name, rate in (("without", 0.0), ("with", preset.dropout)):
        folders = [
            lab.gan(seed, f"gan-dropout{rate:g}", dropout=rate) if rate else lab.gan(seed) for seed in preset.seeds
        ]
        measured = measured_seeds(lab, folders)
        levels = [level["name"] for level in measured["networks"]["generator"][0]]
        drawn = [pictures(folder, preset.gan.size) for folder in folders]
        found[name] = {
            "rate": rate,
            **measured,
            "levels": levels,
            "history": [history(folder, levels) for folder in folders],
            "along": [quality_along(*each, reference) for each in drawn],
            "quality": [
                judge(samples(models.load(folder)["average"], len(reference)), reference) for folder in folders
            ],
        }
        steps, pages = drawn[0]
        chosen = np.unique(np.linspace(0, len(steps) - 1, MOMENTS).round().astype(int))
        images[name], images[f"{name}: steps"] = pages[chosen][:, :LATENTS], np.array(steps)[chosen]
    return found, images


def draw(result, images):
    runs = {f"dropout {result['with']['rate']:g}": result["with"], "no dropout": result["without"]}
    tracks = [
        [
            figures.Track(label, [_track(each, run["levels"][k]) for each in run["history"]])
            for label, run in runs.items()
        ]
        for k in range(len(result["with"]["levels"]))
    ]
    quality = [figures.Track(label, [_along(each) for each in run["along"]]) for label, run in runs.items()]
    steps = [f"step {step:,}" for step in images["with: steps"]]
    pages = np.concatenate([images["with"], images["without"]], axis=1)
    headings = [""] * pages.shape[1]
    headings[LATENTS // 2], headings[LATENTS + LATENTS // 2] = list(runs)
    return {
        "fig12": figures.training(tracks, quality),
        "fig13": figures.table(pages, columns=headings, rows=steps, gap_after=LATENTS),
    }


def _track(history, name):
    return {"steps": history["steps"], **history["pairs"][name]}


def _along(along):
    return {"steps": along["steps"], "sliced_wasserstein": along["sliced_wasserstein"]}


EXPERIMENT = Experiment("dropout", ("fig12", "fig13"), "dropout between the finest layers of the generator", run, draw)
