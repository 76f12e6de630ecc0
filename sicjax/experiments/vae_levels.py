"""Figure 5: ratios of the VAE's decoder and encoder, level by level, under every reading of the paper; C3 and C4."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from sicjax import figures
from sicjax.experiments import _tables as tables
from sicjax.experiments._claim import Verdicts, claim
from sicjax.experiments._differences import NEAR, Level, Seeds, difference, each_level, size, values
from sicjax.experiments._experiment import Drawing, Experiment
from sicjax.experiments._lab import Lab
from sicjax.experiments._levels import curves, levels_of, measured_seeds
from sicjax.experiments._readings import READINGS, read
from sicjax.experiments._statistics import Judged, Part, by_interval, judged


def run(lab: Lab):
    folders = [lab.vae(seed) for seed in lab.preset.seeds_of_vaes]
    readings = [read(folder) for folder in folders]
    return {**measured_seeds(lab, folders), "readings": readings}, {}


def fig5(result, images):
    return figures.distributions(curves({name: result["networks"][name] for name in ("decoder", "encoder")}))


def page(result) -> list[str]:
    return [tables.levels(result["networks"]), "Readings of the formula:\n", readings(result["readings"])]


def readings(given: Sequence[Mapping[str, Any]]) -> str:
    """Modes of decoder and encoder under every reading of the formula, and whether C3 holds under it."""
    rows = []
    for reading in READINGS:
        found = c3_reading(given, reading.name)
        cells = [reading.name]
        for network in ("decoder", "encoder"):
            of = [each for each in found.parts if network in each.what]
            cells.append(", ".join(tables.number(each.found.mean, 2) for each in of))
            cells.append(", ".join(tables.number(each.null, 2) for each in of))
        rows.append(
            [*cells, f"{found.verdict} ({sum(each.point for each in found.parts)} of {len(found.parts)} means)"]
        )
    header = ["reading", "decoder's modes, fine to coarse", "shuffled", "encoder's modes", "shuffled", "C3"]
    return tables.table(header, rows)


@claim(
    "C3",
    "VAE: the decoder's mode is at 1, the encoder's stays below.",
    of=lambda result: [result["networks"]["encoder"], result["networks"]["decoder"]],
)
def c3(encoders: Seeds, decoders: Seeds) -> Verdicts:
    ratio: list[Part] = []
    adaptation: list[Part] = []
    for name, (encoder, decoder) in each_level(encoders, decoders):
        for key in ("mode", "median"):
            null = values(decoder, f"null_{key}")
            ratio.append(
                by_interval(f"{name}: decoder's {key}", values(decoder, key), "within", NEAR, centre=1, null=null)
            )
            null = values(encoder, f"null_{key}")
            ratio.append(by_interval(f"{name}: encoder's {key}", values(encoder, key), "below", 1, null=null))
        found = values(decoder, "adaptation")
        adaptation.append(by_interval(f"{name}: decoder's adaptation", found, "within", NEAR, null=0.0))
        adaptation.append(
            by_interval(f"{name}: encoder's adaptation", values(encoder, "adaptation"), "below", null=0.0)
        )
    return (
        judged("ratio", "decoder's mode and median within 0.1 of 1, encoder's below 1", ratio),
        judged("adaptation", "within 0.1 of 0 in the decoder, below 0 in the encoder", adaptation),
    )


def c3_reading(readings: Sequence[Mapping[str, Mapping[str, Sequence[Level]]]], name: str) -> Judged:
    """C3 by the modes alone under one reading of the formula, with the modes of shuffled kernels beside."""
    parts: list[Part] = []
    encoders, decoders = ([[*seed[name][network]] for seed in readings] for network in ("encoder", "decoder"))
    rules: tuple[tuple[str, Literal["within", "below"], float, float], ...] = (
        ("decoder", "within", NEAR, 1.0),
        ("encoder", "below", 1.0, 0.0),
    )
    for k in range(min(len(levels) for levels in (*encoders, *decoders))):
        level = "finest" if k == 0 else f"level {k + 1}"
        for network, rule, bound, centre in rules:
            found = [levels[k] for levels in (encoders if network == "encoder" else decoders)]
            null = values(found, "null_mode")
            parts.append(
                by_interval(f"{level}: {network}'s mode", values(found, "mode"), rule, bound, centre=centre, null=null)
            )
    return judged("ratio", name, parts)


@claim(
    "C4",
    "The VAE's decoder is broader than the GAN's generator.",
    of=lambda vae, gan: [vae["networks"]["decoder"], gan["networks"]["generator"]],
    also=("gan_levels",),
)
def c4(decoders: Seeds, generators: Seeds) -> Verdicts:
    ratio: list[Part] = []
    adaptation: list[Part] = []
    for name, (decoder, generator) in each_level(decoders, generators):
        null = difference(decoder, generator, "null_std")
        found = difference(decoder, generator, "std")
        ratio.append(by_interval(f"{name}: std, decoder minus generator", found, "above", null=null))
        found = difference(decoder, generator, size)
        adaptation.append(by_interval(f"{name}: size of adaptation, decoder minus generator", found, "above", null=0.0))
    return (
        judged("ratio", "broader at every level", ratio),
        judged("adaptation", "larger at every level", adaptation),
    )


def remark(results) -> str:
    given = list(results.get("vae_levels", {}).get("readings", []))
    given += [each["readings"] for each in results.get("public", {}).get("files", []) if each["readings"]]
    if not given:
        return ""
    found = [c3_reading(given, reading.name) for reading in READINGS]
    fit = [each for each in found if all(number.point for number in each.parts)]
    empty = [each for each in fit if all(_empty(number) for number in each.parts if "encoder" in number.what)]
    named = "; ".join(each.says for each in fit) or "none"
    return (
        f"**An encoder below 1 depends on how the formula is read.** Over the {len(given)} VAEs here, trained and "
        f"public, the mean modes are where C3 says under {len(fit)} of {len(READINGS)} readings: {named}. With "
        f"shuffled taps the encoder's modes are below 1 just so under {len(empty)} of these {len(fit)}: what a reading "
        "shows of kernels without any arrangement is a property of the formula, not of the network."
    )


def _empty(number: Part) -> bool:
    """Whether shuffled kernels are where C3 says that the encoder is."""
    return number.null is not None and number.null < number.bound


EXPERIMENT = Experiment(
    "vae_levels",
    "the VAE's decoder and encoder, level by level",
    run,
    drawings=(Drawing("fig5", "Fig. 5: the VAE. The paper's decoder peaks at 1, its encoder below.", fig5),),
    page=page,
    claims=(c3, c4),
    levels=levels_of,
    remark=remark,
)
