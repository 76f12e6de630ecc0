"""Figure 4: ratios of the GAN's generator and discriminator, level by level."""

from __future__ import annotations

from sicjax import figures, models
from sicjax.experiments._experiment import Experiment
from sicjax.experiments._images import draw as samples
from sicjax.experiments._images import judge, real
from sicjax.experiments._lab import Lab
from sicjax.experiments._levels import curves, measured_seeds


def run(lab: Lab):
    preset = lab.preset
    folders = [lab.gan(seed) for seed in preset.seeds]
    reference = real(preset.gan, preset.judged)
    quality = [judge(samples(models.load(folder)["average"], len(reference)), reference) for folder in folders]
    return {**measured_seeds(lab, folders), "quality": quality}, {}


def draw(result, images):
    named = {name: result["networks"][name] for name in ("generator", "discriminator")}
    return {"fig4": figures.distributions(curves(named))}


EXPERIMENT = Experiment("gan_levels", ("fig4",), "the GAN's generator and discriminator, level by level", run, draw)
