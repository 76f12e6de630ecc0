"""The page on what the measure can and cannot tell, with the numbers of these results in it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from sicjax.experiments._readings import READINGS
from sicjax.experiments._statistics import Part
from sicjax.experiments.claims import c3_reading

Results = Mapping[str, Mapping[str, Any]]


def page(results: Results) -> str:
    """The page; a sentence whose numbers are not among the results is left out."""
    paragraphs = [
        _MEANING,
        _marginal(results),
        _certain(results),
        _null(results),
        _readings(results),
        _removal(results),
    ]
    return "\n\n".join([paragraph for paragraph in paragraphs if paragraph] + [_CANNOT]) + "\n"


def every_level(results: Results) -> Iterator[Mapping[str, Any]]:
    """Every pair of layers of every trained and public network among the results."""
    for name in ("gan_levels", "vae_levels"):
        for seeds in results.get(name, {}).get("networks", {}).values():
            yield from (level for levels in seeds for level in levels)
    for file in results.get("public", {}).get("files", []):
        yield from (level for levels in file["networks"].values() for level in levels if not level["structural"])


_MEANING = (
    "**What it tells.** The ratio compares the power that two successive kernels pass on together with what they "
    "would if their spectra had nothing to do with each other, for white input and a linear path between them. It "
    "needs the weights alone, is exact, and is cheap enough to be watched during training. Its mean over all pathways "
    "departs from 1 for two reasons that look alike in a histogram: both layers prefer the same frequencies, whichever "
    "kernels meet (*marginal*), or the kernels that really meet fit each other (*adaptation*). Only the second is a "
    "dependence between the mechanisms of the two layers."
)


def _marginal(results: Results) -> str:
    levels = [level for level in every_level(results) if abs(level["mean"] - 1) > 0.01]
    if not levels:
        return ""
    sizes = np.abs([[level["marginal"], level["adaptation"]] for level in levels])
    shares = 100 * sizes[:, 0] / sizes.sum(1)
    opposed = sum(level["marginal"] * level["adaptation"] < 0 for level in levels)
    return (
        f"**Where a departure comes from.** In the {len(levels)} pairs here whose mean is more than 0.01 from 1, the "
        f"marginal part is {np.median(shares):.0f} % of both parts' size in the median (quartiles "
        f"{np.quantile(shares, 0.25):.0f} and {np.quantile(shares, 0.75):.0f} %), and in {opposed} of them adaptation "
        "has the other sign. A histogram of ratios, which is all that the paper shows, cannot tell the two apart."
    )


def _certain(results: Results) -> str:
    given = [level for level in every_level(results) if level["z"] is not None]
    certain = [abs(level["adaptation"]) for level in given if abs(level["z"]) > 1.96]
    if not certain:
        return ""
    return (
        f"**Certain is not large.** Adaptation is beyond chance (|z| > 1.96) in {len(certain)} of {len(given)} pairs, "
        f"and its size there is {np.median(certain):.3f} in the median, {max(certain):.3f} at most. z grows with the "
        "number of channels: a wide layer shows any small fit with certainty. Compare sizes across layers, and z with "
        "chance."
    )


def _null(results: Results) -> str:
    levels = list(every_level(results))
    if not levels:
        return ""
    wider = sum(level["std"] > level["null_std"] for level in levels)
    spread = 100 * np.median([level["null_std"] / level["std"] for level in levels])
    return (
        "**Spread has a large part that is no dependence.** With the taps of every kernel shuffled, nothing of their "
        f"shapes is left, and the ratios still spread by {spread:.0f} % of what the real kernels do (median; the real "
        f"ones spread wider in {wider} of {len(levels)} pairs). Small kernels share few lags, so single pathways "
        "scatter widely around 1 even where nothing depends on anything. Spreads of layers with other kernel sizes or "
        "strides cannot be compared without this null beside them."
    )


def _readings(results: Results) -> str:
    given = list(results.get("vae_levels", {}).get("readings", []))
    given += [each["readings"] for each in results.get("public", {}).get("files", []) if each["readings"]]
    if not given:
        return ""
    judged = [c3_reading(given, reading.name) for reading in READINGS]
    fit = [each for each in judged if all(part.point for part in each.parts)]
    empty = [each for each in fit if all(_below(part) for part in each.parts if "encoder" in part.what)]
    named = "; ".join(each.says for each in fit) or "none"
    return (
        f"**An encoder below 1 depends on how the formula is read.** Over the {len(given)} VAEs here, trained and "
        f"public, the mean modes are where C3 says under {len(fit)} of {len(READINGS)} readings: {named}. With "
        f"shuffled taps the encoder's modes are below 1 just so under {len(empty)} of these {len(fit)}: what a reading "
        "shows of kernels without any arrangement is a property of the formula, not of the network."
    )


def _below(part: Part) -> bool:
    return part.null is not None and part.null < part.bound


def _removal(results: Results) -> str:
    text = ""
    for network in results.get("removal", {}).get("public", []):
        row = next(row for row in network["doses"] if row["share"] == results["removal"]["share"])
        left = {kind: f"{100 * row[kind]['chroma']:.0f} %" for kind in ("random", *KINDS)}
        text += (
            f" In {network['file']}, when {row['removed']:,} filters go after those of low energy, of the colour "
            f"variance {left['random']} is left if they go at random, {left['lowest ratio']} if they have the lowest "
            f"ratios, {left['highest ratio']} if the highest, {left['lowest adaptation']} if they add least to "
            f"adaptation, and {left['highest adaptation']} if most."
        )
    if not text:
        return ""
    return (
        "**What a filter's ratio says.** A high one: filter and next layer favour the same frequencies; mostly low "
        "ones, since these carry the power of images, hence patches of colour. A low one: the next layer attenuates "
        "what the filter makes. A filter's share of adaptation leaves out what is usual in both layers." + text
    )


KINDS = ("lowest ratio", "highest ratio", "lowest adaptation", "highest adaptation")
_CANNOT = (
    "**What it cannot tell.** The sign and phase of what kernels do (it sees power alone); anything of a pathway's "
    "importance, since every pathway counts alike however small its kernels; what nonlinearities select; what is not a "
    "convolution; and whether a model is good. A network before training is near 1 everywhere. A ratio near 1 is "
    "therefore no sign of quality, and the claims that tie it to quality are judged above by images, not by "
    "plausibility. With few seeds an interval that holds 0 says that nothing is known yet, not that there is nothing."
)
