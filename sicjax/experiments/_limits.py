"""The page on what the measure can and cannot tell, with the numbers of these results in it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

Levels = Sequence[Mapping[str, Any]]


def page(levels: Levels, remarks: Sequence[str]) -> str:
    """The page; a sentence whose numbers are not among the results is left out.

    Arguments:
        levels: every pair of layers of the trained and public networks among the results.
        remarks: paragraphs of single experiments.
    """
    paragraphs = [_MEANING, _marginal(levels), _certain(levels), _null(levels), *remarks, _CANNOT]
    return "\n\n".join(paragraph for paragraph in paragraphs if paragraph) + "\n"


_MEANING = (
    "**What it tells.** The ratio compares the power that two successive kernels pass on together with what they "
    "would if their spectra had nothing to do with each other, for white input and a linear path between them. It "
    "needs the weights alone, is exact, and is cheap enough to be watched during training. Its mean over all pathways "
    "departs from 1 for two reasons that look alike in a histogram: both layers prefer the same frequencies, whichever "
    "kernels meet (*marginal*), or the kernels that really meet fit each other (*adaptation*). Only the second is a "
    "dependence between the mechanisms of the two layers."
)


def _marginal(levels: Levels) -> str:
    levels = [level for level in levels if abs(level["mean"] - 1) > 0.01]
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


def _certain(levels: Levels) -> str:
    given = [level for level in levels if level["z"] is not None]
    certain = [abs(level["adaptation"]) for level in given if abs(level["z"]) > 1.96]
    if not certain:
        return ""
    return (
        f"**Certain is not large.** Adaptation is beyond chance (|z| > 1.96) in {len(certain)} of {len(given)} pairs, "
        f"and its size there is {np.median(certain):.3f} in the median, {max(certain):.3f} at most. z grows with the "
        "number of channels: a wide layer shows any small fit with certainty. Compare sizes across layers, and z with "
        "chance."
    )


def _null(levels: Levels) -> str:
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


_CANNOT = (
    "**What it cannot tell.** The sign and phase of what kernels do (it sees power alone); anything of a pathway's "
    "importance, since every pathway counts alike however small its kernels; what nonlinearities select; what is not a "
    "convolution; and whether a model is good. A network before training is near 1 everywhere. A ratio near 1 is "
    "therefore no sign of quality, and the claims that tie it to quality are judged above by images, not by "
    "plausibility. With few seeds an interval that holds 0 says that nothing is known yet, not that there is nothing."
)
