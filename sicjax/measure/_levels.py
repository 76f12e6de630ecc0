"""Histograms in the order of a network's levels, for a figure."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import jax
import numpy as np

from sicjax import figures, sdr
from sicjax._foreign import printable
from sicjax.measure._compile import filled
from sicjax.measure._rows import Measured
from sicjax.measure._sample import sample

# Channels on each axis from which the figure's curve of shuffled kernels is drawn: 262,144 pathways.
SAMPLED = 64


def shuffled(measured: Measured) -> tuple[sdr.Histogram, ...]:
    """For each pair the ratios with the taps of every kernel shuffled, of up to `SAMPLED` channels on each axis.

    Of one shuffle, as an example; mean and spread over all shuffles are in the row, exact.
    """
    pairs = zip(measured.network.pairs, measured.histograms, strict=True)
    # Where every ratio is 1 whatever the weights, also with their taps shuffled.
    return tuple(ratios if pair.cascade.structural else _shuffled(pair.cascade, ratios.edges) for pair, ratios in pairs)


def by_level(
    measured: Sequence[Measured], nulls: Sequence[tuple[sdr.Histogram, ...]] | None = None
) -> dict[str, list[tuple[str, list[figures.Level]]]]:
    """For a figure: each file's networks with their histograms from fine to coarse, the shuffled kernels beside.

    Pairs whose ratios are 1 whatever the weights are left out, but in a network that has no other.

    Arguments:
        measured: the files.
        nulls: `shuffled` of each, where that is known already.
    """
    files: dict[str, list[tuple[str, list[figures.Level]]]] = {}
    for result, null in zip(measured, nulls or map(shuffled, measured), strict=True):
        chains: dict[str, list[figures.Level]] = {}
        read = {pair.network for pair in result.network.pairs if not pair.cascade.structural}
        for pair, row, ratios, example in zip(result.network.pairs, result.rows, result.histograms, null, strict=True):
            if pair.cascade.structural and pair.network in read:
                continue
            level = figures.Level(pair.name, ratios, example, row.marginal, row.adaptation)
            chains.setdefault(pair.network, []).append(level)
        for chain, levels in chains.items():
            directions = [pair.cascade.direction for pair in result.network.pairs if pair.network == chain]
            label = " ".join(dict.fromkeys(part for part in (printable(Path(result.file).stem), chain) if part))
            files.setdefault(result.file, []).append((label, levels[::-1] if "generative" in directions else levels))
    return files


def _shuffled(cascade: sdr.Cascade, edges: np.ndarray) -> sdr.Histogram:
    """Ratios with the taps of every kernel shuffled, of up to `SAMPLED` channels on each of the three axes."""
    some, _ = sample(cascade, SAMPLED)
    return sdr.histogram(sdr.shuffle_taps(filled(some, (SAMPLED,) * 3), jax.random.key(0)), edges=edges)
