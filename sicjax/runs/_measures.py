"""The measure of every pair of layers along a training: numbers in a log, histograms beside it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from sicjax import sdr
from sicjax._errors import InputError
from sicjax.runs._logs import log
from sicjax.runs._places import MEASURES, Places
from sicjax.runs._whole import write_whole

Numbers = Mapping[str, float | None]


class Measure(NamedTuple):
    """What was measured after a step.

    Attributes:
        step: steps done.
        pairs: for each pair of layers its moments and their split; a number that is not finite is None.
        histograms: of each pair's ratios, those between the edges alone.
    """

    step: int
    pairs: Mapping[str, Numbers]
    histograms: Mapping[str, sdr.Histogram]


def measures(folder: str | Path) -> list[Measure]:
    """What a run measured of every pair of layers, in the order of the steps.

    Arguments:
        folder: the run's directory.

    Raises:
        InputError: no run, or histograms that are not there any more.
    """
    places, found = Places(folder), []
    for line in log(folder, MEASURES):
        step, pairs = line["step"], line["pairs"]
        found.append(Measure(step, pairs, _histograms(places.measure(step)) if pairs else {}))
    return found


def write_histograms(places: Places, measure: Measure) -> None:
    """Writes the counts of all pairs and their common edges as one file."""
    if not measure.histograms:
        return
    counts: dict[str, Any] = {name: histogram.counts for name, histogram in measure.histograms.items()}
    edges = next(iter(measure.histograms.values())).edges
    write_whole(
        places.measure(measure.step),
        lambda file: np.savez_compressed(file, edges=edges, **counts),
    )


def _histograms(file: Path) -> dict[str, sdr.Histogram]:
    try:
        with np.load(file, allow_pickle=False) as arrays:
            edges = arrays["edges"]
            return {name: sdr.Histogram(arrays[name], edges, 0, 0, 0) for name in arrays if name != "edges"}
    except (OSError, ValueError, KeyError) as error:
        raise InputError(f"cannot read the histograms {file}: {error}") from error
