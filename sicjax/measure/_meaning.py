"""What the numbers of a pair say in words."""

from __future__ import annotations

import math

# How often chance alone is called coupled, and how often energies are called matched or opposed. Measured on random
# orders of real channels: 0.0095, and 0.008 to 0.011, see docs/meaning.md.
FALSE = 0.01
# From here on a coupling that is none of chance is called strong: a third of what there could be.
STRONG = 0.33
# With fewer channels nearly any pairing looks like any other.
FEWEST = 8

# Of each column of the table, of `pairs.csv` and of `measure --json`: what it says, and what it does not.
COLUMNS = {
    "name": "The pair: two convolutions with no other between them, in the order of the data.",
    "first": "The layer nearer to the input.",
    "second": "The layer nearer to the output.",
    "direction": "What lies between the two: generative (the second upsamples), extractive (the first downsamples), "
    "turning (both) or plain (neither).",
    "stride": "Of the resampling between the two layers, one an axis.",
    "shape": "Inputs of each intermediate channel, intermediate channels, and outputs of each.",
    "pathways": "All triples of input, intermediate and output channel; each has one ratio.",
    "undefined": "Pathways with a kernel that is all zero. They are in no other number.",
    "structural": "The two kernels share no lag (1 x 1 kernels, or a kernel not larger than the stride), so every "
    "ratio is 1 whatever the weights are. No ratio, and no coupling, says anything of such a pair; its energies may.",
    "mean": "Of the Spectral Dependency Ratios of all pathways: output power over input power times filter "
    "energy, for white input. 1 is what independent kernels give on average; above 1 both pass the same "
    "frequencies. Most of a departure comes from what any pairing of these kernels shows: see marginal "
    "and adaptation.",
    "std": "Of the ratios. Kernels of random weights have a spread too: compare it with shuffled taps (null_std).",
    "quantiles": "Of the ratios: 5, 25, 50, 75 and 95 of 100 lie below.",
    "near_one": "Share of the ratios between 0.9 and 1.1, the paper's range around independence. Wide kernels at "
    "random have a high share, small ones a low one: it cannot be compared between kernel sizes.",
    "marginal": "The part of mean - 1 that any pairing of these kernels shows: both layers prefer low frequencies, "
    "say. It is about each layer alone, not about a dependence of the two.",
    "adaptation": "The part of mean - 1 that the real pairing adds: kernels that meet in a channel pass the same "
    "frequencies (above 0) or other ones (below). Near 0 is not independence: lags cancel in it; see "
    "coupling.",
    "z": "Adaptation over its standard deviation under random pairing of the channels. Beyond 2.6 either way "
    "chance does it once in a hundred pairs.",
    "coupling": "How closely the spectra of the kernels on one side of a channel go with those on the other, beyond "
    "chance: RV coefficient of their lag features, 1 at most, by chance 0 on average (so a little below, too); a third "
    "and more is called strong. It does not say which way they go, ignores scale, and is the same when all kernels of "
    "a layer are transposed. It does not say that the network is good, nor which layer caused it.",
    "coupling_z": "The RV coefficient less its mean under random pairing, over its standard deviation there. It grows "
    "with the number of channels: compare coupling, not z, between layers.",
    "coupling_p": "How often random pairing of the channels couples as much (Pearson III tail with the exact mean, "
    "variance and skewness). Approximate: near 0.05, on public networks, up to 0.01 off with 8 to 31 channels and "
    "up to 0.004 with more; measure --permutations 20000 takes it from so many random pairings. Far below 1e-4 its "
    "digits say no more than that it is small.",
    "energy": "Correlation over the channels of the log energies of the kernels on either side. It is about scale, "
    "which no ratio sees, and a batch norm between the layers may undo it.",
    "energy_p": "How often random pairing of the channels makes a rank correlation of the energies as large either way "
    "(Spearman's). Ranks, because a few channels of odd energy decide about energy itself.",
    "reading": "Coupling and energy in words; z has no part in it. Coupled: coupling_p at most 0.01; strongly: and "
    "coupling at least 0.33; as random pairing: coupling_p above 0.01. Too few channels: under 8, of which nothing is "
    "read. No shared lag: the ratios are 1 whatever the weights (structural). Energies matched or opposed: energy_p at "
    "most 0.01, and which of the two by the sign of the rank correlation.",
    "null_mean": "Mean ratio when the taps of every kernel are shuffled: what the values alone show, without their "
    "arrangement.",
    "null_std": "Spread of the ratios when the taps of every kernel are shuffled.",
}
# The words of readings, of directions and of the page, and what the columns are about.
WORDS = {
    "ratio": "Spectral Dependency Ratio of one pathway: the mean over all frequencies of the product of what its two "
    "kernels pass, each over its own mean. Above 1 both pass the same frequencies, below 1 different ones. A pair has "
    "as many as pathways; the table has their mean and spread.",
    "pathway": "An input channel of the first layer, a channel between the two, an output channel of the second, and "
    "the two kernels on that way.",
    "distance": "Of compare: how far the ratios of a pair moved, the Wasserstein-1 distance of their distributions.",
    "displacement": "Of compare: how far a layer's kernels moved, |after - before| / |before|.",
    "cosine": "Of compare: of a layer's kernels before and after, 1 where they point the same way.",
    "departure": "How far the mean ratio is from 1, either way: what measure --sort departure sorts by.",
    "as random pairing": "A reading: coupling_p above 0.01, as chance shows it. The pair may still be adapted.",
    "coupled": "A reading: coupling_p at most 0.01. Kernels that meet in a channel go together in some way.",
    "strongly coupled": "A reading: coupling_p at most 0.01, coupling at least 0.33: a third of what there could be.",
    "too few channels": "A reading: under 8 channels, where nearly any pairing looks like any other; nothing is read.",
    "no shared lag": "A reading: one kernel is 1 x 1 or not larger than the stride, so that every ratio is 1 whatever "
    "the weights (structural).",
    "energies matched": "A reading: energy_p at most 0.01, and strong kernels meet strong ones.",
    "energies opposed": "A reading: energy_p at most 0.01, and strong kernels meet weak ones.",
    "adapted": "On the page: z beyond 2.6 either way, so that the real pairing moves the mean ratio more than chance "
    "does once in a hundred pairs. The reading does not use it.",
    **dict.fromkeys(("generative", "extractive", "turning", "plain"), COLUMNS["direction"]),
}


def reading(
    *, structural: bool, channels: int, coupling: float, coupling_p: float, rank: float, energy_p: float
) -> str:
    """A pair in words, each said of a pair by chance about once in a hundred; `rank` is of the energies.

    >>> reading(structural=False, channels=64, coupling=0.41, coupling_p=4e-9, rank=-0.48, energy_p=1e-4)
    'strongly coupled, energies opposed'
    """
    if structural:
        words = "no shared lag"
    elif channels < FEWEST or math.isnan(coupling_p):
        words = "too few channels"
    elif coupling_p > FALSE:
        words = "as random pairing"
    else:
        words = "strongly coupled" if coupling >= STRONG else "coupled"
    if channels >= FEWEST and energy_p <= FALSE:
        words += ", energies matched" if rank > 0 else ", energies opposed"
    return words
