"""The paper's open question: does a GAN trained towards independence draw better images?"""

from __future__ import annotations

from sicjax import figures, models
from sicjax.experiments._experiment import Experiment
from sicjax.experiments._images import draw as samples
from sicjax.experiments._images import judge, real
from sicjax.experiments._lab import Lab
from sicjax.experiments._levels import measured_seeds


def run(lab: Lab):
    preset = lab.preset
    reference = real(preset.gan, preset.judged)
    found = []
    weighed = [("none", 0.0)]
    weighed += [(kind, weight) for kind in ("departure", "adaptation") for weight in getattr(preset, kind)]
    for kind, weight in weighed:
        if kind == "none":
            folders = [lab.gan(seed) for seed in preset.seeds]
        else:
            folders = [
                lab.gan(seed, f"gan-{kind}{weight:g}", penalty=weight, penalty_kind=kind) for seed in preset.seeds
            ]
        found.append(
            {
                "kind": kind,
                "weight": weight,
                **measured_seeds(lab, folders),
                "quality": [
                    judge(samples(models.load(folder)["average"], len(reference)), reference) for folder in folders
                ],
            }
        )
    return {"variants": found}, {}


def draw(result, images):
    dots = []
    for variant in result["variants"]:
        generators = variant["networks"]["generator"]
        mean = lambda key, size=abs: [sum(size(level[key]) for level in levels) / len(levels) for levels in generators]  # noqa: B023
        dots.append(
            figures.Dots(
                "none" if variant["kind"] == "none" else f"{variant['kind']} × {variant['weight']:g}",
                {
                    "sliced Wasserstein\ndistance to real images": [
                        q["sliced_wasserstein"] for q in variant["quality"]
                    ],
                    "kernel distance\n(random features)": [q["kernel_random"] for q in variant["quality"]],
                    "standard deviation\nof the ratios": mean("std"),
                    "size of adaptation": mean("adaptation"),
                },
            )
        )
    return {"penalty": figures.compare(dots)}


EXPERIMENT = Experiment("penalty", (), "GANs trained with a penalty on dependence, at equal steps", run, draw)
