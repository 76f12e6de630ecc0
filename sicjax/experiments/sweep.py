"""Figures 7, 8, 9 and 11: VAEs with more or fewer channels and a stronger or weaker KL term; C7 and C8."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np

from sicjax import figures, models, runs
from sicjax.experiments import _tables as tables
from sicjax.experiments._claim import Verdicts, claim
from sicjax.experiments._differences import difference, each_level, size
from sicjax.experiments._experiment import Drawing, Experiment
from sicjax.experiments._images import draw as samples
from sicjax.experiments._images import judge, real
from sicjax.experiments._lab import Lab
from sicjax.experiments._levels import curves, measured_seeds
from sicjax.experiments._result import to_uint8
from sicjax.experiments._statistics import Part, by_interval, judged

SHOWN, ACROSS = 64, 6


def run(lab: Lab):
    preset, found, images = lab.preset, [], {}
    reference = real(preset.vae, preset.judged)
    for channels, beta in product(preset.channels, preset.betas):
        folders = [lab.vae(seed, channels, beta) for seed in preset.seeds_of_vaes]
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
        images[_name(found[-1])] = to_uint8(drawn[0][:SHOWN])
    return {"variants": found}, images


def _last(folder: Path) -> dict[str, Any]:
    """The error on images held out, and the KL term, at the end."""
    last = lambda name: runs.log(folder, name)[-1]
    return {"held_out_error": last(runs.SCORES)["score"], "kl": last(runs.METRICS)["kl"]}


def _label(variant) -> str:
    return f"{variant['channels']} ch, β = {variant['beta']:g}"


def _name(variant) -> str:
    return f"{variant['channels']} channels, beta {variant['beta']:g}"


def fig7(result, images):
    grid = {
        (f"{v['channels']} channels", f"β = {v['beta']:g}"): images[_name(v)][: 3 * ACROSS] for v in result["variants"]
    }
    return figures.blocks(grid, across=ACROSS)


def fig8(result, images):
    encoders = {_label(v): v["networks"]["encoder"] for v in result["variants"]}
    return figures.distributions(curves(encoders), title="encoder")


def fig9(result, images):
    worst, *_, best = result["variants"]
    return figures.distributions(curves({_label(v): v["networks"]["decoder"] for v in (worst, best)}), title="decoder")


def fig11(result, images):
    variant = result["variants"][0]
    plain = images[_name(variant)]
    rows = len(plain) // 8
    grid = np.reshape(plain[: rows * 8], (rows, 8, *plain.shape[1:]))
    return figures.table(grid, columns=[""] * 8, width=4.5, title=f"samples of the plain VAE: {_label(variant)}")


def page(result) -> list[str]:
    named = {_name(v): v for v in result["variants"]}
    networks = {
        f"{network}, {name}": v["networks"][network] for network in ("encoder", "decoder") for name, v in named.items()
    }
    return [tables.quality({name: v["quality"] for name, v in named.items()}), tables.levels(networks)]


@claim(
    "C7",
    "A smaller beta gives more variety and more concentrated coarse ratios.",
    of=lambda result: [result["variants"]],
)
def c7(variants: Sequence[Mapping[str, Any]]) -> Verdicts:
    variety: list[Part] = []
    ratio: list[Part] = []
    adaptation: list[Part] = []
    for channels in dict.fromkeys(v["channels"] for v in variants):
        high, low = sorted((v for v in variants if v["channels"] == channels), key=lambda v: -v["beta"])
        name = f"{channels} channels, beta {low['beta']:g} minus {high['beta']:g}"
        apart = difference(low["quality"], high["quality"], "diversity")
        variety.append(by_interval(f"{name}: diversity of samples", apart, "above", null=0.0))
        for network in ("encoder", "decoder"):
            pairs = (low["networks"][network], high["networks"][network])
            *_, (_, (of_low, of_high)) = each_level(*pairs)
            null = difference(of_low, of_high, "null_std")
            apart = difference(of_low, of_high, "std")
            ratio.append(by_interval(f"{name}: std at the {network}'s coarsest level", apart, "below", null=null))
            apart = difference(of_low, of_high, size)
            adaptation.append(by_interval(f"{name}: size of adaptation there, {network}", apart, "below", null=0.0))
    return (
        judged("ratio", "more varied samples, narrower ratios at the coarsest level", variety + ratio),
        judged("adaptation", "more varied samples, less adaptation at the coarsest level", variety + adaptation),
    )


@claim(
    "C8",
    "At the finest level the worst model is slightly more concentrated.",
    of=lambda result: [result["variants"]],
)
def c8(variants: Sequence[Mapping[str, Any]]) -> Verdicts:
    """Worst and best as the paper names them."""
    worst, best = variants[0], variants[-1]
    (_, (of_worst, of_best)) = next(each_level(worst["networks"]["decoder"], best["networks"]["decoder"]))
    name = "finest level of the decoder, worst minus best"
    null = difference(of_worst, of_best, "null_std")
    ratio = by_interval(f"{name}: std", difference(of_worst, of_best, "std"), "below", null=null)
    adaptation = by_interval(f"{name}: size of adaptation", difference(of_worst, of_best, size), "below", null=0.0)
    return (
        judged("ratio", "narrower in the worst model", [ratio]),
        judged("adaptation", "less in the worst model", [adaptation]),
    )


EXPERIMENT = Experiment(
    "sweep",
    "VAEs by channels and beta",
    run,
    drawings=(
        Drawing("fig7", "Fig. 7: samples of the VAEs.", fig7),
        Drawing("fig8", "Fig. 8: their encoders.", fig8),
        Drawing("fig9", "Fig. 9: decoders of the worst and best by the paper's account.", fig9),
        Drawing("fig11", "Fig. 11: samples of the plain VAE.", fig11),
    ),
    page=page,
    claims=(c7, c8),
)
