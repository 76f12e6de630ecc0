"""Figure 5: ratios of the VAE's decoder and encoder, level by level, under every reading of the paper."""

from __future__ import annotations

from sicjax import figures
from sicjax.experiments._experiment import Experiment
from sicjax.experiments._lab import Lab
from sicjax.experiments._levels import curves, measured_seeds
from sicjax.experiments._readings import read


def run(lab: Lab):
    folders = [lab.vae(seed) for seed in lab.preset.seeds]
    readings = [read(folder) for folder in folders]
    return {**measured_seeds(lab, folders), "readings": readings}, {}


def draw(result, images):
    named = {name: result["networks"][name] for name in ("decoder", "encoder")}
    return {"fig5": figures.distributions(curves(named))}


EXPERIMENT = Experiment("vae_levels", ("fig5",), "the VAE's decoder and encoder, level by level", run, draw)
