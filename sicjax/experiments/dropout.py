"""Figures 12 and 13: the GAN with and without dropout between the two finest layers, along training; claim C6."""

from __future__ import annotations

import numpy as np

from sicjax import figures, models
from sicjax.experiments import _tables as tables
from sicjax.experiments._claim import Result, Verdicts, claim
from sicjax.experiments._differences import difference, each_level
from sicjax.experiments._experiment import Drawing, Experiment
from sicjax.experiments._history import history, pictures, quality_along
from sicjax.experiments._images import draw as samples
from sicjax.experiments._images import judge, real
from sicjax.experiments._lab import Lab
from sicjax.experiments._levels import measured_seeds
from sicjax.experiments._statistics import by_interval, judged

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


def _labelled(result):
    return {f"dropout {result['with']['rate']:g}": result["with"], "no dropout": result["without"]}


def fig12(result, images):
    runs = _labelled(result)
    tracks = [
        [
            figures.Track(label, [_track(each, run["levels"][k]) for each in run["history"]])
            for label, run in runs.items()
        ]
        for k in range(len(result["with"]["levels"]))
    ]
    quality = [figures.Track(label, [_along(each) for each in run["along"]]) for label, run in runs.items()]
    return figures.training(tracks, quality)


def _track(history, name):
    return {"steps": history["steps"], **history["pairs"][name]}


def _along(along):
    return {"steps": along["steps"], "sliced_wasserstein": along["sliced_wasserstein"]}


def fig13(result, images):
    steps = [f"step {step:,}" for step in images["with: steps"]]
    pages = np.concatenate([images["with"], images["without"]], axis=1)
    headings = [""] * pages.shape[1]
    headings[LATENTS // 2], headings[LATENTS + LATENTS // 2] = _labelled(result)
    return figures.table(pages, columns=headings, rows=steps, gap_after=LATENTS)


def page(result) -> list[str]:
    kinds = {f"dropout {result[key]['rate']:g}": result[key] for key in ("with", "without")}
    networks = {f"generator, {name}": each["networks"]["generator"] for name, each in kinds.items()}
    return [tables.quality({name: each["quality"] for name, each in kinds.items()}), tables.levels(networks)]


@claim("C6", "Dropout between the finest layers raises their dependence and spoils the images.")
def c6(result: Result) -> Verdicts:
    with_, without = result["with"], result["without"]
    pairs = (with_["networks"]["generator"], without["networks"]["generator"])
    (_, (on, off)) = next(each_level(*pairs))
    worse = difference(with_["quality"], without["quality"], "sliced_wasserstein")
    kernel = difference(with_["quality"], without["quality"], "kernel_random")
    images = [
        by_interval("sliced Wasserstein distance, with minus without", worse, "above", null=0.0),
        by_interval("kernel distance (random features), with minus without", kernel, "above", null=0.0),
    ]
    null = difference(on, off, "null_mean")
    ratio = [
        by_interval("finest: mean ratio, with minus without", difference(on, off, "mean"), "above", null=null),
        by_interval(
            "finest: share above 1.1, with minus without",
            difference(on, off, "above"),
            "above",
            null=difference(on, off, "null_above"),
        ),
    ]
    adaptation = [
        by_interval("finest: adaptation, with minus without", difference(on, off, "adaptation"), "above", null=0.0)
    ]
    return (
        judged("ratio", "higher ratios at the finest level, and images further from real ones", ratio + images),
        judged("adaptation", "more at the finest level, and images further from real ones", adaptation + images),
    )


EXPERIMENT = Experiment(
    "dropout",
    "dropout between the finest layers of the generator",
    run,
    drawings=(
        Drawing("fig12", "Fig. 12: the GAN along training, with dropout and without.", fig12),
        Drawing("fig13", "Fig. 13: its samples from the same latent variables along training.", fig13),
    ),
    page=page,
    claims=(c6,),
)
